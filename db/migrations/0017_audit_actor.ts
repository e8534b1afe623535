/** Who made a change that no session made: the command line's user and machine, or a key. */
import type { Migration } from "../migration.ts";

export const auditActor: Migration = {
  version: 17,
  name: "audit actor",
  statements: () => [
    `ALTER TABLE audit ADD COLUMN actor varchar(160)`,
    // A shop's entries from the newest on.
    `CREATE INDEX audit_shop_id ON audit (shop_id, id)`,
  ],
};
