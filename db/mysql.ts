/** MySQL 8 and MariaDB 10.11 through `mysql2`. COMMIT goes alone, when all is answered: MySQL goes on after an error and commits. */
import mysql from "mysql2/promise";
import { type Address, type AddressSettings, readAddress } from "./address.ts";
import { conditionOf, DatabaseUnwell } from "./conditions.ts";
import {
  ConnectionLost,
  ConstraintFailed,
  type Database,
  type Flight,
  FlightLost,
  GuardFailed,
  type Landed,
  LockTaken,
  type Migrator,
  type Row,
  readTyped,
} from "./database.ts";
import { DecideFailed, runDecide } from "./decide_error.ts";
import { dialects } from "./dialect.ts";
import { explain } from "./explain.ts";
import type { CoreConnection } from "./mysql_pipeline.ts";
import { type Answers, maxPrepared, type Result, type Step, sendAll, sendSingly } from "./mysql_statements.ts";
import { repeat } from "./repeat.ts";
import { encodeAll } from "./sql.ts";

export interface MysqlOptions extends AddressSettings {
  /** mysql://user:password@host:port/database; db/address.ts says what may stand behind it. */
  readonly url: string;
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  /** Is told of each message that waits for an answer; not of those that prepare a new text. */
  readonly onTrip?: (() => void) | undefined;
  /** Called for each new connection: returns a short-lived password. It is sent as plain text, so the connection must be TLS. */
  readonly password?: (() => Promise<string>) | undefined;
  /** The server ends a connection that is silent for this long, so that a frozen environment does not occupy one. */
  readonly idleSessionMs?: number | undefined;
}

const statementTimeoutMs = 10_000;
const answerTimeoutMs = statementTimeoutMs * 1.5;

/**
 * Strict, so that no value is cut to fit. READ COMMITTED, so that no gap is locked and each read sees what is committed.
 * Only MariaDB ends a transaction whose client is lost; MySQL keeps it until wait_timeout.
 */
const session = [
  "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
  `SET SESSION time_zone = '+00:00', SESSION innodb_lock_wait_timeout = ${statementTimeoutMs / 2_000},
    SESSION sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'
    /*M!100300 , SESSION idle_transaction_timeout = ${statementTimeoutMs / 1_000} */`,
];

export function openMysql(options: MysqlOptions): Database & Migrator {
  const { password, idleSessionMs, onTrip } = options;
  const address = readAddress(options.url, options);
  /** A token that is refused now may be accepted soon: new rights take time to spread. */
  const away = (sent: boolean, cause: unknown) =>
    new ConnectionLost(sent, cause, explain(cause, address), password === undefined);
  const config: mysql.ConnectionOptions = {
    ...partsOf(address),
    charset: "utf8mb4",
    timezone: "Z",
    decimalNumbers: true,
    connectTimeout: options.connectTimeoutMs,
    // Above our own limit, which closes statements in its own order.
    maxPreparedStatements: 2 * maxPrepared,
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
    if (idleSessionMs !== undefined)
      connection.query(`SET SESSION wait_timeout = ${Math.ceil(idleSessionMs / 1_000)}`, () => {});
  });

  /** Whether the server takes a list in one write; behind a proxy or at some providers it waits for ever. */
  const together = address.pooler === "off";
  /**
   * A deadlock ends the transaction, and what was sent behind it would be committed by itself: so nothing commits by itself
   * until the flight is over.
   */
  const begin = together ? "SET autocommit = 0" : "START TRANSACTION";
  const end = together ? ["SET autocommit = 1"] : [];

  const send = (connection: CoreConnection, steps: readonly Step[]): Promise<Answers> => {
    for (let trips = together ? 1 : steps.length; trips > 0; trips--) onTrip?.();
    return answered(connection, together ? sendAll(connection, steps) : sendSingly(connection, steps));
  };

  async function lend<T>(work: (connection: CoreConnection) => Promise<T>): Promise<T> {
    const lent = await pool.getConnection().catch((cause) => {
      throw away(false, cause);
    });
    const connection = lent.connection as unknown as CoreConnection;
    try {
      const result = await work(connection);
      lent.release();
      return result;
    } catch (error) {
      const broken = isBroken(error);
      if (broken) lent.destroy();
      else {
        // Returned to the pool without an open transaction, or destroyed.
        await send(connection, ["ROLLBACK", ...end])
          .then((answers) => answers.map(resultOf))
          .then(
            () => lent.release(),
            () => lent.destroy(),
          );
      }
      if (error instanceof DecideFailed) throw error.cause;
      throw broken ? away(true, error) : translate(error);
    }
  }

  const connectAlone = (timeoutMs: number): Promise<mysql.Connection> =>
    mysql.createConnection({ ...config, connectTimeout: timeoutMs }).catch((cause) => {
      throw away(false, cause);
    });

  async function flight({ statements, decide, after = [] }: Flight): Promise<Landed> {
    const first = encodeAll(statements, "question");
    const last = encodeAll(after, "question");
    // The transaction is committed: a failed read behind it must not report it as failed.
    const readBehind = (answers: Answers) =>
      last.map((_, at) => (answers[at]?.status === "fulfilled" ? answers[at].value.rows : []));
    return lend(async (connection) => {
      if (decide === undefined && first.length === 1 && first[0]?.guard === undefined) {
        const [answer, ...behind] = await send(connection, [...first, ...last]);
        return { rows: [resultOf(answer).rows], decided: [], after: readBehind(behind) };
      }
      const rows = rowsOf([begin, ...first], await send(connection, [begin, ...first])).slice(1);
      const second = decide === undefined ? [] : runDecide(() => encodeAll(decide(rows), "question"));
      const decided = second.length === 0 ? [] : rowsOf(second, await send(connection, second));
      const [committed, ...behind] = await send(connection, ["COMMIT", ...end, ...last]);
      resultOf(committed);
      return { rows, decided, after: readBehind(behind.slice(end.length)) };
    });
  }

  return {
    dialect: dialects.mysql,
    read: readTyped(async (statements) => {
      if (statements.length === 0) return [];
      const list = encodeAll(statements, "question");
      return repeat(
        () =>
          lend(async (connection) => {
            const steps = list.length === 1 ? list : [...snapshot, ...list, "COMMIT"];
            const rows = rowsOf(steps, await send(connection, steps));
            return list.length === 1 ? rows : rows.slice(snapshot.length, -1);
          }),
        true,
      );
    }),
    flight: (plan) => repeat(() => flight(plan), plan.repeatable === true),
    close: () => pool.end(),
    async probe(timeoutMs) {
      await (await connectAlone(timeoutMs)).end();
    },
    async alone(work, { maxWaitMs, onWait } = {}) {
      const connection = await connectAlone(options.connectTimeoutMs);
      const first = async (text: string): Promise<Row | undefined> => {
        const [rows] = await connection.query(text);
        return Array.isArray(rows) ? (rows as unknown as Row[])[0] : undefined;
      };
      const lock = async (waitSec: number) =>
        (await first(`SELECT GET_LOCK(${lockName}, ${waitSec}) AS got`))?.got === 1;
      try {
        for (const text of session) await connection.query(text);
        if (!(await lock(0))) {
          const sentence = busy(await first(lockHolder).catch(() => undefined));
          onWait?.(sentence);
          if (!(await lock(maxWaitMs === undefined ? aYearSec : Math.ceil(maxWaitMs / 1_000))))
            throw new LockTaken(sentence);
        }
        return await work(async (text) => {
          const [rows] = await connection.query(text);
          return Array.isArray(rows) ? (rows as unknown as Row[]) : [];
        });
      } finally {
        // A connection that died ends by itself, and its error is thrown already.
        await connection.end().catch(() => connection.destroy());
      }
    },
  };
}

