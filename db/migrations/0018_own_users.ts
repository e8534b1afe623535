/** Users of a shop's own system, found by the hash of issuer and subject; and their tokens, each of which begins one session. */
import type { Migration } from "../migration.ts";

export const ownUsers: Migration = {
  version: 18,
  name: "own users",
  statements: ({ id, bigint, table }) => [
    `CREATE TABLE own_accounts (
      hash ${id} NOT NULL PRIMARY KEY,
      user_id ${id} NOT NULL,
      created_at ${bigint} NOT NULL
    ) ${table}`,
    `CREATE INDEX own_accounts_user ON own_accounts (user_id)`,
    `CREATE TABLE used_tokens (
      hash ${id} NOT NULL PRIMARY KEY,
      over_at ${bigint} NOT NULL
    ) ${table}`,
    `CREATE INDEX used_tokens_over ON used_tokens (over_at)`,
  ],
};
