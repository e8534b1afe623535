/** MySQL 8 and MariaDB 10.11 through `mysql2`. Statements go one by one, because MySQL goes on after an error and commits. */
import mysql from "mysql2/promise";
import {
  ConnectionLost,
  ConstraintFailed,
  type Database,
  type Flight,
  FlightLost,
  GuardFailed,
  type Landed,
  type Migrator,
  type Row,
} from "./database.ts";
import { dialects } from "./dialect.ts";
import { Refused, refusable } from "./refusable.ts";
import { repeat } from "./repeat.ts";
import { type Encoded, encodeAll } from "./sql.ts";

/** What the pool's event really hands over: the callback connection underneath. */
interface CoreConnection {
  query(text: string, done: (error: unknown) => void): void;
  destroy(): void;
}

export interface MysqlOptions {
  /** mysql://user:password@host:port/database */
  readonly url: string;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  /** Asked for each new connection: a password that does not live long. It travels as it is, so the connection must be TLS. */
  readonly password?: (() => Promise<string>) | undefined;
}

const statementTimeoutMs = 10_000;

/** Strict, so that no value is cut to fit. READ COMMITTED, so that no gap is locked and each read sees what is committed. */
const session = [
  "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
  `SET SESSION time_zone = '+00:00', SESSION innodb_lock_wait_timeout = ${statementTimeoutMs / 2_000},
    SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'`,
];

export function openMysql(options: MysqlOptions): Database & Migrator {
  const { password } = options;
  const config: mysql.ConnectionOptions = {
    uri: options.url,
    charset: "utf8mb4",
    timezone: "Z",
    decimalNumbers: true,
    connectTimeout: options.connectTimeoutMs,
    // The server keeps 16,382 for all clients together.
    maxPreparedStatements: 200,
    enableKeepAlive: true,
    ...(password === undefined
      ? {}
      : { authPlugins: { mysql_clear_password: () => async () => Buffer.from(`${await password()}\0`) } }),
  };
  const pool = mysql.createPool({ ...config, connectionLimit: options.maxConnections, waitForConnections: true });
  // Queued ahead of the first statement; a connection without these settings must not be used.
  pool.on("connection", (promised) => {
    const connection = promised as unknown as CoreConnection;
    for (const text of session) connection.query(text, (error) => error && connection.destroy());
  });

  async function run(connection: mysql.Connection, statement: Encoded): Promise<Row[]> {
    const [result] = await connection.execute(
      { sql: statement.text, timeout: statementTimeoutMs * 1.5 },
      statement.values,
    );
    const rows = Array.isArray(result) ? (result as unknown as Row[]) : [];
    const { guard } = statement;
    if (guard !== undefined) {
      const off =
        "absent" in guard
          ? Object.values(rows[0] ?? {})[0]
          : (result as mysql.ResultSetHeader).affectedRows - guard.rows;
      if (off !== 0) throw new GuardFailed(guard.name);
    }
    return rows;
  }

  async function runAll(connection: mysql.Connection, list: readonly Encoded[]): Promise<Row[][]> {
    const rows: Row[][] = [];
    for (const statement of list) rows.push(await run(connection, statement));
    return rows;
  }

  async function lend<T>(work: (connection: mysql.PoolConnection) => Promise<T>): Promise<T> {
    const connection = await pool.getConnection().catch((cause) => {
      throw new ConnectionLost(false, cause);
    });
    try {
      const result = await work(connection);
      connection.release();
      return result;
    } catch (error) {
      const broken = isBroken(error);
      if (broken) connection.destroy();
      else {
        // The connection goes back clean, or not at all.
        await connection.query("ROLLBACK").then(
          () => connection.release(),
          () => connection.destroy(),
        );
      }
      if (error instanceof Refused) throw error.cause;
      throw broken ? new ConnectionLost(true, error) : translate(error);
    }
  }

  async function flight({ statements, decide, after = [] }: Flight): Promise<Landed> {
    const first = encodeAll(statements, "question");
    const last = encodeAll(after, "question");
    return lend(async (connection) => {
      await connection.query("START TRANSACTION");
      const rows = await runAll(connection, first);
      const second = decide === undefined ? [] : refusable(() => encodeAll(decide(rows), "question"));
      const decided = await runAll(connection, second);
      await connection.query("COMMIT");
      // What is stored is not called failed because a read behind it failed.
      return { rows, decided, after: await runAll(connection, last).catch(() => last.map(() => [])) };
    });
  }

  return {
    dialect: dialects.mysql,
    async read(statements) {
      if (statements.length === 0) return [];
      const list = encodeAll(statements, "question");
      return repeat(
        () =>
          lend(async (connection) => {
            if (list.length === 1) return runAll(connection, list);
            await connection.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ");
            await connection.query("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY");
            const rows = await runAll(connection, list);
            await connection.query("COMMIT");
            return rows;
          }),
        true,
      );
    },
    flight: (plan) => repeat(() => flight(plan), plan.repeatable === true),
    close: () => pool.end(),
    async alone(work) {
      const connection = await mysql.createConnection(config).catch((cause) => {
        throw new ConnectionLost(false, cause);
      });
      try {
        for (const text of session) await connection.query(text);
        // The name is cut to MySQL's 64 characters; it lies beside the database, not in it.
        await connection.query("SELECT GET_LOCK(LEFT(CONCAT('orderbell ', DATABASE()), 64), 3600)");
        return await work(async (text) => {
          const [rows] = await connection.query(text);
          return Array.isArray(rows) ? (rows as unknown as Row[]) : [];
        });
      } finally {
        await connection.end();
      }
    },
  };
}

/** 1213 deadlock, 1205 lock time-out, 1020 (MariaDB) the row changed under a snapshot. */
const lost = new Set([1213, 1205, 1020]);
/** 3819 on MySQL, 4025 on MariaDB. */
const checks = new Set([3819, 4025]);
/** The server is leaving or closed this connection. */
const leaving = new Set([1053, 1079, 1927, 3169, 4031]);

function errnoOf(error: unknown): number {
  return error instanceof Error && "errno" in error ? Number(error.errno) : 0;
}

function translate(error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === 1062) return new ConstraintFailed("unique", error);
  if (checks.has(errno)) return new ConstraintFailed("check", error);
  if (lost.has(errno)) return new FlightLost(error);
  return error;
}

/** A positive errno is the server's own SQL error; everything else mysql2 throws is the wire. */
function isBroken(error: unknown): boolean {
  if (error instanceof Refused || error instanceof GuardFailed) return false;
  const errno = errnoOf(error);
  return !(errno > 0) || leaving.has(errno);
}
