/** Counters that limit unknown users: bytes and messages of rooms, rooms of a person and a network, tickets of a session. */
import type { Migration } from "../migration.ts";

export const bounds: Migration = {
  version: 4,
  name: "bounds",
  statements: ({ id, bigint, integer }) => [
    `ALTER TABLE rooms ADD COLUMN address_hash ${id}`,
    `ALTER TABLE rooms ADD COLUMN wider_hash ${id}`,
    `ALTER TABLE rooms ADD COLUMN bytes ${bigint} NOT NULL DEFAULT 0`,
    `ALTER TABLE rooms ADD COLUMN messages ${integer} NOT NULL DEFAULT 0`,
    `ALTER TABLE rooms ADD COLUMN used_at ${bigint} NOT NULL DEFAULT 0`,
    // Approximately now, in SQL of every engine: existing rooms live as long as a grant that was signed today.
    `UPDATE rooms SET used_at = (SELECT coalesce(max(seen_at), 0) FROM sessions)`,
    `CREATE INDEX rooms_owner ON rooms (owner_id, created_at)`,
    `CREATE INDEX rooms_address ON rooms (address_hash, created_at)`,
    `CREATE INDEX rooms_wider ON rooms (wider_hash, created_at)`,
    `CREATE INDEX rooms_used ON rooms (used_at)`,
    `ALTER TABLE room_messages ADD COLUMN bytes ${integer} NOT NULL DEFAULT 0`,
    `CREATE INDEX room_messages_seq ON room_messages (stream, seq)`,
    `CREATE INDEX room_messages_sender ON room_messages (sender_id, at)`,
    `CREATE INDEX tickets_session ON tickets (session_id)`,
  ],
};
