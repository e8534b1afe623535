/** Benchmark: kitchens take every order through accept, cook, ready and complete while orders go on, against orders alone. */
import { withContender } from "./_orders.ts";
import type { Workload } from "./_workload.ts";

export const steps: Workload = {
  name: "steps",
  says: "an order or a kitchen's step is due → the kitchen's socket has it: the worse p99 of the two, against orders alone",
  seconds: { short: 35, full: 110 },
  async run(bench) {
    const rate = bench.number("rate", { short: 200, full: 200 });
    const seconds = bench.number("seconds", { short: 4, full: 8 });
    await bench.play({
      case: `${rate} orders/s`,
      contenders: ["with steps", "orders alone"],
      rounds: bench.number("rounds", { short: 2, full: 5 }),
      play: (name) =>
        withContender(bench, "orderbell", {}, async ({ warmUp, run }) => {
          const withSteps = name === "with steps";
          await warmUp({ rate, seconds: 1.5, steps: withSteps });
          const { push, step, stepsRefused = 0, lateOrLost } = await run({ rate, seconds, steps: withSteps });
          if (stepsRefused > 0) bench.fail(`${stepsRefused} steps were refused`);
          return {
            "worse p99": [Math.max(push.p99, step?.p99 ?? 0), "ms"],
            "push p50": [push.p50, "ms"],
            "push p99": [push.p99, "ms"],
            "late or lost": [lateOrLost, "count"],
            ...(step === undefined ? {} : { "step p50": [step.p50, "ms"], "step p99": [step.p99, "ms"] }),
          };
        }),
    });
  },
};
