/** What a reader lacks: from its position to the head, complete, or not at all. */
import type { Row } from "../db/database.ts";
import { eventOf, type Head, headOf, noHead, readBacklog, readHeads, readMark } from "../db/streams.ts";
import type { App } from "./app.ts";
import { streamEvent } from "./deliver.ts";
import type { Ask, Position, ResetReason, StreamEvent } from "./protocol.ts";

export type Backlog =
  /** Nothing is lacking. */
  | { readonly kind: "current"; readonly head: Head }
  /** Some or all of what is lacking; `position` is where the reader stands after it. */
  | {
      readonly kind: "events";
      readonly head: Head;
      readonly position: Position;
      readonly events: StreamEvent[];
      readonly more: boolean;
    }
  | { readonly kind: "reset"; readonly head: Head; readonly reason: ResetReason };

/** At most so many events in one answer, and so many bytes: a chunk fits into one frame with its envelope. */
const maxEvents = 200;
const maxChunkBytes = 30 * 1_024;

/**
 * Compares a position with the head and reads what lies between, in one snapshot.
 * A backlog is complete if and only if its numbers run from the position to the head without a hole.
 * @param ask without `seq`: from now on
 */
export async function readSince(app: App, ask: Ask, from?: Head): Promise<Backlog> {
  // The head was read already and nothing is lacking: no second read.
  if (from !== undefined && (ask.seq === undefined || isAt(ask, from))) return { kind: "current", head: from };
  const after = ask.seq ?? 0;
  const [heads, marks, rows] = (await app.db.read([
    readHeads([ask.stream]),
    readMark(ask.stream, after),
    readBacklog(ask.stream, after, maxEvents + 1),
  ])) as [Row[], Row[], Row[]];
  const head = headOf(heads[0]);
  if (ask.seq === undefined || isAt(ask, head)) return { kind: "current", head };
  const reason = whyReset(ask, after, head, marks[0]);
  if (reason !== undefined) return { kind: "reset", head, reason };
  return chunk(head, after, rows);
}

/** The heads of several streams; a stream that nobody wrote yet stands at nothing. */
export async function headsOf(app: App, streams: readonly string[]): Promise<Map<string, Head>> {
  const [rows] = await app.db.read([readHeads(streams)]);
  const known = new Map(rows?.map((row) => [String(row.name), headOf(row)]));
  return new Map(streams.map((stream) => [stream, known.get(stream) ?? noHead]));
}

const isAt = ({ epoch = "", seq, tag = "" }: Ask, head: Head) =>
  seq === head.seq && tag === head.tag && (epoch === head.epoch || (seq === 0 && epoch === ""));

/**
 * Epoch: another history. Ahead: the database is older than the reader. Tag: the numbers fit and the history does not,
 * as after a restore; the tag of the reader's own last event decides, at the head or below it.
 */
function whyReset(
  { epoch = "", tag = "" }: Ask,
  after: number,
  head: Head,
  mark: Row | undefined,
): ResetReason | undefined {
  if (epoch !== head.epoch && !(after === 0 && epoch === "")) return "epoch";
  if (after > head.seq) return "ahead";
  if (after === 0) return tag === "" ? undefined : "tag";
  const known = after === head.seq ? head.tag : mark?.tag;
  if (known === undefined) return "trimmed";
  return known === tag ? undefined : "tag";
}

function chunk(head: Head, after: number, rows: readonly Row[]): Backlog {
  const events: StreamEvent[] = [];
  let bytes = 0;
  let expected = after;
  for (const row of rows.slice(0, maxEvents)) {
    const event = eventOf(row);
    expected += 1;
    if (event.seq !== expected) return { kind: "reset", head, reason: "trimmed" };
    // Type, tag, time and names around the data.
    bytes += Buffer.byteLength(event.data) + 160;
    if (events.length > 0 && bytes > maxChunkBytes) break;
    events.push(streamEvent(event));
  }
  const last = events.at(-1);
  // The head has moved, yet its events are gone.
  if (last === undefined) return { kind: "reset", head, reason: "trimmed" };
  const more = last.seq < head.seq;
  if (more && rows.length === events.length) return { kind: "reset", head, reason: "trimmed" };
  return { kind: "events", head, position: { epoch: head.epoch, seq: last.seq, tag: last.tag }, events, more };
}
