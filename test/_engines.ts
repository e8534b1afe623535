/** The engines that a suite runs on. Each test file opens a schema or an instance of its own and removes it. */
import { randomBytes } from "node:crypto";
import pg from "pg";
import type { Database, Migrator } from "../db/database.ts";
import { migrate } from "../db/migrate.ts";
import { openMysql } from "../db/mysql.ts";
import { openPostgres } from "../db/postgres.ts";
import { columnsOf, emptied, keepEmptied, openEmbedded, type TestDatabase, takeEmptied } from "./_emptied.ts";

export type { TestDatabase };

export interface Engine {
  readonly name: "pglite" | "postgres" | "mysql";
  /** What stands before the server: PgBouncer, where each transaction may come to another connection. */
  readonly behind?: "pgbouncer";
  readonly here: boolean;
  /** Where its server listens, for a test that puts something between. Nothing where there is no server. */
  readonly server: { readonly host: string; readonly port: number };
  /** A fresh database with all tables, or without any. */
  open(options?: OpenOptions): Promise<TestDatabase>;
}

interface OpenOptions {
  readonly tables?: boolean;
  readonly maxConnections?: number;
  readonly connectTimeoutMs?: number;
}

const postgresUrl = process.env.ORDERBELL_TEST_POSTGRES ?? "";
const mysqlUrl = process.env.ORDERBELL_TEST_MYSQL ?? "";
const poolerUrl = process.env.ORDERBELL_TEST_PGBOUNCER ?? "";

/** How a server makes a place of its own for a test: a schema or a database. */
interface Server {
  readonly name: string;
  make(place: string): Promise<void>;
  drop(place: string): Promise<void>;
  urlOf(place: string): string;
  connect(options: { url: string; maxConnections: number; connectTimeoutMs: number }): Database & Migrator;
}

const postgres: Server = {
  name: "postgres",
  make: (place) => onPostgres(`CREATE SCHEMA ${place}`),
  drop: (place) => onPostgres(`DROP SCHEMA ${place} CASCADE`),
  urlOf(place) {
    const url = new URL(postgresUrl);
    url.searchParams.set("options", `-c search_path=${place}`);
    return url.href;
  },
  connect: openPostgres,
};

const mysql: Server = {
  name: "mysql",
  make: (place) => onMysql(`CREATE DATABASE ${place}`),
  drop: (place) => onMysql(`DROP DATABASE ${place}`),
  urlOf(place) {
    const url = new URL(mysqlUrl);
    url.pathname = `/${place}`;
    return url.href;
  },
  connect: openMysql,
};

/** No `options` passes a pooler, so it is a database of its own and not a schema. */
const pgbouncer: Server = {
  name: "pgbouncer",
  make: (place) => onPostgres(`CREATE DATABASE ${place}`),
  drop: (place) => onPostgres(`DROP DATABASE ${place} WITH (FORCE)`),
  urlOf: (place) => `${poolerUrl}${place}?pgbouncer=true`,
  connect: openPostgres,
};

async function openOn(server: Server, options: OpenOptions): Promise<TestDatabase> {
  const { tables = true, maxConnections = 10, connectTimeoutMs = 5_000 } = options;
  const used = tables ? await takeEmptied(server.name) : undefined;
  const place = used?.place ?? `ob_test_${randomBytes(6).toString("hex")}`;
  if (used === undefined) await server.make(place);
  const url = server.urlOf(place);
  const database = server.connect({ url, maxConnections, connectTimeoutMs });
  if (tables && used === undefined) await migrate(database);
  const columns = used?.columns ?? (tables ? await columnsOf(database) : "");
  return {
    ...database,
    url,
    async remove() {
      await database.close();
      const again = server.connect({ url, maxConnections: 1, connectTimeoutMs });
      const same = tables && (await emptied(again, columns));
      await again.close();
      if (same) await keepEmptied(server.name, { place, columns });
      else await server.drop(place);
    },
  };
}

/** Drops what is left for the next test, when there is none. */
export async function dropEmptied(): Promise<void> {
  for (const server of [postgres, mysql, pgbouncer])
    for (let one = await takeEmptied(server.name); one !== undefined; one = await takeEmptied(server.name))
      await server.drop(one.place);
}

/** PGlite: works in the test's own thread, where a read costs ten times what PostgreSQL takes for it. */
export const embedded: Engine = { name: "pglite", here: true, server: { host: "", port: 0 }, open: openEmbedded };

export const engines: readonly Engine[] = [
  embedded,
  {
    name: "postgres",
    here: postgresUrl !== "",
    server: serverAt(postgresUrl, 5_432),
    open: (options = {}) => openOn(postgres, options),
  },
  {
    name: "mysql",
    here: mysqlUrl !== "",
    server: serverAt(mysqlUrl, 3_306),
    open: (options = {}) => openOn(mysql, options),
  },
];

/**
 * One engine for each dialect of SQL, for suites whose statements matter and whose engine does not. PGlite is given PostgreSQL's
 * statements, so it stands in where PostgreSQL is not here; docs/testing.md lists what runs on it too.
 */
export const dialectEngines = engines.filter(({ name }) => name !== (postgresUrl === "" ? "postgres" : "pglite"));

/** For suites that are about no engine: the one that costs least of those that are here. */
export const anyEngine: Engine = engines.find(({ name, here }) => name === "postgres" && here) ?? embedded;

/** PostgreSQL behind PgBouncer in transaction mode, for the suites that ask what an engine must do. */
export const pooled: Engine = {
  name: "postgres",
  behind: "pgbouncer",
  here: poolerUrl !== "",
  server: serverAt(poolerUrl, 5_432),
  open: (options = {}) => openOn(pgbouncer, options),
};

async function onPostgres(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: postgresUrl });
  await client.connect();
  await client.query(text).finally(() => client.end());
}

async function onMysql(text: string): Promise<void> {
  const database = openMysql({ url: mysqlUrl, maxConnections: 1, connectTimeoutMs: 5_000 });
  await database.alone((run) => run(text)).finally(() => database.close());
}

function serverAt(url: string, usualPort: number): Engine["server"] {
  if (url === "") return { host: "", port: 0 };
  const { hostname: host, port } = new URL(url);
  return { host, port: Number(port || usualPort) };
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
  for (const engine of list)
    (engine.here ? describe : describe.skip)(engine.behind ?? engine.name, () => suite(engine));
}

/** Runs the suite once per dialect of SQL. */
export const onEveryDialect = (suite: (engine: Engine) => void) => onEveryEngine(suite, dialectEngines);

/** Engines that are servers of their own. */
export const servers = engines.filter(({ name }) => name !== "pglite");
