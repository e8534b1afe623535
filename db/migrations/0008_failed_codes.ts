/** Columns to count, by network, codes that WeChat did not know, so that an attacker cannot use up the API quota. */
import type { Migration } from "../migration.ts";

export const failedCodes: Migration = {
  version: 8,
  name: "failed codes",
  statements: ({ id, flag }) => [
    `ALTER TABLE wechat_codes ADD COLUMN address_hash ${id}`,
    `ALTER TABLE wechat_codes ADD COLUMN wider_hash ${id}`,
    `ALTER TABLE wechat_codes ADD COLUMN failed ${flag} NOT NULL DEFAULT 0`,
    `CREATE INDEX wechat_codes_address ON wechat_codes (address_hash, sent_at)`,
    `CREATE INDEX wechat_codes_wider ON wechat_codes (wider_hash, sent_at)`,
  ],
};
