/** Benchmark: the time from the moment an order is due until the kitchen's socket has it, on a database created a second before. */

import { type Contender, contenders, orderFigures, withContender } from "./_orders.ts";
import type { Workload } from "./_workload.ts";

export const orderToKitchen: Workload = {
  name: "order_to_kitchen",
  says: "an order is due → the kitchen's socket has it; the database was created a second before",
  seconds: { short: 70, full: 180 },
  async run(bench) {
    const rate = bench.number("rate", { short: 1_000, full: 1_000 });
    const seconds = bench.number("seconds", { short: 4, full: 8 });
    const shops = bench.number("shops", { short: 20, full: 20 });
    const all = contenders.filter((name) => name !== "serverless_offline");
    const chosen = await bench.available(bench.list("contenders", all));
    await bench.play({
      case: `${rate}/s`,
      contenders: chosen,
      play: (name) =>
        withContender(bench, name as Contender, { shops }, async ({ warmUp, run }) => {
          await warmUp({ rate: Math.min(rate, 300), seconds: 1.5 });
          return orderFigures(await run({ rate, seconds }));
        }),
    });
  },
};
