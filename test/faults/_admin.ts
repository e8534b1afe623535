/** Operations on a database under running servers: copy it, restore it, end its connections. */
import { createConnection } from "mysql2/promise";
import pg from "pg";

export interface DatabaseAdmin {
  /** Keeps a consistent copy of every row. */
  copy(): Promise<void>;
  /** Puts the copy in the place of the rows. Ends every other connection first. */
  restore(): Promise<void>;
  /** Ends every connection of the servers. */
  endConnections(): Promise<void>;
  close(): Promise<void>;
}

/** The address for the servers: it names them, so that their connections can be told from others. */
export function namedAddress(url: string): URL {
  const named = new URL(url);
  const schema = schemaOf(url);
  if (schema !== undefined) named.searchParams.set("application_name", schema);
  return named;
}

const schemaOf = (url: string) => /search_path=(\w+)/.exec(decodeURIComponent(url))?.[1];

/** @param url of the schema (PostgreSQL, in `options`) or the database (MySQL) that the servers use */
export function openAdmin(engine: "postgres" | "mysql", url: string): DatabaseAdmin {
  return engine === "postgres" ? postgresAdmin(url) : mysqlAdmin(url);
}

type Run = (text: string) => Promise<readonly Record<string, unknown>[]>;

function postgresAdmin(url: string): DatabaseAdmin {
  const client = new pg.Client({ connectionString: url });
  const connected = client.connect();
  const schema = schemaOf(url) ?? "public";
  const copy = `${schema}_copy`;
  const run: Run = async (text) => {
    await connected;
    return (await client.query(text)).rows;
  };
  const tables = async () =>
    (await run(`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '${schema}'`)).map(
      ({ name }) => String(name),
    );
  const endConnections = async () =>
    void (await run(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '${schema}'`));
  return {
    endConnections,
    async copy() {
      const names = await tables();
      await run("BEGIN ISOLATION LEVEL REPEATABLE READ");
      await run(`DROP SCHEMA IF EXISTS ${copy} CASCADE`);
      await run(`CREATE SCHEMA ${copy}`);
      for (const name of names) await run(`CREATE TABLE ${copy}.${name} AS TABLE ${schema}.${name}`);
      await run("COMMIT");
    },
    async restore() {
      const names = await tables();
      await endConnections();
      await run("BEGIN");
      // Waits for whoever still writes.
      await run(`TRUNCATE ${names.map((name) => `${schema}.${name}`).join(", ")}`);
      for (const name of names) await run(`INSERT INTO ${schema}.${name} SELECT * FROM ${copy}.${name}`);
      await run("COMMIT");
    },
    async close() {
      await run(`DROP SCHEMA IF EXISTS ${copy} CASCADE`);
      await client.end();
    },
  };
}

function mysqlAdmin(url: string): DatabaseAdmin {
  const connection = createConnection(url);
  const name = new URL(url).pathname.slice(1);
  const copy = `${name}_copy`;
  const run: Run = async (text) => (await (await connection).query(text))[0] as Record<string, unknown>[];
  const tables = async () =>
    (await run(`SELECT table_name AS name FROM information_schema.tables WHERE table_schema = '${name}'`)).map((row) =>
      String(row.name),
    );
  async function endConnections(): Promise<void> {
    const others = await run(
      `SELECT id FROM information_schema.processlist WHERE db = '${name}' AND id <> CONNECTION_ID()`,
    );
    // It may have ended by itself.
    for (const { id } of others) await run(`KILL ${Number(id)}`).catch(() => {});
  }
  return {
    endConnections,
    async copy() {
      const names = await tables();
      await run(`DROP DATABASE IF EXISTS ${copy}`);
      await run(`CREATE DATABASE ${copy}`);
      for (const table of names) await run(`CREATE TABLE ${copy}.${table} LIKE ${name}.${table}`);
      await run(`LOCK TABLES ${names.map((table) => `${name}.${table} READ, ${copy}.${table} WRITE`).join(", ")}`);
      for (const table of names) await run(`INSERT INTO ${copy}.${table} SELECT * FROM ${name}.${table}`);
      await run("UNLOCK TABLES");
    },
    async restore() {
      const names = await tables();
      await endConnections();
      await run(`LOCK TABLES ${names.map((table) => `${name}.${table} WRITE, ${copy}.${table} READ`).join(", ")}`);
      for (const table of names) {
        await run(`DELETE FROM ${name}.${table}`);
        await run(`INSERT INTO ${name}.${table} SELECT * FROM ${copy}.${table}`);
      }
      await run("UNLOCK TABLES");
    },
    async close() {
      await run(`DROP DATABASE IF EXISTS ${copy}`);
      await (await connection).end();
    },
  };
}
