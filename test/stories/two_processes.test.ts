/** Two processes on one database: orders at both, a kitchen at each; both screens show everything once, in one order. */
import { sql } from "../../db/sql.ts";
import { onEveryEngine, openAgain, servers, type TestDatabase } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { openTablet } from "../_tablet.ts";

onEveryEngine((engine) => {
  let db: TestDatabase;
  let houses: House[];
  beforeAll(async () => {
    db = await engine.open();
    houses = [await openHouse(engine, { db }), await openHouse(engine, { db: await openAgain(engine, db) })];
  });
  afterAll(async () => {
    for (const house of houses) await house.close();
    await houses[1]?.db.close();
    await db.remove();
  });

  it("two processes on one database agree", async () => {
    const [here, there] = houses as [House, House];
    const kitchen = await here.staff("kitchen");
    const tablets = houses.map(({ url, shop }) => openTablet({ url, token: kitchen.token, shop }));
    for (const tablet of tablets) await tablet.until(({ channel }) => channel.state() === "live", "a live channel");
    const customers = await Promise.all(Array.from({ length: 10 }, (_, at) => (at % 2 ? here : there).guest()));
    const answers = await Promise.all(
      customers.flatMap((customer) => Array.from({ length: 10 }, () => customer.order())),
    );
    const ids = answers.map(({ body }) => body.order.id as string);
    const numbers = answers.map(({ body }) => body.order.number as string).toSorted();
    expect(numbers).toEqual(Array.from({ length: 100 }, (_, at) => `A${String(at + 1).padStart(3, "0")}`));
    for (const tablet of tablets) await tablet.until(({ orders }) => ids.every((id) => orders.has(id)), "all orders");
    const [left, right] = tablets.map((tablet) => tablet.rung());
    expect(left).toHaveLength(100);
    expect(right).toEqual(left);

    // Each takes steps of the other's orders; the faster one wins, and both see it.
    const steps = await Promise.all(
      ids
        .slice(0, 20)
        .flatMap((id) =>
          houses.map(({ http }) =>
            http("POST", `/orders/${id}/accept`, { token: kitchen.token, body: { version: 1 } }),
          ),
        ),
    );
    expect(steps.every(({ status, body }) => status === 200 && body.order.version === 2)).toBe(true);
    for (const tablet of tablets)
      await tablet.until(
        ({ orders }) => ids.slice(0, 20).every((id) => orders.get(id)?.status === "accepted"),
        "accepted orders",
      );
    const [rows] = await db.read([sql`SELECT count(*) AS n FROM order_history WHERE action = 'accept'`]);
    expect(rows?.[0]?.n).toBe(20);
    for (const tablet of tablets) tablet.close();
  });

  it("two processes stop serving a session that was ended at one", async () => {
    const [here, there] = houses as [House, House];
    const kitchen = await here.staff("kitchen");
    const screen = await kitchen.connect();
    await screen.resume({ stream: `shop:${here.shop}` });
    const ended = await there.http("DELETE", "/session", { token: kitchen.token });
    expect(ended.status).toBe(204);
    const placed = await (await there.guest()).order();
    expect(placed.status).toBe(201);
    const why = await screen.next("error");
    expect(why.code).toBe("SESSION_ENDED");
    await screen.closed;
    expect(screen.frames.filter((frame) => frame.type === "event" && `${frame.event}`.startsWith("order."))).toEqual(
      [],
    );
  });
}, servers);
