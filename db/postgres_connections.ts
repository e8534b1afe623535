/** Connections to PostgreSQL: a pool that detects poolers, sends statements in one write, and classifies errors. */
import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import pg from "pg";
import { type Address, type AddressSettings, type Pooler, readAddress } from "./address.ts";
import { ConnectionLost, FlightLost, type Row } from "./database.ts";
import { DecideFailed } from "./decide_error.ts";
import { explain } from "./explain.ts";
import { guardedText, numberTypes, planSettings, translate } from "./postgres_text.ts";
import { direct, isControl, pooledWith, type Transactions } from "./postgres_transactions.ts";
import type { Encoded } from "./sql.ts";

export interface PostgresOptions extends AddressSettings {
  /** postgres://user:password@host:port/database; db/address.ts says what may stand behind it. */
  readonly url: string;
  /** 1 in a function, where one environment serves one request at a time. */
  readonly maxConnections: number;
  readonly connectTimeoutMs: number;
  /** Called for each new connection: returns a short-lived password. */
  readonly password?: (() => Promise<string>) | undefined;
  /** The server ends a connection that is silent for this long, so that a frozen environment does not occupy one. */
  readonly idleSessionMs?: number | undefined;
  /** Is told of each message that waits for an answer. */
  readonly onTrip?: (() => void) | undefined;
  /** The time-out of everything but `alone`. */
  readonly statementTimeoutMs?: number;
}

/** Most texts are the same each time and are prepared once; a text beyond this many goes unprepared. */
const maxPrepared = 400;
const usualStatementTimeoutMs = 10_000;

export type Answers = readonly PromiseSettledResult<Row[]>[];

export interface PostgresConnections {
  /** The current way to begin transactions; it changes when a pooler is detected. */
  transactions(): Transactions;
  /** Lends a connection to `work`. One that failed in any other way than by a clean SQL error is thrown away. */
  lend<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T>;
  /** Sends all in one write and waits for all answers. */
  send(client: pg.PoolClient, list: readonly Encoded[]): Promise<Answers>;
  /** Whether one of the answers shows a pooler; from then on it is treated as one. */
  showPooler(answers: Answers): boolean;
  /** Beside the pool, with nothing at its beginning that a pooler could refuse. @throws ConnectionLost */
  connectAlone(timeoutMs: number): Promise<pg.Client>;
  /** The error of a connection that broke or could not be made. */
  away(sent: boolean, cause: unknown): ConnectionLost;
  end(): Promise<void>;
}

