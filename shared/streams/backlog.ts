/** The backlog of a reader: all events from its position to the head, or a reset. */
import type { Row } from "../../db/database.ts";
import { type From, type Lacking, readLacking } from "../../db/resumes.ts";
import { aroundBytes, eventOf, type Head, headsByName, noHead, readHeads } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { fulfilled } from "../batch.ts";
import { streamEvent } from "../frame.ts";
import type { Position, ResetReason, StreamEvent, StreamRequest } from "../protocol.ts";

export type Backlog =
  /** No event is missing. */
  | { readonly kind: "current"; readonly head: Head }
  /** The missing events, or the first of them; `position` is the reader's after them. */
  | {
      readonly kind: "events";
      readonly head: Head;
      readonly position: Position;
      readonly events: StreamEvent[];
      readonly more: boolean;
    }
  | { readonly kind: "reset"; readonly head: Head; readonly reason: ResetReason };

/** Bounds of one answer: a chunk fits into one frame with its envelope. */
const maxEvents = 200;
const maxChunkBytes = 30 * 1_024;

/**
 * Compares a position with the head and reads what lies between, in one snapshot.
 * A backlog is complete if and only if its numbers run from the position to the head without a gap.
 * @param ask without `seq`: from now on
 */
export async function readSince(app: App, ask: StreamRequest, from?: Head): Promise<Backlog> {
  // The head is known and no event is missing.
  if (from !== undefined && (ask.seq === undefined || isAt(ask, from))) return { kind: "current", head: from };
  const { head, mark, rows } = await app.arrivals.add(readBatch, app, { stream: ask.stream, seq: ask.seq });
  if (ask.seq === undefined || isAt(ask, head)) return { kind: "current", head };
  const reason = whyReset(ask, ask.seq, head, mark ?? before(rows[0], ask.seq));
  if (reason !== undefined) return { kind: "reset", head, reason };
  return chunk(head, ask.seq, ask.tag ?? "", rows);
}

async function readBatch({ db }: App, batch: readonly From[]): Promise<PromiseSettledResult<Lacking>[]> {
  return (await readLacking(db, batch, { events: maxEvents + 1, bytes: maxChunkBytes })).map(fulfilled);
}

/** The heads of several streams; `noHead` for a stream without events. */
export async function headsOf(app: App, streams: readonly string[]): Promise<Map<string, Head>> {
  if (streams.length === 0) return new Map();
  const [rows] = await app.db.read([readHeads(streams)]);
  const known = headsByName(rows);
  return new Map(streams.map((stream) => [stream, known.get(stream) ?? noHead]));
}

/** The reader's last event may be trimmed while all later ones are there: the next one holds its tag in `prev`. */
const before = (next: Row | undefined, after: number) =>
  next !== undefined && Number(next.seq) === after + 1 && next.prev !== "" ? next.prev : undefined;

const isAt = ({ epoch = "", seq, tag = "" }: StreamRequest, head: Head) =>
  seq === head.seq && tag === head.tag && (epoch === head.epoch || (seq === 0 && epoch === ""));

/**
 * `epoch`: another history. `ahead`: the database is older than the reader. `tag`: the numbers fit but the history differs,
 * as after a restore; this is decided by the tag of the reader's last event.
 */
function whyReset(
  { epoch = "", tag = "" }: StreamRequest,
  after: number,
  head: Head,
  mark: Row[string] | undefined,
): ResetReason | undefined {
  if (epoch !== head.epoch && !(after === 0 && epoch === "")) return "epoch";
  if (after > head.seq) return "ahead";
  if (after === 0) return tag === "" ? undefined : "tag";
  const known = after === head.seq ? head.tag : mark;
  if (known === undefined) return "trimmed";
  return known === tag ? undefined : "tag";
}

/** @param tag of the reader's last event, already compared: the `prev` of the first event */
function chunk(head: Head, after: number, tag: string, rows: readonly Row[]): Backlog {
  const events: StreamEvent[] = [];
  let bytes = 0;
  let expected = after;
  for (const row of rows.slice(0, maxEvents)) {
    const event = eventOf(row);
    expected += 1;
    if (event.seq !== expected) return { kind: "reset", head, reason: "trimmed" };
    bytes += Buffer.byteLength(event.data) + aroundBytes;
    if (events.length > 0 && bytes > maxChunkBytes) break;
    events.push(streamEvent({ ...event, prev: events.at(-1)?.tag ?? tag }));
  }
  const last = events.at(-1);
  // The head has moved, but its events were trimmed.
  if (last === undefined) return { kind: "reset", head, reason: "trimmed" };
  const more = last.seq < head.seq;
  if (more && rows.length === events.length) return { kind: "reset", head, reason: "trimmed" };
  return { kind: "events", head, position: { epoch: head.epoch, seq: last.seq, tag: last.tag }, events, more };
}
