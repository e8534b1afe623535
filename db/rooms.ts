/** Statements on `rooms`, `room_messages` and `notifications`. */
import { type Sql, sql } from "./sql.ts";

export function readRoom(id: string): Sql {
  return sql`SELECT id, owner_id, grant_version FROM rooms WHERE id = ${id}`;
}

export function lockRoom(id: string): Sql {
  return sql`SELECT id, owner_id, grant_version FROM rooms WHERE id = ${id} FOR UPDATE`;
}

export function insertRoom(id: string, owner: string, at: number): Sql {
  return sql`INSERT INTO rooms (id, owner_id, grant_version, created_at) VALUES (${id}, ${owner}, 1, ${at})`;
}

export function setGrantVersion(id: string, version: number): Sql {
  return sql`UPDATE rooms SET grant_version = ${version} WHERE id = ${id}`;
}

export function countRooms(owner: string, since: number): Sql {
  return sql`SELECT count(*) AS n FROM rooms WHERE owner_id = ${owner} AND created_at > ${since}`;
}

// --- Messages ------------------------------------------------------------------------------------------------------

/** The message under this id, if the room has it, with the event that it became. */
export function readMessage(stream: string, sender: string, id: string): Sql {
  return sql`SELECT m.seq, e.tag FROM room_messages m LEFT JOIN events e ON e.stream = m.stream AND e.seq = m.seq
    WHERE m.stream = ${stream} AND m.sender_id = ${sender} AND m.message_id = ${id}`;
}

export function countMessages(stream: string, sender: string, since: number): Sql {
  return sql`SELECT count(*) AS n FROM room_messages WHERE stream = ${stream} AND sender_id = ${sender} AND at > ${since}`;
}

export function insertMessage(stream: string, sender: string, id: string, seq: number, at: number): Sql {
  return sql`INSERT INTO room_messages (stream, sender_id, message_id, seq, at) VALUES (${stream}, ${sender}, ${id}, ${seq}, ${at})`;
}

export function trimMessages(before: number): Sql {
  return sql`DELETE FROM room_messages WHERE at < ${before}`;
}

// --- Notifications -------------------------------------------------------------------------------------------------

export function insertNotification(id: string, stream: string, data: string, at: number): Sql {
  return sql`INSERT INTO notifications (id, stream, data, at) VALUES (${id}, ${stream}, ${data}, ${at})`;
}

export function readNotification(id: string): Sql {
  return sql`SELECT id FROM notifications WHERE id = ${id}`;
}

export function readNotifications(stream: string, limit: number): Sql {
  return sql`SELECT id, data, at FROM notifications WHERE stream = ${stream} ORDER BY at DESC, id DESC LIMIT ${limit}`;
}

export function trimNotifications(before: number): Sql {
  return sql`DELETE FROM notifications WHERE at < ${before}`;
}
