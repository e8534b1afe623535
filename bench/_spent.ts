/** Processor time of a server and of its database's connections, between two moments. */
import type { Running } from "./_contender.ts";
import { databasePids, processorMs } from "./_processor.ts";

export interface Spent {
  readonly atMs: number;
  readonly nodeMs: number;
  /** A connection that comes later began with nothing; the time of one that has ended is not known any more. */
  readonly backends: ReadonlyMap<number, number>;
}

export interface Since {
  readonly ms: number;
  readonly nodeUs: number;
  readonly databaseUs: number;
}

export async function spent({ pid, database }: Running): Promise<Spent> {
  const pids = database === "" ? [] : await databasePids("postgres", database);
  return {
    atMs: performance.now(),
    nodeMs: processorMs(pid),
    backends: new Map(pids.map((one) => [one, processorMs(one)])),
  };
}

export function since(before: Spent, after: Spent): Since {
  const backends = [...after.backends].map(([pid, ms]) => ms - (before.backends.get(pid) ?? 0));
  // None were found: that is not nothing.
  const databaseMs =
    backends.length === 0 ? Number.NaN : backends.reduce((sum, ms) => sum + (Number.isNaN(ms) ? 0 : ms), 0);
  return {
    ms: after.atMs - before.atMs,
    nodeUs: (after.nodeMs - before.nodeMs) * 1_000,
    databaseUs: databaseMs * 1_000,
  };
}
