/** Limits how many connections of a database one user of it takes, so that some are always free for the others. */
import type { Database } from "./database.ts";

/** @param max reads and flights at once; the others wait their turn */
export function limitConnections(db: Database, max: number): Database {
  const waiting: (() => void)[] = [];
  let running = 0;

  async function turn<T>(work: () => Promise<T>): Promise<T> {
    if (running >= max) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // Passed on directly, so that no later caller overtakes.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  }

  return {
    dialect: db.dialect,
    read: (statements) => turn(() => db.read(statements)),
    flight: (flight) => turn(() => db.flight(flight)),
    close: () => db.close(),
  };
}
