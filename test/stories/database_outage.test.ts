/** The database goes away and returns: a clear 503 meanwhile, nothing half done, every acknowledged order on the screen. */
import { sql } from "../../db/sql.ts";
import { onEveryEngine, openAgain, servers, type TestDatabase } from "../_engines.ts";
import { type House, newKey, openHouse } from "../_house.ts";
import { startProxy, type Wire } from "../_proxy.ts";
import { openTablet } from "../_tablet.ts";

// PGlite lives in this process and cannot go away.
onEveryEngine((engine) => {
  let direct: TestDatabase;
  let proxy: Wire;
  let house: House;
  beforeEach(async () => {
    direct = await engine.open();
    proxy = await startProxy(engine.server);
    house = await openHouse(engine, { db: await openAgain(engine, direct, proxy), mayFail: true });
  });
  afterEach(async () => {
    proxy.mend();
    await house.close();
    await house.db.close();
    await proxy.close();
    await direct.remove();
  });

  it("a request gets 503, a code and Retry-After while the database is away, and works again by itself", async () => {
    const customer = await house.guest();
    proxy.cut();
    for (const [method, path] of [
      ["GET", `/get_shop_info?shop=${house.shop}`],
      ["GET", "/orders"],
      ["POST", "/login/guest"],
    ] as const) {
      const answer = await customer.http(method, path, method === "POST" ? { body: {} } : {});
      expect([path, answer.status, answer.body.code]).toEqual([path, 503, "DATABASE_AWAY"]);
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
    }
    const key = newKey();
    const away = await customer.order({}, key);
    expect([away.status, away.body.code]).toEqual([503, "DATABASE_AWAY"]);
    expect((await house.http("GET", "/healthz")).status).toBe(503);
    proxy.mend();
    const back = await customer.order({}, key);
    expect(back.status).toBe(201);
    expect((await house.http("GET", "/healthz")).status).toBe(200);
  });

  it("no order is lost or doubled when the database is cut again and again under load", async () => {
    const kitchen = await house.staff("kitchen");
    const tablet = openTablet({ url: house.url, token: kitchen.token, shop: house.shop });
    await tablet.until(({ channel }) => channel.state() === "live", "a live channel");
    const customers = await Promise.all(Array.from({ length: 8 }, () => house.guest()));
    let working = true;
    const acknowledged: string[] = [];
    const cutting = (async () => {
      for (let cut = 0; cut < 6; cut++) {
        const before = acknowledged.length;
        await new Promise((resolve) => setTimeout(resolve, 250));
        // On a busy machine too, something was stored between two cuts.
        while (acknowledged.length === before) await new Promise((resolve) => setTimeout(resolve, 10));
        proxy.cut();
        await new Promise((resolve) => setTimeout(resolve, 100));
        proxy.mend();
      }
      working = false;
    })();
    await Promise.all(
      customers.map(async (customer) => {
        while (working) {
          // As the SDK does: the same key until there is an answer.
          const key = newKey();
          for (let answer = await customer.order({}, key); ; answer = await customer.order({}, key)) {
            if (answer.status < 300) {
              acknowledged.push(answer.body.order.id);
              break;
            }
            expect([answer.status, answer.body?.code]).toEqual([503, "DATABASE_AWAY"]);
          }
        }
      }),
    );
    await cutting;
    const [rows] = await direct.read([sql`SELECT id FROM orders ORDER BY id`]);
    const stored = (rows ?? []).map(({ id }) => String(id));
    expect(acknowledged.toSorted()).toEqual(stored);
    expect(stored.length).toBeGreaterThan(8);
    await tablet.until(({ orders }) => stored.every((id) => orders.has(id)), "every order");
    expect(new Set(tablet.rung()).size).toBe(tablet.rung().length);
    const [[sold]] = (await direct.read([sql`SELECT orders AS n FROM shop_days`])) as [[{ n: number }]];
    expect(sold.n).toBe(stored.length);
    tablet.close();
  });
}, servers);
