/** Orders over HTTP: steps, repeats, races, rights. */

import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";

onEveryDialect((engine) => {
  let house: House;
  let owner: Person;
  let cashier: Person;
  let kitchen: Person;
  let customer: Person;
  beforeAll(async () => {
    house = await openHouse(engine);
    [owner, cashier, kitchen, customer] = await Promise.all([
      house.staff("owner"),
      house.staff("cashier"),
      house.staff("kitchen"),
      house.guest(),
    ]);
  });
  afterAll(() => house.close());

  const placed = async (): Promise<string> => (await customer.order()).body.order.id;
  const step = (who: Person, id: string, action: string, body: object = {}) =>
    who.http("POST", `/orders/${id}/${action}`, { body });

  it("a repeated step is answered with the same state and no second event", async () => {
    const id = await placed();
    const [first, again] = [await step(kitchen, id, "accept"), await step(cashier, id, "accept")];
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.body).toEqual(first.body);
    const { history } = (await customer.http("GET", `/orders/${id}`)).body;
    expect(history).toHaveLength(2);
  });

  it("one of many racing steps wins, and the others are told where the order stands", async () => {
    const id = await placed();
    const answers = await Promise.all([
      step(kitchen, id, "accept", { version: 1 }),
      step(cashier, id, "reject", { version: 1, reason: "卖完了" }),
      step(customer, id, "cancel", { version: 1 }),
      step(kitchen, id, "accept", { version: 1 }),
      step(customer, id, "cancel", { version: 1 }),
    ]);
    const { order, history } = (await customer.http("GET", `/orders/${id}`)).body;
    expect(order.version).toBe(2);
    expect(history).toHaveLength(2);
    for (const { status, body } of answers) {
      if (status === 200) expect(body.order.status).toBe(order.status);
      else expect([status, body.code, body.version]).toEqual([409, "ORDER_CHANGED", 2]);
    }
    expect(answers.some(({ status }) => status === 200)).toBe(true);
  });

  it("steps that come together are each answered by themselves", async () => {
    const [good, done, late, twice] = [await placed(), await placed(), await placed(), await placed()];
    const [stranger, unknown] = [await house.guest(), "01ARZ3NDEKTSV4RRFFQ69G5FAV"];
    for (const action of ["accept", "ready", "complete"]) await step(kitchen, done, action);
    const all = await Promise.all([
      // Alone at first; the others wait for it, and are one batch.
      step(kitchen, good, "accept"),
      step(kitchen, good, "cook"),
      step(kitchen, done, "accept"),
      step(customer, late, "accept"),
      step(stranger, late, "ready"),
      step(kitchen, unknown, "accept"),
      step(kitchen, late, "accept", { version: 1 }),
      step(kitchen, twice, "accept"),
      step(kitchen, twice, "cook"),
      step(kitchen, twice, "accept"),
    ]);
    expect(all.map(({ status, body }) => body.code ?? `${status} ${body.order.status}`)).toEqual([
      "200 accepted",
      "200 cooking",
      "STEP_NOT_ALLOWED",
      "FORBIDDEN",
      "ORDER_UNKNOWN",
      "ORDER_UNKNOWN",
      "200 accepted",
      "200 accepted",
      "200 cooking",
      "STEP_NOT_ALLOWED",
    ]);
    const { order, history } = (await customer.http("GET", `/orders/${twice}`)).body;
    expect([order.status, order.version, history.length]).toEqual(["cooking", 3, 3]);
  });

  it("a recall happens once, and requires the version", async () => {
    const id = await placed();
    for (const action of ["accept", "ready", "complete"]) await step(kitchen, id, action);
    const without = await step(kitchen, id, "recall");
    expect([without.status, without.body.code, without.body.field]).toEqual([400, "INVALID_INPUT", "version"]);
    const recalled = await Promise.all([1, 2, 3].map(() => step(kitchen, id, "recall", { version: 4 })));
    for (const { status, body } of recalled)
      expect([status, body.order.status, body.order.version]).toEqual([200, "ready", 5]);
    expect((await step(kitchen, id, "recall", { version: 5 })).body.order.status).toBe("cooking");
  });

  it("an order is ready with the last of its stations, once, and the customer is told nothing before", async () => {
    const lines = [
      { dish: "beef", quantity: 1, options: [{ option: "spice", choices: ["hot"] }] },
      { dish: "tea", quantity: 1 },
    ];
    const { id } = (await customer.order({ lines })).body.order;
    await step(kitchen, id, "accept");
    const [hot, again] = [
      await step(kitchen, id, "ready", { version: 2, station: "hot" }),
      await step(cashier, id, "ready", { version: 2, station: "hot" }),
    ];
    expect(hot.body.order).toMatchObject({ status: "accepted", version: 3, stationsDone: ["hot"] });
    expect(again.body).toEqual(hot.body);
    const seen = (await customer.http("GET", `/orders/${id}`)).body;
    expect([seen.order.status, seen.history.map(({ action }: { action: string }) => action)]).toEqual([
      "accepted",
      ["place", "accept"],
    ]);
    expect(JSON.stringify(seen)).not.toContain("tation");
    const screen = await kitchen.connect();
    screen.send({ type: "resume", n: 1, streams: [{ stream: `shop:${house.shop}` }] });
    await screen.next("resumed");
    await step(kitchen, id, "recall", { version: 3, station: "hot" });
    const undone = await screen.next("event", ({ event }) => event === "order.changed");
    expect(undone.data).toMatchObject({ action: "unstation", order: { status: "accepted", stationsDone: [] } });
    screen.close();
    // Both at once, each several times.
    const stations = ["hot", null, "hot", null];
    const answers = await Promise.all(stations.map((station) => step(kitchen, id, "ready", { station })));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const { order, history } = (await kitchen.http("GET", `/orders/${id}`)).body;
    expect([order.status, order.version, [...order.stationsDone].sort()]).toEqual(["ready", 6, ["hot", null]]);
    expect(history.slice(2).map(({ action }: { action: string }) => action)).toEqual([
      "station",
      "unstation",
      "station",
      "ready",
    ]);
    const back = await step(kitchen, id, "recall", { version: 6 });
    expect([back.body.order.status, back.body.order.stationsDone]).toEqual(["cooking", order.stationsDone.slice(0, 1)]);
    const bad = await step(kitchen, id, "ready", { station: "cold" });
    expect([bad.status, bad.body.code, bad.body.field]).toEqual([400, "INVALID_INPUT", "station"]);
  });

  it("an order exists only for those who may see it", async () => {
    const id = await placed();
    const stranger = await house.guest();
    for (const who of [stranger]) {
      for (const answer of [await who.http("GET", `/orders/${id}`), await step(who, id, "cancel")])
        expect([answer.status, answer.body.code]).toEqual([404, "ORDER_UNKNOWN"]);
      expect((await who.http("GET", "/orders")).body.orders).toEqual([]);
      const line = await who.http("PUT", `/orders/${id}/lines/1`, { body: { struck: true } });
      expect([line.status, line.body.code]).toEqual([404, "ORDER_UNKNOWN"]);
    }
    const unknown = await customer.http("GET", "/orders/01M7YHFXQAX5A2EW393VQTANMS");
    expect([unknown.status, unknown.body.code]).toEqual([404, "ORDER_UNKNOWN"]);
    const accept = await step(customer, id, "accept");
    expect([accept.status, accept.body.code]).toEqual([403, "FORBIDDEN"]);
    const paid = await step(kitchen, id, "paid");
    expect([paid.status, paid.body.code]).toEqual([403, "FORBIDDEN"]);
    expect((await step(cashier, id, "paid")).body.order).toMatchObject({ payment: "paid", status: "placed" });
    const ordering = await kitchen.order();
    expect([ordering.status, ordering.body.code]).toEqual([403, "FORBIDDEN"]);
  });

  it("a struck line is stored: the second tablet sees it and the customer does not", async () => {
    const { body } = await customer.order({
      lines: [
        { dish: "tea", quantity: 1 },
        { dish: "bun", quantity: 2 },
      ],
    });
    const { id } = body.order;
    const screen = await kitchen.connect();
    await screen.resume({ stream: `shop:${house.shop}` });
    const struck = await cashier.http("PUT", `/orders/${id}/lines/2`, { body: { struck: true } });
    expect(struck.body.order.lines.map((line: { struck: boolean }) => line.struck)).toEqual([false, true]);
    const event = await screen.next("event", ({ data }) => (data as { action: string }).action === "strike");
    expect((event.data as { order: object }).order).toEqual(struck.body.order);
    const again = await kitchen.http("PUT", `/orders/${id}/lines/2`, { body: { struck: true } });
    expect(again.body).toEqual(struck.body);
    expect(
      (await kitchen.http("PUT", `/orders/${id}/lines/2`, { body: { struck: false } })).body.order.lines[1].struck,
    ).toBe(false);
    const missing = await kitchen.http("PUT", `/orders/${id}/lines/3`, { body: { struck: true } });
    expect([missing.status, missing.body.code, missing.body.field]).toEqual([400, "INVALID_INPUT", "line"]);
    const own = await customer.http("PUT", `/orders/${id}/lines/1`, { body: { struck: true } });
    expect([own.status, own.body.code]).toEqual([403, "FORBIDDEN"]);
    expect((await customer.http("GET", `/orders/${id}`)).body.order.lines[0]).not.toHaveProperty("struck");
    screen.close();
  });

  it("an order keeps what was bought when dish, price and name change", async () => {
    const id = await placed();
    const before = (await customer.http("GET", `/orders/${id}`)).body.order.lines;
    const { menu } = (await owner.http("GET", `/shops/${house.shop}/menu`)).body;
    const beef = menu.dishes.find((dish: { id: string }) => dish.id === "beef");
    await owner.http("PUT", `/shops/${house.shop}/dishes/beef`, {
      body: { ...beef, names: { zh: "新名字" }, priceFen: 9_900, options: [] },
    });
    expect((await customer.http("GET", `/orders/${id}`)).body.order.lines).toEqual(before);
    await owner.http("PUT", `/shops/${house.shop}/dishes/beef`, { body: beef });
  });

  it("orders are listed for a customer newest first, for the kitchen by status, day and page", async () => {
    const who = await house.guest();
    const ids: string[] = [];
    for (let at = 0; at < 3; at++) ids.unshift((await who.order()).body.order.id);
    const mine = (await who.http("GET", "/orders")).body;
    expect(mine.orders.map(({ id }: { id: string }) => id)).toEqual(ids);
    expect((await who.http("GET", `/orders?before=${ids[1]}`)).body.orders.map(({ id }: { id: string }) => id)).toEqual(
      [ids[2]],
    );
    // A page that is full is not said to have another behind it, unless it has.
    const page = async (query: string) => {
      const { orders, more } = (await who.http("GET", `/orders?${query}`)).body;
      return [orders.map(({ id }: { id: string }) => id), more];
    };
    expect(await page("limit=2")).toEqual([ids.slice(0, 2), true]);
    expect(await page(`limit=2&before=${ids[0]}`)).toEqual([ids.slice(1), false]);
    const two = (await kitchen.http("GET", `/shops/${house.shop}/orders?limit=2`)).body;
    expect([two.orders.length, two.more]).toEqual([2, true]);
    await step(kitchen, ids[0] as string, "accept");
    const list = async (query: string) =>
      (await kitchen.http("GET", `/shops/${house.shop}/orders?${query}`)).body.orders.map(
        ({ id }: { id: string }) => id,
      );
    expect(await list("status=accepted")).toContain(ids[0]);
    expect(await list("status=accepted")).not.toContain(ids[1]);
    expect(await list("status=placed,accepted")).toEqual(expect.arrayContaining(ids));
    expect(await list("status=completed&day=2020-01-01")).toEqual([]);
    expect(await list(`before=${ids[2]}`)).not.toContain(ids[0]);
  });

  it("a delivery's name, phone and address go after the set time, and only staff and the customer see them", async () => {
    const delivery = { name: "王小明", phone: "13900001234", address: "测试路 1 号" };
    const { body } = await customer.order({ lines: [{ dish: "tea", quantity: 5 }], service: "delivery", delivery });
    const { id } = body.order;
    expect(body.order.delivery).toEqual(delivery);
    const seenBy = async (who: Person) => (await who.http("GET", `/orders/${id}`)).body.order?.delivery;
    for (const who of [kitchen, customer]) expect(await seenBy(who)).toEqual(delivery);
    expect((await customer.http("GET", "/orders")).body.orders[0].delivery).toEqual(delivery);
    expect(await seenBy(await house.guest())).toBeUndefined();
    await step(kitchen, id, "reject");
    house.clock.forward(31 * 86_400_000);
    await house.call("sweep", { trim: true });
    expect(await seenBy(kitchen)).toBeNull();
    const tables = ["orders", "events", "order_lines", "order_history", "notifications", "audit"];
    const { raw, sql } = await import("../../db/sql.ts");
    for (const table of tables) {
      const [rows] = await house.db.read([sql`SELECT * FROM ${raw(table)}`]);
      expect(JSON.stringify(rows)).not.toContain("13900001234");
    }
  });
});

describe("guests at the counter", () => {
  onEveryDialect((engine) => {
    it("are accepted by owner or cashier only, or refused where the shop says so", async () => {
      const house = await openHouse(engine, { settings: { guests: "counter" } });
      const [owner, cashier, kitchen, guest] = [
        await house.staff("owner"),
        await house.staff("cashier"),
        await house.staff("kitchen"),
        await house.guest(),
      ];
      const { id } = (await guest.order()).body.order;
      const refused = await kitchen.http("POST", `/orders/${id}/accept`, { body: {} });
      expect([refused.status, refused.body.code]).toEqual([403, "CONFIRM_AT_COUNTER"]);
      expect((await cashier.http("POST", `/orders/${id}/accept`, { body: {} })).body.order.status).toBe("accepted");
      const { settings } = (await owner.http("GET", `/shops/${house.shop}/menu`)).body;
      await owner.http("PUT", `/shops/${house.shop}/settings`, {
        body: { settings: { ...settings, guests: "refuse" } },
      });
      const none = await guest.order();
      expect([none.status, none.body.code]).toEqual([403, "GUESTS_REFUSED"]);
      await house.close();
    });
  });
});
