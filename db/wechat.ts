/** Statements on `wechat_apps`, `wechat_accounts` and `wechat_codes`. */
import { type Dialect, insertRows } from "./dialect.ts";
import { type Sql, type Statement, sql } from "./sql.ts";

export function insertApp(
  dialect: Dialect,
  app: { id: string; name: string; appidSealed: string; secretSealed: string; at: number },
): Statement[] {
  const { id, name, appidSealed, secretSealed, at } = app;
  return insertRows(
    dialect,
    "wechat_apps",
    [{ id, name, appid_sealed: appidSealed, secret_sealed: secretSealed, created_at: at }],
    sql`${dialect.onConflict(["id"])} name = ${dialect.incoming("name")}, secret_sealed = ${dialect.incoming("secret_sealed")}`,
  );
}

export function readApp(id: string): Sql {
  return sql`SELECT id, name, appid_sealed, secret_sealed FROM wechat_apps WHERE id = ${id}`;
}

export function readApps(limit: number): Sql {
  return sql`SELECT id, name, appid_sealed, secret_sealed FROM wechat_apps ORDER BY created_at LIMIT ${limit}`;
}

/** Fails as a unique key does when the code was sent before. */
export function insertCode(hash: string, at: number): Sql {
  return sql`INSERT INTO wechat_codes (hash, sent_at) VALUES (${hash}, ${at})`;
}

export function trimCodes(before: number): Sql {
  return sql`DELETE FROM wechat_codes WHERE sent_at < ${before}`;
}

export interface Account {
  readonly app: string;
  readonly openid: string;
  readonly unionid: string | null;
  /** Used if the account is made now. */
  readonly user: string;
  readonly sessionKeySealed: string;
  readonly at: number;
}

/** Makes the account or renews its session_key: the newest wins. Locked until the transaction ends. */
export function putAccount(
  dialect: Dialect,
  { app, openid, unionid, user, sessionKeySealed, at }: Account,
): Statement[] {
  const { incoming } = dialect;
  return insertRows(
    dialect,
    "wechat_accounts",
    [{ app_id: app, openid, unionid, user_id: user, session_key_sealed: sessionKeySealed, session_key_at: at }],
    sql`${dialect.onConflict(["app_id", "openid"])} session_key_sealed = ${incoming("session_key_sealed")},
      session_key_at = ${incoming("session_key_at")}, unionid = coalesce(${incoming("unionid")}, wechat_accounts.unionid)`,
  );
}

export function readAccount(app: string, openid: string): Sql {
  return sql`SELECT user_id FROM wechat_accounts WHERE app_id = ${app} AND openid = ${openid}`;
}
