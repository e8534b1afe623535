/** Brings the database's tables up to date; run by each deployment, and by hand. */
import type { Database, Migrator } from "../db/database.ts";
import { grantRole } from "../db/grant_role.ts";
import { migrate } from "../db/migrate.ts";
import type { App } from "../shared/app.ts";
import { ensureIndexes } from "../shared/live/ensure_indexes.ts";

/** Ends before the function does, so that a deployment that fails because of it shows the reason. */
const lockWaitMs = 180_000;

/** The sweep goes on with the rest. */
const indexMs = 60_000;

/** Idempotent, and safe when two run at once. @returns the versions that this call applied */
export const handler = (app: App) => async (): Promise<{ applied: number[] }> => {
  const db = app.db as Database & Migrator;
  const applied = await migrate(db, undefined, app.clock.now(), {
    maxWaitMs: lockWaitMs,
    onWait: (reason) => app.log.info("migration.waits", { reason }),
  });
  if (app.config.databaseRole !== undefined) await grantRole(db, app.config.databaseRole);
  await ensureIndexes(app, indexMs);
  return { applied };
};