/**
 * The driver's own time limit knows neither the preparing of a statement nor COMMIT: if the network loses the answer it would
 * wait for ever, holding the connection and the locks of its transaction.
 */
async function answered<T>(connection: CoreConnection, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const silence = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      connection.destroy();
      reject(new Error(`the server gave no answer for ${answerTimeoutMs} ms`));
    }, answerTimeoutMs);
  });
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}

const snapshot = [
  "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
  "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
];

/** @throws its failure */
function resultOf(answer: Answers[number] | undefined): Result {
  if (answer?.status !== "fulfilled") throw answer?.reason ?? new Error("the server gave no answer");
  return answer.value;
}

/** Throws the first failure: it is the cause, and later ones may follow from it. */
function rowsOf(steps: readonly Step[], answers: Answers): Row[][] {
  return answers.map((answer, at) => {
    const { rows, affected } = resultOf(answer);
    const step = steps[at];
    const guard = typeof step === "object" ? step.guard : undefined;
    if (guard === undefined) return rows;
    const off = "absent" in guard ? Object.values(rows[0] ?? {})[0] : affected - guard.rows;
    if (off !== 0) throw new GuardFailed(guard.name);
    return rows;
  });
}

/** Cut to MySQL's 64 characters; it lies beside the database, not in it. */
const lockName = "LEFT(CONCAT('orderbell ', DATABASE()), 64)";
const lockHolder = `SELECT id, time FROM information_schema.processlist WHERE id = IS_USED_LOCK(${lockName})`;
const aYearSec = 31_536_000;

const busy = (holder: Row | undefined): string =>
  holder === undefined
    ? "another migration holds the lock"
    : `another migration holds the lock: connection ${holder.id ?? holder.ID}, its statement runs for ${holder.time ?? holder.TIME} s`;

function partsOf({ host, port, user, password, database, tls }: Address): mysql.ConnectionOptions {
  const where = host.startsWith("/") ? { socketPath: host } : { host, port };
  return {
    ...where,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    ...(tls === undefined
      ? {}
      : {
          ssl: {
            rejectUnauthorized: tls.rejectUnauthorized,
            verifyIdentity: tls.checkHost,
            ...(tls.ca === undefined ? {} : { ca: tls.ca }),
            ...(tls.cert === undefined ? {} : { cert: tls.cert }),
            ...(tls.key === undefined ? {} : { key: tls.key }),
          },
        }),
  };
}

/** 1213 deadlock, 1205 lock time-out, 1020 (MariaDB) the row changed under a snapshot. */
const lost = new Set([1213, 1205, 1020]);
/** 3819 on MySQL, 4025 on MariaDB. */
const checks = new Set([3819, 4025]);
/** The server is leaving, closed this connection, or is not the primary any more: the next connection finds the new one. */
const leaving = new Set([1053, 1079, 1927, 3169, 4031, 1290, 1836]);

function errnoOf(error: unknown): number {
  return error instanceof Error && "errno" in error ? Number(error.errno) : 0;
}

function translate(error: unknown): unknown {
  const errno = errnoOf(error);
  if (errno === 1062) return new ConstraintFailed("unique", error);
  if (checks.has(errno)) return new ConstraintFailed("check", error);
  if (lost.has(errno)) return new FlightLost(error);
  const condition = conditionOf(error);
  return condition === undefined ? error : new DatabaseUnwell(condition, error);
}

/** A positive errno is the server's own SQL error; everything else mysql2 throws is the connection. */
function isBroken(error: unknown): boolean {
  if (error instanceof DecideFailed || error instanceof GuardFailed) return false;
  const errno = errnoOf(error);
  return !(errno > 0) || leaving.has(errno);
}
