/**
 * Plans on PostgreSQL: no hot statement reads a table that grows from end to end, whatever the planner believes of its size. The
 * server's own counters are asked around the real calls, so what functions of the database read is counted too.
 */
import pg from "pg";
import { readOrdersOfShop } from "../../db/orders.ts";
import { sql } from "../../db/sql.ts";
import { readHeads, readNewest } from "../../db/streams.ts";
import { escalateAndExpire } from "../../shared/ordering/take_step.ts";
import type { Position } from "../../shared/protocol.ts";
import { refreshStale } from "../../shared/shop/public_state.ts";
import { sweep } from "../../shared/shop/sweep.ts";
import { readHeadsSince } from "../../shared/streams/deliver.ts";
import { endLeases } from "../../shared/streams/members.ts";
import { checkPresence } from "../../shared/streams/presence.ts";
import { type Engine, engines, openAgain, type TestDatabase } from "../_engines.ts";
import { type House, openHouse, type Person, type TestSocket } from "../_house.ts";

const postgres = engines.find(({ name }) => name === "postgres") as Engine;

/** Tables with a row for each shop, key or declaration: they may be read whole. */
const small = new Set(["shops", "api_keys", "webhooks", "collections", "schema_migrations", "wechat_apps"]);
/** Rows of a table that a call may read: far more than any needs, far fewer than the large tables have. */
const mostRows = 5_000;

