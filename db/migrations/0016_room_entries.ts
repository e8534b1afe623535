/**
 * Members of rooms: a row for each tab or device in which a user is there. It lasts until `lease_until` unless it is renewed. An entry
 * that was left stays for a while as `exited`: a message that was sent before it may come after it.
 */
import type { Migration } from "../migration.ts";

export const roomEntries: Migration = {
  version: 16,
  name: "room_entries",
  statements: ({ id, text, bigint, flag, hotTable }) => [
    `CREATE TABLE room_entries (
      room_id ${id} NOT NULL,
      user_id ${id} NOT NULL,
      entry_id ${id} NOT NULL,
      connection_id ${id} NOT NULL,
      number ${bigint} NOT NULL,
      data ${text} NOT NULL,
      since ${bigint} NOT NULL,
      changed_at ${bigint} NOT NULL,
      paced_until ${bigint} NOT NULL,
      lease_until ${bigint} NOT NULL,
      exited ${flag} NOT NULL,
      PRIMARY KEY (room_id, user_id, entry_id)
    ) ${hotTable}`,
    `CREATE INDEX room_entries_connection ON room_entries (connection_id)`,
    `CREATE INDEX room_entries_lease ON room_entries (exited, lease_until)`,
  ],
};
