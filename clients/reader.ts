/**
 * Reader of one stream: every event once, in order, whatever the network does. Pure.
 * It delivers the next event if that continues the history it has, drops repeats, holds early events, and reports
 * missing events or another history.
 */
import type { Position, StreamEvent } from "../shared/protocol.ts";

export interface Reader {
  /** The reader's position; undefined before the first answer. A new object after each move. */
  _position(): Position | undefined;
  /** Begins anew from a snapshot. */
  _restart(at?: Position): void;
  /**
   * @param from the epoch that came with the events; without events, the position for a reader that had none
   * @returns the events to deliver now, in order; `missing` when an earlier event has not come; `strange` when they belong to
   * another history
   */
  _take(from: Position, events: readonly StreamEvent[]): [due: StreamEvent[], missing: boolean, strange: boolean];
  /** @returns whether this reader has exactly this event, and therefore all events before it */
  _has(at: Position): boolean;
  /** Drops the early events. @returns how many there were */
  _dropEarly(): number;
}

/** The bound of early events held and of tags remembered; what is dropped is requested again. */
const maxHeld = 500;

export function makeReader(start?: Position): Reader {
  let at: Position | undefined;
  const held = new Map<number, StreamEvent>();
  /** Tags of the last events, by number. */
  const tags = new Map<number, string>();

  /** Takes the position out of a message. */
  const move = ({ epoch, seq, tag }: Position): void => {
    at = { epoch, seq, tag };
    tags.set(seq, tag);
    tags.delete(seq - maxHeld);
  };

  const restart = (position?: Position): void => {
    at = undefined;
    held.clear();
    tags.clear();
    if (position) move(position);
  };

  restart(start);
  return {
    _position: () => at,
    _restart: restart,
    _take(from, events) {
      const { epoch } = from;
      const ready: StreamEvent[] = [];
      if (!events.length && !at?.epoch) move(from);
      // A stream without events has no epoch yet.
      if (at && !at.epoch) at = { ...at, epoch };
      // Before the first answer the beginning is unknown; events of another history are not taken.
      if (at?.epoch !== epoch) return [ready, true, !!at];
      let strange = false;
      for (const event of events) {
        const next = at.seq + 1;
        // The same number with another event: another history.
        if (event.seq < next) strange ||= (tags.get(event.seq) ?? event.tag) !== event.tag;
        // The next event is taken even when the store is full: it frees the store.
        else if (event.seq === next || held.size < maxHeld) held.set(event.seq, event);
        for (let due = held.get(next); due; due = held.get(at.seq + 1)) {
          held.delete(due.seq);
          if (due.prev !== at.tag) {
            strange = true;
            break;
          }
          move({ ...due, epoch });
          ready.push(due);
        }
      }
      return [ready, held.size > 0, strange];
    },
    _has: ({ epoch, seq, tag }) => at?.epoch === epoch && tags.get(seq) === tag,
    _dropEarly() {
      const early = held.size;
      held.clear();
      return early;
    },
  };
}