(postgres.here ? describe : describe.skip)("postgres", () => {
  let made: TestDatabase;
  let db: TestDatabase;
  let house: House;
  let customer: Person;
  let kitchen: Person;
  let screen: TestSocket;
  let position: Position;
  let schema: string;

  beforeAll(async () => {
    made = await postgres.open();
    schema = new URL(made.url).searchParams.get("options")?.split("=").at(-1) ?? "";
    db = await openAgain(postgres, made, undefined, 1);
    // Nothing else talks to the database meanwhile.
    const limits = { perSession: 50_000, perTable: 50_000, perAddress: 50_000, perShop: 100_000 };
    house = await openHouse(postgres, { db, lookMs: 3_600_000, tickMs: 3_600_000, settings: { limits } });
    [customer, kitchen] = [await house.guest(), await house.staff("kitchen")];
    screen = await kitchen.connect();
    await screen.resume({ stream: `shop:${house.shop}` });
  });
  afterAll(async () => {
    screen.close();
    await house.close();
    await db.close();
    await made.remove();
  });

  const served = async (answer: Promise<{ status: number }>) => expect((await answer).status).toBeLessThan(300);
  const stream = () => `shop:${house.shop}`;
  const resumed = async (ask: object) => {
    const answer = await screen.resume({ stream: stream(), ...ask });
    expect(answer.type).toBe("resumed");
    const { epoch, seq, tag } = answer as Position;
    position = { epoch, seq, tag };
  };

  /** What people and the clock do, each by itself. */
  const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
    ["an order", () => served(customer.order())],
    ["an order of a counted dish", () => served(customer.order({ lines: [{ dish: "bun", quantity: 1 }] }))],
    ["an order of too much", () => customer.order({ lines: [{ dish: "bun", quantity: 99 }] })],
    [
      "a step",
      async () => {
        const { id } = (await customer.order()).body.order;
        await served(kitchen.http("POST", `/orders/${id}/accept`, { body: {} }));
      },
    ],
    ["a login", () => house.guest()],
    ["a pairing", () => house.staff()],
    ["a ticket", () => customer.ticket()],
    ["an upgrade", async () => (await customer.connect()).close()],
    ["a resume from now on", () => resumed({})],
    [
      "a resume with a backlog",
      async () => {
        await served(customer.order());
        await resumed(position);
      },
    ],
    [
      "a poll",
      () =>
        served(
          kitchen.http(
            "GET",
            `/events?stream=${stream()}&epoch=${position.epoch}&after=${position.seq}&tag=${position.tag}`,
          ),
        ),
    ],
    ["the kitchen's list", () => served(kitchen.http("GET", `/shops/${house.shop}/orders?status=placed`))],
    ["a customer's list", () => served(customer.http("GET", "/orders"))],
    ["the menu", () => served(house.http("GET", `/get_shop_info?shop=${house.shop}`))],
    ["the newest event", () => db.read([readNewest(stream())])],
    [
      "a list by states",
      () => db.read(readOrdersOfShop(house.shop, { statuses: ["placed", "accepted"], areOpen: true }, 50)),
    ],
    [
      "the work of each second",
      async () => {
        await escalateAndExpire(house.app);
        await checkPresence(house.app);
        await endLeases(house.app);
        await refreshStale(house.app);
      },
    ],
    ["other processes' events", () => db.read([readHeads([stream()])])],
    ["heads of the last minute", () => readHeadsSince(house.app, house.clock.now() - 1_000)],
    ["the sweep of each minute", () => sweep(house.app)],
  ];

  interface Counted {
    readonly scans: number;
    readonly rows: number;
  }

  async function counters(): Promise<Map<string, Counted>> {
    await db.read([sql`SELECT pg_stat_force_next_flush()::text AS flushed`]);
    const [rows] = await db.read([
      sql`SELECT relname, seq_scan, seq_tup_read + coalesce(idx_tup_fetch, 0) AS rows FROM pg_stat_user_tables WHERE schemaname = ${schema}`,
    ]);
    return new Map(rows.map((row) => [String(row.relname), { scans: Number(row.seq_scan), rows: Number(row.rows) }]));
  }

  /** Each call with the tables that it read from end to end, or too much of. */
  async function greedy(): Promise<string[]> {
    const found: string[] = [];
    for (const [title, call] of calls) {
      const before = await counters();
      await call();
      for (const [table, { scans, rows }] of await counters()) {
        const of = before.get(table) as Counted;
        if (small.has(table)) continue;
        if (scans > of.scans) found.push(`${title}: ${scans - of.scans} scans of ${table}`);
        if (rows - of.rows > mostRows) found.push(`${title}: ${rows - of.rows} rows of ${table}`);
      }
    }
    return found;
  }

  /** The next statement comes on a new connection, which plans everything anew. */
  async function onNewConnection(): Promise<void> {
    const client = new pg.Client({ connectionString: made.url });
    await client.connect();
    const [[row]] = await db.read([sql`SELECT pg_backend_pid() AS pid`]);
    await client.query("SELECT pg_terminate_backend($1)", [row?.pid]);
    await client.end();
  }

  /** Copies a table's first row many times, with these columns as expressions of n. */
  async function multiply(table: string, where: string, count: number, instead: Record<string, string>) {
    const [columns] = await db.read([
      sql`SELECT column_name FROM information_schema.columns WHERE table_schema = ${schema} AND table_name = ${table}`,
    ]);
    const names = columns.map(({ column_name }) => String(column_name));
    const values = names.map((name) => instead[name] ?? `one.${name}`);
    await made.alone((run) =>
      run(`INSERT INTO ${table} (${names.join(", ")}) SELECT ${values.join(", ")}
      FROM (SELECT * FROM ${table} WHERE ${where} LIMIT 1) one, generate_series(1, ${count}) AS n`),
    );
  }

  it("no call reads a growing table whole while the database is empty", async () => {
    expect(await greedy()).toEqual([]);
  });

  it("no call reads a growing table whole after a rush, with the plans of the empty database", async () => {
    await Promise.all(Array.from({ length: 200 }, () => served(customer.order())));
    const byOldPlans = await greedy();
    // All orders are of one shop and wait: no column of the index of states seems to choose anything.
    await made.alone((run) => run("ANALYZE"));
    expect({ byOldPlans, analyzed: await greedy() }).toEqual({ byOldPlans: [], analyzed: [] });
  });

  it("no call reads a growing table whole when tables are large, by old plans, new ones, and analyzed", async () => {
    const many = 100_000;
    const id = "lpad(n::text, 26, '0')";
    const past = {
      placed_at: "one.placed_at - 86400000 - n",
      ended_at: "one.placed_at - 86400000 - n",
      updated_at: "one.placed_at",
    };
    await multiply("orders", "true", many, {
      id,
      user_id: id,
      status: "'completed'",
      day: "'2020-01-' || n / 1000",
      day_number: "n % 1000 + 1",
      ...past,
    });
    await multiply("order_lines", "true", many, { order_id: id });
    await multiply("order_history", "true", many, { order_id: id });
    await multiply("events", `stream = '${stream()}'`, many, { seq: "-n", at: "one.at - 86400000 - n" });
    await multiply("streams", "name LIKE 'user:%'", many / 2, {
      name: `'user:' || ${id}`,
      changed_at: "one.changed_at - 86400000",
    });
    await multiply("sessions", "kind = 'guest'", many / 2, {
      id,
      user_id: id,
      address_hash: "'a' || n / 10",
      wider_hash: "'w' || n / 10",
    });
    await multiply("users", "true", many / 2, { id });
    await multiply("idempotency_keys", "true", many, { idem_key: "'key-' || n" });
    await multiply("dish_days", "true", many / 25, { day: "'2020-01-' || n" });
    const byOldPlans = await greedy();
    await onNewConnection();
    const byNewPlans = await greedy();
    await made.alone((run) => run("ANALYZE"));
    expect({ byOldPlans, byNewPlans, analyzed: await greedy() }).toEqual({
      byOldPlans: [],
      byNewPlans: [],
      analyzed: [],
    });
  });
});
