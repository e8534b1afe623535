/** Benchmark: all orders go to one shop, whose stream has one counter. */
import { type Contender, refusedOf, withContender } from "./_orders.ts";
import type { Workload } from "./_workload.ts";

export const hotShop: Workload = {
  name: "hot_shop",
  says: "orders answered a second when more are due than can be, all in one shop, against one commit per order on its counter row",
  seconds: { short: 30, full: 60 },
  async run(bench) {
    const rate = bench.number("rate", { short: 6_000, full: 6_000 });
    const seconds = bench.number("seconds", { short: 1.5, full: 3 });
    const chosen = await bench.available(bench.list("contenders", ["orderbell", "bare_counter", "fastify_ws"]));
    await bench.play({
      case: "one shop, flooded",
      contenders: chosen,
      rounds: bench.number("rounds", { short: 2, full: 4 }),
      play: (name) =>
        withContender(bench, name as Contender, { shops: 1, customers: 200 }, async ({ warmUp }) => {
          await warmUp({ rate: 300, seconds: 1.5 });
          // Whether the generator is late does not matter: more is due than can be answered.
          const report = await warmUp({ rate, seconds });
          for (const problem of report.problems) bench.fail(`${name}: ${problem}`);
          return { "answers flooded": [report.answersPerSec, "/s"], refused: [refusedOf(report), "count"] };
        }),
    });
  },
};
