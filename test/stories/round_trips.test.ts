/**
 * Round trips of an order, when shop and menu are known to the process: one on PostgreSQL, three on MySQL. And on PostgreSQL of what else
 * people do all day, with the statements.
 */
import { type Statement, sql } from "../../db/sql.ts";
import { type Engine, engines, openAgain, type TestDatabase } from "../_engines.ts";
import { openHouse, openSocket, type TestSocket } from "../_house.ts";
import { startProxy } from "../_proxy.ts";

const postgres = engines.find(({ name }) => name === "postgres") as Engine;

(postgres.here ? describe : describe.skip)("postgres", () => {
  let direct: TestDatabase;
  beforeAll(async () => {
    direct = await postgres.open();
  });
  afterAll(() => direct.remove());

  it("an order is placed in one trip to the database, whoever orders", async () => {
    const proxy = await startProxy(postgres.server, 50);
    const db = await openAgain(postgres, direct, proxy, 1);
    // Nothing else talks to the database meanwhile.
    const house = await openHouse(postgres, { db, lookMs: 3_600_000, tickMs: 3_600_000 });
    const customers = [await house.guest(), await house.guest(), await house.guest()];
    await customers[0]?.order();
    const trips: number[] = [];
    for (const customer of customers) {
      const before = proxy.trips();
      const { status } = await customer.order({
        lines: [
          { dish: "bun", quantity: 2 },
          { dish: "tea", quantity: 1, note: "少冰" },
        ],
      });
      expect(status).toBe(201);
      trips.push(proxy.trips() - before);
    }
    expect(trips).toEqual([1, 1, 1]);
    // Proof that the counter works: an order with locks takes more.
    const before = proxy.trips();
    expect(
      (await (customers[0] as (typeof customers)[number]).order({ lines: [{ dish: "bun", quantity: 99 }] })).status,
    ).toBe(409);
    expect(proxy.trips() - before).toBeGreaterThan(2);
    await house.close();
    await db.close();
    await proxy.close();
  });
});

/** What a call asked the database for until now, as round trips and statements. */
function countCalls(db: TestDatabase) {
  const calls: { trips: number; statements: number }[] = [];
  const counted: TestDatabase = {
    ...db,
    read(statements) {
      calls.push({ trips: 1, statements: statements.length });
      return db.read(statements);
    },
    flight(plan) {
      const call = { trips: 1, statements: plan.statements.length + (plan.after?.length ?? 0) };
      calls.push(call);
      const { decide } = plan;
      if (decide === undefined) return db.flight(plan);
      const counting = (rows: Parameters<typeof decide>[0]): readonly Statement[] => {
        const named = decide(rows);
        call.trips += 1;
        call.statements += named.length;
        return named;
      };
      return db.flight({ ...plan, decide: counting });
    },
  };
  const sum = (of: "trips" | "statements") => calls.reduce((total, call) => total + call[of], 0);
  return { db: counted, forget: () => calls.splice(0), trips: () => sum("trips"), statements: () => sum("statements") };
}

(postgres.here ? describe : describe.skip)("postgres, warm", () => {
  it("what people do all day takes no more trips and statements than these", async () => {
    const database = await postgres.open();
    const { db, forget, trips, statements } = countCalls(database);
    const house = await openHouse(postgres, { db, lookMs: 3_600_000, tickMs: 3_600_000 });
    const [customer, kitchen] = [await house.guest(), await house.staff("kitchen")];
    const { id } = (await customer.order()).body.order;
    const socket = await kitchen.connect();
    await socket.resume({ stream: `shop:${house.shop}` });
    const ticket = await customer.ticket();
    // What the call before has begun in the background is not this one's.
    const untilQuiet = async () => {
      for (let before = -1; before !== trips(); ) {
        before = trips();
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const cost = async (call: () => Promise<unknown>): Promise<readonly [number, number]> => {
      await untilQuiet();
      forget();
      await call();
      return [trips(), statements()];
    };
    const most: Record<string, readonly [number, number]> = {
      // The second asks who watches the streams.
      order: [1, 2],
      login: [2, 3],
      ticket: [2, 3],
      upgrade: [2, 4],
      // Asks whether it was a tunnel, reads for the log whose it was, and removes it.
      leave: [2, 7],
      resume: [4, 5],
      // With what it begins in the background: the shop's public streams.
      step: [6, 31],
    };
    const countConnections = sql`SELECT count(*) AS open FROM connections`;
    let leaving: TestSocket | undefined;
    const counts: Record<string, readonly [number, number]> = {
      order: await cost(() => customer.order()),
      login: await cost(() => house.guest()),
      ticket: await cost(() => customer.ticket()),
      upgrade: await cost(async () => {
        leaving = await openSocket(`${house.url.replace("http", "ws")}/pgws`, ["orderbell.v1", `ticket.${ticket}`]);
      }),
      leave: await cost(async () => {
        leaving?.close();
        const isThere = async () => Number((await database.read([countConnections]))[0][0]?.open) > 1;
        while (await isThere()) await new Promise((resolve) => setTimeout(resolve, 5));
      }),
      resume: await cost(() => socket.resume({ stream: `shop:${house.shop}` })),
      step: await cost(() => kitchen.http("POST", `/orders/${id}/accept`, { body: {} })),
    };
    const more = Object.entries(counts).filter(
      ([name, [a, b]]) => a > (most[name]?.[0] ?? 0) || b > (most[name]?.[1] ?? 0),
    );
    expect(more).toEqual([]);
    const orders = await Promise.all(
      Array.from({ length: 20 }, async () => (await customer.order()).body.order.id as string),
    );
    const [manyTrips] = await cost(() =>
      Promise.all(orders.map((one) => kitchen.http("POST", `/orders/${one}/accept`, { body: {} }))),
    );
    // Two batches of steps and two refreshes of the public streams, or more on a busy machine: without sharing there are 180.
    expect(manyTrips).toBeLessThan(90);
    socket.close();
    await house.close();
    await database.remove();
  });
});

const mysql = engines.find(({ name }) => name === "mysql") as Engine;

(mysql.here ? describe : describe.skip)("mysql", () => {
  let direct: TestDatabase;
  beforeAll(async () => {
    direct = await mysql.open();
  });
  afterAll(() => direct.remove());

  it("an order is placed in three trips to the database: locks and reads, writes, commit", async () => {
    const proxy = await startProxy(mysql.server, 50);
    const db = await openAgain(mysql, direct, proxy, 1);
    // Nothing else talks to the database meanwhile.
    const house = await openHouse(mysql, { db, lookMs: 3_600_000, tickMs: 3_600_000, settings: { limits: {} } });
    const customers = [await house.guest(), await house.guest(), await house.guest()];
    // The first loads the menu, and prepares the texts on the connection.
    await customers[0]?.order();
    const trips: number[] = [];
    for (const customer of customers) {
      const before = proxy.trips();
      expect((await customer.order()).status).toBe(201);
      trips.push(proxy.trips() - before);
    }
    expect(trips).toEqual([3, 3, 3]);
    await house.close();
    await db.close();
    await proxy.close();
  });
});
