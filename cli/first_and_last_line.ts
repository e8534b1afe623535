/** First and last line of a server's log: what runs, and how it ended. */
import type { Database } from "../db/database.ts";
import { migrations } from "../db/migrate.ts";
import { readServerVersion, serverVersionOf } from "../db/server_version.ts";
import { monotonicMs } from "../functions/_app.ts";
import type { Log } from "../shared/log.ts";
import type { Machine } from "./machine.ts";
import { version } from "./version.ts";

/** @param applied versions of the migrations that this start has applied */
export async function logStart(log: Log, db: Database, applied: readonly number[]): Promise<void> {
  const [rows] = await db.read([readServerVersion]);
  const { engine, version: engineVersion } = serverVersionOf(rows[0]);
  const [schema, node] = [migrations.at(-1)?.version, process.version];
  const news = applied.length === 0 ? {} : { applied: applied.join(", ") };
  log.info("start", { version, node, engine, engineVersion, schema, ...news, pid: process.pid });
}

/** Stops the machine, and logs how long it took and what had not ended in its time. */
export async function stopAndLog({ app, stop }: Machine, signal: string | undefined): Promise<void> {
  const since = monotonicMs();
  const left = await stop();
  const fields = { signal, ms: Math.round(monotonicMs() - since), ...left };
  if (Object.values(left).every((count) => count === 0)) app.log.info("stop", fields);
  else app.log.warn("stop", fields);
}
