/** Heads of streams for many who check at once: what is asked while a read is on its way goes into the next one together. */
import { maxLives } from "../../db/sessions.ts";
import { type Head, headsByName, readHeads } from "../../db/streams.ts";
import type { App } from "../app.ts";

interface Asked {
  readonly streams: readonly string[];
  readonly resolve: (heads: ReadonlyMap<string, Head>) => void;
  readonly reject: (error: unknown) => void;
}

export class HeadReader {
  #waiting: Asked[] = [];
  #isReading = false;

  /** Stream → head, as it is at some time after this call; a stream without events is not in it. */
  read(db: App["db"], streams: readonly string[]): Promise<ReadonlyMap<string, Head>> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ streams, resolve, reject });
      if (!this.#isReading) void this.#run(db);
    });
  }

  async #run(db: App["db"]): Promise<void> {
    this.#isReading = true;
    await undefined;
    while (this.#waiting.length > 0) {
      const asked = this.#waiting;
      this.#waiting = [];
      try {
        const heads = await headsOf(db, [...new Set(asked.flatMap(({ streams }) => streams))]);
        for (const { resolve } of asked) resolve(heads);
      } catch (error) {
        for (const { reject } of asked) reject(error);
      }
    }
    this.#isReading = false;
  }
}

async function headsOf(db: App["db"], streams: readonly string[]): Promise<ReadonlyMap<string, Head>> {
  if (streams.length === 0) return new Map();
  const chunks = Array.from({ length: Math.ceil(streams.length / maxLives) }, (_, at) =>
    readHeads(streams.slice(at * maxLives, (at + 1) * maxLives)),
  );
  const rows = (await db.read(chunks)).flat();
  return headsByName(rows);
}
