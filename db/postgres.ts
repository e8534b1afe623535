/** PostgreSQL 15 or newer through `pg`, each flight in one write on its own connection. */
import { type Database, type Flight, type Landed, type Migrator, type Row, readTyped } from "./database.ts";
import { runDecide } from "./decide_error.ts";
import { dialects } from "./dialect.ts";
import { runAlone } from "./postgres_alone.ts";
import { type Answers, isBroken, openConnections, type PostgresOptions } from "./postgres_connections.ts";
import { commit, rollback } from "./postgres_transactions.ts";
import { repeat } from "./repeat.ts";
import { type Encoded, encodeAll } from "./sql.ts";

export type { PostgresOptions };

export function openPostgres(options: PostgresOptions): Database & Migrator {
  const connections = openConnections(options);

  const readAll = (list: readonly Encoded[]): Promise<Row[][]> =>
    repeat(
      () =>
        connections.lend(async (client) => {
          const { snapshot, limited } = connections.transactions();
          if (list.length > 1) return rowsOf(await connections.send(client, [snapshot, ...list, commit])).slice(1, -1);
          const one = limited(list);
          return rowsOf(one.own(await connections.send(client, one.list)));
        }),
      true,
    );

  /** The answers of reads behind a COMMIT: a failed one must not report the committed transaction as failed. */
  function readBehind(list: readonly Encoded[], answers: Answers): Promise<Row[][]> {
    const stolen = connections.showPooler(answers);
    const rows = answers.map((answer) => (answer.status === "fulfilled" ? answer.value : []));
    return stolen ? readAll(list).catch(() => rows) : Promise.resolve(rows);
  }

  async function flight({ statements, decide, after = [] }: Flight): Promise<Landed> {
    const first = encodeAll(statements, "numbered");
    const reads = encodeAll(after, "numbered");
    return connections.lend(async (client) => {
      const transactions = connections.transactions();
      const last = transactions.limited(reads);
      if (decide === undefined) {
        const whole = transactions.whole(first);
        const answers = await connections.send(client, [...whole.list, ...last.list]);
        return {
          rows: [...whole.own(rowsOf(answers.slice(0, whole.list.length)))],
          decided: [],
          after: await readBehind(reads, last.own(answers.slice(whole.list.length))),
        };
      }
      let rows: Row[][];
      let second: Encoded[];
      try {
        rows = rowsOf(await connections.send(client, [transactions.begin, ...first])).slice(1);
        second = runDecide(() => encodeAll(decide(rows), "numbered"));
      } catch (error) {
        if (!isBroken(error)) await connections.send(client, [rollback]);
        throw error;
      }
      // A SQL error among these turns COMMIT into ROLLBACK: the server refuses everything until the transaction ends.
      const answers = await connections.send(client, [...second, commit, ...last.list]);
      return {
        rows,
        decided: rowsOf(answers.slice(0, second.length + 1)).slice(0, -1),
        after: await readBehind(reads, last.own(answers.slice(second.length + 1))),
      };
    });
  }

  return {
    dialect: dialects.postgres,
    read: readTyped(async (statements) => {
      if (statements.length === 0) return [];
      return readAll(encodeAll(statements, "numbered"));
    }),
    flight: (plan) => repeat(() => flight(plan), plan.repeatable === true),
    close: () => connections.end(),
    async probe(timeoutMs) {
      await (await connections.connectAlone(timeoutMs)).end();
    },
    alone: (work, wait) => runAlone(connections, options.connectTimeoutMs, work, wait),
  };
}

/** Throws the first failure: it is the cause, and later ones only follow from it. */
function rowsOf(answers: Answers): Row[][] {
  return answers.map((answer) => {
    if (answer.status === "rejected") throw answer.reason;
    return answer.value;
  });
}
