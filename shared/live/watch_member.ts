/** One watch of one connection: its numbers, and what it is sent. */
import type { Document } from "./value.ts";
import { fillerEvents, listEvents } from "./watch_events.ts";
import { eventsFrame, pushFrame, type Template, template } from "./watch_frames.ts";
import type { Opening } from "./watch_port.ts";

/** Events of one commit for a list without an order. */
export interface Step {
  readonly seq: number;
  readonly events: Template;
}

/** Numbers that one answer uses up beside its list's. A frame that is further behind is not on its way any more. */
const maxFilled = 1_000;

const filler = template(fillerEvents);

export class WatchMember {
  readonly opening: Opening;
  readonly since: number;
  /** The last number that was given out. 0: none yet. */
  counter: number;
  /** The number of the collection's commit that its list has seen. */
  from = 0;
  /** What is committed while its list is being read. */
  buffer: Step[] = [];
  isClosed = false;
  /** When its client last said something of it, in milliseconds. */
  heardAt: number;
  /** Frames that wait, because an answer was sent just now: the vendor's client in Node loses what comes in the same packet. */
  held: string[] | undefined;
  #pending: Template[] = [];

  constructor(opening: Opening, since: number, counter: number) {
    this.opening = opening;
    this.since = since;
    this.heardAt = since;
    this.counter = counter;
  }

  get key(): string {
    return this.opening.watchId;
  }

  /**
   * Takes events of one number. A whole list takes the place of what waits, which has no number yet: the vendor's client replaces its
   * list at the first list of a frame and would append a second one.
   */
  queue(events: Template, isList = false): void {
    if (isList) this.#pending = [];
    this.#pending.push(events);
  }

  /** @returns the frame with all that was queued */
  takeFrame(): string | undefined {
    if (this.#pending.length === 0) return undefined;
    const events = this.#pending.map((make) => make(++this.counter)).join(",");
    this.#pending = [];
    return pushFrame(this.opening.watchId, events, this.counter);
  }

  /** The answer to INIT_WATCH or REBUILD_WATCH. @param start the first number of a watch that begins */
  answer(list: Template, isEmpty: boolean, start: number): string {
    const { opening } = this;
    const { after } = opening;
    if (after === undefined) {
      this.counter = Math.max(this.counter + 1, start);
      return eventsFrame("INIT_EVENT", opening, isEmpty ? "" : list(this.counter), this.counter);
    }
    // A frame may be on its way: with its number used up here, it is a duplicate when it arrives.
    const last = this.counter - after <= maxFilled ? Math.max(after + 1, this.counter) : after + 1;
    const fillers = Array.from({ length: last - after - 1 }, (_, nth) => filler(after + 2 + nth));
    this.counter = last;
    return eventsFrame("NEXT_EVENT", opening, [list(after + 1), ...fillers].join(","), last);
  }
}

export const listTemplate = (documents: readonly Document[]): Template => template(listEvents(documents));
