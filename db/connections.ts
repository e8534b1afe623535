/** Statements on `connections` and `subscriptions`. */
import { among, type Dialect, insertRows } from "./dialect.ts";
import { type Sql, type Statement, sql } from "./sql.ts";

/** The connection with the session behind it, as it is now. */
export function readConnection(id: string): Sql {
  return sql`SELECT c.id AS connection_id, c.gateway, c.opened_at, s.id, s.user_id, s.kind, s.shop_id, s.role, s.device,
      s.token_hash, s.created_at, s.expires_at, s.ended_at
    FROM connections c JOIN sessions s ON s.id = c.session_id WHERE c.id = ${id}`;
}

/** The first message opens: from now on a push may find it, and "gone" means gone. */
export function openConnection(id: string, at: number): Sql {
  return sql`UPDATE connections SET opened_at = ${at} WHERE id = ${id} AND opened_at IS NULL`;
}

/** The connection goes on under another session: its token was renewed. */
export function moveConnection(id: string, session: string): Sql {
  return sql`UPDATE connections SET session_id = ${session} WHERE id = ${id}`;
}

/** Locks the connection until the transaction ends, so that nobody removes it or counts its streams meanwhile. */
export function lockConnection(id: string): Sql {
  return sql`SELECT id, opened_at FROM connections WHERE id = ${id} FOR UPDATE`;
}

/** The connection first: a `subscribe` that runs at the same time finds it locked, and then gone. */
export function removeConnection(id: string): Sql[] {
  return [
    sql`DELETE FROM connections WHERE id = ${id}`,
    sql`DELETE FROM subscriptions WHERE connection_id = ${id}`,
    sql`DELETE FROM screens WHERE id = ${id}`,
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

/** Connections older than any gateway lets one live: their `$disconnect` never came. */
export function trimConnections(before: number): Sql[] {
  const old = sql`SELECT id FROM connections WHERE connected_at < ${before}`;
  return [
    sql`DELETE FROM subscriptions WHERE connection_id IN (${old})`,
    sql`DELETE FROM connections WHERE connected_at < ${before}`,
  ];
}

/** All connections of a process that is no more. */
export function removeConnectionsOf(gateway: string): Sql[] {
  return [
    sql`DELETE FROM subscriptions WHERE connection_id IN (SELECT id FROM connections WHERE gateway = ${gateway})`,
    sql`DELETE FROM screens WHERE id IN (SELECT id FROM connections WHERE gateway = ${gateway})`,
    sql`DELETE FROM connections WHERE gateway = ${gateway}`,
  ];
}

// --- Subscriptions, for gateways without memory --------------------------------------------------------------------

/** Writes only if no message with a higher number was here before. To be sent under the lock of the connection. */
export function subscribe(
  dialect: Dialect,
  connection: string,
  stream: string,
  number: number,
  active: boolean,
): Statement[] {
  const newer = (column: string) =>
    sql`CASE WHEN ${dialect.incoming("number")} >= subscriptions.number THEN ${dialect.incoming(column)} ELSE ${column === "active" ? sql`subscriptions.active` : sql`subscriptions.number`} END`;
  // MySQL assigns from left to right, so what is compared with is changed last.
  return insertRows(
    dialect,
    "subscriptions",
    [{ connection_id: connection, stream, number, active }],
    sql`${dialect.onConflict(["connection_id", "stream"])} active = ${newer("active")}, number = ${newer("number")}`,
  );
}

/** What was left before this number; a message that is older still is under way no more. */
export function forgetLeft(connection: string, number: number): Sql {
  return sql`DELETE FROM subscriptions WHERE connection_id = ${connection} AND active = 0 AND number < ${number}`;
}

export function readSubscriptions(connection: string): Sql {
  return sql`SELECT stream, number, active FROM subscriptions WHERE connection_id = ${connection}`;
}

/** Who may be sent events of these streams at this moment: subscribed, and the session alive. */
export function readAudience(streams: readonly string[], now: number): Sql {
  return sql`SELECT b.stream, b.connection_id, c.gateway FROM subscriptions b
    JOIN connections c ON c.id = b.connection_id
    JOIN sessions s ON s.id = c.session_id AND s.ended_at IS NULL AND s.expires_at > ${now}
    WHERE ${among(sql`b.stream`, streams)} AND b.active = 1`;
}
