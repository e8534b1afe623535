/** Targets of the benchmark: what must be reached, and what should be. `npm run bench` says of each whether it is. */
import type { Target } from "./_workload.ts";

export const targets: readonly Target[] = [
  {
    workload: "order_to_kitchen",
    says: "push p50 at 1,000/s",
    figure: "push p50",
    to: { contender: "bare" },
    better: "lower",
    must: 2,
    aim: 1.5,
  },
  {
    workload: "order_to_kitchen",
    says: "push p99 at 1,000/s",
    figure: "push p99",
    to: { contender: "express_socketio" },
    better: "lower",
    must: 1,
    aim: 0.5,
  },
];
