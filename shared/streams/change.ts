/** Changes of state: lock, read, decide and write, with their events, in one transaction. */
import type { Row } from "../../db/database.ts";
import type { Statement } from "../../db/sql.ts";
import {
  type EventRow,
  type Head,
  headsByName,
  insertEvents,
  lockHeads,
  moveHeads,
  readHeads,
} from "../../db/streams.ts";
import type { App } from "../app.ts";
import type { documentsChanged } from "../collection.ts";
import { EventTooLarge } from "../errors.ts";
import type { EventType } from "../protocol.ts";
import { maxEventBytes } from "../protocol.ts";
import type { ConnectionType } from "../webhook_types.ts";

export interface NewEvent {
  readonly stream: string;
  readonly type: EventType | ConnectionType | typeof documentsChanged;
  readonly data: object;
  /** The order's id, for the push's log line. Not stored. */
  readonly about?: string | undefined;
}

/** Events of a commit, to be pushed. */
export interface Delivery {
  readonly events: readonly StoredEvent[];
  readonly subscribers: readonly Row[][];
}

/** An event with its number, as it was stored. */
export interface StoredEvent extends EventRow {
  readonly epoch: string;
  readonly about?: string | undefined;
}

export interface Plan<T> {
  /** Locks, always in this order: keys, shop, orders, dishes, day counters. The streams are locked last, by `change`. */
  readonly locks: readonly Statement[];
  /** Every stream that `decide` may write to. */
  readonly streams: readonly string[];
  /** Read after all locks: a read made before them may be out of date. */
  readonly reads?: readonly Statement[];
  /** Pure; may run again. A throw rolls the transaction back. */
  readonly decide: (locked: Row[][], read: Row[][], heads: ReadonlyMap<string, Head>) => Decision<T>;
  /** Whether doing it twice is the same as doing it once. */
  readonly repeatable: boolean;
}

export interface Decision<T> {
  readonly writes?: readonly Statement[];
  readonly events?: readonly NewEvent[];
  readonly result: T;
}

/** The result of a change, and its events for `deliver`. */
export interface Changed<T> {
  readonly result: T;
  readonly events: readonly StoredEvent[];
  readonly subscribers: readonly Row[][];
}

/** Runs a change. The events' numbers are taken under the heads' locks, so their order is the order of commits. */
export async function change<T>(app: App, plan: Plan<T>): Promise<Changed<T>> {
  const now = app.clock.now();
  const { dialect } = app.db;
  const streams = [...new Set(plan.streams)].sort();
  const reads = plan.reads ?? [];
  const headLocks = lockHeads(
    dialect,
    streams.map((name) => ({ name, epoch: app.random.tag(), at: now })),
  );
  let decided: { result: T; events: StoredEvent[] } | undefined;
  const landed = await app.db.flight({
    statements: [...plan.locks, ...headLocks, ...reads, ...(streams.length > 0 ? [readHeads(streams)] : [])],
    decide(rows) {
      const readAt = plan.locks.length + headLocks.length;
      const heads = headsByName(streams.length > 0 ? (rows.at(-1) ?? []) : []);
      const {
        writes = [],
        events = [],
        result,
      } = plan.decide(rows.slice(0, plan.locks.length), rows.slice(readAt, readAt + reads.length), heads);
      const stored = number(app, events, heads, now);
      decided = { result, events: stored };
      const moved = new Map(stored.map((event) => [event.stream, event]));
      return [...writes, ...insertEvents(dialect, stored), ...moveHeads(dialect, [...moved.values()], now)];
    },
    after: streams.length > 0 ? app.gateway.subscribers(streams) : [],
    repeatable: plan.repeatable,
  });
  const { result, events } = decided as NonNullable<typeof decided>;
  return { result, events, subscribers: landed.after };
}

/** Gives each event the next number of its stream, and the tag of the event it follows. @throws EventTooLarge */
function number(app: App, events: readonly NewEvent[], heads: ReadonlyMap<string, Head>, now: number): StoredEvent[] {
  const last = new Map(heads);
  return events.map(({ stream, type, data, about }) => {
    const head = last.get(stream);
    if (head === undefined) throw new TypeError(`stream "${stream}" was not locked`);
    const { epoch, tag: prev } = head;
    const [seq, tag] = [head.seq + 1, app.random.tag()];
    last.set(stream, { epoch, seq, tag });
    return { stream, epoch, seq, tag, prev, type, data: eventData(data), at: now, about };
  });
}

/** The event's data as JSON text that fits into one frame with its envelope. @throws EventTooLarge */
export function eventData(data: object, maxBytes: number = maxEventBytes): string {
  const text = JSON.stringify(data);
  if (Buffer.byteLength(text) > maxBytes) throw new EventTooLarge(maxBytes);
  return text;
}
