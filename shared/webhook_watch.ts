/**
 * What webhooks ask for, held in memory, so that a commit costs no statement more where there is no webhook; and the streams
 * with new events, where this process looks for them by itself.
 */
import type { Database } from "../db/database.ts";
import { readWantedTypes } from "../db/webhooks.ts";
import { type WebhookType, webhookTypeOf } from "./webhook_types.ts";

/** A webhook that was added elsewhere is known here after this time; the sweep finds the events until then. */
const heldMs = 60_000;

interface Clock {
  now(): number;
}

export class WebhookWatch {
  readonly #db: Database;
  readonly #clock: Clock;
  #wanted: { readonly at: number; readonly types: Promise<ReadonlySet<string>> } | undefined;
  readonly #streams = new Set<string>();

  constructor({ db, clock }: { db: Database; clock: Clock }) {
    this.#db = db;
    this.#clock = clock;
  }

  /** Reads anew what webhooks ask for. */
  refresh(): Promise<ReadonlySet<string>> {
    const read = { at: this.#clock.now(), types: this.#read() };
    read.types.catch(() => {
      if (this.#wanted === read) this.#wanted = undefined;
    });
    this.#wanted = read;
    return read.types;
  }

  async #read(): Promise<ReadonlySet<string>> {
    const [rows = []] = await this.#db.read([readWantedTypes()]);
    return new Set(rows.flatMap(({ types }) => String(types).split(" ")));
  }

  #types(): Promise<ReadonlySet<string>> {
    const held = this.#wanted;
    return held !== undefined && Math.abs(this.#clock.now() - held.at) < heldMs ? held.types : this.refresh();
  }

  async isWanted(type: WebhookType): Promise<boolean> {
    return (await this.#types()).has(type);
  }

  /** Those of the events' streams that some webhook may want. */
  async wantedStreams(events: readonly { readonly stream: string; readonly type: string }[]): Promise<string[]> {
    const named = events.map(({ stream, type }) => ({ stream, name: webhookTypeOf(stream, type) }));
    if (named.every(({ name }) => name === undefined)) return [];
    const types = await this.#types();
    return [...new Set(named.filter(({ name }) => name !== undefined && types.has(name)).map(({ stream }) => stream))];
  }

  /** Notes streams with new events, for `take`. */
  note(streams: readonly string[]): void {
    for (const stream of streams) this.#streams.add(stream);
  }

  take(): string[] {
    const streams = [...this.#streams];
    this.#streams.clear();
    return streams;
  }
}
