/**
 * One stream as its reader sees it: every event once, in order, whatever the road does. Pure.
 * It delivers the next number, drops what it has, holds what comes early, and says when something is missing.
 */
import type { Position, StreamEvent } from "../shared/protocol.ts";

export interface Reader {
  /** Where this reader stands; undefined before the first answer. */
  position(): Position | undefined;
  /** Begins anew from a snapshot. */
  restart(at: Position | undefined): void;
  /** @returns what can be delivered now, in order; `missing` when something before it has not come */
  take(epoch: string, events: readonly StreamEvent[]): { events: StreamEvent[]; missing: boolean };
  /** The server says where the reader stands now, in an answer that lacked nothing. */
  arrive(at: Position): void;
  /** Whether the reader lacks something, seen from this head. */
  isBehind(head: Position): boolean;
}

/** Early events that are held; beyond it they are asked for again. */
const maxHeld = 500;

/** Of a message, what is a position. */
const positionIn = ({ epoch, seq, tag }: Position): Position => ({ epoch, seq, tag });

export function makeReader(start?: Position): Reader {
  let at = start;
  const held = new Map<number, StreamEvent>();

  return {
    position: () => at,
    restart(position) {
      at = position && positionIn(position);
      held.clear();
    },
    take(epoch, events) {
      const ready: StreamEvent[] = [];
      // Before the first answer nobody knows where to begin.
      if (!at) return { events: ready, missing: true };
      // A stream that nobody had written has no epoch yet. Of another history nothing is taken.
      if (at.seq === 0 && at.epoch === "") at = { ...at, epoch };
      if (epoch !== at.epoch) return { events: ready, missing: true };
      for (const event of events) {
        // The next one is always welcome: it is what a full store waits for.
        const next = at.seq + 1;
        if (event.seq === next || (event.seq > next && held.size < maxHeld)) held.set(event.seq, event);
        for (let due = held.get(next); due; due = held.get(at.seq + 1)) {
          held.delete(due.seq);
          at = positionIn({ ...due, epoch });
          ready.push(due);
        }
      }
      return { events: ready, missing: held.size > 0 };
    },
    arrive(position) {
      if (!at || (at.seq === 0 && at.epoch === "")) at = positionIn(position);
    },
    isBehind: (head) =>
      !at || head.epoch !== at.epoch || head.seq > at.seq || (head.seq === at.seq && head.tag !== at.tag),
  };
}
