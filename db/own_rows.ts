/** Statements for the example "session": the rows behind one session, without their secrets, and the connection that answers. */
import type { Dialect } from "./dialect.ts";
import { type Sql, sql } from "./sql.ts";

/** Columns that no statement here reads: secrets, sealed or hashed, and hashes of addresses, which others of the network share. */
export const hiddenColumns = {
  sessions: ["token_hash", "address_hash", "wider_hash"],
  users: [],
  wechat_accounts: ["app_id", "session_key_sealed", "user_info_sealed"],
  own_accounts: ["hash"],
} as const;

export const readOwnRows = (session: string, user: string) =>
  [
    sql`SELECT id, user_id, kind, shop_id, role, device, created_at, seen_at, expires_at, ended_at
      FROM sessions WHERE id = ${session}`,
    sql`SELECT id, profile, created_at FROM users WHERE id = ${user}`,
    sql`SELECT openid, unionid, user_id, session_key_at FROM wechat_accounts WHERE user_id = ${user} ORDER BY openid LIMIT 8`,
    sql`SELECT user_id, created_at FROM own_accounts WHERE user_id = ${user} ORDER BY created_at LIMIT 8`,
  ] as const;

/** The number that the server has given to this connection. */
export const readConnection = ({ name }: Dialect): Sql =>
  name === "postgres" ? sql`SELECT pg_backend_pid() AS id` : sql`SELECT connection_id() AS id`;
