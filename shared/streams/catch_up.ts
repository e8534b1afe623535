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

export class CatchUp {
  readonly #db: App["db"];
  readonly #pushes: Pushes;
  /** Streams that sockets of this process read. */
  readonly #streams: () => readonly string[];
  #from = 0;

  constructor({ db, pushes }: { db: App["db"]; pushes: Pushes }, streams: () => readonly string[]) {
    this.#db = db;
    this.#pushes = pushes;
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
    const [rows = []] = await this.#db.read([readHeads(wanted)]);
    const heads = headsByName(rows);
    // A missing stream has no event yet, or the database was restored to before its first one.
    await Promise.all(wanted.map((name) => this.#pushes.compare(name, heads.get(name) ?? noHead)));
  }
}
