/**
 * A database for a process that may stand still between two calls: a function's environment is frozen after it has answered,
 * and what its connection lived through meanwhile it learns only by using it.
 */
import type { Database, Migrator } from "./database.ts";
import type { Dialect } from "./dialect.ts";
import { sql } from "./sql.ts";

export interface Paused extends Database, Migrator {
  /** To be called before work begins: after a pause a question that may be asked twice finds out whether the connection lives. */
  wake(): Promise<void>;
}

/** Shorter pauses are those between two requests of a busy function. Networks forget silent connections after minutes. */
const pauseMs = 20_000;
/** A connection that a network has forgotten does not answer at all. */
const answerMs = 1_500;

/** @param open called at the first use, and again when the connection did not live through a pause */
export function afterAPause(open: () => Database & Migrator, dialect: Dialect, now: () => number): Paused {
  let inner: (Database & Migrator) | undefined;
  let usedAt = 0;
  function use(): Database & Migrator {
    inner ??= open();
    return inner;
  }
  const used = <T>(work: Promise<T>): Promise<T> =>
    work.finally(() => {
      usedAt = now();
    });

  async function answers(database: Database): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((resolve) => {
      timer = setTimeout(() => resolve(false), answerMs);
    });
    // A database that says no is there; the work itself will tell.
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
    read: (statements) => used(use().read(statements)),
    flight: (plan) => used(use().flight(plan)),
    alone: (work) => used(use().alone(work)),
    close: async () => inner?.close(),
    async wake() {
      // What the network said meanwhile is heard before anything is sent on a connection that was closed. The first turn of the
      // loop may still belong to the time before the pause.
      await turn();
      await turn();
      if (inner === undefined || now() - usedAt < pauseMs || (await answers(inner))) return;
      // Nobody waits for the old one: it ends with its own time-outs.
      void inner.close().catch(() => {});
      inner = undefined;
    },
  };
}

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
