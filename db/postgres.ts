/** PostgreSQL 15 or newer through `pg`, each flight in one write on its own connection. */
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import pg from "pg";
import { ConnectionLost, type Database, type Flight, type Landed, type Migrator, type Row } from "./database.ts";
import { dialects } from "./dialect.ts";
import { guardedText, numberTypes, translate } from "./postgres_text.ts";
import { Refused, refusable } from "./refusable.ts";
import { repeat } from "./repeat.ts";
import { type Encoded, encodeAll } from "./sql.ts";

export interface PostgresOptions {
  /** postgres://user:password@host:port/database */
  readonly url: string;
  /** 1 in a function, where one environment serves one request at a time. */
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  /** Asked for each new connection: a password that does not live long. */
  readonly password?: (() => Promise<string>) | undefined;
}

/** Most texts are the same each time and are prepared once; a text beyond this many goes unprepared. */
const maxPrepared = 400;
const statementTimeoutMs = 10_000;

export function openPostgres(options: PostgresOptions): Database & Migrator {
  const types = new pg.TypeOverrides();
  for (const type of numberTypes) types.setTypeParser(type, Number);
  const config: pg.ClientConfig = {
    ...addressOf(options),
    types,
    connectionTimeoutMillis: options.connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    lock_timeout: statementTimeoutMs / 2,
    // A function that is frozen between the two parts of a flight must not keep its locks.
    idle_in_transaction_session_timeout: statementTimeoutMs,
    // A peer that vanished without FIN: the read ends, and the pool makes a new connection.
    query_timeout: statementTimeoutMs * 1.5,
    keepAlive: true,
  };
  const pool = new pg.Pool({ ...config, pipeline: true, max: options.maxConnections, allowExitOnIdle: true });
  // A connection that dies is replaced on its next use; without listeners, idle or lent, Node would end the process.
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));

  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    const known = names.get(text);
    if (known !== undefined || names.size >= maxPrepared) return known;
    const name = `ob_${createHash("sha256").update(text).digest("base64url").slice(0, 20)}`;
    names.set(text, name);
    return name;
  };

  /** Sends all in one write and waits for all answers. */
  async function send(client: pg.PoolClient, list: readonly Encoded[]): Promise<PromiseSettledResult<Row[]>[]> {
    const stream = (client as unknown as { connection: { stream: Socket } }).connection.stream;
    stream.cork();
    const answers = list.map(async (statement) => {
      const text = guardedText(statement);
      const name = nameOf(text);
      return (await client.query<Row>({ text, values: statement.values, ...(name === undefined ? {} : { name }) }))
        .rows;
    });
    stream.uncork();
    return Promise.allSettled(answers);
  }

  /** Lends a connection to `work`. One that failed in any other way than by a clean SQL error is thrown away. */
  async function lend<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await pool.connect().catch((cause) => {
      throw new ConnectionLost(false, cause);
    });
    try {
      const result = await work(client);
      client.release();
      return result;
    } catch (error) {
      const broken = isBroken(error);
      client.release(broken);
      if (error instanceof Refused) throw error.cause;
      throw broken ? new ConnectionLost(true, error) : translate(error);
    }
  }

  async function flight({ statements, decide, after = [] }: Flight): Promise<Landed> {
    const first = encodeAll(statements, "numbered");
    const last = encodeAll(after, "numbered");
    return lend(async (client) => {
      if (decide === undefined) {
        const answers = await send(client, [begin, ...first, commit, ...last]);
        return {
          rows: rowsOf(answers.slice(0, first.length + 2)).slice(1, -1),
          decided: [],
          after: rowsIfAny(answers.slice(first.length + 2)),
        };
      }
      let rows: Row[][];
      let second: Encoded[];
      try {
        rows = rowsOf(await send(client, [begin, ...first])).slice(1);
        second = refusable(() => encodeAll(decide(rows), "numbered"));
      } catch (error) {
        if (!isBroken(error)) await send(client, [rollback]);
        throw error;
      }
      // A SQL error among these turns COMMIT into ROLLBACK: the server refuses everything until the transaction ends.
      const answers = await send(client, [...second, commit, ...last]);
      return {
        rows,
        decided: rowsOf(answers.slice(0, second.length + 1)).slice(0, -1),
        after: rowsIfAny(answers.slice(second.length + 1)),
      };
    });
  }

  return {
    dialect: dialects.postgres,
    async read(statements) {
      if (statements.length === 0) return [];
      const list = encodeAll(statements, "numbered");
      return repeat(
        () =>
          lend(async (client) =>
            list.length === 1
              ? rowsOf(await send(client, list))
              : rowsOf(await send(client, [snapshot, ...list, commit])).slice(1, -1),
          ),
        true,
      );
    },
    flight: (plan) => repeat(() => flight(plan), plan.repeatable === true),
    close: () => pool.end(),
    async alone(work) {
      const client = new pg.Client(config);
      try {
        await client.connect();
      } catch (cause) {
        throw new ConnectionLost(false, cause);
      }
      try {
        await client.query("SET lock_timeout = 0; SET statement_timeout = 0");
        await client.query("SELECT pg_advisory_lock(hashtext('orderbell ' || current_schema()))");
        return await work(async (text) => {
          const result: pg.QueryResult<Row> | pg.QueryResult<Row>[] = await client.query(text);
          return Array.isArray(result) ? [] : result.rows;
        });
      } finally {
        await client.end();
      }
    },
  };
}

/** A password beside the address would lose against the empty one in it, so the address comes in parts then. */
function addressOf({ url, password }: PostgresOptions): pg.ClientConfig {
  if (password === undefined) return { connectionString: url };
  const { hostname: host, port, username, pathname, searchParams } = new URL(url);
  const options = searchParams.get("options");
  return {
    host,
    port: Number(port || 5_432),
    user: decodeURIComponent(username),
    database: decodeURIComponent(pathname.slice(1)),
    ssl: searchParams.get("sslmode") === "verify-full",
    password,
    ...(options === null ? {} : { options }),
  };
}

const plain = (text: string): Encoded => ({ text, values: [], guard: undefined });
const begin = plain("BEGIN");
const commit = plain("COMMIT");
const rollback = plain("ROLLBACK");
const snapshot = plain("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");

/** The first failure is the cause; what failed behind it is only its echo. */
function rowsOf(answers: readonly PromiseSettledResult<Row[]>[]): Row[][] {
  return answers.map((answer) => {
    if (answer.status === "rejected") throw answer.reason;
    return answer.value;
  });
}

/** Reads behind a COMMIT: what is stored is not called failed because of them. */
function rowsIfAny(answers: readonly PromiseSettledResult<Row[]>[]): Row[][] {
  return answers.map((answer) => (answer.status === "fulfilled" ? answer.value : []));
}

/** SQL errors have a SQLSTATE. 57P is the server leaving, 08 the connection, 25P03 our own idle limit; all else is the wire. */
function isBroken(error: unknown): boolean {
  if (error instanceof Refused) return false;
  if (!(error instanceof pg.DatabaseError)) return true;
  const state = error.code ?? "";
  return state.startsWith("57P") || state.startsWith("08") || state === "25P03";
}
