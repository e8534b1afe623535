/** Benchmark: the shop opens, and 10,000 customers order within a minute, most of them at once. */
import { type Contender, orderFigures, refusedOf, withContender } from "./_orders.ts";
import type { Workload } from "./_workload.ts";

export const opening: Workload = {
  name: "opening",
  says: "customers with a session each order after the opening, half of them in its first quarter: lost, refused, and push p99",
  seconds: { full: 95 },
  async run(bench) {
    const customers = bench.number("customers", { short: 2_000, full: 10_000 });
    const seconds = bench.number("seconds", { short: 12, full: 60 });
    const shops = bench.number("shops", { short: 20, full: 20 });
    await bench.play({
      case: `${customers} customers in ${seconds} s`,
      contenders: bench.list("contenders", ["orderbell", "bare"]),
      rounds: bench.number("rounds", { short: 1, full: 1 }),
      play: (name) =>
        withContender(bench, name as Contender, { shops, customers }, async ({ run }) => {
          const report = await run({ rate: customers / seconds, seconds, arrivals: "rush" });
          const { "push p50": p50, "push p99": p99, "late or lost": late, "answer p99": answer } = orderFigures(report);
          return {
            "push p50": p50 ?? [Number.NaN, "ms"],
            "push p99": p99 ?? [Number.NaN, "ms"],
            "answer p99": answer ?? [Number.NaN, "ms"],
            "late or lost": late ?? [Number.NaN, "count"],
            lost: [report.sent - report.pushed, "count"],
            refused: [refusedOf(report), "count"],
          };
        }),
    });
  },
};
