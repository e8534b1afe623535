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
  const postgres = await versionAt(openPostgres, postgresUrl);
  const mysql = await versionAt(openMysql, mysqlUrl);
  process.env.ORDERBELL_TEST_POSTGRES = postgres === undefined ? "" : postgresUrl;
  process.env.ORDERBELL_TEST_MYSQL = mysql === undefined ? "" : mysqlUrl;
  const said = [
    ["PostgreSQL", postgres],
    [mysql === undefined ? "MySQL/MariaDB" : /MariaDB/.test(mysql) ? "MariaDB" : "MySQL", mysql],
  ].map(([name, version]) =>
    version === undefined ? `${name} is not here: its tests are skipped` : `${name} ${/[\d.]+/.exec(version)} runs`,
  );
  const missing = postgres === undefined || mysql === undefined;
  // To stderr, where jest's own report goes.
  process.stderr.write(`engines: PGlite runs; ${said.join("; ")}\n`);
  if (missing && process.env.REQUIRE_ENGINES) throw new Error("REQUIRE_ENGINES is set, and an engine is missing");
}

/** What the server calls itself, if one answers there. */
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
