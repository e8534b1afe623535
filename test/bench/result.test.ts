/** The benchmark's command line, result file and picture. */
import { readCommand } from "../../bench/_command.ts";
import { picture } from "../../bench/_picture.ts";
import { merged, printResult, type Result } from "../../bench/_result.ts";
import { runWorkload } from "../../bench/_runner.ts";
import { VoidRound, type Workload } from "../../bench/_workload.ts";

const workload = (name: string, short?: number): Workload => ({
  name,
  says: "a number",
  seconds: short === undefined ? { full: 10 } : { short, full: 10 },
  run: async () => {},
});
const all = [workload("a", 5), workload("b"), workload("c", 5)];

describe("the command line", () => {
  const command = (...argv: string[]) => {
    const { chosen, profile, save, options } = readCommand(argv, all);
    return { names: chosen.map(({ name }) => name).join(","), profile, save, options };
  };

  it("without a name takes the short profile, and writes nothing", () => {
    expect(command()).toEqual({ names: "a,c", profile: "short", save: false, options: {} });
  });

  it("with --full takes all workloads, or those of --only, and writes the result", () => {
    expect(command("--full")).toEqual({ names: "a,b,c", profile: "full", save: true, options: {} });
    expect(command("--full", "--only", "b,c")).toMatchObject({ names: "b,c", save: true });
  });

  it("with a name takes that workload with its options, and writes only by --save", () => {
    const options = { rate: "500" };
    expect(command("b", "--rate", "500")).toEqual({ names: "b", profile: "short", save: false, options });
    expect(command("b", "--full", "--save")).toMatchObject({ names: "b", profile: "full", save: true });
  });

  it("refuses an unknown workload and an option without a value", () => {
    expect(() => command("d")).toThrow('there is no workload "d"');
    expect(() => command("a", "--rate")).toThrow("--rate needs a value");
  });
});

describe("a workload's run", () => {
  const run = (play: (round: number) => Promise<Record<string, readonly [number, "ms"]>>, options = {}) =>
    runWorkload(
      {
        ...workload("w"),
        run: (bench) =>
          bench.play({ case: "c", contenders: ["x", "y"], play: (name, round) => play(name === "x" ? round : -round) }),
      },
      "short",
      { rounds: "2", ...options },
      60,
    );

  beforeEach(() => jest.spyOn(console, "log").mockImplementation(() => {}));
  afterEach(() => jest.restoreAllMocks());

  it("plays the contenders forwards and backwards in turns", async () => {
    const played: number[] = [];
    const { figures, problems } = await run(async (round) => {
      played.push(round);
      return { p: [round, "ms"] };
    });
    expect(played).toEqual([1, -1, -2, 2]);
    expect(figures).toHaveLength(4);
    expect(problems).toEqual([]);
  });

  it("plays a void round again, at most twice, and names each", async () => {
    let count = 0;
    const { voids, figures } = await run(async (round) => {
      if (round > 0 && count++ < 4) throw new VoidRound("the generator was late");
      return { p: [1, "ms"] };
    });
    // Three attempts of the first round, one of the second, which is played again.
    expect(voids).toHaveLength(4);
    expect(figures.map(({ contender, round }) => `${contender}${round}`)).toEqual(["y1", "y2", "x2"]);
  });

  it("goes on after a failing round, and says that it failed", async () => {
    const { problems, figures } = await run(async (round) => {
      if (round === 1) throw new Error("it broke");
      return { p: [1, "ms"] };
    });
    expect(problems).toEqual(["c, round 1, x: it broke"]);
    expect(figures).toHaveLength(3);
  });

  it("ends with what a workload throws as its problem", async () => {
    const broken = { ...workload("w"), run: () => Promise.reject(new Error("no database")) };
    const { problems } = await runWorkload(broken, "short", {}, 60);
    expect(problems[0]).toContain("no database");
  });

  it("is stopped when it takes half as long again as it may", async () => {
    const hanging = { ...workload("w"), run: () => new Promise<void>(() => {}) };
    const { problems } = await runWorkload(hanging, "short", {}, 0.1);
    expect(problems[0]).toContain("was stopped");
  });
});

const figure = (contender: string, round: number, name: string, value: number) =>
  ({ contender, case: "1000/s", round, figure: name, unit: "ms", value }) as const;
const stored = (name: string, commit: string, value = 1) => ({
  workload: name,
  at: "2026-01-01T00:00:00.000Z",
  commit,
  seconds: 1.4,
  problems: [],
  notes: ["a note"],
  voids: [],
  figures: [figure("orderbell", 1, "push p50", value), figure("bare", 1, "push p50", 0.5)],
});
const result = (...outcomes: Result["outcomes"]): Result => ({
  profile: "full",
  machine: {
    at: "2026-01-01T00:00:00.000Z",
    commit: "abc1234",
    changed: false,
    processor: "a <processor>",
    cores: 2,
    memoryGb: 24,
    kernel: "Linux",
    load: 0,
    node: "v20",
    fdatasyncMs: { p50: 0.1, p99: 0.2 },
    databases: { postgres: { version: "PostgreSQL 15", durable: true, settings: {} } },
    versions: {},
  },
  options: {},
  outcomes,
});

describe("the result file", () => {
  it("is JSON with a line for each figure", () => {
    const text = printResult(result(stored("a", "1")));
    expect(JSON.parse(text).outcomes[0]).toMatchObject({ workload: "a", commit: "1", seconds: 1, problems: [] });
    expect(text.split("\n").filter((line) => line.includes('"push p50"'))).toHaveLength(2);
  });

  it("keeps the workloads that were not run, in their order, and drops those that are no more", () => {
    const before = result(stored("a", "1"), stored("gone", "1"), stored("b", "1"));
    const after = merged(result(stored("b", "2")), before, ["b", "a"]);
    expect(after.outcomes.map(({ workload, commit }) => `${workload}${commit}`)).toEqual(["b2", "a1"]);
  });

  it("keeps nothing of another profile", () => {
    const before = { ...result(stored("a", "1")), profile: "short" as const };
    expect(merged(result(stored("b", "2")), before, ["a", "b"]).outcomes).toHaveLength(1);
  });
});

describe("the picture", () => {
  it("shows each contender with its median, for light and dark, and loads nothing", () => {
    const svg = picture(result(stored("order_to_kitchen", "1", 1.25)));
    expect(svg).toContain(">orderbell<");
    expect(svg).toContain(">1.25 ms<");
    expect(svg).toContain("bare node:http");
    expect(svg).toContain("a &lt;processor&gt;");
    expect(svg).toContain("prefers-color-scheme: dark");
    expect(svg.replace("http://www.w3.org/2000/svg", "")).not.toMatch(/https?:|url\(|@import/);
  });

  it("needs a result with something to show", () => {
    expect(() => picture(result(stored("steps", "1")))).toThrow("no workload that the picture shows");
  });
});
