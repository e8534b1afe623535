/** Applies missing migrations, once each, in order. Several processes may start it at once: one migrates, the others wait and find it done. */
import type { Database, LockWait, Migrator, Row } from "./database.ts";
import type { Dialect } from "./dialect.ts";
import type { ColumnTypes, Migration } from "./migration.ts";
import { first } from "./migrations/0001_first.ts";
import { chain } from "./migrations/0002_chain.ts";
import { networks } from "./migrations/0003_networks.ts";
import { bounds } from "./migrations/0004_bounds.ts";
import { granted } from "./migrations/0005_granted.ts";
import { stationsDone } from "./migrations/0006_stations_done.ts";
import { freeNumbers } from "./migrations/0007_free_numbers.ts";
import { failedCodes } from "./migrations/0008_failed_codes.ts";
import { userInfo } from "./migrations/0009_user_info.ts";
import { channels } from "./migrations/0010_channels.ts";
import { webhooks } from "./migrations/0011_webhooks.ts";
import { collections } from "./migrations/0012_collections.ts";
import { watches } from "./migrations/0013_watches.ts";
import { placeOrders } from "./migrations/0014_place_orders.ts";
import { arrivals } from "./migrations/0015_arrivals.ts";
import { roomEntries } from "./migrations/0016_room_entries.ts";
import { auditActor } from "./migrations/0017_audit_actor.ts";
import { ownUsers } from "./migrations/0018_own_users.ts";
import { files } from "./migrations/0019_files.ts";
import { cloudPaths } from "./migrations/0020_cloud_paths.ts";
import { games } from "./migrations/0021_games.ts";
import { guardFunction } from "./postgres_text.ts";
import { refuseOldServer, serverVersionOf, versionText } from "./server_version.ts";

const postgresTypes: ColumnTypes = {
  id: `varchar(64) COLLATE "C"`,
  key: `varchar(200) COLLATE "C"`,
  text: "text",
  bigint: "bigint",
  integer: "integer",
  flag: "smallint",
  table: "",
  hotTable: "WITH (fillfactor = 50)",
  functions: true,
};

const mysqlTypes: ColumnTypes = {
  id: "varchar(64) CHARACTER SET ascii COLLATE ascii_bin",
  key: "varchar(200) CHARACTER SET ascii COLLATE ascii_bin",
  text: "mediumtext",
  bigint: "bigint",
  integer: "integer",
  flag: "tinyint",
  table: "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
  hotTable: "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
  functions: false,
};

export const migrations: readonly Migration[] = [
  first,
  chain,
  networks,
  bounds,
  granted,
  stationsDone,
  freeNumbers,
  failedCodes,
  userInfo,
  channels,
  webhooks,
  collections,
  watches,
  placeOrders,
  arrivals,
  roomEntries,
  auditActor,
  ownUsers,
  files,
  cloudPaths,
  games,
];

/** The database was written by a newer orderbell: going on could damage what that one stored. */
export class SchemaTooNew extends Error {
  override readonly name = "SchemaTooNew";
  constructor(database: number, code: number) {
    super(`the database is at schema version ${database}, this orderbell knows only ${code}; run the newer orderbell`);
  }
}

/** Errors of a repeated statement, when a MySQL migration ended between the statement and its record: exists, duplicate column, duplicate key, nothing to drop. */
const doneBefore = new Set([1050, 1060, 1061, 1091]);

/**
 * Brings the schema up to date and returns the versions that this call applied. The lock is taken anew for each migration: on
 * PostgreSQL that is its transaction, all of a migration or nothing.
 * @throws ServerTooOld before anything is changed
 * @throws SchemaTooNew when the database knows a version that the code does not.
 * @throws LockTaken when another migration outlasts `wait.maxWaitMs`
 */
export async function migrate(
  database: Database & Migrator,
  list: readonly Migration[] = migrations,
  now: number = Date.now(),
  wait: LockWait = {},
): Promise<number[]> {
  const applied: number[] = [];
  for (;;) {
    const done = await database.alone(async (run) => {
      if (applied.length === 0) refuseOldServer(serverVersionOf((await run(versionText))[0]));
      return applyNext(database.dialect, run, list, now);
    }, wait);
    if (done === undefined) return applied;
    applied.push(done);
  }
}

type Run = (text: string) => Promise<Row[]>;

/** @returns its version, or nothing when the database has them all */
async function applyNext(
  { transactionalTables }: Dialect,
  run: Run,
  list: readonly Migration[],
  now: number,
): Promise<number | undefined> {
  await run(
    "CREATE TABLE IF NOT EXISTS schema_migrations (version integer NOT NULL PRIMARY KEY, name varchar(64) NOT NULL, steps integer NOT NULL, applied_at bigint)",
  );
  const rows = await run("SELECT version, steps, applied_at FROM schema_migrations ORDER BY version");
  const newest = Number(rows.at(-1)?.version ?? 0);
  const known = list.at(-1)?.version ?? 0;
  if (newest > known) throw new SchemaTooNew(newest, known);
  const stepsOf = (version: number) => rows.find((row) => row.version === version);
  const next = list.find(({ version }) => (stepsOf(version)?.applied_at ?? null) === null);
  if (next === undefined) return undefined;
  if (transactionalTables) await applyWhole(run, next, now);
  else await applyStepwise(run, next, Number(stepsOf(next.version)?.steps ?? -1), now);
  return next.version;
}

/** In one message, so that a first deployment far from its database is not hundreds of round trips. */
async function applyWhole(run: Run, { version, name, statements }: Migration, now: number): Promise<void> {
  const list = [guardFunction, ...statements(postgresTypes)];
  const note = `INSERT INTO schema_migrations (version, name, steps, applied_at) VALUES (${version}, '${name}', ${list.length}, ${now})`;
  await run([...list, note].join(";\n"));
}

/** MySQL commits after each change of a table, so each step is recorded, and an interrupted migration continues where it stopped. */
async function applyStepwise(
  run: Run,
  { version, name, statements }: Migration,
  done: number,
  now: number,
): Promise<void> {
  const list = statements(mysqlTypes);
  if (done < 0)
    await run(
      `INSERT INTO schema_migrations (version, name, steps, applied_at) VALUES (${version}, '${name}', 0, NULL)`,
    );
  for (let step = Math.max(done, 0); step < list.length; step++) {
    try {
      await run(list[step] as string);
    } catch (error) {
      const resumed = step === done && doneBefore.has(Number((error as { errno?: number }).errno));
      if (!resumed) throw error;
    }
    await run(`UPDATE schema_migrations SET steps = ${step + 1} WHERE version = ${version}`);
  }
  await run(`UPDATE schema_migrations SET applied_at = ${now} WHERE version = ${version}`);
}
