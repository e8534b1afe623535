/** One order from login to completed, for table, pickup and delivery. */
import type { OrderEvent } from "../../shared/protocol.ts";
import { onEveryEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";

onEveryEngine((engine) => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(engine);
  });
  afterAll(() => house.close());

  const address = { name: "王小明", phone: "13900001234", address: "测试路 1 号 2 单元" };
  const bowl = {
    dish: "beef",
    quantity: 2,
    options: [
      { option: "spice", choices: ["hot"] },
      { option: "extra", choices: ["egg"] },
    ],
    note: "不要香菜",
  };

  it.each([
    ["table", { service: "table" }, ["accept", "cook", "ready", "complete"], 6_400],
    ["pickup", { service: "pickup" }, ["accept", "ready", "complete"], 6_600],
    ["delivery", { service: "delivery", delivery: address }, ["accept", "cook", "ready", "deliver", "complete"], 7_100],
  ])("an order goes its whole way for %s", async (service, bill, steps, totalFen) => {
    const customer = await house.guest();
    const kitchen = await house.staff("kitchen");
    const [screen, phone] = await Promise.all([kitchen.connect(), customer.connect()]);
    expect(await screen.resume({ stream: `shop:${house.shop}` })).toMatchObject({ type: "resumed", events: [] });
    expect(await phone.resume({ stream: `user:${customer.user}` })).toMatchObject({ type: "resumed", events: [] });

    const more = service === "table" ? { table: house.table } : {};
    const placed = await customer.order({ lines: [bowl], ...bill, ...more, expectedTotalFen: totalFen });
    expect(placed.status).toBe(201);
    const { order } = placed.body;
    expect(order).toMatchObject({
      status: "placed",
      totalFen,
      version: 1,
      service,
      table: service === "table" ? "5" : null,
    });
    expect(order.number).toMatch(/^A\d{3}$/);
    expect(order.lines[0]).toMatchObject({
      unitFen: 3_200,
      totalFen: 6_400,
      note: "不要香菜",
      names: { zh: "红烧牛肉面" },
    });

    const rung = await screen.next("event", ({ event }) => event === "order.placed");
    const { order: ticket } = rung.data as OrderEvent;
    expect(ticket).toMatchObject({ id: order.id, number: order.number, guest: true });
    expect(ticket.delivery ?? null).toEqual(service === "delivery" ? address : null);
    const told = await phone.next("event", ({ event }) => event === "order.placed");
    expect(told.data).toEqual({ action: "place", order });

    let version = 1;
    for (const action of steps) {
      const step = await kitchen.http("POST", `/orders/${order.id}/${action}`, { body: { version } });
      expect([action, step.status, step.body.code]).toEqual([action, 200, undefined]);
      version += 1;
      expect(step.body.order.version).toBe(version);
      const seen = await screen.next(
        "event",
        ({ event, data }) => event === "order.changed" && (data as OrderEvent).order.version === version,
      );
      expect((seen.data as OrderEvent).order).toEqual(step.body.order);
      const heard = await phone.next(
        "event",
        ({ event, data }) => event === "order.changed" && (data as OrderEvent).order.version === version,
      );
      expect((heard.data as OrderEvent).action).toBe(action);
      expect((heard.data as OrderEvent).order.delivery).toEqual(service === "delivery" ? address : null);
    }

    const { body } = await customer.http("GET", `/orders/${order.id}`);
    expect(body.order).toMatchObject({ status: "completed", version });
    expect(body.order.delivery).toEqual(service === "delivery" ? address : null);
    expect(body.history.map(({ action }: { action: string }) => action)).toEqual(["place", ...steps]);
    screen.close();
    phone.close();
  });
});
