/** Stores with a room's subscription the grant that allowed it, so that each push can check whether it is still valid. */
import type { Migration } from "../migration.ts";

export const granted: Migration = {
  version: 5,
  name: "granted",
  statements: ({ bigint, integer }) => [
    `ALTER TABLE subscriptions ADD COLUMN grant_version ${integer}`,
    `ALTER TABLE subscriptions ADD COLUMN grant_until ${bigint}`,
    // The grant of these is unknown. The next check subscribes them again.
    `UPDATE subscriptions SET active = 0 WHERE stream LIKE 'room:%'`,
  ],
};
