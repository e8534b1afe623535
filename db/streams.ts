/** Statements on `streams` (the heads) and `events`. */

import type { Row } from "./database.ts";
import { among, type Dialect, insertRows } from "./dialect.ts";
import { type Sql, type Statement, sql } from "./sql.ts";

/** Where a stream stands: its last number, and the tag that tells this history from another one with the same numbers. */
export interface Head {
  readonly epoch: string;
  readonly seq: number;
  readonly tag: string;
}

/** A stream nobody has written yet. */
export const noHead: Head = { epoch: "", seq: 0, tag: "" };

export interface NewHead {
  readonly name: string;
  /** Used if the row is made now. */
  readonly epoch: string;
  readonly at: number;
}

/**
 * Makes and locks the heads, in the order of their names, until the transaction ends.
 * Nobody else takes a number of these streams meanwhile, so the order of numbers is the order of commits.
 */
export function lockHeads(dialect: Dialect, heads: readonly NewHead[]): Statement[] {
  const rows = heads.map(({ name, epoch, at }) => ({ name, epoch, seq: 0, tag: "", changed_at: at, source_seq: 0 }));
  return insertRows(dialect, "streams", sortedBy(rows, "name"), sql`${dialect.onConflict(["name"])} seq = streams.seq`);
}

export function readHeads(names: readonly string[]): Sql {
  return sql`SELECT name, epoch, seq, tag, changed_at, source_seq FROM streams WHERE ${among(sql`name`, names)}`;
}

export function moveHead(name: string, { seq, tag }: { seq: number; tag: string }, at: number): Sql {
  return sql`UPDATE streams SET seq = ${seq}, tag = ${tag}, changed_at = ${at} WHERE name = ${name}`;
}

/** A derived stream notes up to which number of its source it has looked. */
export function moveSource(name: string, sourceSeq: number): Sql {
  return sql`UPDATE streams SET source_seq = ${sourceSeq} WHERE name = ${name}`;
}

export interface EventRow {
  readonly stream: string;
  readonly seq: number;
  readonly tag: string;
  readonly type: string;
  /** JSON text. */
  readonly data: string;
  readonly at: number;
}

export function insertEvents(dialect: Dialect, events: readonly EventRow[]): Statement[] {
  return insertRows(
    dialect,
    "events",
    events.map(({ stream, seq, tag, type, data, at }) => ({ stream, seq, tag, type, data, at })),
  );
}

/** The event a reader says it has, to compare tags. */
export function readMark(stream: string, seq: number): Sql {
  return sql`SELECT tag FROM events WHERE stream = ${stream} AND seq = ${seq}`;
}

export function readBacklog(stream: string, after: number, limit: number): Sql {
  return sql`SELECT stream, seq, tag, type, data, at FROM events WHERE stream = ${stream} AND seq > ${after} ORDER BY seq LIMIT ${limit}`;
}

/** The last event; none when it was trimmed. */
export function readNewest(stream: string): Sql {
  return sql`SELECT seq, tag, type, data, at FROM events WHERE stream = ${stream} ORDER BY seq DESC LIMIT 1`;
}

/** Streams that were written since then. */
export function readChanged(since: number): Sql {
  return sql`SELECT name, epoch, seq, tag FROM streams WHERE name IN (SELECT DISTINCT stream FROM events WHERE at >= ${since})`;
}

/** Shops whose derived streams have not looked at all of the kitchen's. */
export function readStale(): Sql {
  return sql`SELECT h.id FROM shops h JOIN streams s ON s.name = concat('shop:', h.id)
    WHERE EXISTS (SELECT 1 FROM streams d WHERE d.name IN (concat('menu:', h.id), concat('board:', h.id)) AND d.source_seq < s.seq)`;
}

export function trimEvents(before: number): Sql {
  return sql`DELETE FROM events WHERE at < ${before}`;
}

export const headOf = (row: Row | undefined): Head =>
  row === undefined ? noHead : { epoch: String(row.epoch), seq: Number(row.seq), tag: String(row.tag) };

export const eventOf = (row: Row): EventRow => ({
  stream: String(row.stream),
  seq: Number(row.seq),
  tag: String(row.tag),
  type: String(row.type),
  data: String(row.data),
  at: Number(row.at),
});

/** One lock order everywhere: ascending by byte. */
export function sortedBy<K extends string, R extends Record<K, string>>(rows: readonly R[], key: K): R[] {
  return rows.toSorted((a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0));
}
