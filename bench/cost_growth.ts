/** Workload: what an order costs while the shops, the open orders, the history and the readers grow tenfold. See README.md. */
import type { Running } from "./_contender.ts";
import { query } from "./_database.ts";
import { type OpenLoad, type OrderServer, openLoad, requireInTime } from "./_load.ts";
import { type Client, openFilesLimit, Sockets } from "./_sockets.ts";
import { since, spent } from "./_spent.ts";
import type { Bench, Measured, Workload } from "./_workload.ts";

type What = "shops" | "open orders" | "old orders" | "readers";

const growth: Readonly<Record<What, readonly number[]>> = {
  shops: [20, 200],
  "open orders": [100, 1_000, 10_000],
  "old orders": [1_000, 10_000, 100_000, 1_000_000],
  readers: [100, 1_000, 10_000],
};

/** What does not grow. */
const shopCount = 20;
const customerCount = 1_000;
const latePercent = { short: 1, full: 1 };

interface Crowd extends OrderServer, Running {
  readonly streams: readonly string[];
}

// --- Rows ----------------------------------------------------------------------------------------------------------

/** A row like an existing one, so that a new column is filled as the project fills it. */
const like = (
  table: string,
  where: string,
  changed: Readonly<Record<string, string>>,
  [from, to]: readonly [from: number, to: number],
) => {
  const pairs = Object.entries(changed).map(([column, value]) => `'${column}', ${value}`);
  return `INSERT INTO ${table} SELECT made.* FROM (SELECT one FROM ${table} one WHERE ${where} LIMIT 1) t, generate_series(${from + 1}, ${to}) g,
    LATERAL jsonb_populate_record(t.one, jsonb_build_object(${pairs.join(", ")})) made`;
};

/** Each table gets a row for each order, as an order of last year has left them. */
function oldOrders(from: number, to: number): string[] {
  const which = [from, to] as const;
  const id = "'old' || g";
  // 86,400 s × 1,000 orders a day.
  const at = "1700000000000 + g * 86400::bigint";
  const times = { placed_at: at, accepted_at: at, ready_at: at, completed_at: at, ended_at: at, updated_at: at };
  const who = { user_id: "'user' || g % 100000", session_id: "'session' || g % 100000" };
  const day = { day: "to_char(date '2020-01-01' + g / 1000, 'YYYY-MM-DD')", day_number: "1 + g % 1000" };
  const where = { shop_id: `'shop-' || g % ${shopCount}` };
  return [
    like("orders", "true", { id, ...who, ...day, ...where, ...times, status: "'completed'", escalated_at: at }, which),
    like("order_lines", "line_no = (SELECT min(line_no) FROM order_lines)", { order_id: id }, which),
    like("order_history", "true", { order_id: id, at }, which),
    like("idempotency_keys", "true", { owner_id: who.user_id, idem_key: id, result_id: id, created_at: at }, which),
    // Ten events in a stream.
    like("streams", "name LIKE 'user:%'", { name: "'user:user' || g", seq: "10" }, [from / 10, to / 10]),
    like("events", "stream LIKE 'user:%'", { stream: "'user:user' || (g - 1) / 10", seq: "1 + (g - 1) % 10" }, which),
    // A database of that age has been analyzed many times.
    "ANALYZE",
  ];
}

const openOrders = (from: number, to: number): string[] => {
  const far = "4000000000000";
  const own = {
    id: "'open' || g",
    shop_id: `'shop-' || g % ${shopCount}`,
    day_number: "100000 + g",
    number: "'Z' || g",
  };
  const state = { status: "'accepted'", accepted_at: "(t.one).placed_at", escalate_at: far, expire_at: far };
  return [like("orders", "status = 'placed'", { ...own, ...state }, [from, to])];
};

// --- Measuring -----------------------------------------------------------------------------------------------------

interface Scene {
  readonly crowd: Crowd;
  readonly sockets: Sockets;
  readonly load: OpenLoad;
}

