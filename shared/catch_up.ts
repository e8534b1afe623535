/**
 * On a machine with several processes: what another process committed, and whom it signed out.
 * Each process compares the heads of the streams that its sockets read; who reads asks for what is lacking. The same look
 * finds a push that was lost between the commit and the socket, whatever the reason.
 */
import type { Row } from "../db/database.ts";
import { readEnded } from "../db/sessions.ts";
import { headOf, readHeads } from "../db/streams.ts";
import type { App } from "./app.ts";
import { publishHeads } from "./deliver.ts";

/** What this process knows of its sockets. */
export interface Sockets {
  streams(): string[];
  /** The highest number that was pushed on a stream. */
  published(stream: string): number;
  /** Closes the sockets of these sessions. */
  dismiss(sessions: ReadonlySet<string>): void;
}

/** Kitchens at every look; the others spread over so many looks. */
const slices = 20;

export class CatchUp {
  readonly #app: App;
  readonly #sockets: Sockets;
  /** The head that was seen last, or told. */
  readonly #seen = new Map<string, string>();
  #looks = 0;
  #endedSince: number;

  constructor(app: App, sockets: Sockets) {
    this.#app = app;
    this.#sockets = sockets;
    this.#endedSince = app.clock.now();
  }

  /** One look. */
  async look(): Promise<void> {
    const now = this.#app.clock.now();
    const streams = this.#sockets.streams();
    const slice = this.#looks++ % slices;
    const wanted = streams.filter((name, at) => name.startsWith("shop:") || at % slices === slice);
    const read = new Set(streams);
    for (const name of this.#seen.keys()) if (!read.has(name)) this.#seen.delete(name);
    if (streams.length === 0) {
      this.#endedSince = now;
      return;
    }
    // A little further back each time: a session may be ended by a clock behind ours.
    const [heads = [], ended = []] = await this.#app.db.read([readHeads(wanted), readEnded(this.#endedSince - 5_000)]);
    this.#endedSince = now;
    if (ended.length > 0) this.#sockets.dismiss(new Set(ended.map(({ id }) => String(id))));
    const changed = heads.filter((row) => this.#seen.get(String(row.name)) !== positionOf(row));
    const unpublished = changed.filter((row) => headOf(row).seq > this.#sockets.published(String(row.name)));
    await publishHeads(this.#app, unpublished);
    // Only now: if telling failed, the next look tells.
    for (const row of changed) this.#seen.set(String(row.name), positionOf(row));
  }
}

function positionOf(row: Row): string {
  const { epoch, seq, tag } = headOf(row);
  return `${epoch} ${seq} ${tag}`;
}
