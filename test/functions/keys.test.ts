/** A back end with a key: it reads a shop's orders, steps them and edits the menu, in its own name and nobody else's. */
import { sql } from "../../db/sql.ts";
import { newApiKey, type Scope } from "../../shared/sessions/api_key.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, newKey, oneBowl, openHouse, openSocket, type Person } from "../_house.ts";

const pickup = { service: "pickup", lines: [{ dish: "tea", quantity: 1 }] };
const home = { name: "王小明", phone: "13900001234", address: "测试路 1 号" };
const delivered = { service: "delivery", delivery: home, lines: [{ dish: "tea", quantity: 3 }] };

onEveryDialect((engine) => {
  let house: House;
  let customer: Person;
  beforeAll(async () => {
    house = await openHouse(engine);
    customer = await house.guest();
  });
  afterAll(() => house.close());

  /** A back end with a key of these scopes, bound to the house's shop. */
  async function backEnd(name: string, ...scopes: Scope[]) {
    const { id, key } = await newApiKey(house.app, name, scopes, house.shop);
    const ask = (method: string, path: string, body?: object, headers = {}) =>
      house.http(method, path, { token: key, headers, ...(body === undefined ? {} : { body }) });
    const revoke = () => house.call("admin", { command: "keys.revoke", args: { id } });
    return { id, key, ask, revoke };
  }
  const placed = async (bill: object = pickup): Promise<string> => (await customer.order(bill)).body.order.id;
  const list = () => `/shops/${house.shop}/orders`;

  it("takes an order to its end, and the history names the key to staff only", async () => {
    const till = await backEnd("the till", "orders:read", "orders:step", "orders:paid");
    const id = await placed(delivered);
    expect((await till.ask("GET", list())).body.orders.map((order: { id: string }) => order.id)).toContain(id);
    expect((await till.ask("GET", `/orders/${id}`)).body.order).toMatchObject({ delivery: home, guest: true });
    for (const action of ["accept", "cook", "ready", "deliver", "complete", "paid"]) {
      const { status, body } = await till.ask("POST", `/orders/${id}/${action}`, {});
      expect([action, status, body.order?.delivery]).toEqual([action, 200, home]);
    }
    const shown = async (who: Person) => (await who.http("GET", `/orders/${id}`)).body.history;
    const [, ...byKey] = await shown(await house.staff("owner"));
    expect(byKey).toHaveLength(6);
    for (const step of byKey) expect(step).toMatchObject({ by: "key", key: "the till" });
    expect((await till.ask("GET", `/orders/${id}`)).body.history.slice(1)).toEqual(byKey);
    const [, ...byShop] = await shown(customer);
    for (const step of byShop) expect(step).toMatchObject({ by: "shop" });
    expect(JSON.stringify(byShop)).not.toContain("till");
    const [rows] = await house.db.read([
      sql`SELECT session_id FROM order_history WHERE order_id = ${id} AND actor = 'key'`,
    ]);
    expect(new Set(rows?.map((row) => row.session_id))).toEqual(new Set([till.id]));
  });

  it("learns no more of an order that it may only step, or mark as paid, than that needs", async () => {
    const [cook, pay] = [await backEnd("cook", "orders:step"), await backEnd("pay", "orders:paid")];
    const id = await placed(delivered);
    for (const [who, action] of [
      [cook, "accept"],
      [pay, "paid"],
    ] as const) {
      const { status, text } = await who.ask("POST", `/orders/${id}/${action}`, {});
      expect([action, status, /13900001234|测试路|王小明/.test(text)]).toEqual([action, 200, false]);
    }
    const wrong = [await cook.ask("POST", `/orders/${id}/paid`, {}), await pay.ask("POST", `/orders/${id}/cancel`, {})];
    expect(wrong.map(({ status, body }) => [status, body.code, body.detail])).toEqual([
      [401, "API_KEY_INVALID", 'the key lacks the scope "orders:paid"'],
      [401, "API_KEY_INVALID", 'the key lacks the scope "orders:step"'],
    ]);
  });

  it("leaves a guest's order to the counter where the shop says so", async () => {
    const till = await backEnd("till", "orders:step");
    const owner = await house.staff("owner");
    const { settings } = (await owner.http("GET", `/shops/${house.shop}/menu`)).body;
    const guests = (how: string) =>
      owner.http("PUT", `/shops/${house.shop}/settings`, { body: { settings: { ...settings, guests: how } } });
    expect((await guests("counter")).status).toBe(200);
    const refused = await till.ask("POST", `/orders/${await placed()}/accept`, {});
    expect([refused.status, refused.body.code]).toEqual([403, "CONFIRM_AT_COUNTER"]);
    expect((await guests(settings.guests)).status).toBe(200);
  });

  it("edits the menu and the stock, and the audit names the key", async () => {
    const menu = await backEnd("erp", "menu:write");
    const path = `/shops/${house.shop}`;
    const { headers } = await menu.ask("GET", `${path}/menu`);
    const price = await menu.ask(
      "PUT",
      `${path}/dishes/tea/price`,
      { priceFen: 900 },
      { "if-match": headers.get("etag") },
    );
    expect(price.body.priceFen).toBe(900);
    expect((await menu.ask("PUT", `${path}/dishes/tea/sold_out`, { soldOut: true })).body.soldOut).toBe(true);
    expect((await menu.ask("PUT", `${path}/dishes/tea/sold_out`, { soldOut: false })).status).toBe(200);
    expect((await menu.ask("POST", `${path}/dishes/bun/stock`, { delta: 1 })).status).toBe(200);
    const { entries } = (await (await house.staff("owner")).http("GET", `${path}/audit`)).body;
    const mine = entries.filter(({ device }: { device: { id: string } | null }) => device?.id === menu.id);
    expect(mine.map(({ action }: { action: string }) => action).toSorted()).toEqual([
      "dish.price",
      "sold_out",
      "sold_out",
      "stock",
    ]);
    for (const { device } of mine) expect(device).toEqual({ id: menu.id, name: "erp", role: null });
    const settings = await menu.ask("PUT", `${path}/settings`, { settings: {} });
    expect([settings.status, settings.body.detail]).toEqual([
      401,
      "a key is not taken here; sign in, and send the session's token",
    ]);
  });

  it("acts for its own shop alone, and without one for none", async () => {
    const till = await backEnd("till", "orders:read", "orders:step", "menu:write");
    const { key: unbound } = await newApiKey(house.app, "of no shop", ["orders:read", "orders:step"], null);
    const id = await placed();
    const elsewhere = await till.ask("GET", "/shops/elsewhere/orders");
    expect([elsewhere.status, elsewhere.body.detail]).toEqual([403, `this key is bound to shop "${house.shop}"`]);
    const asked = await Promise.all([
      house.http("GET", list(), { token: unbound }),
      house.http("GET", `/orders/${id}`, { token: unbound }),
      house.http("POST", `/orders/${id}/accept`, { token: unbound, body: {} }),
      house.http("GET", `/events?stream=shop:${house.shop}`, { token: unbound }),
    ]);
    expect(asked.map(({ body }) => body.code)).toEqual([
      "FORBIDDEN",
      "ORDER_UNKNOWN",
      "ORDER_UNKNOWN",
      "STREAM_FORBIDDEN",
    ]);
    const order = await till.ask("POST", "/bill", { shop: house.shop, ...oneBowl }, { "idempotency-key": newKey() });
    expect([order.status, order.body.code]).toEqual([401, "API_KEY_INVALID"]);
  });

  it("reads the shop's stream by polling and by a socket, and is no screen of the kitchen", async () => {
    const reader = await backEnd("reader", "orders:read");
    const { ticket, socket } = (await reader.ask("POST", "/session/ticket")).body;
    const open = await openSocket(socket, ["orderbell.v1", `ticket.${ticket}`]);
    const stream = `shop:${house.shop}`;
    expect((await open.resume({ stream })).type).toBe("resumed");
    const { body: here } = await reader.ask("GET", `/events?stream=${stream}`);
    const id = await placed();
    expect((await open.next("event", ({ event }) => event === "order.placed")).data).toMatchObject({ order: { id } });
    const { body } = await reader.ask(
      "GET",
      `/events?stream=${stream}&epoch=${here.epoch}&after=${here.seq}&tag=${here.tag}`,
    );
    expect(body.events).toMatchObject([{ event: "order.placed", data: { order: { id } } }]);
    const [screens] = await house.db.read([sql`SELECT * FROM screens`]);
    expect(screens).toEqual([]);
    const user = await open.resume({ stream: `user:${customer.user}` });
    expect(user).toMatchObject({ type: "error", code: "STREAM_FORBIDDEN" });
    open.close();
  });

  it("does nothing more once it is revoked, and its sockets and polls end", async () => {
    const reader = await backEnd("reader", "orders:read", "orders:step");
    const { ticket, socket } = (await reader.ask("POST", "/session/ticket")).body;
    const open = await openSocket(socket, ["orderbell.v1", `ticket.${ticket}`]);
    await open.resume({ stream: `shop:${house.shop}` });
    const spare = (await reader.ask("POST", "/session/ticket")).body.ticket;
    const waiting = reader.ask("GET", `/events?stream=shop:${house.shop}&wait=20`);
    expect(await reader.revoke()).toMatchObject({ ok: { revoked: reader.id } });
    expect(await open.next("error")).toMatchObject({ code: "SESSION_ENDED" });
    await open.closed;
    const id = await placed();
    expect(open.frames.filter((frame) => frame.type === "event" && frame.event === "order.placed")).toEqual([]);
    await expect(openSocket(socket, ["orderbell.v1", `ticket.${spare}`])).rejects.toThrow("refused with 401");
    expect((await waiting).status).toBe(401);
    const after = await reader.ask("POST", `/orders/${id}/accept`, {});
    expect([after.status, after.body.detail]).toEqual([401, "the key is unknown or revoked"]);
  });

  it("is made with a shop where its scopes are a shop's, and publishable with nothing else", async () => {
    const add = (scopes: readonly string[], shop?: string) =>
      house.call("admin", {
        command: "keys.add",
        args: { name: "x", scopes, ...(shop === undefined ? {} : { shop }) },
      });
    const before = await house.db.read([sql`SELECT id FROM api_keys ORDER BY id`]);
    for (const [scopes, shop, said] of [
      [
        ["notify", "orders:paid"],
        undefined,
        '"shop": is missing: a key with the scope "orders:paid" acts for one shop',
      ],
      [
        ["collections", "orders:read"],
        house.shop,
        '"scopes": "collections" is for keys that lie open in a page; make another for "orders:read"',
      ],
      [["orders:read"], "nowhere", 'there is no shop "nowhere"'],
      [[], house.shop, '"scopes": expected at least one scope'],
    ] as const)
      expect(await add(scopes, shop)).toMatchObject({ error: { message: said } });
    expect(await house.db.read([sql`SELECT id FROM api_keys ORDER BY id`])).toEqual(before);
    expect(await add(["orders:read", "menu:write"], house.shop)).toMatchObject({
      ok: { key: expect.stringMatching(/^obk_/) },
    });
  });
});
