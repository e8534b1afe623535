/** Benchmark: processor time per order at a rate that all hold, of the server and of the database's backends. */
import { type Contender, contenders, withContender } from "./_orders.ts";
import { processorMs, watchDatabase } from "./_processor.ts";
import type { Workload } from "./_workload.ts";

export const cpuPerOrder: Workload = {
  name: "cpu_per_order",
  says: "microseconds of a processor that one order costs at 2,000/s: of the server, and of its connections' database processes",
  seconds: { short: 50, full: 90 },
  async run(bench) {
    const rate = bench.number("rate", { short: 2_000, full: 2_000 });
    const seconds = bench.number("seconds", { short: 3, full: 5 });
    const all = contenders.filter((name) => name !== "serverless_offline");
    const chosen = await bench.available(bench.list("contenders", all));
    await bench.play({
      case: `${rate}/s`,
      contenders: chosen,
      rounds: bench.number("rounds", { short: 2, full: 4 }),
      play: (name) =>
        withContender(bench, name as Contender, {}, async ({ server, warmUp, run }) => {
          await warmUp({ rate, seconds: 1.5 });
          const database = await watchDatabase(bench.engine, server.database);
          try {
            const from = processorMs(server.pid);
            const { answered, push } = await run({ rate, seconds });
            const node = processorMs(server.pid) - from;
            const spent = await database.spentMs();
            if (Number.isNaN(spent)) bench.note(`${name}: none of the processes of its database could be read`);
            const each = (ms: number) => [(ms * 1_000) / answered, "µs"] as const;
            return { "Node CPU": each(node), "database CPU": each(spent), "push p99": [push.p99, "ms"] };
          } finally {
            database.stop();
          }
        }),
    });
  },
};
