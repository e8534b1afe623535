/** The log in ORDERBELL_HOME: it is bounded, complete for who follows it, and chosen from by order, shop, level and time. */
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { followLog, listenForAdmin } from "../../cli/admin_socket.ts";
import { type LogFiles, openLogFiles } from "../../cli/log_files.ts";
import { type LogFilter, reachOfKept, readKept, timeOf } from "../../cli/read_log.ts";
import { UsageError } from "../../cli/usage_error.ts";
import { until } from "../_until.ts";
import { cleanUp, newHome, within } from "./_cli.ts";

afterAll(cleanUp);

const failures: string[] = [];
const open = (home: string, name: string, keepBytes = 1_048_576) =>
  openLogFiles({
    home,
    keepBytes,
    name,
    now: () => 1_764_417_600_000,
    onFailure: (code) => failures.push(code),
  }) as LogFiles;
const settled = (files: LogFiles) => files.settle(() => {});
const line = (at: string, event: string, fields: object = {}, level = "info") =>
  `${JSON.stringify({ at: `2026-11-29T${at}Z`, level, event, ...fields })}\n`;
const sizeOf = (folder: string) =>
  readdirSync(folder).reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);

it("the kept log stays within its bound, loses the oldest lines alone, and is for its owner", async () => {
  const home = await newHome();
  const files = open(home, "a", 64_000);
  for (let nth = 0; nth < 2_000; nth++) {
    files.write(line("12:00:00.000", "push", { seq: nth, order: "x".repeat(40) }));
    if (nth % 50 === 0) await settled(files);
    await new Promise((resolve) => setImmediate(resolve));
    if (nth % 50 === 25) await until(() => sizeOf(join(home, "logs")) <= 64_000 + 16_000, "the oldest file is removed");
  }
  await settled(files);
  const folder = join(home, "logs");
  expect(readdirSync(folder).length).toBeGreaterThan(1);
  const seqs = readKept(home, {}).map(({ fields }) => Number(fields.seq));
  expect(seqs.toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: seqs.length }, (_, at) => 2_000 - seqs.length + at),
  );
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  for (const name of readdirSync(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
  expect(failures).toEqual([]);
});

it("a log that cannot be written is reported once, and none is kept with 0", async () => {
  const home = await newHome();
  writeFileSync(join(home, "logs"), "a file where the folder belongs");
  const files = open(home, "a");
  for (const text of ["a\n", "b\n"]) {
    files.write(text.repeat(200_000));
    await until(() => failures.length > 0, "the failure was reported");
  }
  expect(failures).toHaveLength(1);
  failures.length = 0;
  expect(openLogFiles({ home, keepBytes: 0, name: "a", now: () => 0, onFailure: () => {} })).toBeUndefined();
});

it("who follows gets every line once: what two servers have kept, then what comes", async () => {
  const home = await newHome();
  const [a, b] = [open(home, "a"), open(home, "b")];
  const answer = async () => ({ ok: null });
  const servers = [await listenForAdmin(home, answer, a), await listenForAdmin(home, answer, b)];
  const say = (nth: number) => {
    for (const [at, files] of [a, b].entries()) {
      const text = line("12:00:00.000", "push", { server: at, seq: nth });
      files.write(text);
      servers[at]?.write(text);
    }
  };
  const seen: string[] = [];
  let nth = 0;
  const writer = setInterval(() => say(nth++), 1);
  await until(() => nth > 20, "there is a past");
  let begun = false;
  const following = followLog(home, {
    kept: (upTo) => {
      begun = true;
      seen.push(...readKept(home, {}, { upTo }).map(({ text }) => text));
    },
    line: (text) => seen.push(text),
  });
  await until(() => begun && seen.length > 200, "lines came");
  clearInterval(writer);
  await until(() => seen.length >= 2 * nth, "all have come");
  for (const server of servers) await server.close();
  expect(await following).toBe(true);
  const keys = seen.map((text) => JSON.parse(text)).map(({ server, seq }) => `${server} ${seq}`);
  expect(keys.toSorted()).toEqual([...new Set(keys)].toSorted());
  expect(keys).toHaveLength(2 * nth);
});

describe("lines are chosen", () => {
  let home: string;
  beforeAll(async () => {
    home = await newHome();
    mkdirSync(join(home, "logs"));
    const write = (name: string, ...lines: string[]) => writeFileSync(join(home, "logs", name), lines.join(""));
    write(
      "1.jsonl",
      line("12:00:00.000", "request", { order: "A", shop: "one" }),
      line("12:02:00.000", "push", { about: "A", stream: "shop:one" }),
      "cut in the midd",
    );
    write(
      "2.jsonl",
      line("12:01:00.000", "order.escalated", { order: "B", shop: "two" }, "warn"),
      line("12:03:00.000", "resume", { stream: "menu:one" }),
    );
  });
  const events = (filter: LogFilter) => readKept(home, filter).map(({ event }) => event);

  it.each<[LogFilter, string[]]>([
    [{}, ["request", "order.escalated", "push", "resume"]],
    [{ order: "A" }, ["request", "push"]],
    [{ order: "B" }, ["order.escalated"]],
    [{ shop: "one" }, ["request", "push", "resume"]],
    [{ level: "warn" }, ["order.escalated"]],
    [{ since: "2026-11-29T12:01:00.000Z", until: "2026-11-29T12:02:00.000Z" }, ["order.escalated", "push"]],
    [{ order: "A", shop: "two" }, []],
  ])("by %j", (filter, found) => {
    expect(events(filter)).toEqual(found);
    expect(reachOfKept(home)).toBe("2026-11-29T12:00:00.000Z");
  });

  it("by the options of tail, without a server", async () => {
    const run = (...argv: string[]) => within(["tail", ...argv], { ORDERBELL_HOME: home });
    const { code, out } = await run("--order", "A", "--until", "2026-11-29T12:01Z");
    expect([code, out]).toEqual([0, line("12:00:00.000", "request", { order: "A", shop: "one" })]);
    const since = await run("--shop", "two", "--since", "2026-11-29");
    expect([since.code, since.err]).toEqual([0, "no server runs here; start one with `npm start`\n"]);
    expect(since.out).toContain("order.escalated");
    for (const wrong of [
      ["--since", "yesterday"],
      ["--level", "loud"],
      ["--until", "-"],
    ])
      expect(await run(...wrong)).toMatchObject({ code: 2, out: "", err: expect.stringContaining(wrong[0] as string) });
  });

  it("by times before now and as dates", () => {
    const now = Date.parse("2026-11-29T12:00:00Z");
    expect(timeOf("since", "30m", now)).toBe("2026-11-29T11:30:00.000Z");
    expect(timeOf("since", "1d", now)).toBe("2026-11-28T12:00:00.000Z");
    expect(timeOf("since", "2026-11-29T12:00+08:00", now)).toBe("2026-11-29T04:00:00.000Z");
    expect(timeOf("since", undefined, now)).toBeUndefined();
    for (const wrong of ["", "m", "1w", "99999999999d", "2026-13-01"])
      expect(() => timeOf("since", wrong, now)).toThrow(UsageError);
  });
});

it("the kept lines are whole after a process ends", async () => {
  const home = await newHome();
  const files = open(home, "a");
  files.write(line("12:00:00.000", "request"));
  (process.listeners("exit").at(-1) as () => void)();
  const [name = ""] = readdirSync(join(home, "logs"));
  expect(readFileSync(join(home, "logs", name), "utf8")).toBe(line("12:00:00.000", "request"));
});
