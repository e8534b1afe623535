/** Benchmark of the generator itself, against a server that answers and pushes at once: what it measures here is its own. */
import { orderFigures, withContender } from "./_orders.ts";
import type { Workload } from "./_workload.ts";

/** The highest rate at which a workload compares contenders, and how often the generator must be able to send that. */
export const topRate = 2_000;
const times = 3;

export const generatorProof: Workload = {
  name: "generator",
  says: "an order is due → the generator has the push of a server that does nothing; at three times the highest rate compared",
  seconds: { short: 15, full: 20 },
  async run(bench) {
    const rate = bench.number("rate", { short: topRate * times, full: topRate * times });
    const seconds = bench.number("seconds", { short: 2, full: 4 });
    await bench.play({
      case: `${rate}/s`,
      contenders: ["null"],
      rounds: bench.number("rounds", { short: 1, full: 3 }),
      play: () =>
        withContender(bench, "null", {}, async ({ warmUp, run }) => {
          await warmUp({ rate, seconds: 1 });
          return orderFigures(await run({ rate, seconds }));
        }),
    });
  },
};
