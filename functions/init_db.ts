/** Brings the database's tables up to date; run by each deployment, and by hand. */
import type { Database, Migrator } from "../db/database.ts";
import { migrate } from "../db/migrate.ts";
import type { App } from "../shared/app.ts";
import { handlerOf } from "./_app.ts";

/** Idempotent, and safe when two run at once. @returns the versions that this call applied */
export const initDb = (app: App) => async (): Promise<{ applied: number[] }> => {
  return { applied: await migrate(app.db as Database & Migrator, undefined, app.clock.now()) };
};

export const handler = handlerOf(initDb);
