/** Benchmark: orderbell on each database: how many orders when flooded, the push p99 at 200/s, statements and round trips of an order. */
import { bases, type EngineName } from "./_database.ts";
import { withContender } from "./_orders.ts";
import { openWire } from "./_wire.ts";
import type { Bench, Measured, Workload } from "./_workload.ts";

const engines = ["postgres", "mysql", "pglite"] as const satisfies EngineName[];

/** More than each can. */
const floods: Readonly<Record<EngineName, number>> = { postgres: 6_000, mysql: 4_000, pglite: 1_500 };

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** Of orders that come one by one, so that none shares its commit; what the server does by itself meanwhile is taken off. */
async function countWire(bench: Bench, engine: Exclude<EngineName, "pglite">): Promise<Measured> {
  const wire = await openWire(bases[engine]);
  try {
    return await withContender(bench, "orderbell", { engine, by: (url) => wire.through(url) }, async ({ warmUp }) => {
      const seconds = 3;
      await warmUp({ rate: 50, seconds: 1 });
      const counts = () => [wire.statements, wire.roundTrips] as const;
      const idleFrom = counts();
      await pause(seconds * 1_000);
      const from = counts();
      const { answered } = await warmUp({ rate: 20, seconds });
      const to = counts();
      const each = (at: 0 | 1) => (to[at] - from[at] - (from[at] - idleFrom[at])) / answered;
      return { "statements per order": [each(0), "count"], "round trips per order": [each(1), "count"] };
    });
  } finally {
    wire.close();
  }
}

export const enginesWorkload: Workload = {
  name: "engines",
  says: "orderbell on PostgreSQL, MariaDB and PGlite: answers a second when flooded, push p99 at 200/s, statements of an order",
  seconds: { short: 45, full: 90 },
  async run(bench) {
    const rate = bench.number("rate", { short: 200, full: 200 });
    const seconds = bench.number("seconds", { short: 2, full: 4 });
    const chosen = bench.list("engines", engines);
    for (const engine of chosen)
      if (engine !== "pglite")
        for (const [figure, [value, unit]] of Object.entries(await countWire(bench, engine)))
          bench.report({ contender: engine, case: "one by one", round: 1, figure, unit, value });
    await bench.play({
      case: `${rate}/s, then flooded`,
      contenders: chosen,
      rounds: bench.number("rounds", { short: 1, full: 3 }),
      play: (name) =>
        withContender(bench, "orderbell", { engine: name as EngineName }, async ({ warmUp, run }) => {
          await warmUp({ rate: 100, seconds: 2 });
          const { push } = await run({ rate, seconds });
          const flood = await warmUp({ rate: floods[name as EngineName], seconds });
          for (const problem of flood.problems) bench.fail(`${name}: ${problem}`);
          return {
            "push p50": [push.p50, "ms"],
            "push p99": [push.p99, "ms"],
            "answers flooded": [flood.answersPerSec, "/s"],
          };
        }),
    });
  },
};
