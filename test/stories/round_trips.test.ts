/** Round trips of an order, when shop and menu are known to the process: one on PostgreSQL, three on MySQL. */
import { type Engine, engines, openAgain, type TestDatabase } from "../_engines.ts";
import { openHouse } from "../_house.ts";
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
