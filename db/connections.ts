/** Statements on `connections` and `subscriptions`. */
import { byKeys, isAmong } from "./by_keys.ts";
import { among, type Dialect, insertRows } from "./dialect.ts";
import { shortenLeases } from "./room_entries.ts";
import { join, raw, type Sql, type Statement, sql } from "./sql.ts";

const columns = sql`c.id AS connection_id, c.gateway, c.opened_at, s.id, s.user_id, s.kind, s.shop_id, s.role, s.device,
      s.token_hash, s.created_at, s.expires_at, s.ended_at`;
const table = sql`connections c JOIN sessions s ON s.id = c.session_id`;

/** The connection with the session behind it, as it is now. */
export function readConnection(id: string): Sql {
  return sql`SELECT ${columns} FROM ${table} WHERE c.id = ${id}`;
}

/** These connections, likewise. */
export function readSenders(dialect: Dialect, ids: readonly string[]): Sql {
  return byKeys(dialect, { columns, table, key: sql`c.id` }, ids);
}

/** Whose connections these are: for the log, when they are removed. */
export function readHolders(dialect: Dialect, ids: readonly string[]): Sql {
  return byKeys(dialect, { columns: sql`c.id AS connection_id, s.id, s.kind`, table, key: sql`c.id` }, ids);
}

/** These connections, with the current state of the session behind each. */
export function readRights(ids: readonly string[]): Sql {
  return sql`SELECT c.id AS connection_id, c.gateway, s.ended_at, s.expires_at
    FROM connections c LEFT JOIN sessions s ON s.id = c.session_id WHERE ${among(sql`c.id`, ids)}`;
}

/** Reads which of these connections still exist. */
export function readKnownConnections(ids: readonly string[]): Sql {
  return sql`SELECT id FROM connections WHERE ${among(sql`id`, ids)}`;
}

/** The first message marks it as open: from now on pushes are sent to it, and "gone" means closed. */
export function openConnection(id: string, at: number): Sql {
  return sql`UPDATE connections SET opened_at = ${at} WHERE id = ${id} AND opened_at IS NULL`;
}

/** The connection goes on under another session: its token was refreshed. */
export function moveConnection(id: string, session: string): Sql {
  return sql`UPDATE connections SET session_id = ${session} WHERE id = ${id}`;
}

/** Locks the connection until the transaction ends, so that no other one removes it or counts its streams meanwhile. */
export function lockConnection(id: string): Sql {
  return sql`SELECT id, opened_at FROM connections WHERE id = ${id} FOR UPDATE`;
}

/**
 * The connections first: a `subscribe` that runs at the same time finds its own locked, and then gone.
 * @param graceUntil members of rooms that come back by then have not left
 */
export function removeConnections(dialect: Dialect, ids: readonly string[], graceUntil: number): Sql[] {
  const among = (column: Sql) => isAmong(dialect, column, ids.toSorted());
  return [
    sql`DELETE FROM connections WHERE ${among(sql`id`)}`,
    sql`DELETE FROM subscriptions WHERE ${among(sql`connection_id`)}`,
    sql`DELETE FROM watches WHERE ${among(sql`connection_id`)}`,
    sql`DELETE FROM screens WHERE ${among(sql`id`)}`,
    shortenLeases(among(sql`connection_id`), graceUntil),
  ];
}

/** Newest first. */
export function readConnectionsOfSession(session: string): Sql {
  return sql`SELECT id, gateway FROM connections WHERE session_id = ${session} ORDER BY connected_at DESC, id DESC`;
}

export function readConnections(limit: number): Sql {
  return sql`SELECT c.id, c.session_id, c.gateway, c.connected_at, c.opened_at, s.user_id, s.kind, s.shop_id
    FROM connections c JOIN sessions s ON s.id = c.session_id ORDER BY c.connected_at DESC LIMIT ${limit}`;
}

/** Connections older than any gateway's limit: their `$disconnect` never came. */
export function trimConnections(before: number): Sql[] {
  const old = sql`SELECT id FROM connections WHERE connected_at < ${before}`;
  return [
    sql`DELETE FROM subscriptions WHERE connection_id IN (${old})`,
    sql`DELETE FROM connections WHERE connected_at < ${before}`,
  ];
}

/** All connections of a process that has ended. @param graceUntil as above */
export function removeConnectionsOf(gateway: string, graceUntil: number): Sql[] {
  return [
    shortenLeases(sql`connection_id IN (SELECT id FROM connections WHERE gateway = ${gateway})`, graceUntil),
    sql`DELETE FROM subscriptions WHERE connection_id IN (SELECT id FROM connections WHERE gateway = ${gateway})`,
    sql`DELETE FROM screens WHERE id IN (SELECT id FROM connections WHERE gateway = ${gateway})`,
    sql`DELETE FROM connections WHERE gateway = ${gateway}`,
  ];
}

// --- Subscriptions, for gateways without memory --------------------------------------------------------------------

/** Writes only if no message with a higher number was handled before. Send it under the lock of the connection. */
export function subscribe(
  dialect: Dialect,
  connection: string,
  stream: string,
  number: number,
  active: boolean,
  grant?: { readonly version: number; readonly until: number },
): Statement[] {
  const newer = (column: string) =>
    sql`${raw(column)} = CASE WHEN ${dialect.incoming("number")} >= subscriptions.number THEN ${dialect.incoming(column)} ELSE ${raw(`subscriptions.${column}`)} END`;
  const row = { number, active, grant_version: grant?.version ?? null, grant_until: grant?.until ?? null };
  // MySQL assigns from left to right, so the column that is compared is changed last.
  return insertRows(
    dialect,
    "subscriptions",
    [{ connection_id: connection, stream, ...row }],
    sql`${dialect.onConflict(["connection_id", "stream"])} ${join(["active", "grant_version", "grant_until", "number"].map(newer), ", ")}`,
  );
}

/** Streams left before this number; no older message is still on its way. */
export function forgetLeft(connection: string, number: number): Sql {
  return sql`DELETE FROM subscriptions WHERE connection_id = ${connection} AND active = 0 AND number < ${number}`;
}

export function readSubscriptions(connection: string): Sql {
  return sql`SELECT stream, number, active FROM subscriptions WHERE connection_id = ${connection}`;
}

/** Leaves the stream, if the connection's subscription still has this number. */
export function leave(connection: string, stream: string, number: number): Sql {
  return sql`UPDATE subscriptions SET active = 0 WHERE connection_id = ${connection} AND stream = ${stream} AND number = ${number}`;
}

/** The subscribers of these streams, with the current state of the session or room that gives them the right. */
export function readSubscribers(streams: readonly string[]): Sql {
  return sql`SELECT b.stream, b.connection_id, b.number, b.grant_version, b.grant_until, c.gateway, s.ended_at, s.expires_at,
      (SELECT r.grant_version FROM rooms r WHERE b.grant_version IS NOT NULL AND r.id = substring(b.stream, position(':' IN b.stream) + 1)) AS room_version
    FROM subscriptions b JOIN connections c ON c.id = b.connection_id LEFT JOIN sessions s ON s.id = c.session_id
    WHERE ${among(sql`b.stream`, streams)} AND b.active = 1`;
}
