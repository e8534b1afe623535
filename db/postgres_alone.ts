/** Migrations alone in a PostgreSQL database: one transaction under an advisory lock, so that nothing stays behind on a connection. */
import type pg from "pg";
import { LockTaken, type LockWait, type Row } from "./database.ts";
import { isBroken, type PostgresConnections } from "./postgres_connections.ts";

/** @throws LockTaken when another process holds the lock for longer than `maxWaitMs` */
export async function runAlone<T>(
  connections: PostgresConnections,
  connectTimeoutMs: number,
  work: (run: (text: string) => Promise<Row[]>) => Promise<T>,
  { maxWaitMs = 0, onWait }: LockWait = {},
): Promise<T> {
  // No limit on this side: an index on a year of events takes its time.
  const client = await connections.connectAlone(connectTimeoutMs);
  const run = async (text: string): Promise<Row[]> => {
    const result: pg.QueryResult<Row> | pg.QueryResult<Row>[] = await client.query(text).catch((error) => {
      throw isBroken(error) ? connections.away(true, error) : error;
    });
    return Array.isArray(result) ? [] : result.rows;
  };
  try {
    await run(
      `BEGIN; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = ${maxWaitMs}`,
    );
    if ((await run(`SELECT pg_try_advisory_xact_lock(${lockKey})::int AS got`))[0]?.got !== 1) {
      const sentence = busy((await run(lockHolder))[0]);
      onWait?.(sentence);
      await run(`SELECT pg_advisory_xact_lock(${lockKey})`).catch((error) => {
        throw error.code === "55P03" ? new LockTaken(sentence) : error;
      });
    }
    await run("SET LOCAL lock_timeout = 0");
    const result = await work(run);
    await run("COMMIT");
    return result;
  } catch (error) {
    await run("ROLLBACK").catch(() => {});
    throw error;
  } finally {
    await client.end();
  }
}

const lockKey = "hashtext('orderbell ' || current_schema())";
/** The holder of the lock, as far as this user may see it. */
const lockHolder = `SELECT l.pid, to_char(a.xact_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') AS since
  FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
    AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND l.objid = (${lockKey}::bigint & 4294967295)::oid LIMIT 1`;

const busy = (holder: Row | undefined): string =>
  holder?.since == null
    ? "another migration holds the lock"
    : `another migration holds the lock since ${holder.since} UTC (process ${holder.pid})`;
