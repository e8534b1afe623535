/** Before all tests: which engines are there, and a PGlite with all tables to copy from. Says so, so that nobody has to guess. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { migrate } from "../db/migrate.ts";
import { openMysql } from "../db/mysql.ts";
import { openPglite } from "../db/pglite.ts";
import { openPostgres } from "../db/postgres.ts";
import { sql } from "../db/sql.ts";

export default async function setup(): Promise<void> {
  const folder = process.env.ORDERBELL_TEST_FOLDER ?? (await mkdtemp(join(tmpdir(), "orderbell-test-")));
  process.env.ORDERBELL_TEST_OWN_FOLDER = process.env.ORDERBELL_TEST_FOLDER === undefined ? "yes" : "";
  process.env.ORDERBELL_TEST_FOLDER = folder;
  const pglite = await openPglite();
  await migrate(pglite);
  await writeFile(join(folder, "pglite.tar"), Buffer.from(await (await pglite.dump()).arrayBuffer()));
  await pglite.close();

  const postgresUrl = process.env.TEST_POSTGRES_URL ?? "postgres://postgres@127.0.0.1:5432/postgres";
  const mysqlUrl = process.env.TEST_MYSQL_URL ?? "mysql://root@127.0.0.1:3306/mysql";
  process.env.ORDERBELL_TEST_POSTGRES = (await answers(openPostgres, postgresUrl)) ? postgresUrl : "";
  process.env.ORDERBELL_TEST_MYSQL = (await answers(openMysql, mysqlUrl)) ? mysqlUrl : "";
  const state = (url: string | undefined) => (url ? "runs" : "is not here: its tests are skipped");
  const missing = [process.env.ORDERBELL_TEST_POSTGRES, process.env.ORDERBELL_TEST_MYSQL].includes("");
  // To stderr, where jest's own report goes.
  process.stderr.write(
    `engines: PGlite runs; PostgreSQL ${state(process.env.ORDERBELL_TEST_POSTGRES)}; MySQL/MariaDB ${state(process.env.ORDERBELL_TEST_MYSQL)}\n`,
  );
  if (missing && process.env.REQUIRE_ENGINES) throw new Error("REQUIRE_ENGINES is set, and an engine is missing");
}

async function answers(open: typeof openPostgres | typeof openMysql, url: string): Promise<boolean> {
  const database = open({ url, maxConnections: 1, connectTimeoutMs: 2_000 });
  try {
    await database.read([sql`SELECT 1`]);
    return true;
  } catch {
    return false;
  } finally {
    await database.close();
  }
}
