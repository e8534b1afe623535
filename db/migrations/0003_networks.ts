/** A column for the wider network of a guest: one customer with an IPv6 /48 has 65,536 networks of the usual size. */
import type { Migration } from "../migration.ts";

export const networks: Migration = {
  version: 3,
  name: "networks",
  statements: ({ id }) => [
    `ALTER TABLE sessions ADD COLUMN wider_hash ${id}`,
    `CREATE INDEX sessions_wider ON sessions (wider_hash, created_at)`,
    `ALTER TABLE orders ADD COLUMN wider_hash ${id}`,
  ],
};
