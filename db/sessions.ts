/** Statements on `users`, `sessions`, `pairing_codes`, `tickets` and `api_keys`. */
import { byKeys, isAmong } from "./by_keys.ts";
import { among, type Dialect } from "./dialect.ts";
import { raw, type Sql, sql, type Value } from "./sql.ts";

export const sessionColumns = sql`id, user_id, kind, shop_id, role, device, token_hash, created_at, seen_at, expires_at, ended_at`;

export function readSession(id: string): Sql {
  return sql`SELECT ${sessionColumns} FROM sessions WHERE id = ${id}`;
}

export function readSessions(ids: readonly string[]): Sql {
  return sql`SELECT ${sessionColumns} FROM sessions WHERE ${among(sql`id`, ids)}`;
}

/** In a statement whose text is the same for any number of sessions. */
export function readManySessions(dialect: Dialect, ids: readonly string[]): Sql {
  return byKeys(dialect, { columns: sessionColumns, table: sql`sessions`, key: sql`id` }, ids);
}

export function insertUser(id: string, profile: string | null, at: number): Sql {
  return sql`INSERT INTO users (id, profile, created_at) VALUES (${id}, ${profile}, ${at})`;
}

export function readUser(id: string): Sql {
  return sql`SELECT id, profile, created_at FROM users WHERE id = ${id}`;
}

export function updateProfile(id: string, profile: string): Sql {
  return sql`UPDATE users SET profile = ${profile} WHERE id = ${id}`;
}

export interface SessionRow {
  readonly id: string;
  readonly user: string;
  readonly kind: string;
  readonly shop?: string | null;
  readonly device?: string | null;
  readonly tokenHash: string;
  readonly addressHash: string | null;
  readonly widerHash: string | null;
  readonly at: number;
  readonly expiresAt: number;
}

export function insertSession(session: SessionRow): Sql {
  const { id, user, kind, shop = null, device = null, tokenHash, addressHash, widerHash, at, expiresAt } = session;
  return sql`INSERT INTO sessions (id, user_id, kind, shop_id, device, token_hash, address_hash, wider_hash, created_at, seen_at, expires_at)
    VALUES (${id}, ${user}, ${kind}, ${shop}, ${device}, ${tokenHash}, ${addressHash}, ${widerHash}, ${at}, ${at}, ${expiresAt})`;
}

export function extendSessions(dialect: Dialect, ids: readonly string[], at: number, expiresAt: number): Sql {
  return sql`UPDATE sessions SET seen_at = ${at}, expires_at = ${expiresAt}
    WHERE ${isAmong(dialect, sql`id`, ids)} AND ended_at IS NULL AND expires_at > ${at}`;
}

export function endSession(id: string, reason: string, at: number): Sql {
  return sql`UPDATE sessions SET ended_at = ${at}, end_reason = ${reason} WHERE id = ${id} AND ended_at IS NULL`;
}

/** The most sessions in one statement of `readLives`. */
export const maxLives = 1_024;

/** The expiry of these sessions, and the time each was ended, if it was. */
export function readLives(ids: readonly string[]): Sql {
  return sql`SELECT id, expires_at, ended_at FROM sessions WHERE ${among(sql`id`, ids)}`;
}

/** The sessions that were ended since then. */
export function readEnded(since: number): Sql {
  return sql`SELECT id FROM sessions WHERE ended_at >= ${since}`;
}

/**
 * Guests and the shop's own users of a network that began since then and never ordered, as many as the limit allows, the oldest
 * first: it is the one whose time is over first. Those with an order are limited as customers.
 */
export function readIdleVisitors(
  network: "address_hash" | "wider_hash",
  hash: string,
  since: number,
  limit: number,
): Sql {
  return sql`SELECT s.created_at FROM sessions s WHERE s.${raw(network)} = ${hash} AND s.created_at > ${since} AND s.kind IN ('guest', 'own')
    AND (SELECT o.id FROM orders o WHERE o.user_id = s.user_id LIMIT 1) IS NULL ORDER BY s.created_at DESC LIMIT ${limit}`;
}

/** Devices that are signed in, and whether each is connected now. */
const devicesOf = (shop: string, now: number) => sql`SELECT ${sessionColumns},
    EXISTS (SELECT 1 FROM connections c WHERE c.session_id = sessions.id) AS online
  FROM sessions WHERE shop_id = ${shop} AND kind = 'staff' AND ended_at IS NULL AND expires_at > ${now}`;

export const readDevices = (shop: string, now: number): Sql => sql`${devicesOf(shop, now)} ORDER BY created_at`;

/** Those behind this one; ids are in the order in which they were made. */
export const readDevicesAfter = (shop: string, now: number, id: string, limit: number): Sql =>
  sql`${devicesOf(shop, now)} AND id > ${id} ORDER BY id LIMIT ${limit}`;

export function readSessionsOfUser(user: string): Sql {
  return sql`SELECT ${sessionColumns} FROM sessions WHERE user_id = ${user} ORDER BY created_at`;
}

