/** Statements on `wechat_apps`, `wechat_accounts` and `wechat_codes`. */
import { type Dialect, insertRows } from "./dialect.ts";
import { raw, type Sql, type Statement, sql } from "./sql.ts";

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
export function insertCode(hash: string, addressHash: string | null, widerHash: string | null, at: number): Sql {
  return sql`INSERT INTO wechat_codes (hash, address_hash, wider_hash, failed, sent_at) VALUES (${hash}, ${addressHash}, ${widerHash}, 1, ${at})`;
}

/** The code was accepted, or the failure had another cause. */
export function clearCode(hash: string): Sql {
  return sql`UPDATE wechat_codes SET failed = 0 WHERE hash = ${hash}`;
}

/** Codes of a network that failed since then or have no answer yet, the newest first. */
export function readFailedCodes(
  network: "address_hash" | "wider_hash",
  hash: string,
  since: number,
  limit: number,
): Sql {
  return sql`SELECT sent_at FROM wechat_codes WHERE ${raw(network)} = ${hash} AND failed = 1 AND sent_at > ${since}
    ORDER BY sent_at DESC LIMIT ${limit}`;
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
  /** Null leaves what is there. */
  readonly userInfoSealed: string | null;
  readonly at: number;
}

/** Makes the account or replaces its session_key: the newest wins. Locked until the transaction ends. */
export function putAccount(
  dialect: Dialect,
  { app, openid, unionid, user, sessionKeySealed, userInfoSealed, at }: Account,
): Statement[] {
  const { incoming } = dialect;
  return insertRows(
    dialect,
    "wechat_accounts",
    [
      {
        app_id: app,
        openid,
        unionid,
        user_id: user,
        session_key_sealed: sessionKeySealed,
        session_key_at: at,
        user_info_sealed: userInfoSealed,
      },
    ],
    sql`${dialect.onConflict(["app_id", "openid"])} session_key_sealed = ${incoming("session_key_sealed")},
      session_key_at = ${incoming("session_key_at")}, unionid = coalesce(${incoming("unionid")}, wechat_accounts.unionid),
      user_info_sealed = coalesce(${incoming("user_info_sealed")}, wechat_accounts.user_info_sealed)`,
  );
}

export function readAccount(app: string, openid: string): Sql {
  return sql`SELECT user_id FROM wechat_accounts WHERE app_id = ${app} AND openid = ${openid}`;
}

/** The account of a user, with its mini-program and the profile that pages show. */
export function readAccountOfUser(user: string): Sql {
  return sql`SELECT a.user_id, a.app_id, a.openid, a.unionid, a.session_key_sealed, a.session_key_at, a.user_info_sealed, w.appid_sealed, u.profile
    FROM wechat_accounts a JOIN wechat_apps w ON w.id = a.app_id JOIN users u ON u.id = a.user_id WHERE a.user_id = ${user}`;
}

/** The user's openids; first that of the mini-program that was added first. */
export function readOpenids(user: string): Sql {
  return sql`SELECT a.openid FROM wechat_accounts a JOIN wechat_apps w ON w.id = a.app_id WHERE a.user_id = ${user}
    ORDER BY w.created_at, a.app_id, a.openid`;
}
