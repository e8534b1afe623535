/** Statements on `rooms`, `room_messages` and `notifications`. */
import { byKeys } from "./by_keys.ts";
import { among, type Dialect, insertRows } from "./dialect.ts";
import { raw, type Sql, type Statement, sql } from "./sql.ts";
import { aroundBytes, trimStream } from "./streams.ts";

export function readRoom(id: string): Sql {
  return sql`SELECT id, owner_id, grant_version, bytes, messages FROM rooms WHERE id = ${id}`;
}

export function readGrantVersions(ids: readonly string[]): Sql {
  return sql`SELECT id, grant_version FROM rooms WHERE ${among(sql`id`, ids)}`;
}

/** The same, in a statement whose text is the same for any number of rooms. */
export function readVersions(dialect: Dialect, ids: readonly string[]): Sql {
  return byKeys(dialect, { columns: sql`id, grant_version`, table: sql`rooms`, key: sql`id` }, ids);
}

export function lockRoom(id: string): Sql {
  return sql`SELECT id, owner_id, grant_version FROM rooms WHERE id = ${id} FOR UPDATE`;
}

export interface NewRoom {
  readonly id: string;
  readonly owner: string;
  /** Null for a room that does not count by its network. */
  readonly addressHash: string | null;
  readonly widerHash: string | null;
  readonly at: number;
}

export function insertRoom({ id, owner, addressHash, widerHash, at }: NewRoom): Sql {
  return sql`INSERT INTO rooms (id, owner_id, grant_version, address_hash, wider_hash, created_at, used_at)
    VALUES (${id}, ${owner}, 1, ${addressHash}, ${widerHash}, ${at}, ${at})`;
}

export function setGrantVersion(id: string, version: number): Sql {
  return sql`UPDATE rooms SET grant_version = ${version} WHERE id = ${id}`;
}

/** The newest rooms of a user or a network, as many as the limit allows. */
export function readRecentRooms(
  by: "owner_id" | "address_hash" | "wider_hash",
  value: string,
  since: number,
  limit: number,
): Sql {
  return sql`SELECT created_at FROM rooms WHERE ${raw(by)} = ${value} AND created_at > ${since} ORDER BY created_at DESC LIMIT ${limit}`;
}

/** Bytes of all rooms together. */
export function sumRooms(): Sql {
  return sql`SELECT coalesce(sum(bytes), 0) AS bytes FROM rooms`;
}

/** A grant was signed: the room lives at least as long as it. */
export function touchRoom(id: string, at: number): Sql {
  return sql`UPDATE rooms SET used_at = ${at} WHERE id = ${id}`;
}

export function setRoomUse(id: string, bytes: number, messages: number, at: number): Sql {
  return sql`UPDATE rooms SET bytes = ${bytes}, messages = ${messages}, used_at = ${at} WHERE id = ${id}`;
}

/** Rooms that cannot be entered any more, with their streams' heads. */
export function trimRooms(before: number): Sql[] {
  return [
    sql`DELETE FROM streams WHERE name IN (SELECT concat('room:', id) FROM rooms WHERE used_at < ${before})`,
    sql`DELETE FROM streams WHERE name IN (SELECT concat('presence:', id) FROM rooms WHERE used_at < ${before})`,
    sql`DELETE FROM rooms WHERE used_at < ${before}`,
  ];
}

/** Counts the content of rooms again, after old messages were removed. */
export function recountRooms(): Sql {
  const of = sql`FROM room_messages m WHERE m.stream = concat('room:', rooms.id)`;
  return sql`UPDATE rooms SET bytes = (SELECT coalesce(sum(m.bytes), 0) ${of}), messages = (SELECT count(*) ${of}) WHERE bytes > 0`;
}

// --- Messages ------------------------------------------------------------------------------------------------------

/** The message under this id, if the room has it, with the event that it became. */
export function readMessage(stream: string, sender: string, id: string): Sql {
  return sql`SELECT m.seq, e.tag FROM room_messages m LEFT JOIN events e ON e.stream = m.stream AND e.seq = m.seq
    WHERE m.stream = ${stream} AND m.sender_id = ${sender} AND m.message_id = ${id}`;
}

/**
 * Messages in this room and bytes in all rooms that a sender has published since then. Bounded on both sides: messages from
 * before a clock was set back do not count for longer.
 */
export function countMessages(stream: string, sender: string, since: number, now: number): Sql {
  return sql`SELECT coalesce(sum(CASE WHEN stream = ${stream} THEN 1 ELSE 0 END), 0) AS n, coalesce(sum(bytes), 0) AS bytes
    FROM room_messages WHERE sender_id = ${sender} AND at > ${since} AND at <= ${now}`;
}

export interface NewMessage {
  readonly stream: string;
  readonly sender: string;
  readonly id: string;
  readonly seq: number;
  readonly bytes: number;
  readonly at: number;
}

export function insertMessages(dialect: Dialect, messages: readonly NewMessage[]): Statement[] {
  const rows = messages.map(({ stream, sender, id, seq, bytes, at }) => ({
    stream,
    sender_id: sender,
    message_id: id,
    seq,
    bytes,
    at,
  }));
  return insertRows(dialect, "room_messages", rows);
}

/** Messages before a number, the newest first: at most so many, and until their bytes exceed so much; one at least. */
export function readOlder(stream: string, before: number, { events, bytes }: { events: number; bytes: number }): Sql {
  return sql`SELECT seq, data, at FROM events WHERE stream = ${stream} AND seq < ${before} AND seq >= (
      SELECT min(seq) FROM (
        SELECT seq, sum(bytes) OVER (ORDER BY seq DESC) - bytes AS bytes_before FROM (
          SELECT seq, octet_length(data) + ${raw(String(aroundBytes))} AS bytes FROM events
          WHERE stream = ${stream} AND seq < ${before} ORDER BY seq DESC LIMIT ${events}) sizes
      ) fitting WHERE bytes_before <= ${bytes}) ORDER BY seq DESC`;
}

/** The number of the oldest message that is kept. */
export function readFirst(stream: string): Sql {
  return sql`SELECT min(seq) AS seq FROM events WHERE stream = ${stream}`;
}

/** The oldest messages, which are removed first. */
export function readOldest(stream: string, limit: number): Sql {
  return sql`SELECT seq, bytes FROM room_messages WHERE stream = ${stream} ORDER BY seq LIMIT ${limit}`;
}

export function removeMessages(stream: string, upTo: number): Sql[] {
  return [trimStream(stream, upTo), sql`DELETE FROM room_messages WHERE stream = ${stream} AND seq <= ${upTo}`];
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