export function openConnections(options: PostgresOptions): PostgresConnections {
  const address = readAddress(options.url, options);
  /** A token that is refused now may be accepted soon: new rights take time to spread. */
  const away = (sent: boolean, cause: unknown) =>
    new ConnectionLost(sent, cause, explain(cause, address), options.password === undefined);
  const types = new pg.TypeOverrides();
  for (const type of numberTypes) types.setTypeParser(type, Number);
  const config: pg.ClientConfig = {
    ...partsOf(address),
    ...(options.password === undefined ? {} : { password: options.password }),
    types,
    connectionTimeoutMillis: options.connectTimeoutMs,
    keepAlive: true,
  };

  const { statementTimeoutMs = usualStatementTimeoutMs, onTrip } = options;
  /** Told to the server for each session, or behind a pooler for each transaction. */
  const timeouts = {
    statement_timeout: statementTimeoutMs,
    lock_timeout: statementTimeoutMs / 2,
    // A function that is frozen between the two parts of a flight must not keep its locks.
    idle_in_transaction_session_timeout: statementTimeoutMs,
  };
  const settings = Object.entries({ ...timeouts, ...planSettings });
  const pooled = pooledWith(settings.map(([name, value]) => `SET LOCAL ${name} = ${value}`));
  const plans = Object.entries(planSettings).map(([name, value]) => `-c ${name}=${value}`);
  const transactions: Readonly<Record<Pooler, Transactions>> = { off: direct, session: pooled, transaction: pooled };

  let { pooler } = address;
  let pool = openPool();
  const left: pg.Pool[] = [];
  function openPool(): pg.Pool {
    const made = new pg.Pool({
      ...config,
      ...(pooler === "off" ? { ...timeouts, options: [config.options, ...plans].join(" ").trim() } : {}),
      // A peer that vanished without FIN: the read ends, and the pool makes a new connection.
      query_timeout: statementTimeoutMs * 1.5,
      pipeline: true,
      max: options.maxConnections,
      allowExitOnIdle: true,
    });
    // A connection that dies is replaced on its next use; without listeners, idle or lent, Node would end the process.
    made.on("error", () => {});
    made.on("connect", (client) => {
      client.on("error", () => {});
      // An older server refuses this setting and works without it.
      if (pooler === "off" && options.idleSessionMs !== undefined)
        client.query(`SET idle_session_timeout = ${options.idleSessionMs}`).catch(() => {});
    });
    return made;
  }

  const mayBePooler = () => !address.poolerTold && pooler !== "transaction";

  /** A pooler that the address does not name is detected by what it refuses. From then on it is treated as one. */
  function foundPooler(): void {
    pooler = "transaction";
    // Requests that wait for the old pool still get a connection of it; idle ones end by themselves.
    left.push(pool);
    pool = openPool();
  }

  const names = new Map<string, string>();
  const nameOf = (text: string): string | undefined => {
    if (pooler === "transaction") return undefined;
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
      const name = isControl(statement) ? undefined : nameOf(text);
      return (await client.query<Row>({ text, values: statement.values, ...(name === undefined ? {} : { name }) }))
        .rows;
    });
    stream.uncork();
    onTrip?.();
    return Promise.allSettled(answers);
  }

  async function connect(): Promise<pg.PoolClient> {
    const asked = pool;
    try {
      return await asked.connect();
    } catch (cause) {
      // Several may be refused at once: the first has opened the next pool.
      const found = asked !== pool || mayBePooler();
      if (!refusesSettings(cause) || !found) throw away(false, cause);
      if (asked === pool) foundPooler();
      return connect();
    }
  }

  /** Beside the pool, with nothing at its beginning that a pooler could refuse. */
  async function connectAlone(timeoutMs: number): Promise<pg.Client> {
    const client = new pg.Client({ ...config, connectionTimeoutMillis: timeoutMs });
    client.on("error", () => {});
    try {
      await client.connect();
      return client;
    } catch (cause) {
      await client.end().catch(() => {});
      throw away(false, cause);
    }
  }

  /** Lends a connection to `work`. One that failed in any other way than by a clean SQL error is thrown away. */
  async function lend<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await connect();
    try {
      const result = await work(client);
      client.release();
      return result;
    } catch (error) {
      const broken = isBroken(error);
      client.release(broken);
      if (error instanceof DecideFailed) throw error.cause;
      if (isStolenName(error) && !address.poolerTold) {
        if (mayBePooler()) foundPooler();
        throw new FlightLost(error);
      }
      throw broken ? away(true, error) : translate(error);
    }
  }

  return {
    transactions: () => transactions[pooler],
    lend,
    send,
    showPooler(answers) {
      const stolen = answers.some((answer) => answer.status === "rejected" && isStolenName(answer.reason));
      if (stolen && mayBePooler()) foundPooler();
      return stolen;
    },
    connectAlone,
    away,
    async end() {
      await Promise.all([pool, ...left].map((one) => one.end()));
    },
  };
}

function partsOf(address: Address): pg.ClientConfig {
  const { host, port, user, password, database, tls, options, applicationName } = address;
  return {
    host,
    port,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { password }),
    ...(database === undefined ? {} : { database }),
    ...(options === undefined ? {} : { options }),
    ...(applicationName === undefined ? {} : { application_name: applicationName }),
    ...(address.channelBinding ? { enableChannelBinding: true } : {}),
    ...(address.directTls ? { sslnegotiation: "direct" } : {}),
    ssl: tls !== undefined && {
      rejectUnauthorized: tls.rejectUnauthorized,
      ...(tls.checkHost ? {} : { checkServerIdentity: () => undefined }),
      ...(tls.ca === undefined ? {} : { ca: tls.ca }),
      ...(tls.cert === undefined ? {} : { cert: tls.cert }),
      ...(tls.key === undefined ? {} : { key: tls.key }),
    },
  };
}

/**
 * SQL errors have a SQLSTATE. 57P is the server leaving, 08 the connection, 25P03 our own idle limit, 25006 a server that is
 * not the primary any more: the next connection finds the new one. All else is the connection.
 */
export function isBroken(error: unknown): boolean {
  if (error instanceof DecideFailed) return false;
  if (!(error instanceof pg.DatabaseError)) return true;
  const state = error.code ?? "";
  return state.startsWith("57P") || state.startsWith("08") || state === "25P03" || state === "25006";
}

/** Protocol violation is what a pooler answers to a setting that it does not pass on. */
const refusesSettings = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && /startup parameter/i.test(error.message);

/** The name was prepared by another client, or on another connection: only a pooler causes that. */
const isStolenName = (error: unknown): boolean =>
  error instanceof pg.DatabaseError && (error.code === "42P05" || error.code === "26000");
