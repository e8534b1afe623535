/** Databases of the benchmark: a new one for each contender in each round; and whether what they answer is on the disk. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openMysql } from "../db/mysql.ts";
import { openPostgres } from "../db/postgres.ts";

export type EngineName = "postgres" | "mysql" | "pglite";

const options = { maxConnections: 1, connectTimeoutMs: 5_000 };

export const bases: Readonly<Record<Exclude<EngineName, "pglite">, string>> = {
  postgres: process.env.BENCH_POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/postgres",
  mysql: process.env.BENCH_MYSQL_URL ?? "mysql://root@127.0.0.1:3306/mysql",
};

/** Asks one database, over a connection of its own. */
export async function query(url: string, ...statements: readonly string[]): Promise<Record<string, unknown>[][]> {
  const database = url.startsWith("mysql") ? openMysql({ ...options, url }) : openPostgres({ ...options, url });
  try {
    const results: Record<string, unknown>[][] = [];
    await database.alone(async (run) => {
      for (const text of statements) results.push((await run(text)) as Record<string, unknown>[]);
    });
    return results;
  } finally {
    await database.close();
  }
}

/** PGlite gets a folder, as the demo has it. */
export async function freshDatabase(engine: EngineName): Promise<{ url: string; remove(): Promise<void> }> {
  if (engine === "pglite") {
    const folder = mkdtempSync(join(tmpdir(), "ob-bench-"));
    return { url: `pglite:${folder}`, remove: async () => rmSync(folder, { recursive: true, force: true }) };
  }
  const name = `ob_bench_${randomBytes(5).toString("hex")}`;
  const postgres = engine === "postgres";
  const base = bases[engine];
  await query(base, postgres ? `CREATE SCHEMA ${name}` : `CREATE DATABASE ${name}`);
  const url = new URL(base);
  if (postgres) {
    url.searchParams.set("options", `-c search_path=${name}`);
    // By this name its backends are found, whose time is counted.
    url.searchParams.set("application_name", name);
  } else url.pathname = `/${name}`;
  const drop = postgres ? `DROP SCHEMA ${name} CASCADE` : `DROP DATABASE ${name}`;
  return { url: url.href, remove: async () => void (await query(base, drop)) };
}

export interface DatabaseReport {
  readonly version: string;
  /** Only if an answered order survives a power cut. */
  readonly durable: boolean;
  readonly settings: Readonly<Record<string, string>>;
}

/** Settings that must be so, or an answered order may be lost with the power. */
const durableSettings: Readonly<Record<Exclude<EngineName, "pglite">, Readonly<Record<string, string>>>> = {
  postgres: { fsync: "on", synchronous_commit: "on", full_page_writes: "on" },
  mysql: { innodb_flush_log_at_trx_commit: "1" },
};

export async function describeDatabase(engine: EngineName): Promise<DatabaseReport> {
  if (engine === "pglite") return { version: "embedded", durable: false, settings: { fsync: "never" } };
  const wanted = durableSettings[engine];
  const names = Object.keys(wanted);
  const text =
    engine === "postgres"
      ? names.map((name) => `current_setting('${name}') AS ${name}`)
      : names.map((name) => `@@${name} AS ${name}`);
  try {
    const [[row = {}] = []] = await query(bases[engine], `SELECT version() AS version, ${text.join(", ")}`);
    const settings = Object.fromEntries(names.map((name) => [name, String(row[name])]));
    const durable = names.every((name) => settings[name] === wanted[name]);
    return { version: String(row.version), durable, settings };
  } catch (error) {
    return { version: "not reachable", durable: false, settings: { error: (error as Error).message } };
  }
}
