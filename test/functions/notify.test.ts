/** Notifications: stored and pushed, once per key, with the sender's rights checked. */
import { newApiKey } from "../../shared/sessions/api_key.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, newKey, openHouse, type Person } from "../_house.ts";

const nobody = "01M7Y5YCX0DV05B7NH4DVY729V";

onEveryDialect((engine) => {
  let house: House;
  let kitchen: Person;
  let customer: Person;
  beforeAll(async () => {
    house = await openHouse(engine);
    [kitchen, customer] = [await house.staff("kitchen"), await house.guest()];
  });
  afterAll(() => house.close());

  const tell = (token: string, body: object, key = newKey()) =>
    house.http("POST", "/notify", { token, body: { title: "请取餐", ...body }, headers: { "idempotency-key": key } });

  it("a notification reaches a customer live, once per key, and after a reset", async () => {
    const { id } = (await customer.order()).body.order;
    const phone = await customer.connect();
    await phone.resume({ stream: `user:${customer.user}` });
    const key = newKey();
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => tell(kitchen.token, { user: customer.user, body: "A017", order: id }, key)),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 200, 200, 201]);
    const { notification } = (answers.find(({ status }) => status === 201) as (typeof answers)[number]).body;
    for (const { body } of answers) expect(body.notification.id).toBe(notification.id);
    const event = await phone.next("event", ({ event: type }) => type === "notification");
    expect(event.data).toEqual(notification);
    await customer.order();
    await phone.next("event", ({ event: type }) => type === "order.placed");
    expect(phone.frames.filter((frame) => frame.type === "event" && frame.event === "notification")).toEqual([]);
    expect((await customer.http("GET", "/orders")).body.notifications).toEqual([notification]);
    const reused = await tell(kitchen.token, { user: customer.user, body: "B018" }, key);
    expect([reused.status, reused.body.code]).toEqual([422, "KEY_REUSED"]);
    phone.close();
  });

  it("a notification reaches a kitchen", async () => {
    const screen = await kitchen.connect();
    await screen.resume({ stream: `shop:${house.shop}` });
    expect((await tell(kitchen.token, { shop: house.shop, title: "缺葱" })).status).toBe(201);
    expect((await screen.next("event", ({ event }) => event === "notification")).data).toMatchObject({ title: "缺葱" });
    screen.close();
  });

  it("a notification names only an order of that customer, at that shop", async () => {
    const other = await house.guest();
    const [mine, theirs] = [(await customer.order()).body.order.id, (await other.order()).body.order.id];
    const { key } = await newApiKey(house.app, "crm", ["notify"], null);
    const bound = await newApiKey(house.app, "crm", ["notify"], house.shop);
    const unknown = "01M7Y5YCX0DV05B7NH4DVY729V";
    for (const token of [kitchen.token, key, bound.key]) {
      for (const order of [theirs, unknown]) {
        const refused = await tell(token, { user: customer.user, order });
        expect([order, refused.status, refused.body.code]).toEqual([order, 404, "ORDER_UNKNOWN"]);
      }
      expect((await tell(token, { user: customer.user, order: mine })).status).toBe(201);
      expect((await tell(token, { user: customer.user, shop: house.shop, order: theirs })).status).toBe(404);
      expect((await tell(token, { shop: house.shop, order: unknown })).status).toBe(404);
      expect((await tell(token, { shop: house.shop, order: theirs })).status).toBe(201);
    }
    expect((await customer.http("GET", "/orders")).text).not.toContain(theirs);
  });

  it("a notification is sent by staff of that shop and by keys with the scope only", async () => {
    const stranger = await house.guest();
    const notMine = await tell(kitchen.token, { user: stranger.user });
    expect([notMine.status, notMine.body.code]).toEqual([404, "USER_UNKNOWN"]);
    const byGuest = await tell(customer.token, { user: customer.user });
    expect([byGuest.status, byGuest.body.code]).toEqual([403, "FORBIDDEN"]);
    const elsewhere = await tell(kitchen.token, { shop: "another-shop" });
    expect([elsewhere.status, elsewhere.body.code]).toEqual([403, "FORBIDDEN"]);
    const good = await newApiKey(house.app, "crm", ["notify"], null);
    const poor = await newApiKey(house.app, "crm", ["introspect"], null);
    const bound = await newApiKey(house.app, "crm", ["notify"], house.shop);
    expect((await tell(good.key, { user: customer.user })).status).toBe(201);
    expect((await tell(bound.key, { user: customer.user })).status).toBe(201);
    for (const [key, body, code] of [
      [poor.key, { user: customer.user }, "API_KEY_INVALID"],
      [`${good.key.slice(0, -1)}x`, { user: customer.user }, "API_KEY_INVALID"],
      [good.key, { shop: "another-shop" }, "SHOP_UNKNOWN"],
      [bound.key, { user: stranger.user }, "USER_UNKNOWN"],
      [good.key, { user: nobody }, "USER_UNKNOWN"],
    ] as const)
      expect((await tell(key, body)).body.code).toBe(code);
  });

  it("a notification by a key of no shop reaches a user who has never ordered; of a shop, its customers alone", async () => {
    const stranger = await house.guest();
    const { key } = await newApiKey(house.app, "crm", ["notify"], null);
    const bound = await newApiKey(house.app, "crm", ["notify"], house.shop);
    const told = await tell(key, { user: stranger.user });
    expect(told.status).toBe(201);
    expect((await stranger.http("GET", "/orders")).body.notifications).toEqual([told.body.notification]);
    const refused = [
      await tell(key, { user: stranger.user, shop: house.shop }),
      await tell(bound.key, { user: stranger.user }),
      await tell(key, { user: nobody }),
    ];
    expect(refused.map(({ status, body }) => [status, body.code, body.detail])).toEqual([
      [404, "USER_UNKNOWN", `no user "${stranger.user}" has ordered at shop "${house.shop}"`],
      [404, "USER_UNKNOWN", `no user "${stranger.user}" has ordered at shop "${house.shop}"`],
      [404, "USER_UNKNOWN", `there is no user "${nobody}"`],
    ]);
    await stranger.order();
    expect((await tell(bound.key, { user: stranger.user })).status).toBe(201);
  });
});
