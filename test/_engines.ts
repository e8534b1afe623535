/** The engines that a suite runs on. Each test file opens its own schema or instance and removes it. */
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Database, Migrator } from "../db/database.ts";
import { migrate } from "../db/migrate.ts";
import { openMysql } from "../db/mysql.ts";
import { openPglite } from "../db/pglite.ts";
import { openPostgres } from "../db/postgres.ts";

export interface TestDatabase extends Database, Migrator {
  /** Address of this very schema, for a second process; empty where there can be none. */
  readonly url: string;
  /** Closes and removes what was made. */
  remove(): Promise<void>;
}

export interface Engine {
  readonly name: "pglite" | "postgres" | "mysql";
  readonly here: boolean;
  /** Where its server listens, for a test that puts something between. Nothing where there is no server. */
  readonly server: { readonly host: string; readonly port: number };
  /** A fresh database with all tables, or without any. */
  open(options?: { tables?: boolean; maxConnections?: number; connectTimeoutMs?: number }): Promise<TestDatabase>;
}

const admin = { maxConnections: 1, connectTimeoutMs: 5_000 };
const postgresUrl = process.env.ORDERBELL_TEST_POSTGRES ?? "";
const mysqlUrl = process.env.ORDERBELL_TEST_MYSQL ?? "";
const newName = () => `ob_test_${randomBytes(6).toString("hex")}`;

export const engines: readonly Engine[] = [
  {
    name: "pglite",
    here: true,
    server: { host: "", port: 0 },
    async open({ tables = true } = {}) {
      const dump = join(process.env.ORDERBELL_TEST_FOLDER as string, "pglite.tar");
      const database = await openPglite(tables ? { from: new Blob([await readFile(dump)]) } : {});
      return { ...database, url: "", remove: () => database.close() };
    },
  },
  {
    name: "postgres",
    here: postgresUrl !== "",
    server: serverAt(postgresUrl, 5_432),
    async open({ tables = true, maxConnections = 10, connectTimeoutMs = 5_000 } = {}) {
      const schema = newName();
      await statement(openPostgres({ ...admin, url: postgresUrl }), `CREATE SCHEMA ${schema}`);
      const url = new URL(postgresUrl);
      url.searchParams.set("options", `-c search_path=${schema}`);
      const database = openPostgres({ url: url.href, maxConnections, connectTimeoutMs });
      if (tables) await migrate(database);
      return {
        ...database,
        url: url.href,
        async remove() {
          await database.close();
          await statement(openPostgres({ ...admin, url: postgresUrl }), `DROP SCHEMA ${schema} CASCADE`);
        },
      };
    },
  },
  {
    name: "mysql",
    here: mysqlUrl !== "",
    server: serverAt(mysqlUrl, 3_306),
    async open({ tables = true, maxConnections = 10, connectTimeoutMs = 5_000 } = {}) {
      const name = newName();
      await statement(openMysql({ ...admin, url: mysqlUrl }), `CREATE DATABASE ${name}`);
      const url = new URL(mysqlUrl);
      url.pathname = `/${name}`;
      const database = openMysql({ url: url.href, maxConnections, connectTimeoutMs });
      if (tables) await migrate(database);
      return {
        ...database,
        url: url.href,
        async remove() {
          await database.close();
          await statement(openMysql({ ...admin, url: mysqlUrl }), `DROP DATABASE ${name}`);
        },
      };
    },
  },
];

function serverAt(url: string, usualPort: number): Engine["server"] {
  if (url === "") return { host: "", port: 0 };
  const { hostname: host, port } = new URL(url);
  return { host, port: Number(port || usualPort) };
}

async function statement(database: Database & Migrator, text: string): Promise<void> {
  await database.alone((run) => run(text));
  await database.close();
}

/** The same database once more, as another process has it. @param wire what stands between, such as a proxy on this machine */
export async function openAgain(
  engine: Engine,
  database: TestDatabase,
  wire?: { readonly port: number },
  maxConnections = 10,
): Promise<TestDatabase> {
  const url = new URL(database.url);
  if (wire !== undefined) url.host = `127.0.0.1:${wire.port}`;
  const options = { url: url.href, maxConnections, connectTimeoutMs: 1_000 };
  const opened = engine.name === "mysql" ? openMysql(options) : openPostgres(options);
  return { ...opened, url: url.href, remove: () => opened.close() };
}

/** Runs the suite once per engine; an engine that is not here is reported as skipped. */
export function onEveryEngine(suite: (engine: Engine) => void, list: readonly Engine[] = engines): void {
  for (const engine of list) (engine.here ? describe : describe.skip)(engine.name, () => suite(engine));
}

/** Engines that are servers of their own. */
export const servers = engines.filter(({ name }) => name !== "pglite");
