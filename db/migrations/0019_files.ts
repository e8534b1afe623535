/**
 * Files whose bytes are in the storage. A row is there before its object and goes after it: `signed_until` is when the last signed
 * upload ends. `holder` is the user or the shop whose quota a file counts in; `file_counts` has a row for each, and one for all. The two
 * hashes are a guest's network and the wider one around it.
 */
import type { Migration } from "../migration.ts";

export const files: Migration = {
  version: 19,
  name: "files",
  statements: ({ id, key, text, bigint, table, hotTable }) => [
    `CREATE TABLE files (
      id ${id} NOT NULL PRIMARY KEY,
      owner ${id} NOT NULL,
      holder ${id} NOT NULL,
      shop_id ${id},
      purpose ${id} NOT NULL,
      name ${text} NOT NULL,
      name_key ${id} NOT NULL,
      type ${key} NOT NULL,
      bytes ${bigint} NOT NULL,
      visibility ${id} NOT NULL,
      sent_by ${id} NOT NULL,
      path ${key} NOT NULL,
      upload ${text},
      part_of ${id},
      about ${text},
      state ${id} NOT NULL,
      created_at ${bigint} NOT NULL,
      signed_until ${bigint} NOT NULL,
      stored_at ${bigint},
      used_at ${bigint},
      etag ${key},
      address_hash ${id},
      wider_hash ${id}
    ) ${table}`,
    `CREATE INDEX files_owner ON files (owner, id)`,
    `CREATE INDEX files_shop ON files (shop_id, purpose, id)`,
    `CREATE INDEX files_set ON files (part_of, name_key)`,
    `CREATE INDEX files_state ON files (state, signed_until)`,
    `CREATE INDEX files_address ON files (address_hash, purpose, created_at)`,
    `CREATE INDEX files_wider ON files (wider_hash, purpose, created_at)`,
    `CREATE TABLE file_counts (
      holder ${id} NOT NULL,
      purpose ${id} NOT NULL,
      files ${bigint} NOT NULL,
      bytes ${bigint} NOT NULL,
      PRIMARY KEY (holder, purpose)
    ) ${hotTable}`,
  ],
};
