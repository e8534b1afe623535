/** Statements on `streams` (the heads) and `events`. */

import type { Row } from "./database.ts";
import { among, type Dialect, insertRows } from "./dialect.ts";
import { raw, type Sql, type Statement, sql } from "./sql.ts";

/** A stream's head: its last number, and the tag that distinguishes this history from another one with the same numbers. */
export interface Head {
  readonly epoch: string;
  readonly seq: number;
  readonly tag: string;
}

/** A stream without events. */
export const noHead: Head = { epoch: "", seq: 0, tag: "" };

export interface NewHead {
  readonly name: string;
  /** Used if the row is made now. */
  readonly epoch: string;
  readonly at: number;
}

/**
 * Makes and locks the heads, in the order of their names, until the transaction ends.
 * No other transaction takes a number of these streams meanwhile, so the order of numbers is the order of commits.
 */
export function lockHeads(dialect: Dialect, heads: readonly NewHead[]): Statement[] {
  const rows = heads.map(({ name, epoch, at }) => ({ name, epoch, seq: 0, tag: "", changed_at: at, source_seq: 0 }));
  return insertRows(
    dialect,
    "streams",
    sortedBy(rows, ({ name }) => name),
    sql`${dialect.onConflict(["name"])} seq = streams.seq`,
  );
}

export function readHeads(names: readonly string[]): Sql {
  return sql`SELECT name, epoch, seq, tag, changed_at, source_seq FROM streams WHERE ${among(sql`name`, names)}`;
}

/** The heads of the menus of all shops. */
export function readMenuHeads(): Sql {
  return sql`SELECT name, epoch, seq, tag FROM streams WHERE name IN (SELECT concat('menu:', id) FROM shops)`;
}

/** Moves heads that are locked. `prev` before `tag`: MySQL assigns from left to right. */
export function moveHeads(
  dialect: Dialect,
  heads: readonly { stream: string; seq: number; tag: string }[],
  at: number,
): Statement[] {
  const incoming = (column: string) => dialect.incoming(column);
  return insertRows(
    dialect,
    "streams",
    heads.map(({ stream, seq, tag }) => ({ name: stream, epoch: "", seq, tag, changed_at: at, source_seq: 0 })),
    sql`${dialect.onConflict(["name"])} seq = ${incoming("seq")}, prev = streams.tag, tag = ${incoming("tag")}, changed_at = ${incoming("changed_at")}`,
  );
}

/** Stores up to which number of its source a derived stream has read. */
export function moveSource(name: string, sourceSeq: number): Sql {
  return sql`UPDATE streams SET source_seq = ${sourceSeq} WHERE name = ${name}`;
}

export interface EventRow {
  readonly stream: string;
  readonly seq: number;
  readonly tag: string;
  /** The tag of the event before it; empty for the first. */
  readonly prev: string;
  readonly type: string;
  /** JSON text. */
  readonly data: string;
  readonly at: number;
}

export function insertEvents(dialect: Dialect, events: readonly EventRow[]): Statement[] {
  return insertRows(
    dialect,
    "events",
    events.map(({ stream, seq, tag, prev, type, data, at }) => ({ stream, seq, tag, prev, type, data, at })),
  );
}

/** The event a reader says it has, to compare tags. */
export function readMark(stream: string, seq: number): Sql {
  return sql`SELECT tag FROM events WHERE stream = ${stream} AND seq = ${seq}`;
}

/** Names and time around an event's data in an answer, at most. */
export const aroundBytes = 190;

/**
 * Events behind a number, in order: at most so many, and until their bytes exceed so much. The event that exceeds it is the
 * last one. The lengths come first, so what does not fit is neither sent nor held: a room's backlog can be megabytes.
 */
export function readBacklog(
  stream: string,
  after: number,
  { events, bytes, upTo = Number.MAX_SAFE_INTEGER }: { events: number; bytes: number; upTo?: number },
): Sql {
  return sql`SELECT stream, seq, tag, prev, type, data, at FROM events WHERE stream = ${stream} AND seq > ${after} AND seq <= (
      SELECT max(seq) FROM (
        SELECT seq, sum(bytes) OVER (ORDER BY seq) - bytes AS bytes_before FROM (
          SELECT seq, octet_length(data) + ${raw(String(aroundBytes))} AS bytes FROM events
          WHERE stream = ${stream} AND seq > ${after} AND seq <= ${upTo} ORDER BY seq LIMIT ${events}) sizes
      ) fitting WHERE bytes_before <= ${bytes}) ORDER BY seq`;
}

/** The last event; none when it was trimmed. */
export function readNewest(stream: string): Sql {
  return sql`SELECT seq, tag, prev, type, data, at FROM events WHERE stream = ${stream} ORDER BY seq DESC LIMIT 1`;
}

/**
 * Streams that were written since then. On PostgreSQL heads are looked up one by one: as a join, planned while the tables were empty, it
 * read all streams. On MySQL as a join: MariaDB finds no column of `changed` in such a lookup when it runs the statement again.
 */
export function readChanged({ rowsAsJson }: Dialect, since: number): Sql {
  const changed = sql`(SELECT DISTINCT stream FROM events WHERE at >= ${since}) changed`;
  if (!rowsAsJson)
    return sql`SELECT s.name, s.epoch, s.seq, s.tag FROM ${changed} JOIN streams s ON s.name = changed.stream`;
  return sql`SELECT heads.* FROM ${changed}
    CROSS JOIN LATERAL (SELECT name, epoch, seq, tag FROM streams WHERE name = changed.stream LIMIT 1) heads`;
}

/** Shops whose derived streams have not read the kitchen's stream to its end. */
export function readStale(): Sql {
  return sql`SELECT h.id FROM shops h WHERE (SELECT seq FROM streams WHERE name = concat('shop:', h.id))
    > (SELECT min(source_seq) FROM streams WHERE name IN (concat('menu:', h.id), concat('board:', h.id)))`;
}

/** Removes the events up to this number. */
export function trimStream(stream: string, upTo: number): Sql {
  return sql`DELETE FROM events WHERE stream = ${stream} AND seq <= ${upTo}`;
}

export function trimEvents(before: number): Sql {
  return sql`DELETE FROM events WHERE at < ${before}`;
}

export const headOf = (row: Row | undefined): Head =>
  row === undefined ? noHead : { epoch: String(row.epoch), seq: Number(row.seq), tag: String(row.tag) };

/** Stream → head. @param rows of `readHeads`: a stream without events has none */
export const headsByName = (rows: readonly Row[]): Map<string, Head> =>
  new Map(rows.map((row) => [String(row.name), headOf(row)]));

export const eventOf = (row: Row): EventRow => ({
  stream: String(row.stream),
  seq: Number(row.seq),
  tag: String(row.tag),
  prev: String(row.prev),
  type: String(row.type),
  data: String(row.data),
  at: Number(row.at),
});

/** One lock order everywhere: ascending by byte. */
export function sortedBy<R>(rows: readonly R[], key: (row: R) => string): R[] {
  const keyed = rows.map((row) => ({ row, key: key(row) }));
  return keyed.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)).map(({ row }) => row);
}
