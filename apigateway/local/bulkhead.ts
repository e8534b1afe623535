/** Bulkhead: bounds the work of one compartment, so that overload in one leaves the others free, and one caller leaves room for the rest. */

import type { Signal } from "../../shared/signal.ts";

export interface Bounds {
  readonly running: number;
  readonly waiting: number;
  /** How much of both one caller may have. */
  readonly share: number;
}

/** The compartment is full, or the caller's own share of it. */
export class Overflow extends Error {
  override readonly name = "Overflow";
  readonly own: boolean;
  constructor(compartment: string, own: boolean) {
    super(`${compartment} is full`);
    this.own = own;
  }
}

/** The caller went away while it waited. */
export class CallerLeft extends Error {
  override readonly name = "CallerLeft";
}

interface Waiter {
  readonly start: () => void;
  readonly reject: (error: Overflow | CallerLeft) => void;
}

/**
 * A number of calls run at once, a number wait, and those that wait take turns by caller: many calls of one caller wait
 * for each other. When too many wait, the longest queue loses its last.
 */
export class Bulkhead {
  readonly #bounds: Bounds;
  // Made once: under a flood the stack trace of each error would cost more than the rest of the rejection.
  readonly #full: Overflow;
  readonly #ownFull: Overflow;
  readonly #running = new Map<string, number>();
  readonly #queues = new Map<string, Waiter[]>();
  #all = 0;
  #waiting = 0;

  constructor(name: string, bounds: Bounds) {
    this.#bounds = bounds;
    this.#full = new Overflow(name, false);
    this.#ownFull = new Overflow(name, true);
  }

  /** Whether the caller would have to wait now. */
  isFullFor(caller: string): boolean {
    const { running } = this.#bounds;
    return this.#all >= running || (this.#running.get(caller) ?? 0) >= this.#own(running);
  }

  /**
   * Resolves when the caller may begin.
   * @returns to be called once, when the work is done
   * @throws Overflow, CallerLeft
   */
  enter(caller: string, signal: Signal): Promise<() => void> {
    if (signal.aborted) return Promise.reject(new CallerLeft());
    if (!this.isFullFor(caller)) return Promise.resolve(this.#begin(caller));
    const overflow = this.#reserveWait(caller);
    if (overflow !== undefined) return Promise.reject(overflow);
    return new Promise((resolve, reject) => {
      const left = () => {
        this.#remove(caller, waiter);
        reject(new CallerLeft());
      };
      const done = () => signal.removeEventListener("abort", left);
      const waiter: Waiter = {
        start: () => {
          done();
          resolve(this.#begin(caller));
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      signal.addEventListener("abort", left);
      const queue = this.#queues.get(caller) ?? [];
      queue.push(waiter);
      this.#queues.set(caller, queue);
      this.#waiting += 1;
    });
  }

  #begin(caller: string): () => void {
    this.#all += 1;
    this.#running.set(caller, (this.#running.get(caller) ?? 0) + 1);
    return () => {
      this.#all -= 1;
      const left = (this.#running.get(caller) ?? 1) - 1;
      if (left === 0) this.#running.delete(caller);
      else this.#running.set(caller, left);
      this.#next();
    };
  }

  /** Starts the first waiting call whose caller may run one more; that caller is then last in turn. */
  #next(): void {
    for (const [caller, queue] of this.#queues) {
      if (this.isFullFor(caller)) continue;
      const [waiter] = queue as [Waiter];
      this.#remove(caller, waiter);
      if (queue.length > 0) {
        this.#queues.delete(caller);
        this.#queues.set(caller, queue);
      }
      waiter.start();
      return;
    }
  }

  /** Lets one more call of this caller wait; may drop the last of the longest queue. @returns why it may not wait */
  #reserveWait(caller: string): Overflow | undefined {
    const own = this.#queues.get(caller)?.length ?? 0;
    const { waiting } = this.#bounds;
    if (waiting === 0) return this.#overflow(this.#all < this.#bounds.running);
    if (own >= this.#own(waiting)) return this.#overflow(true);
    if (this.#waiting < waiting) return undefined;
    let longest: [string, Waiter[]] | undefined;
    for (const entry of this.#queues) if (entry[1].length > (longest?.[1].length ?? 0)) longest = entry;
    if (longest === undefined || longest[1].length <= own + 1) return this.#overflow(own > 1);
    const last = longest[1].at(-1) as Waiter;
    this.#remove(longest[0], last);
    last.reject(this.#overflow(true));
    return undefined;
  }

  #remove(caller: string, waiter: Waiter): void {
    const queue = this.#queues.get(caller) ?? [];
    const at = queue.indexOf(waiter);
    if (at < 0) return;
    queue.splice(at, 1);
    this.#waiting -= 1;
    if (queue.length === 0) this.#queues.delete(caller);
  }

  #own(bound: number): number {
    return Math.max(1, Math.ceil(bound * this.#bounds.share));
  }

  #overflow(own: boolean): Overflow {
    return own ? this.#ownFull : this.#full;
  }
}
