/**
 * Catches up with other processes on the same database. Each process compares the heads of the streams that its sockets read
 * with what it pushed, and pushes missing events. This also finds pushes lost between commit and socket, and a database that
 * was restored to an earlier state.
 */
import { headsByName, noHead, readHeads } from "../../db/streams.ts";
import type { App } from "../app.ts";
import type { Pushes } from "../pushes.ts";

/** Streams that one run reads beside the kitchens; the next run continues after them. */
const perRun = 500;
/** A commit of this process can be seen before its own answer is here, so a busy stream gets so long to be pushed. */
const onItsWayMs = 50;

export interface CatchUpOptions {
  readonly db: App["db"];
  readonly pushes: Pushes;
  readonly sleep: (ms: number) => Promise<void>;
}

export class CatchUp {
  readonly #db: App["db"];
  readonly #pushes: Pushes;
  /** Streams that sockets of this process read. */
  readonly #streams: () => readonly string[];
  readonly #sleep: (ms: number) => Promise<void>;
  /** Where this process's pushes were at the last run. */
  #last: ReadonlyMap<string, number | undefined> = new Map();
  #from = 0;

  constructor({ db, pushes, sleep }: CatchUpOptions, streams: () => readonly string[]) {
    this.#db = db;
    this.#pushes = pushes;
    this.#sleep = sleep;
    this.#streams = streams;
  }

  /** Compares once. */
  async run(): Promise<void> {
    const streams = this.#streams();
    this.#pushes.retain(new Set(streams));
    const kitchens = streams.filter((name) => name.startsWith("shop:"));
    const others = streams.filter((name) => !name.startsWith("shop:"));
    if (this.#from >= others.length) this.#from = 0;
    const wanted = [...kitchens, ...others.slice(this.#from, this.#from + perRun)];
    this.#from += perRun;
    if (wanted.length === 0) return;
    const before = new Map(wanted.map((name) => [name, this.#pushes.lastOf(name)]));
    const [rows = []] = await this.#db.read([readHeads(wanted)]);
    const heads = headsByName(rows);
    // A missing stream has no event yet, or the database was restored to before its first one.
    const headOf = (name: string) => heads.get(name) ?? noHead;
    const behind = wanted.filter((name) => !this.#pushes.has(name, headOf(name), before.get(name)));
    const compare = (names: readonly string[]) =>
      Promise.all(names.map((name) => this.#pushes.compare(name, headOf(name), before.get(name))));
    const busy = behind.filter((name) => this.#last.get(name) !== before.get(name));
    this.#last = before;
    const compared = compare(behind.filter((name) => !busy.includes(name)));
    if (busy.length > 0) await this.#sleep(onItsWayMs);
    await Promise.all([compared, compare(busy)]);
  }
}
