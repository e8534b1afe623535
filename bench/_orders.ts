/** Contenders of the workloads with orders, and what each of their runs must prove. */
import type { Running, StartOptions } from "./_contender.ts";
import { type EngineName, query } from "./_database.ts";
import { type Load, type OpenLoad, type OrderServer, openLoad, type Report, requireInTime } from "./_load.ts";
import { latePercent } from "./_statistics.ts";
import { type Bench, type Measured, VoidRound } from "./_workload.ts";

export const contenders = ["orderbell", "bare", "express_socketio", "fastify_ws", "serverless_offline"] as const;
export type Contender = (typeof contenders)[number] | "bare_counter" | "null";

const scripts: Readonly<Record<Contender, string>> = {
  orderbell: "_orderbell",
  bare: "peers/bare",
  bare_counter: "peers/bare",
  null: "peers/null",
  express_socketio: "peers/express_socketio.mjs",
  fastify_ws: "peers/fastify_ws.mjs",
  serverless_offline: "peers/serverless_offline",
};

export interface Options {
  readonly engine?: EngineName;
  readonly shops?: number;
  readonly customers?: number;
  readonly by?: StartOptions["by"];
}

export interface OrderRun {
  readonly server: OrderServer & Running;
  /** The compilers warm up on the way that is measured. */
  warmUp(load: Load): Promise<Report>;
  /** Runs a load; what its ledger finds is a failure of the workload. @throws VoidRound */
  run(load: Load): Promise<Report>;
}

export const refusedOf = ({ refused }: Report): number => Object.values(refused).reduce((sum, of) => sum + of, 0);

const isOrderbell = (name: Contender) => name === "orderbell" || name === "serverless_offline";

/** Gaps in the numbers of orderbell's streams, as the database has them. */
const gaps = `SELECT count(*) AS gaps FROM (
  SELECT stream FROM events GROUP BY stream HAVING count(*) <> max(seq) - min(seq) + 1
) AS broken`;

/** Starts a contender on a database of its own, works with it, compares its database with what it answered, and stops it. */
export async function withContender<T>(
  bench: Bench,
  name: Contender,
  { engine = bench.engine, shops = 20, customers = shops, by }: Options,
  work: (run: OrderRun) => Promise<T>,
): Promise<T> {
  const extra = name === "bare_counter" ? ["counter"] : isOrderbell(name) ? [customers] : [];
  const server = await bench.start<OrderServer>(scripts[name], {
    engine,
    needsDatabase: name !== "null",
    ...(by === undefined ? {} : { by }),
    args: [shops, ...extra],
  });
  let load: OpenLoad | undefined;
  try {
    load = await openLoad(server);
    const late = bench.number("late", { short: latePercent, full: latePercent });
    const answers: Answers = { answered: 0, unknown: 0 };
    const play = async (what: Load) => count(answers, await (load as OpenLoad).run(what));
    const result = await work({
      server,
      warmUp: play,
      async run(what) {
        const report = requireInTime(await play(what), late);
        for (const problem of report.problems) bench.fail(`${name} at ${what.rate}/s: ${problem}`);
        if (report.pushed === 0) throw new VoidRound("no order was pushed");
        return report;
      },
    });
    const problem = name === "null" || engine === "pglite" ? undefined : await compare(name, server, answers);
    if (problem !== undefined) bench.fail(`${name}: ${problem}`);
    return result;
  } finally {
    await load?.close();
    await server.stop();
  }
}

/** What every workload with orders says of a run. */
export const orderFigures = ({ push, answer, lateOrLost }: Report): Measured => ({
  "push p50": [push.p50, "ms"],
  "push p90": [push.p90, "ms"],
  "push p99": [push.p99, "ms"],
  "push p99.9": [push.p999, "ms"],
  "late or lost": [lateOrLost, "count"],
  "answer p50": [answer.p50, "ms"],
  "answer p99": [answer.p99, "ms"],
});

interface Answers {
  answered: number;
  /** Connections that broke before the answer: stored or not. */
  unknown: number;
}

function count(answers: Answers, report: Report): Report {
  const { answered, refused, sent } = report;
  const others = Object.entries(refused).reduce((sum, [status, of]) => sum + (status === "0" ? 0 : of), 0);
  answers.answered += answered;
  answers.unknown += sent - answered - others;
  return report;
}

/** @returns what is wrong: rows that nobody was told of, or answers without a row */
async function compare(name: Contender, { database }: Running, { answered, unknown }: Answers) {
  const [[row] = []] = await query(database, "SELECT count(*) AS stored FROM orders");
  const stored = Number(row?.stored);
  if (stored < answered || stored > answered + unknown)
    return `${stored} orders are in the database, ${answered} were answered${unknown ? `, ${unknown} not` : ""}`;
  if (!isOrderbell(name)) return undefined;
  const [[found] = []] = await query(database, gaps);
  return Number(found?.gaps) === 0 ? undefined : `${found?.gaps} streams have gaps`;
}
