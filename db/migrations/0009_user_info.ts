/** A column for the data of a WeChat user that Wafer's back ends get: personal, so it is stored encrypted. Accounts are looked up by user. */
import type { Migration } from "../migration.ts";

export const userInfo: Migration = {
  version: 9,
  name: "user info",
  statements: ({ text }) => [
    `ALTER TABLE wechat_accounts ADD COLUMN user_info_sealed ${text}`,
    `CREATE INDEX wechat_accounts_user ON wechat_accounts (user_id)`,
  ],
};
