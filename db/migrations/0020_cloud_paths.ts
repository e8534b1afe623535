/**
 * Which file is at a path of CloudBase's clients, found by the path's hash: `file_id` is what readers get, `next_id` one whose bytes
 * are on their way to the storage without us. A path whose file is gone is free.
 */
import type { Migration } from "../migration.ts";

export const cloudPaths: Migration = {
  version: 20,
  name: "cloud paths",
  statements: ({ id, text, bigint, table }) => [
    `CREATE TABLE cloud_paths (
      hash ${id} NOT NULL PRIMARY KEY,
      path ${text} NOT NULL,
      file_id ${id},
      next_id ${id},
      created_at ${bigint} NOT NULL
    ) ${table}`,
  ],
};
