/** Benchmark: the most orders a second of which none is lost or refused and 99 % are pushed within 50 ms. */
import type { Report } from "./_load.ts";
import { type Contender, contenders, type OrderRun, refusedOf, withContender } from "./_orders.ts";
import { VoidRound, type Workload } from "./_workload.ts";

const mostMs = 50;

/** Rates that are tried: each a tenth more than the one before. */
const first = 200;
const factor = 1.1;
export const rateAt = (step: number) => Math.round((first * factor ** step) / 10) * 10;
const stepOf = (rate: number) => Math.max(0, Math.floor(Math.log(rate / first) / Math.log(factor) + 0.01));

/** How many steps it goes up or down until it knows one that passes and one that does not. */
const stride = 4;

const passes = (report: Report) => report.push.p99 <= mostMs && report.lateOrLost === 0 && refusedOf(report) === 0;

/** @param passes asked as seldom as possible. @returns the highest step that passes, if it is monotonic; -1 if none does */
export async function highestStep(guess: number, passes: (step: number) => Promise<boolean>): Promise<number> {
  let low = -1;
  let high = Number.POSITIVE_INFINITY;
  for (let step = guess; low < 0 || high === Number.POSITIVE_INFINITY; step += low < 0 ? -stride : stride) {
    if (step < 0) break;
    if (await passes(step)) low = step;
    else high = step;
  }
  while (high - low > 1 && high !== Number.POSITIVE_INFINITY) {
    const middle = Math.floor((low + high) / 2);
    if (await passes(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** A rate that failed is tried once more: something else may have run on the machine. */
async function search(guess: number, seconds: number, { run, warmUp }: OrderRun) {
  let mostAnswers = 0;
  async function once(rate: number): Promise<boolean> {
    const report = await run({ rate, seconds }).catch((error) => {
      // At its limit the whole machine is busy, and so the generator is late: this rate is not reached.
      if (error instanceof VoidRound) return undefined;
      throw error;
    });
    mostAnswers = Math.max(mostAnswers, report?.answersPerSec ?? 0);
    return report !== undefined && passes(report);
  }
  await warmUp({ rate: 300, seconds: 1.5 });
  const step = await highestStep(guess, async (step) => (await once(rateAt(step))) || (await once(rateAt(step))));
  return { step, mostAnswers };
}

export const capacity: Workload = {
  name: "capacity",
  says: `most orders a second with push p99 ≤ ${mostMs} ms and none late, lost or refused`,
  seconds: { short: 90, full: 220 },
  async run(bench) {
    const seconds = bench.number("seconds", { short: 1.5, full: 3 });
    const named = bench.list("contenders", contenders);
    // It starts slowly and is far from the others.
    const wanted = named.filter((name) => bench.profile === "full" || name !== "serverless_offline");
    const chosen = await bench.available(wanted);
    const guesses = new Map<string, number>();
    await bench.play({
      case: `p99 ≤ ${mostMs} ms`,
      contenders: chosen,
      rounds: bench.number("rounds", { short: 1, full: 3 }),
      play: (name) =>
        withContender(bench, name as Contender, {}, async (run) => {
          const guess = guesses.get(name) ?? stepOf(name === "serverless_offline" ? 400 : 1_800);
          const { step, mostAnswers } = await search(guess, seconds, run);
          guesses.set(name, Math.max(0, step));
          return { "most orders": [step < 0 ? 0 : rateAt(step), "/s"], "answers at most": [mostAnswers, "/s"] };
        }),
    });
  },
};
