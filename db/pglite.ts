/**
 * PGlite: PostgreSQL inside this process, for tests and trials.
 * It does not fsync, so its promises hold for kill -9 and not for power loss; one process only, see lock_file.ts.
 */
import { PGlite, type Transaction } from "@electric-sql/pglite";
import { type Database, type Flight, type Landed, type Migrator, type Row, readTyped } from "./database.ts";
import { DecideFailed, runDecide } from "./decide_error.ts";
import { dialects } from "./dialect.ts";
import { lockDirectory } from "./lock_file.ts";
import { guardedText, numberTypes, planSettings, translate } from "./postgres_text.ts";
import { repeat } from "./repeat.ts";
import { type Encoded, encodeAll } from "./sql.ts";

export interface PgliteOptions {
  /** A folder that keeps the data; without it the data lives in memory. */
  readonly directory?: string;
  /** A dump to start from, as `dump` below gives it. */
  readonly from?: Blob;
}

export interface Embedded extends Database, Migrator {
  dump(): Promise<Blob>;
}

export async function openPglite(options: PgliteOptions = {}): Promise<Embedded> {
  const unlock = options.directory === undefined ? () => {} : await lockDirectory(options.directory);
  let pglite: PGlite;
  try {
    pglite = await PGlite.create({
      ...(options.directory === undefined ? {} : { dataDir: `${options.directory}/data` }),
      ...(options.from === undefined ? {} : { loadDataDir: options.from }),
      parsers: Object.fromEntries(numberTypes.map((type) => [type, Number])),
    });
    await pglite.exec(
      Object.entries(planSettings)
        .map(([name, value]) => `SET ${name} = ${value}`)
        .join("; "),
    );
  } catch (error) {
    unlock();
    throw error;
  }

  /** One statement is a transaction by itself, and BEGIN and COMMIT are calls like any other. */
  const alone = async (list: readonly Encoded[]): Promise<Row[][]> =>
    list.length === 1 ? run(pglite, list) : pglite.transaction((transaction) => run(transaction, list));

  async function run(transaction: Pick<Transaction, "query">, list: readonly Encoded[]): Promise<Row[][]> {
    const rows: Row[][] = [];
    for (const statement of list)
      rows.push((await transaction.query<Row>(guardedText(statement), statement.values)).rows);
    return rows;
  }

  async function flight({ statements, decide, after = [] }: Flight): Promise<Landed> {
    const first = encodeAll(statements, "numbered");
    const last = encodeAll(after, "numbered");
    // The transaction is committed: a failed read behind it must not report it as failed.
    const readBehind = async () => (last.length === 0 ? [] : alone(last).catch(() => last.map(() => [])));
    try {
      if (decide === undefined) return { rows: await alone(first), decided: [], after: await readBehind() };
      const stored = await pglite.transaction(async (transaction) => {
        const rows = await run(transaction, first);
        const second = runDecide(() => encodeAll(decide(rows), "numbered"));
        return { rows, decided: await run(transaction, second) };
      });
      return { ...stored, after: await readBehind() };
    } catch (error) {
      throw error instanceof DecideFailed ? error.cause : translate(error);
    }
  }

  // There is one process, so a queue is enough as a lock for migrations.
  let turn: Promise<void> = Promise.resolve();

  return {
    dialect: dialects.postgres,
    read: readTyped(async (statements) => {
      if (statements.length === 0) return [];
      const list = encodeAll(statements, "numbered");
      try {
        if (list.length === 1) return await alone(list);
        return await pglite.transaction(async (transaction) => {
          await transaction.query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY");
          return run(transaction, list);
        });
      } catch (error) {
        throw translate(error);
      }
    }),
    flight: (plan) => repeat(() => flight(plan), plan.repeatable === true),
    async close() {
      await pglite.close();
      unlock();
    },
    alone(work) {
      const run = async (text: string) => ((await pglite.exec(text)).at(-1)?.rows ?? []) as Row[];
      const mine = turn.then(async () => {
        await run("BEGIN");
        try {
          const result = await work(run);
          await run("COMMIT");
          return result;
        } catch (error) {
          await run("ROLLBACK");
          throw error;
        }
      });
      turn = mine.then(
        () => {},
        () => {},
      );
      return mine;
    },
    probe: async () => {},
    dump: () => pglite.dumpDataDir("none"),
  };
}