export function readLiveSessions(now: number, limit: number): Sql {
  return sql`SELECT ${sessionColumns} FROM sessions WHERE ended_at IS NULL AND expires_at > ${now} ORDER BY created_at DESC LIMIT ${limit}`;
}

// --- Pairing -------------------------------------------------------------------------------------------------------

export interface NewPairingCode {
  readonly hash: string;
  readonly shop: string;
  readonly role: string;
  readonly device: string;
  readonly by: string | null;
  readonly at: number;
  readonly expiresAt: number;
}

/** Made from the shop's row: for a shop that does not exist there is no code. */
export function insertPairingCode({ hash, shop, role, device, by, at, expiresAt }: NewPairingCode): Sql[] {
  return [
    sql`INSERT INTO pairing_codes (hash, shop_id, role, device, created_by, created_at, expires_at)
      SELECT ${text(hash)}, id, ${text(role)}, ${text(device)}, ${text(by)}, ${number(at)}, ${number(expiresAt)} FROM shops WHERE id = ${shop}`,
    sql`SELECT hash FROM pairing_codes WHERE hash = ${hash}`,
  ];
}

/**
 * One conditional update takes the code, and what follows is made from the row that it marked: of two requests with
 * the same code, the second finds no row to make its session from.
 */
export function pair(hash: string, session: SessionRow): Sql[] {
  const { id, user, tokenHash, addressHash, at, expiresAt } = session;
  return [
    sql`UPDATE pairing_codes SET session_id = ${id} WHERE hash = ${hash} AND session_id IS NULL AND expires_at > ${at}`,
    sql`INSERT INTO users (id, created_at) SELECT ${text(user)}, ${number(at)} FROM pairing_codes WHERE hash = ${hash} AND session_id = ${id}`,
    sql`INSERT INTO sessions (id, user_id, kind, shop_id, role, device, token_hash, address_hash, created_at, seen_at, expires_at)
      SELECT session_id, ${text(user)}, 'staff', shop_id, role, device, ${text(tokenHash)}, ${text(addressHash)}, ${number(at)}, ${number(at)}, ${number(expiresAt)}
      FROM pairing_codes WHERE hash = ${hash} AND session_id = ${id}`,
    readSession(id),
  ];
}

/** A value in a SELECT has no column to take its type from. Both families know these casts. */
const text = (value: Value) => sql`CAST(${value} AS char(64))`;
const number = (value: number) => sql`CAST(${value} AS decimal(20))`;

// --- Keys of other back ends ---------------------------------------------------------------------------------------

export function insertApiKey(
  id: string,
  hash: string,
  name: string,
  scopes: string,
  shop: string | null,
  at: number,
): Sql {
  return sql`INSERT INTO api_keys (id, hash, name, scopes, shop_id, created_at) VALUES (${id}, ${hash}, ${name}, ${scopes}, ${shop}, ${at})`;
}

export function readApiKey(hash: string): Sql {
  return sql`SELECT id, name, scopes, shop_id FROM api_keys WHERE hash = ${hash} AND revoked_at IS NULL`;
}

export function readApiKeys(): Sql {
  return sql`SELECT id, name, scopes, shop_id, created_at, revoked_at FROM api_keys ORDER BY created_at`;
}

export function revokeApiKey(id: string, at: number): Sql {
  return sql`UPDATE api_keys SET revoked_at = ${at} WHERE id = ${id} AND revoked_at IS NULL`;
}

// --- Past their time -----------------------------------------------------------------------------------------------

/** @param codesBefore tickets and pairing codes that expired before then; @param sessionsBefore sessions likewise */
export function trimSessions(codesBefore: number, sessionsBefore: number): Sql[] {
  return [
    sql`DELETE FROM tickets WHERE expires_at < ${codesBefore}`,
    sql`DELETE FROM pairing_codes WHERE expires_at < ${codesBefore}`,
    sql`DELETE FROM used_tokens WHERE over_at < ${codesBefore}`,
    sql`DELETE FROM sessions WHERE expires_at < ${sessionsBefore}`,
  ];
}

/** Guests without activity since then and without data, and users without a session, an order or an account. */
export function trimGuests(before: number): Sql[] {
  const nothing = (user: Sql) => sql`NOT EXISTS (SELECT 1 FROM orders o WHERE o.user_id = ${user})
    AND NOT EXISTS (SELECT 1 FROM rooms r WHERE r.owner_id = ${user})
    AND NOT EXISTS (SELECT 1 FROM documents d WHERE d.owner = ${user})
    AND NOT EXISTS (SELECT 1 FROM files f WHERE f.owner = ${user})`;
  return [
    sql`DELETE FROM sessions WHERE kind = 'guest' AND seen_at < ${before} AND ${nothing(sql`sessions.user_id`)}`,
    sql`DELETE FROM users WHERE created_at < ${before} AND ${nothing(sql`users.id`)}
      AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = users.id)
      AND NOT EXISTS (SELECT 1 FROM wechat_accounts a WHERE a.user_id = users.id)
      AND NOT EXISTS (SELECT 1 FROM own_accounts a WHERE a.user_id = users.id)`,
  ];
}
