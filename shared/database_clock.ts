/**
 * The database's clock, shared by all processes on one database. Each process measures the difference to its own monotonic
 * clock. So sessions, tickets, grants and orders expire at the same moment for all processes, also when a process's wall
 * clock is wrong or is changed.
 */
import { readClock } from "../db/clock.ts";
import type { Database } from "../db/database.ts";
import type { Clock } from "./app.ts";

export class DatabaseClock implements Clock {
  readonly sleep: Clock["sleep"];
  readonly #db: Database;
  readonly #monotonicMs: () => number;
  /** Database time minus this process's monotonic time. */
  #offset: number | undefined;

  constructor(db: Database, { sleep, monotonicMs }: { sleep: Clock["sleep"]; monotonicMs: () => number }) {
    this.#db = db;
    this.sleep = sleep;
    this.#monotonicMs = monotonicMs;
  }

  now = (): number => {
    if (this.#offset === undefined) throw new TypeError("the database's clock was not read yet");
    return Math.floor(this.#monotonicMs() + this.#offset);
  };

  /** Reads the database's clock: at the start, and then regularly, since clocks drift and are set. */
  async sync(): Promise<void> {
    const sentAt = this.#monotonicMs();
    const [rows] = await this.#db.read([readClock(this.#db.dialect)]);
    const answeredAt = this.#monotonicMs();
    const at = Number(rows?.[0]?.at);
    // It was read between the two times. An offset within these bounds is kept, or time would jump with each delay.
    const [low, high] = [at - answeredAt, at + 1 - sentAt];
    this.#offset = Math.min(high, Math.max(low, this.#offset ?? (low + high) / 2));
  }
}