async function grow(bench: Bench, { crowd, sockets }: Scene, what: What, from: number, to: number): Promise<void> {
  if (what === "old orders") await query(crowd.database, ...oldOrders(from, to));
  if (what === "open orders") await query(crowd.database, ...openOrders(from, to));
  if (what !== "readers") return;
  const clients: Client[] = crowd.streams.slice(from, to).map((stream, nth) => ({
    token: crowd.customers[from + nth]?.token as string,
    streams: [{ stream }, { stream: `menu:shop-${nth % shopCount}` }],
  }));
  const options = { port: crowd.port, clients, sources: 200, width: 128, mode: "follow" } as const;
  const { failed, errors } = await sockets.open(options);
  if (failed > 0) bench.fail(`cost_growth: ${failed} of ${to} readers could not be opened: ${errors[0]}`);
  await sockets.check(true);
}

async function measure(bench: Bench, { crowd, load }: Scene): Promise<Measured> {
  const rate = bench.number("rate", { short: 500, full: 500 });
  const seconds = bench.number("seconds", { short: 2, full: 3 });
  await load.run({ rate, seconds: 1 });
  const idleFrom = await spent(crowd);
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const from = await spent(crowd);
  const report = requireInTime(await load.run({ rate, seconds }), bench.number("late", latePercent));
  const busy = since(from, await spent(crowd));
  for (const problem of report.problems) bench.fail(`cost_growth: ${problem}`);
  // What the process does without any order, heartbeats of readers above all, is not an order's.
  const idle = since(idleFrom, from);
  const each = (part: "nodeUs" | "databaseUs") => (busy[part] - (idle[part] / idle.ms) * busy.ms) / report.answered;
  return {
    "Node CPU per order": [each("nodeUs"), "µs"],
    "database CPU per order": [each("databaseUs"), "µs"],
    "push p50": [report.push.p50, "ms"],
    "push p99": [report.push.p99, "ms"],
  };
}

/** One server, which grows from case to case. */
async function playGrowing(bench: Bench, what: What, sizes: readonly number[]): Promise<void> {
  const shops = what === "shops" ? (sizes.at(-1) ?? 0) : shopCount;
  const guests = Math.max(customerCount, what === "readers" ? (sizes.at(-1) ?? 0) : 0);
  const crowd = await bench.start<Crowd>("_crowd", { engine: "postgres", args: [shops, guests, 0] });
  const scene: Scene = { crowd, sockets: new Sockets(), load: await openLoad(crowd) };
  const growing = async (from: number, to: number): Promise<Measured> => {
    await grow(bench, scene, what, from, to);
    return measure(bench, scene);
  };
  try {
    // There is an order to copy from, the compilers are warm, and each customer who orders has done so before.
    await scene.load.run({ rate: 500, seconds: 3 });
    let from = 0;
    for (const to of sizes) {
      const contenders = ["orderbell"];
      const before = from;
      // A void round is measured again; the rows are there already.
      let grown: Promise<Measured> | undefined;
      const play = () => {
        grown = grown === undefined ? growing(before, to) : measure(bench, scene);
        return grown;
      };
      await bench.play({ case: `${to} ${what}`, contenders, rounds: 1, play });
      from = to;
    }
  } finally {
    await scene.load.close();
    await scene.sockets.close();
    await crowd.stop();
  }
}

export const costGrowth: Workload = {
  name: "cost_growth",
  says: "Processor time of one order while one thing after the other grows tenfold: flat is right.",
  seconds: { full: 200 },
  async run(bench) {
    if (bench.engine !== "postgres") return bench.note("cost_growth runs on PostgreSQL only");
    const largest = bench.number("largest", { short: 10_000, full: 1_000_000 });
    const limit = (await openFilesLimit()) - 500;
    for (const what of bench.list("parts", Object.keys(growth) as What[])) {
      const most = what === "shops" || what === "readers" ? Math.min(largest, limit) : largest;
      const sizes = growth[what].filter((size) => size <= most);
      if (sizes.length < growth[what].length) bench.note(`${what}: measured up to ${sizes.at(-1)}`);
      // Shops cannot be added to a generator that has opened their kitchens.
      if (what === "shops") for (const size of sizes) await playGrowing(bench, what, [size]);
      else await playGrowing(bench, what, sizes);
    }
  },
};
