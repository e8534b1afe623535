/** Reads the heads of streams once a tick for all waiting polls: the cost does not grow with their number. */
import type { Database } from "../db/database.ts";
import { readSessions } from "../db/sessions.ts";
import { type Head, headOf, noHead, readHeads } from "../db/streams.ts";
import { fulfilled, inBatches } from "./batch.ts";
import type { Signal } from "./signal.ts";

const tickMs = 500;
/** Names in one statement. */
const maxNames = 500;

export interface HeadWatcherOptions {
  readonly db: Database;
  readonly clock: { now(): number; sleep(ms: number): Promise<void> };
}

/** One caller that waits for a stream. */
export interface Wait {
  readonly stream: string;
  /** The last head known to the caller: another one ends the wait. */
  readonly head: Head;
  /** Its end, or its expiry, ends the wait too. */
  readonly session: string | undefined;
  readonly maxMs: number;
  /** Aborted when the caller has left, or the server stops. */
  readonly signal: Signal;
}

interface Waiter extends Wait {
  end(error?: unknown): void;
}

export class HeadWatcher {
  readonly #db: Database;
  readonly #clock: HeadWatcherOptions["clock"];
  readonly #waiters = new Set<Waiter>();
  #running = false;

  constructor({ db, clock }: HeadWatcherOptions) {
    this.#db = db;
    this.#clock = clock;
  }

  /** Callers that wait now. */
  get size(): number {
    return this.#waiters.size;
  }

  /** The head of a stream; calls made during a read share the next one. */
  readonly head: (stream: string) => Promise<Head> = inBatches(async (streams: readonly string[]) => {
    const heads = await this.#heads(streams);
    return streams.map((stream) => fulfilled(heads.get(stream) ?? noHead));
  }, maxNames);

  /** Resolves when there may be news, when the time is over, or when the caller has left. */
  changed(wait: Wait): Promise<void> {
    const { maxMs, signal } = wait;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const end = (error?: unknown) => {
        clearTimeout(timer);
        signal.removeEventListener("abort", left);
        this.#waiters.delete(waiter);
        if (error === undefined) resolve();
        else reject(error);
      };
      const left = () => end();
      const timer = setTimeout(end, maxMs);
      const waiter = { ...wait, end };
      signal.addEventListener("abort", left);
      this.#waiters.add(waiter);
      if (!this.#running) void this.#run();
    });
  }

  /** Runs while there are waiters. */
  async #run(): Promise<void> {
    this.#running = true;
    for (;;) {
      await this.#clock.sleep(tickMs);
      if (this.#waiters.size === 0) break;
      const waiters = [...this.#waiters];
      try {
        for (const waiter of await this.#withNews(waiters)) waiter.end();
      } catch (error) {
        for (const waiter of waiters) waiter.end(error);
      }
    }
    this.#running = false;
  }

  async #withNews(waiters: readonly Waiter[]): Promise<Waiter[]> {
    const sessions = unique(waiters.flatMap(({ session }) => session ?? []));
    const [heads, rows] = await Promise.all([
      this.#heads(unique(waiters.map(({ stream }) => stream))),
      this.#db.read(parts(sessions).map(readSessions)),
    ]);
    const now = this.#clock.now();
    const alive = new Set(
      rows.flat().flatMap((row) => (row.ended_at === null && Number(row.expires_at) > now ? String(row.id) : [])),
    );
    return waiters.filter(
      ({ stream, head, session }) =>
        !isSame(heads.get(stream) ?? noHead, head) || (session !== undefined && !alive.has(session)),
    );
  }

  async #heads(streams: readonly string[]): Promise<Map<string, Head>> {
    const rows = await this.#db.read(parts(streams).map(readHeads));
    return new Map(rows.flat().map((row) => [String(row.name), headOf(row)]));
  }
}

const isSame = (a: Head, b: Head) => a.seq === b.seq && a.tag === b.tag && a.epoch === b.epoch;

const unique = (names: readonly string[]): string[] => [...new Set(names)];

function parts(names: readonly string[]): string[][] {
  const all: string[][] = [];
  for (let at = 0; at < names.length; at += maxNames) all.push(names.slice(at, at + maxNames));
  return all;
}
