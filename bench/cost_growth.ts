/** Workload: what an order costs while the shops, the open orders, the history and the readers grow tenfold. See README.md. */
import type { Running } from "./_contender.ts";
import { query } from "./_database.ts";
import { type OpenLoad, type OrderServer, openLoad, requireInTime } from "./_load.ts";
import { type Client, openFilesLimit, Sockets } from "./_sockets.ts";
import { since, spent } from "./_spent.ts";
import type { Bench, Measured, Workload } from "./_workload.ts";

type What = "shops" | "open orders" | "old orders" | "readers";

const growth: Readonly<Record<What, { readonly short: readonly number[]; readonly full: readonly number[] }>> = {
  shops: { short: [20, 200], full: [20, 200, 2_000] },
  "open orders": { short: [100, 1_000], full: [100, 1_000, 10_000] },
  "old orders": { short: [1_000, 10_000], full: [1_000, 10_000, 100_000, 1_000_000] },
  readers: { short: [100, 1_000], full: [100, 1_000, 10_000] },
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
const like = (table: string, where: string, changed: Readonly<Record<string, string>>, count: number) => {
  const pairs = Object.entries(changed).map(([column, value]) => `'${column}', ${value}`);
  return `INSERT INTO ${table} SELECT made.* FROM (SELECT one FROM ${table} one WHERE ${where} LIMIT 1) t, generate_series(1, ${count}) g,
    LATERAL jsonb_populate_record(t.one, jsonb_build_object(${pairs.join(", ")})) made`;
};

/** Each table gets a row for each order, as an order of last year has left them. */
function oldOrders(count: number): string[] {
  const id = "'old' || g";
  // 86,400 s × 1,000 orders a day.
  const at = "1700000000000 + g * 86400::bigint";
  const times = { placed_at: at, accepted_at: at, ready_at: at, completed_at: at, ended_at: at, updated_at: at };
  const who = { user_id: "'user' || g % 100000", session_id: "'session' || g % 100000" };
  const day = { day: "to_char(date '2020-01-01' + g / 1000, 'YYYY-MM-DD')", day_number: "1 + g % 1000" };
  const where = { shop_id: `'shop-' || g % ${shopCount}` };
  return [
    like("orders", "true", { id, ...who, ...day, ...where, ...times, status: "'completed'", escalated_at: at }, count),
    like("order_lines", "line_no = (SELECT min(line_no) FROM order_lines)", { order_id: id }, count),
    like("order_history", "true", { order_id: id, at }, count),
    like("idempotency_keys", "true", { owner_id: who.user_id, idem_key: id, result_id: id, created_at: at }, count),
    like("streams", "name LIKE 'user:%'", { name: "'user:user' || g", seq: "10" }, Math.ceil(count / 10)),
    like("events", "stream LIKE 'user:%'", { stream: "'user:user' || g / 10", seq: "g % 10" }, count),
    // A database of that age has been analyzed many times.
    "ANALYZE",
  ];
}

const openOrders = (count: number): string[] => {
  const far = "4000000000000";
  const own = {
    id: "'open' || g",
    shop_id: `'shop-' || g % ${shopCount}`,
    day_number: "100000 + g",
    number: "'Z' || g",
  };
  const state = { status: "'accepted'", accepted_at: "(t.one).placed_at", escalate_at: far, expire_at: far };
  return [like("orders", "status = 'placed'", { ...own, ...state }, count)];
};

// --- Measuring -----------------------------------------------------------------------------------------------------

async function fill(bench: Bench, crowd: Crowd, sockets: Sockets, what: What, size: number): Promise<void> {
  if (what === "old orders") await query(crowd.database, ...oldOrders(size));
  if (what === "open orders") await query(crowd.database, ...openOrders(size));
  if (what !== "readers") return;
  const clients: Client[] = crowd.streams.slice(0, size).map((stream, nth) => ({
    token: crowd.customers[nth]?.token as string,
    streams: [{ stream }, { stream: `menu:shop-${nth % shopCount}` }],
  }));
  const options = { port: crowd.port, clients, sources: 200, width: 128, mode: "follow" } as const;
  const { failed, errors } = await sockets.open(options);
  if (failed > 0) bench.fail(`cost_growth: ${failed} of ${size} readers could not be opened: ${errors[0]}`);
  await sockets.check(true);
}

async function measure(bench: Bench, crowd: Crowd, load: OpenLoad): Promise<Measured> {
  const rate = bench.number("rate", { short: 500, full: 1_000 });
  const seconds = bench.number("seconds", { short: 2, full: 5 });
  await load.run({ rate, seconds: 2 });
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

async function play(bench: Bench, what: What, size: number): Promise<Measured> {
  const shops = what === "shops" ? size : shopCount;
  const guests = what === "readers" ? Math.max(customerCount, size) : customerCount;
  const crowd = await bench.start<Crowd>("_crowd", { engine: "postgres", args: [shops, guests, 0] });
  const sockets = new Sockets();
  const load = await openLoad(crowd);
  try {
    // There is an order to copy from, and each customer who orders has done so before.
    await load.run({ rate: 500, seconds: 2 });
    await fill(bench, crowd, sockets, what, size);
    return await measure(bench, crowd, load);
  } finally {
    await load.close();
    await sockets.close();
    await crowd.stop();
  }
}

export const costGrowth: Workload = {
  name: "cost_growth",
  says: "Processor time of one order while one thing after the other grows tenfold: flat is right.",
  seconds: { full: 150 },
  async run(bench) {
    if (bench.engine !== "postgres") return bench.note("cost_growth runs on PostgreSQL only");
    const limit = await openFilesLimit();
    const all = Object.keys(growth) as What[];
    for (const what of bench.list("parts", all))
      for (const size of growth[what][bench.profile]) {
        if (size + 500 > limit && what !== "old orders" && what !== "open orders") {
          bench.note(`${size} ${what}: this process may open ${limit} files only`);
          continue;
        }
        await bench.play({
          case: `${size} ${what}`,
          contenders: ["orderbell"],
          rounds: bench.profile === "short" ? 1 : Math.min(3, bench.rounds),
          play: () => play(bench, what, size),
        });
      }
  },
};
