/** An order that nobody accepts: the bell gets louder, then the order expires, the customer is told, and its stock is returned. */
import type { OrderEvent } from "../../shared/protocol.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";

onEveryDialect((engine) => {
  let house: House;
  afterEach(() => house.close());

  it("an order that nobody accepts escalates once, expires, and returns its portions", async () => {
    house = await openHouse(engine, { settings: { escalateAfterSec: 60, expireAfterSec: 120 } });
    const [customer, kitchen] = [await house.guest(), await house.staff("kitchen")];
    const [screen, phone] = await Promise.all([kitchen.connect(), customer.connect()]);
    await screen.resume({ stream: `shop:${house.shop}` });
    await phone.resume({ stream: `user:${customer.user}` });
    const { body } = await customer.order({ lines: [{ dish: "bun", quantity: 50 }] });
    const { id } = body.order;
    expect((await customer.order({ lines: [{ dish: "bun", quantity: 1 }] })).body.code).toBe("SOLD_OUT");

    house.clock.forward(61_000);
    const louder = await screen.next("event", ({ event }) => event === "order.escalated");
    expect((louder.data as OrderEvent).order).toMatchObject({ id, status: "placed", version: 2 });
    expect((louder.data as OrderEvent).order.escalatedAt).not.toBeNull();

    house.clock.forward(60_000);
    const over = await phone.next("event", ({ event }) => event === "order.changed");
    expect(over.data).toMatchObject({ action: "expire", order: { id, status: "expired", version: 3 } });
    await screen.next(
      "event",
      ({ event, data }) => event === "order.changed" && (data as OrderEvent).action === "expire",
    );
    expect(screen.frames.filter((frame) => frame.type === "event" && frame.event === "order.escalated")).toEqual([]);
    expect(phone.frames.filter((frame) => frame.type === "event" && frame.event === "order.escalated")).toEqual([]);

    expect((await customer.order({ lines: [{ dish: "bun", quantity: 50 }] })).status).toBe(201);
    const late = await kitchen.http("POST", `/orders/${id}/accept`, { body: {} });
    expect([late.status, late.body.code, late.body.orderStatus]).toEqual([409, "STEP_NOT_ALLOWED", "expired"]);
    const history = (await kitchen.http("GET", `/orders/${id}`)).body.history;
    expect(history.map(({ action, by }: { action: string; by: string }) => [action, by])).toEqual([
      ["place", "customer"],
      ["escalate", "system"],
      ["expire", "system"],
    ]);
    screen.close();
    phone.close();
  });

  it("an escalated order is cancelled with the version that the phone was shown, also when it is asked twice", async () => {
    house = await openHouse(engine, { settings: { escalateAfterSec: 60, expireAfterSec: 120 }, tickMs: 3_600_000 });
    const customer = await house.guest();
    const { id, version } = (await customer.order()).body.order;
    house.clock.forward(61_000);
    await house.call("sweep", {});
    const cancel = () => customer.http("POST", `/orders/${id}/cancel`, { body: { version } });
    for (const answer of [await cancel(), await cancel()])
      expect([answer.status, answer.body.order]).toMatchObject([200, { status: "cancelled", version: version + 2 }]);
    const future = await customer.http("POST", `/orders/${id}/cancel`, { body: { version: version + 9 } });
    expect([future.status, future.body.code]).toEqual([409, "ORDER_CHANGED"]);
  });

  it("an order that is accepted in the last moment does not expire", async () => {
    house = await openHouse(engine, { settings: { escalateAfterSec: 60, expireAfterSec: 120 }, tickMs: 3_600_000 });
    const [customer, kitchen] = [await house.guest(), await house.staff("kitchen")];
    const { body } = await customer.order();
    house.clock.forward(121_000);
    const [accepted] = await Promise.all([
      kitchen.http("POST", `/orders/${body.order.id}/accept`, { body: {} }),
      house.call("sweep", {}),
      house.call("sweep", {}),
    ]);
    const now = (await customer.http("GET", `/orders/${body.order.id}`)).body.order.status;
    expect(now).toBe(accepted.status === 200 ? "accepted" : "expired");
  });

  it("a shop without a live screen is shown as such, and refuses orders if it is set so", async () => {
    house = await openHouse(engine, { settings: { refuseWhenOffline: true }, environment: { SCREEN_MS: "60000" } });
    const customer = await house.guest();
    const offline = await customer.order();
    expect([offline.status, offline.body.code]).toEqual([409, "KITCHEN_OFFLINE"]);
    const info = async () => (await house.http("GET", `/get_shop_info?shop=${house.shop}`)).body.shop;
    expect(await info()).toMatchObject({ open: true, live: false, needsKitchen: true });

    const phone = await customer.connect();
    await phone.resume({ stream: `menu:${house.shop}` });
    const kitchen = await house.staff("kitchen");
    const screen = await kitchen.connect();
    await screen.resume({ stream: `shop:${house.shop}` });
    await phone.next("event", ({ data }) => (data as { live: boolean }).live);
    expect(await info()).toMatchObject({ live: true });
    expect((await customer.order()).status).toBe(201);

    // A screen that only checks stays; one that falls silent is gone, whether its socket was closed or not.
    const { epoch, seq, tag } = await screen.next("event", ({ event }) => event === "order.placed");
    house.clock.forward(40_000);
    screen.say({ type: "check", streams: [{ stream: `shop:${house.shop}`, epoch, seq, tag }] });
    await screen.next("checked");
    house.clock.forward(40_000);
    expect((await customer.order()).status).toBe(201);
    // So does one that says anything else.
    await screen.resume({ stream: `menu:${house.shop}` });
    house.clock.forward(40_000);
    expect((await customer.order()).status).toBe(201);
    house.clock.forward(21_000);
    await phone.next("event", ({ data }) => !(data as { live: boolean }).live);
    expect((await customer.order()).body.code).toBe("KITCHEN_OFFLINE");

    // Polling is looking, too.
    const poll = await kitchen.http("GET", `/events?stream=shop:${house.shop}`);
    expect(poll.status).toBe(200);
    expect((await customer.order()).status).toBe(201);
    screen.close();
    phone.close();
  });
});
