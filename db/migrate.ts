/** Applies the migrations that a database lacks, once each, in order. Several may start it at once: one works, the others find it done. */
import type { Database, Migrator, Row } from "./database.ts";
import { first } from "./migrations/0001_first.ts";
import { guardFunction } from "./postgres_text.ts";

export interface Migration {
  readonly version: number;
  readonly name: string;
  /** One text for both families; what differs are the words in `types`. */
  readonly statements: (types: ColumnTypes) => readonly string[];
}

/** The words that differ between PostgreSQL and MySQL. */
export interface ColumnTypes {
  /** ASCII, compared byte by byte, at most 64: ids, keys, hashes, stream names. MySQL's default would take `abc`, `ABC` and `ábc` for one. */
  readonly id: string;
  readonly text: string;
  readonly bigint: string;
  readonly integer: string;
  readonly flag: string;
  /** After the closing parenthesis. `hot` tables are updated all day and leave room in their pages. */
  readonly table: string;
  readonly hotTable: string;
}

const postgresTypes: ColumnTypes = {
  id: `varchar(64) COLLATE "C"`,
  text: "text",
  bigint: "bigint",
  integer: "integer",
  flag: "smallint",
  table: "",
  hotTable: "WITH (fillfactor = 50)",
};

const mysqlTypes: ColumnTypes = {
  id: "varchar(64) CHARACTER SET ascii COLLATE ascii_bin",
  text: "mediumtext",
  bigint: "bigint",
  integer: "integer",
  flag: "tinyint",
  table: "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
  hotTable: "ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin",
};

export const migrations: readonly Migration[] = [first];

/** The database was written by a newer orderbell: going on could damage what that one stored. */
export class SchemaTooNew extends Error {
  override readonly name = "SchemaTooNew";
  constructor(database: number, code: number) {
    super(`the database is at schema version ${database}, this orderbell knows only ${code}; run the newer orderbell`);
  }
}

/** A MySQL migration that died between doing a statement and noting it does that statement again: exists, duplicate column, duplicate key, nothing to drop. */
const doneBefore = new Set([1050, 1060, 1061, 1091]);

/**
 * Brings the schema up to date and returns the versions that this call applied.
 * @throws SchemaTooNew when the database knows a version that the code does not.
 */
export async function migrate(
  database: Database & Migrator,
  list: readonly Migration[] = migrations,
  now: number = Date.now(),
): Promise<number[]> {
  return database.alone(async (run) => {
    await run(
      "CREATE TABLE IF NOT EXISTS schema_migrations (version integer NOT NULL PRIMARY KEY, name varchar(64) NOT NULL, steps integer NOT NULL, applied_at bigint)",
    );
    const rows = await run("SELECT version, steps, applied_at FROM schema_migrations ORDER BY version");
    const newest = Number(rows.at(-1)?.version ?? 0);
    const known = list.at(-1)?.version ?? 0;
    if (newest > known) throw new SchemaTooNew(newest, known);
    const applied: number[] = [];
    for (const migration of list) {
      const row = rows.find(({ version }) => version === migration.version);
      if (row !== undefined && row.applied_at !== null) continue;
      if (database.dialect.name === "postgres") await applyWhole(run, migration, now);
      else await applyStepwise(run, migration, Number(row?.steps ?? -1), now);
      applied.push(migration.version);
    }
    return applied;
  });
}

type Run = (text: string) => Promise<Row[]>;

/** PostgreSQL changes tables inside a transaction: all of a migration or nothing. */
async function applyWhole(run: Run, { version, name, statements }: Migration, now: number): Promise<void> {
  const list = [guardFunction, ...statements(postgresTypes)];
  const note = `INSERT INTO schema_migrations (version, name, steps, applied_at) VALUES (${version}, '${name}', ${list.length}, ${now})`;
  try {
    await run(["BEGIN", ...list, note, "COMMIT"].join(";\n"));
  } catch (error) {
    await run("ROLLBACK");
    throw error;
  }
}

/** MySQL commits after each change of a table, so each step is noted, and a migration that died goes on where it stopped. */
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
