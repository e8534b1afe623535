/** Statements on `own_accounts` and `used_tokens`: users of a shop's own system, and tokens that cannot be used again. */
import { type Dialect, insertRows } from "./dialect.ts";
import { type Sql, type Statement, sql } from "./sql.ts";

/** Makes the account, or leaves it as it is, locked. @param account the hash of issuer and subject */
export function putOwnAccount(
  dialect: Dialect,
  { account, user, at }: { account: string; user: string; at: number },
): Statement[] {
  return insertRows(
    dialect,
    "own_accounts",
    [{ hash: account, user_id: user, created_at: at }],
    sql`${dialect.onConflict(["hash"])} hash = own_accounts.hash`,
  );
}

export function readOwnAccount(account: string): Sql {
  return sql`SELECT user_id FROM own_accounts WHERE hash = ${account}`;
}

/** Fails for a token that was used. @param overAt after it, the token is refused for its age */
export function insertUsedToken(hash: string, overAt: number): Sql {
  return sql`INSERT INTO used_tokens (hash, over_at) VALUES (${hash}, ${overAt})`;
}
