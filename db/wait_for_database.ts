/** Waits for a database that is paused, starts or fails over. Errors that waiting cannot solve are thrown at once. */
import { ConnectionLost, type Migrator } from "./database.ts";

export interface DatabaseWait {
  readonly maxWaitMs: number;
  /** Called once, when it begins to wait, with the reason. */
  readonly onWait?: ((reason: string) => void) | undefined;
}

const betweenTriesMs = 500;

/**
 * Runs `work`; when the database cannot be reached, probes it until it answers, and runs `work` once more.
 * A probe waits for all the time that is left: some databases hold the connection until they are awake, and start again when it is dropped.
 */
export async function waitForDatabase<T>(
  database: Pick<Migrator, "probe">,
  work: () => Promise<T>,
  { maxWaitMs, onWait }: DatabaseWait,
): Promise<T> {
  const giveUpAt = performance.now() + maxWaitMs;
  let lost: ConnectionLost;
  try {
    return await work();
  } catch (error) {
    lost = awayOnly(error);
  }
  if (maxWaitMs > 0) onWait?.(lost.reason ?? lost.message);
  for (;;) {
    const leftMs = giveUpAt - performance.now();
    if (leftMs <= 0) throw lost;
    try {
      await database.probe(leftMs);
      return await work();
    } catch (error) {
      lost = awayOnly(error);
    }
    await new Promise((resolve) => setTimeout(resolve, Math.min(betweenTriesMs, leftMs)));
  }
}

/** @throws an error that waiting does not solve, or whose work must not be repeated */
function awayOnly(error: unknown): ConnectionLost {
  if (error instanceof ConnectionLost && !error.sent && !error.lasting) return error;
  throw error;
}
