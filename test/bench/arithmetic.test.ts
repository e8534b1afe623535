/** The benchmark's arithmetic: percentiles, ratios of paired rounds, void rounds, targets, the search for the capacity, what the wire counts. */
import { judge } from "../../bench/_judge.ts";
import { at, isVoid, pairedRatios, quantiles, spread } from "../../bench/_statistics.ts";
import { figureRows, targetRows } from "../../bench/_tables.ts";
import { mysqlCut, postgresCut } from "../../bench/_wire.ts";
import type { Figure, Target } from "../../bench/_workload.ts";
import { highestStep, rateAt } from "../../bench/capacity.ts";
import { duesOf } from "../../bench/generator/generator.ts";

describe("percentiles", () => {
  const hundred = Array.from({ length: 100 }, (_, at) => at + 1);

  it("are the nearest rank: of 1 to 100 the 50th is 50, the 99th is 99, the 99.9th is 100", () => {
    expect(quantiles(hundred)).toEqual({ count: 100, p50: 50, p90: 90, p99: 99, p999: 100, max: 100 });
  });

  it("of one value are that value, and of none are not a number", () => {
    expect(at([7], 0.5)).toBe(7);
    expect(at([7], 0.99)).toBe(7);
    expect(quantiles([]).p99).toBeNaN();
  });
});

describe("ratios of paired rounds", () => {
  it("are made round by round, of rounds that both contenders have", () => {
    const own = new Map([
      [1, 10],
      [2, 30],
      [3, 5],
    ]);
    const other = new Map([
      [1, 5],
      [3, 10],
    ]);
    expect(pairedRatios(own, other)).toEqual([2, 0.5]);
  });

  it("have the mean of the middle two as their median, where their number is even", () => {
    expect(spread([4, 1, 2, 8])).toEqual({ median: 3, min: 1, max: 8, of: 4 });
    expect(spread([4, 1, 2])).toEqual({ median: 2, min: 1, max: 4, of: 3 });
    expect(spread([])).toBeUndefined();
  });
});

describe("a round", () => {
  it("is void when the generator sent more than 0.1 % late", () => {
    expect(isVoid(8, 8_000)).toBe(false);
    expect(isVoid(9, 8_000)).toBe(true);
    expect(isVoid(1, 100)).toBe(true);
    expect(isVoid(0, 100)).toBe(false);
  });
});

describe("what is due", () => {
  it("comes evenly, or as a rush of which half is due after a quarter of the time", () => {
    expect([...duesOf({ rate: 4, seconds: 1 })]).toEqual([0, 250, 500, 750]);
    const rush = duesOf({ rate: 100, seconds: 10, arrivals: "rush" });
    expect(rush).toHaveLength(1_000);
    expect(rush[500]).toBe(2_500);
  });
});

describe("targets", () => {
  const figure = (contender: string, round: number, value: number): Figure & { workload: string } => ({
    workload: "w",
    contender,
    case: "c",
    round,
    figure: "push p50",
    unit: "ms",
    value,
  });
  const figures = [
    figure("orderbell", 1, 3),
    figure("bare", 1, 2),
    figure("orderbell", 2, 4),
    figure("bare", 2, 2),
    figure("orderbell", 3, 2),
    figure("bare", 3, 2),
  ];
  const target: Target = {
    workload: "w",
    says: "push p50",
    figure: "push p50",
    to: { contender: "bare" },
    better: "lower",
    must: 2,
    aim: 1.2,
  };
  const verdict = (change: Partial<Target>, of = figures) => judge({ ...target, ...change }, of)[0]?.verdict;

  it("are reached by the median of the rounds' ratios", () => {
    expect(judge(target, figures)[0]?.spread).toEqual({ median: 1.5, min: 1, max: 2, of: 3 });
    expect(verdict({})).toBe("reached");
    expect(verdict({ aim: 1.5 })).toBe("aim reached");
    expect(verdict({ must: 1.4 })).toBe("not reached");
  });

  it("that want more are not reached by less", () => {
    expect(verdict({ better: "higher", must: 1.6 })).toBe("not reached");
    expect(verdict({ better: "higher", must: 1.4, aim: 3 })).toBe("reached");
  });

  it("that are absolute are compared with the figure itself", () => {
    expect(verdict({ to: "nothing", must: 3, aim: 2 })).toBe("reached");
  });

  it("say so when there is nothing to compare", () => {
    expect(verdict({}, [])).toBe("not measured");
    expect(verdict({ to: { contender: "express_socketio" } })).toBe("not measured");
  });

  it("are printed with what was reached and the command", () => {
    expect(targetRows(judge(target, figures))).toEqual([
      ["push p50, c ≤ 2 × (aim 1.2)", "1.50 (1–2): reached", "npm run bench -- w --full"],
    ]);
  });

  it("stand beside a table of the figures with the ratio of each contender", () => {
    expect(figureRows(figures)).toEqual([
      ["case", "figure", "orderbell", "bare (orderbell / it)"],
      ["c", "push p50", "3 ms", "2 ms (× 1.50; 1–2)"],
    ]);
  });
});

describe("the search for the capacity", () => {
  it.each([0, 5, 17, 40])("finds the highest step that passes, %i, from any guess", async (limit) => {
    for (const guess of [0, 8, 30]) {
      let asked = 0;
      const found = await highestStep(guess, async (step) => {
        asked += 1;
        return step <= limit;
      });
      expect(found).toBe(limit);
      expect(asked).toBeLessThan(16);
    }
  });

  it("finds nothing where nothing passes, by steps of a tenth", async () => {
    expect(await highestStep(8, async () => false)).toBe(-1);
    expect(rateAt(11) / rateAt(10)).toBeCloseTo(1.1, 1);
  });
});

describe("statements on the wire", () => {
  const postgres = (type: string, body: number) => {
    const message = Buffer.alloc(5 + body);
    message.write(type);
    message.writeUInt32BE(4 + body, 1);
    return message;
  };

  it("are counted for PostgreSQL across the borders of chunks", () => {
    const startup = Buffer.alloc(8);
    startup.writeUInt32BE(8);
    const bytes = Buffer.concat([startup, postgres("B", 10), postgres("E", 9), postgres("S", 0), postgres("Q", 20)]);
    const cut = postgresCut();
    let [count, rest] = cut(bytes.subarray(0, 30));
    const [more, end] = cut(Buffer.concat([rest, bytes.subarray(30)]));
    count += more;
    rest = end;
    expect(count).toBe(2);
    expect(rest).toHaveLength(0);
  });

  it("are counted for MySQL as queries and executions", () => {
    const packet = (nth: number, command: number) => Buffer.from([2, 0, 0, nth, command, 0]);
    const [count, rest] = mysqlCut()(
      Buffer.concat([packet(1, 3), packet(0, 3), packet(0, 23), packet(0, 22), Buffer.from([9])]),
    );
    expect(count).toBe(2);
    expect(rest).toHaveLength(1);
  });
});
