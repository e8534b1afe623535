/** The last portions: exactly as many orders as portions, and everybody is told. */
import { sql } from "../../db/sql.ts";
import type { MenuState } from "../../shared/protocol.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";

onEveryDialect((engine) => {
  let house: House;
  let owner: Person;
  beforeEach(async () => {
    house = await openHouse(engine);
    owner = await house.staff("owner");
  });
  afterEach(() => house.close());

  const stock = (body: object, method = "POST", headers = {}) =>
    owner.http(method, `/shops/${house.shop}/dishes/bun/stock`, { body, headers });
  const row = async () =>
    (await house.db.read([sql`SELECT stock, sold FROM dish_days WHERE dish_id = ${"bun"}`]))[0]?.[0];
  const bun = (quantity = 1) => ({ lines: [{ dish: "bun", quantity }] });

  it("the last portion goes to one of fifty customers who order it at once", async () => {
    await stock({ delta: -49 });
    const customers = await Promise.all(Array.from({ length: 50 }, () => house.guest()));
    const answers = await Promise.all(customers.map((customer) => customer.order(bun())));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    const refused = answers.filter(({ status }) => status !== 201);
    for (const { status, body } of refused)
      expect([status, body.code, body.dish, body.left]).toEqual([409, "SOLD_OUT", "bun", 0]);
    expect(await row()).toEqual({ stock: 1, sold: 1 });
    const [orders] = await house.db.read([sql`SELECT count(*) AS n FROM orders`]);
    expect(orders?.[0]?.n).toBe(1);
  });

  it("the stock never goes below zero with mixed quantities, and all that fits is sold", async () => {
    await stock({ delta: -30 });
    const customers = await Promise.all(Array.from({ length: 20 }, () => house.guest()));
    const answers = await Promise.all(customers.map((customer, at) => customer.order(bun((at % 3) + 1))));
    const sold = answers.reduce((sum, { status }, at) => sum + (status === 201 ? (at % 3) + 1 : 0), 0);
    expect(await row()).toEqual({ stock: 20, sold });
    expect(sold).toBeGreaterThan(17);
    expect(sold).toBeLessThanOrEqual(20);
    for (const { status, body } of answers) if (status !== 201) expect(body.code).toBe("SOLD_OUT");
  });

  it("the end of the stock is announced to kitchen and public, and the portion returns when an order is cancelled", async () => {
    await stock({ delta: -48 });
    const customer = await house.guest();
    const kitchen = await house.staff("kitchen");
    const [screen, phone] = await Promise.all([kitchen.connect(), customer.connect()]);
    await screen.resume({ stream: `shop:${house.shop}` });
    await phone.resume({ stream: `menu:${house.shop}` });
    const { body } = await customer.order(bun(2));
    const ranOut = await screen.next("event", ({ event }) => event === "dish.changed");
    expect(ranOut.data).toEqual({ dish: "bun", left: 0, soldOut: false });
    const state = await phone.next("event", ({ data }) => (data as MenuState).soldOut.includes("bun"));
    expect(state.event).toBe("menu.state");
    expect((await house.http("GET", `/get_shop_info?shop=${house.shop}`)).body.soldOut).toEqual(["bun"]);

    expect((await customer.http("POST", `/orders/${body.order.id}/cancel`, { body: {} })).status).toBe(200);
    await phone.next("event", ({ data }) => !(data as MenuState).soldOut.includes("bun"));
    expect(await row()).toEqual({ stock: 2, sold: 0 });
    expect((await customer.order(bun(2))).status).toBe(201);
    screen.close();
    phone.close();
  });

  it("the stock is changed by delta or by If-Match, never below what is sold", async () => {
    const customer = await house.guest();
    await customer.order(bun(3));
    const below = await stock({ delta: -48 });
    expect([below.status, below.body.code, below.body.left]).toEqual([409, "STOCK_BELOW_SOLD", 47]);
    const { body } = await stock({ delta: -40 });
    expect(body).toMatchObject({ stock: 10, sold: 3, left: 7 });
    await customer.order(bun(1));
    const late = await stock({ left: 5 }, "PUT", { "if-match": `"${body.etag}"` });
    expect([late.status, late.body.code]).toEqual([412, "VERSION_MISMATCH"]);
    const now = await stock({ left: 5 }, "PUT", { "if-match": `"${late.body.version}"` });
    expect(now.body).toMatchObject({ stock: 9, sold: 4, left: 5 });
    const deltas = await Promise.all(Array.from({ length: 20 }, () => stock({ delta: 1 })));
    expect(deltas.every(({ status }) => status === 200)).toBe(true);
    expect(await row()).toEqual({ stock: 29, sold: 4 });
    const uncounted = await owner.http("POST", `/shops/${house.shop}/dishes/tea/stock`, { body: { delta: 1 } });
    expect([uncounted.status, uncounted.body.code]).toEqual([409, "NO_STOCK_COUNT"]);
  });

  it("the stock starts anew on the next business day, and not at midnight", async () => {
    await house.close();
    house = await openHouse(engine, { rolloverMinutes: 240 });
    owner = await house.staff("owner");
    const customer = await house.guest();
    // 23:30 in Shanghai; the day turns over at 04:00.
    const now = house.clock.now();
    const shanghai = (now + 8 * 3_600_000) % 86_400_000;
    house.clock.forward((23.5 * 3_600_000 - shanghai + 86_400_000) % 86_400_000);
    expect((await stock({ delta: -49 })).body).toMatchObject({ left: 1 });
    const last = await customer.order(bun());
    expect(last.status).toBe(201);
    // Unaccepted it would expire within the hour, and its portion come back before midnight is tried.
    const taken = await owner.http("POST", `/orders/${last.body.order.id}/accept`, { body: {} });
    expect(taken.status).toBe(200);
    house.clock.forward(3_600_000);
    const afterMidnight = await customer.order(bun());
    expect(afterMidnight.body.code).toBe("SOLD_OUT");
    house.clock.forward(4 * 3_600_000);
    const nextDay = await customer.order(bun());
    expect(nextDay.status).toBe(201);
    // From the start, but not the number that yesterday's open order holds.
    expect(nextDay.body.order.number).toBe("A002");
    expect(nextDay.body.order.day > last.body.order.day).toBe(true);
  });
});
