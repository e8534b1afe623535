/** Statements on `tickets`, for many clients at once: each issues a ticket, or redeems one for a connection. */
import { among, type Dialect, jsonOf, powersOfTwo } from "./dialect.ts";
import { readManySessions, sessionColumns } from "./sessions.ts";
import { join, type Sql, sql, type Value } from "./sql.ts";

export interface NewTicket {
  readonly hash: string;
  readonly session_id: string;
  readonly expires_at: number;
  /** Of the token that was shown: there is a ticket only if it is the session's. */
  readonly token_hash: string;
}

/**
 * Tickets of sessions that live and have these tokens, and behind them the rows of the sessions: a claim that is refused leaves
 * nothing behind. A new ticket removes the session's old ones, so that a session has only those of some seconds.
 */
export function issueTickets(dialect: Dialect, tickets: readonly NewTicket[], at: number): Sql[] {
  if (dialect.rowsAsJson)
    return [
      sql`SELECT ${sessionColumns} FROM orderbell_issue_tickets(${jsonOf(tickets.map((one) => ({ ...one })))}::json, ${at})`,
    ];
  const sessions = [...new Set(tickets.map(({ session_id }) => session_id))].sort();
  return [
    sql`DELETE FROM tickets WHERE ${among(sql`session_id`, sessions)} AND expires_at <= ${at}`,
    ...powersOfTwo(tickets).map((some) => insertEach(some, at)),
    readManySessions(dialect, sessions),
  ];
}

function insertEach(tickets: readonly NewTicket[], at: number): Sql {
  const each = tickets.map(
    ({ hash, session_id, token_hash, expires_at }) =>
      sql`SELECT ${text(hash)}, id, ${number(expires_at)} FROM sessions WHERE id = ${session_id} AND token_hash = ${token_hash} AND ended_at IS NULL AND expires_at > ${at}`,
  );
  return sql`INSERT INTO tickets (hash, session_id, expires_at) ${join(each, " UNION ALL ")}`;
}

export interface Redemption {
  readonly hash: string;
  readonly connection: string;
}

export interface Registration {
  /** The address of the gateway that holds the connections. */
  readonly gateway: string;
  readonly at: number;
  /** Where a connection is open as soon as it is registered. */
  readonly openedAt: number | null;
}

/**
 * Takes each ticket for its connection, once, and registers the connections from the rows that it marked. No two have the same ticket.
 * The last statement reads each registered connection with its session, and how many the session has; a key has no limit.
 */
export function redeemTickets(dialect: Dialect, redemptions: readonly Redemption[], to: Registration): Sql[] {
  if (dialect.rowsAsJson) {
    const rows = redemptions.map((one) => ({ ...one }));
    return [
      sql`SELECT * FROM orderbell_redeem_tickets(${jsonOf(rows)}::json, ${to.gateway}, ${to.at}, ${to.openedAt})`,
    ];
  }
  const connections = redemptions.map(({ connection }) => connection);
  return [
    ...powersOfTwo(redemptions).flatMap((some) => redeemEach(some, to)),
    sql`SELECT c.id AS connection_id, s.id, s.user_id, s.kind, s.shop_id, s.role, s.device, s.created_at, s.expires_at, s.ended_at,
      CASE WHEN s.kind = 'key' THEN 0 ELSE (SELECT count(*) FROM connections o WHERE o.session_id = s.id) END AS connections
      FROM connections c JOIN sessions s ON s.id = c.session_id WHERE ${among(sql`c.id`, connections)}`,
  ];
}

const register = sql`INSERT INTO connections (id, session_id, gateway, connected_at, opened_at)`;

function redeemEach(redemptions: readonly Redemption[], { gateway, at, openedAt }: Registration): Sql[] {
  const hashes = join(redemptions.map(({ hash }) => hash));
  const each = redemptions.map(({ hash, connection }) => sql`WHEN ${hash} THEN ${connection}`);
  return [
    sql`UPDATE tickets SET connection_id = CASE hash ${join(each, " ")} END
      WHERE hash IN (${hashes}) AND connection_id IS NULL AND expires_at > ${at}`,
    sql`${register} SELECT t.connection_id, t.session_id, CAST(${gateway} AS char(255)), ${number(at)}, ${number(openedAt)}
      FROM tickets t JOIN sessions s ON s.id = t.session_id AND s.ended_at IS NULL AND s.expires_at > ${at}
      WHERE t.hash IN (${hashes}) AND t.connection_id IN (${join(redemptions.map(({ connection }) => connection))})`,
  ];
}

/** A value in a SELECT has no column to take its type from. */
const text = (value: Value) => sql`CAST(${value} AS char(64))`;
const number = (value: number | null) => sql`CAST(${value} AS decimal(20))`;
