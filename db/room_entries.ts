/** Statements on `room_entries`: who is in which room, by tab and device. */
import type { Row } from "./database.ts";
import { anyOf, type Dialect, insertRows } from "./dialect.ts";
import { join, raw, type Sql, type Statement, sql } from "./sql.ts";

/** One tab or device of a member. */
export interface Entry {
  readonly user: string;
  readonly id: string;
  /** Where its last message came from, and that message's number. */
  readonly connection: string;
  readonly number: number;
  /** JSON text. */
  readonly data: string;
  /** When the member came, with whichever entry. */
  readonly since: number;
  readonly changedAt: number;
  /** Grows with each change; how far it is ahead of the time says how fast they come. */
  readonly pacedUntil: number;
  readonly leaseUntil: number;
  readonly exited: boolean;
}

const columns = raw(
  "user_id, entry_id, connection_id, number, data, since, changed_at, paced_until, lease_until, exited",
);

export const entryOf = (row: Row): Entry => ({
  user: String(row.user_id),
  id: String(row.entry_id),
  connection: String(row.connection_id),
  number: Number(row.number),
  data: String(row.data),
  since: Number(row.since),
  changedAt: Number(row.changed_at),
  pacedUntil: Number(row.paced_until),
  leaseUntil: Number(row.lease_until),
  exited: row.exited === 1,
});

/** Whom readers of the room know as its members: entries whose lease has ended are among them until that was told. */
export function readEntries(room: string): Sql {
  return sql`SELECT ${columns} FROM room_entries WHERE room_id = ${room} AND exited = 0`;
}

/** One entry, and those of the room whose lease has ended. */
export function readOwnAndEnded(room: string, user: string, entry: string, now: number): Sql {
  return sql`SELECT ${columns} FROM room_entries
    WHERE room_id = ${room} AND ((user_id = ${user} AND entry_id = ${entry}) OR (exited = 0 AND lease_until <= ${now}))`;
}

/** All entries of a user, if one is given, and of those of whom a lease has ended. */
export function readConcerned(room: string, user: string | undefined, now: number): Sql {
  const ended = sql`SELECT user_id FROM room_entries WHERE room_id = ${room} AND exited = 0 AND lease_until <= ${now}`;
  return sql`SELECT ${columns} FROM room_entries
    WHERE room_id = ${room} AND (user_id = ${user ?? ""} OR user_id IN (SELECT user_id FROM (${ended}) ended))`;
}

export function countEntries(room: string, now: number): Sql {
  return sql`SELECT count(*) AS n FROM room_entries WHERE room_id = ${room} AND exited = 0 AND lease_until > ${now}`;
}

/** Rooms in which a lease has ended. */
export function readRoomsWithEnded(now: number, limit: number): Sql {
  return sql`SELECT DISTINCT room_id FROM room_entries WHERE exited = 0 AND lease_until <= ${now} LIMIT ${limit}`;
}

const assignments = [
  "connection_id",
  "number",
  "data",
  "since",
  "changed_at",
  "paced_until",
  "lease_until",
  "exited",
] as const;

export function upsertEntry(dialect: Dialect, room: string, entry: Entry): Statement[] {
  const row = {
    room_id: room,
    user_id: entry.user,
    entry_id: entry.id,
    connection_id: entry.connection,
    number: entry.number,
    data: entry.data,
    since: entry.since,
    changed_at: entry.changedAt,
    paced_until: entry.pacedUntil,
    lease_until: entry.leaseUntil,
    exited: entry.exited,
  };
  const incoming = assignments.map((column) => sql`${raw(column)} = ${dialect.incoming(column)}`);
  return insertRows(
    dialect,
    "room_entries",
    [row],
    sql`${dialect.onConflict(["room_id", "user_id", "entry_id"])} ${join(incoming, ", ")}`,
  );
}

/** Renews the lease of an entry that is there and has heard no later message. */
export function renewLease(
  room: string,
  { user, id, connection, number, leaseUntil }: Pick<Entry, "user" | "id" | "connection" | "number" | "leaseUntil">,
): Sql {
  return sql`UPDATE room_entries SET connection_id = ${connection}, number = ${number}, lease_until = ${leaseUntil}
    WHERE room_id = ${room} AND user_id = ${user} AND entry_id = ${id} AND exited = 0
      AND (connection_id <> ${connection} OR number < ${number})`;
}

/** Connections are gone: what was entered there ends unless it is entered again by then. */
export function shortenLeases(whose: Sql, until: number): Sql {
  return sql`UPDATE room_entries SET lease_until = ${until} WHERE ${whose} AND exited = 0 AND lease_until > ${until}`;
}

export function removeEntries(room: string, entries: readonly Pick<Entry, "user" | "id">[]): Sql[] {
  if (entries.length === 0) return [];
  const each = entries.map(({ user, id }) => sql`(user_id = ${user} AND entry_id = ${id})`);
  return [sql`DELETE FROM room_entries WHERE room_id = ${room} AND ${anyOf(each)}`];
}

/** Entries that were left before then. */
export function trimEntries(before: number): Sql {
  return sql`DELETE FROM room_entries WHERE exited = 1 AND lease_until < ${before}`;
}
