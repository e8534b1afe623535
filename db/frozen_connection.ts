/**
 * A database for a process that is frozen between two calls, as a function's environment is after its answer. Whether its
 * connection is still alive shows only when it is used.
 */
import type { Database, Migrator } from "./database.ts";
import type { Dialect } from "./dialect.ts";
import { sql } from "./sql.ts";
import { type DatabaseWait, waitForDatabase } from "./wait_for_database.ts";

export interface Freezable extends Database, Migrator {
  /** Call it before each piece of work: after a pause it tests the connection with a harmless query, and replaces a dead one. */
  wake(): Promise<void>;
}

/** Shorter pauses are those between two requests of a busy function. Networks forget silent connections after minutes. */
const pauseMs = 20_000;
/** A connection that a network has forgotten does not answer at all. */
const answerMs = 1_500;

/**
 * @param open called at the first use, and again when the connection died during a pause
 * @param wait for a database that is paused as well; only at the first use after a start or a pause
 */
export function freezable(
  open: () => Database & Migrator,
  dialect: Dialect,
  now: () => number,
  wait: DatabaseWait = { maxWaitMs: 0 },
): Freezable {
  let inner: (Database & Migrator) | undefined;
  let begins = true;
  let usedAt = 0;
  function use(): Database & Migrator {
    inner ??= open();
    return inner;
  }
  const used = <T>(work: (database: Database & Migrator) => Promise<T>): Promise<T> => {
    const database = use();
    const first = begins;
    begins = false;
    return waitForDatabase(database, () => work(database), first ? wait : { maxWaitMs: 0 }).finally(() => {
      usedAt = now();
    });
  };

  async function answers(database: Database): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), answerMs);
    });
    // An error is an answer too: the connection is alive, and the work itself will report it.
    const asked = database.read([sql`SELECT 1`]).then(
      () => true,
      () => true,
    );
    const answered = await Promise.race([asked, late]);
    clearTimeout(timer);
    return answered;
  }

  return {
    dialect,
    read: (statements) => used((database) => database.read(statements)),
    flight: (plan) => used((database) => database.flight(plan)),
    alone: (work, lock) => used((database) => database.alone(work, lock)),
    probe: (timeoutMs) => use().probe(timeoutMs),
    close: async () => inner?.close(),
    async wake() {
      // Lets Node see that a connection was closed during the pause, before anything is sent on it. The first turn of the event
      // loop may still belong to the time before the pause.
      await turn();
      await turn();
      if (inner === undefined || now() - usedAt < pauseMs) return;
      begins = true;
      if (await answers(inner)) return;
      // Not awaited: the old one ends by its own time-outs.
      void inner.close().catch(() => {});
      inner = undefined;
    },
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
