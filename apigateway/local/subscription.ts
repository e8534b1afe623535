/** A connection's subscription to a stream, and how far its pushes have come: each event once and in order, whatever comes twice. */
import type { Grant } from "../../shared/gateway.ts";
import { batchFrom, type FrameBatch } from "./frame_batch.ts";

/** Of a push: what is for this subscription now. */
export type Due = FrameBatch | undefined;

interface Held {
  readonly frames: FrameBatch;
  readonly first: number | undefined;
}

/** Pushes that wait for an answer. A reader that gets fewer asks again. */
const maxHeld = 1_000;

const unknown = -1;

/** @template Owner the connection */
export class Subscription<Owner> {
  readonly connection: Owner;
  /** Of the client's message that changed it last. */
  number: number;
  /** One that is not active has ended. */
  active = true;
  grant: Grant | undefined;
  /** All events up to this number were written to the socket, after the position that was answered. */
  #sentUpTo = unknown;
  /** The reader's position when it last asked, and whether the answer left out what was on its way. */
  #askedFrom = unknown;
  #hasLeftOut = false;
  /** Answers that pushes wait for, and the pushes. */
  #holds = 0;
  #held: Held[] | undefined;
  /** The reader has to ask for more first. */
  #isBehind = false;
  /** The stream's history changed while an answer was being read: it may be of the old one. */
  #isAnew = false;

  constructor(connection: Owner, number: number, grant: Grant | undefined) {
    this.connection = connection;
    this.number = number;
    this.grant = grant;
  }

  /**
   * Pushes wait for the answer of a resume. A check goes on beside them: were its answer late, a kitchen would wait for orders
   * that it can have.
   */
  hold(type: "resume" | "check"): boolean {
    if (type === "check" && this.#sentUpTo !== unknown && !this.#isBehind) return false;
    this.#holds += 1;
    this.#held ??= [];
    this.#sentUpTo = unknown;
    return true;
  }

  /** Nothing is known of what the reader has. */
  forget(): void {
    this.#sentUpTo = unknown;
  }

  /**
   * Everything behind a reader's position is on its way to it, if it was so when it last asked. A reader that has not moved since
   * such an answer has lost it.
   * @returns the number up to which a reader that has `seq` was sent the events
   */
  sentUpTo(seq: number): number {
    if (this.#held !== undefined || this.#sentUpTo === unknown || seq < this.#askedFrom) return seq;
    const isLost = seq === this.#askedFrom && this.#hasLeftOut;
    this.#askedFrom = seq;
    this.#hasLeftOut = seq < this.#sentUpTo && !isLost;
    return this.#hasLeftOut ? this.#sentUpTo : seq;
  }

  /** @param isHeld what `hold` returned @returns the pushes that waited and are due now, in their order */
  goOn(isHeld: boolean, answer: { readonly seq: number; readonly more: boolean } | undefined): FrameBatch[] {
    if (!this.active) return [];
    if (isHeld) this.#holds -= 1;
    if (answer !== undefined && !this.#isAnew) {
      this.#sentUpTo = Math.max(this.#sentUpTo, answer.seq);
      if (isHeld) this.#askedFrom = answer.seq;
      this.#isBehind = answer.more;
    }
    if (this.#holds > 0 || this.#held === undefined) return [];
    const held = this.#held.toSorted((a, b) => (a.first ?? 0) - (b.first ?? 0));
    this.#held = undefined;
    this.#isAnew = false;
    return held.flatMap(({ frames, first }) => this.take(frames, first) ?? []);
  }

  /**
   * Takes a push. @param first the number of its first event @returns the frames to write now: without those that the reader was
   * sent already
   */
  take(frames: FrameBatch, first: number | undefined): Due {
    if (this.#held !== undefined) {
      if (this.#held.length < maxHeld) this.#held.push({ frames, first });
      return undefined;
    }
    if (first === undefined) return frames;
    if (this.#isBehind) return undefined;
    const count = frames.texts.length;
    const last = first + count - 1;
    if (this.#sentUpTo === unknown || first > this.#sentUpTo + 1) return frames;
    if (last <= this.#sentUpTo) return undefined;
    const known = this.#sentUpTo + 1 - first;
    this.#sentUpTo = last;
    return known === 0 ? frames : batchFrom(frames, known);
  }

  /** The stream has another history now: numbers begin anew. */
  restart(): void {
    this.#sentUpTo = unknown;
    this.#askedFrom = unknown;
    this.#isBehind = false;
    this.#isAnew = this.#held !== undefined;
  }
}
