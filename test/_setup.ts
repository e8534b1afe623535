/** Runs before all tests: finds the engines, reports them, and makes two PGlites to copy from, with all tables and with none. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { migrate } from "../db/migrate.ts";
import { openMysql } from "../db/mysql.ts";
import { openPglite } from "../db/pglite.ts";
import { openPostgres } from "../db/postgres.ts";
import { sql } from "../db/sql.ts";
import { openapiAsJson } from "../scripts/read_api.ts";
import { programAt, startPgbouncer } from "./_own_servers.ts";
import { compilePrograms } from "./_programs.ts";

/** What test/_teardown.ts stops. */
export const stopping: (() => Promise<void>)[] = [];

export default async function setup(): Promise<void> {
  const folder = process.env.ORDERBELL_TEST_FOLDER ?? (await mkdtemp(join(tmpdir(), "orderbell-test-")));
  process.env.ORDERBELL_TEST_OWN_FOLDER = process.env.ORDERBELL_TEST_FOLDER === undefined ? "yes" : "";
  process.env.ORDERBELL_TEST_FOLDER = folder;
  // As in test/_programs.ts.
  setFlagsFromString("--liftoff-only");
  const pglite = await openPglite();
  await writeFile(join(folder, "pglite-empty.tar"), withoutTemplates(await (await pglite.dump()).arrayBuffer()));
  await migrate(pglite);
  await writeFile(join(folder, "pglite.tar"), withoutTemplates(await (await pglite.dump()).arrayBuffer()));
  await pglite.close();
  stopping.push(await compilePrograms());
  await writeFile(join(folder, "openapi.json"), openapiAsJson());

  const postgresUrl = process.env.TEST_POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/postgres";
  const mysqlUrl = process.env.TEST_MYSQL_URL ?? "mysql://root@127.0.0.1:3306/mysql";
  const postgres = await versionAt(openPostgres, postgresUrl);
  const mysql = await versionAt(openMysql, mysqlUrl);
  process.env.ORDERBELL_TEST_POSTGRES = postgres === undefined ? "" : postgresUrl;
  process.env.ORDERBELL_TEST_MYSQL = mysql === undefined ? "" : mysqlUrl;
  process.env.ORDERBELL_TEST_MARIADB = /MariaDB/.test(mysql ?? "") ? "yes" : "";
  const said = [
    ["PostgreSQL", postgres],
    [mysql === undefined ? "MySQL/MariaDB" : /MariaDB/.test(mysql) ? "MariaDB" : "MySQL", mysql],
  ].map(([name, version]) =>
    version === undefined ? `${name} is not here: its tests are skipped` : `${name} ${/[\d.]+/.exec(version)} runs`,
  );
  const pooler =
    postgres === undefined || programAt("pgbouncer") === undefined ? undefined : await startPgbouncer(postgresUrl);
  process.env.ORDERBELL_TEST_PGBOUNCER = pooler === undefined ? "" : `postgres://anybody@127.0.0.1:${pooler.port}/`;
  stopping.push(async () => pooler?.stop());
  said.push(pooler === undefined ? "PgBouncer is not here: its tests are skipped" : "PgBouncer runs");
  const missing = postgres === undefined || mysql === undefined || pooler === undefined;
  // To stderr, where jest's own report goes.
  process.stderr.write(`engines: PGlite runs; ${said.join("; ")}\n`);
  if (missing && process.env.REQUIRE_ENGINES) throw new Error("REQUIRE_ENGINES is set, and an engine is missing");
}

/** A dump without template0 and template1: no test uses them, and they are two thirds of the files. */
function withoutTemplates(dump: ArrayBuffer): Buffer {
  const kept: Buffer[] = [];
  const block = 512;
  for (let at = 0; at < dump.byteLength; ) {
    const header = Buffer.from(dump, at, block).toString("latin1");
    const bytes = Number.parseInt(header.slice(124, 136), 8) || 0;
    const whole = block + Math.ceil(bytes / block) * block;
    if (!/^\/base\/(1|4)\//.test(header)) kept.push(Buffer.from(dump, at, whole));
    at += whole;
  }
  return Buffer.concat(kept);
}

/** The server's own version text, if one answers there. */
async function versionAt(open: typeof openPostgres | typeof openMysql, url: string): Promise<string | undefined> {
  const database = open({ url, maxConnections: 1, connectTimeoutMs: 2_000 });
  try {
    const [rows] = await database.read([sql`SELECT version() AS version`]);
    return String(rows?.[0]?.version);
  } catch {
    return undefined;
  } finally {
    await database.close();
  }
}
