/** Snapshots read while orders are written: rows and position are of one moment, so the next event fits. */
import type { OrderEvent, OrderView, Position } from "../../shared/protocol.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";

onEveryDialect((engine) => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(engine);
  });
  afterAll(() => house.close());

  /** The state of a snapshot with all events behind its position. */
  async function wind(
    orders: readonly OrderView[],
    who: Person,
    stream: string,
    at: Position,
  ): Promise<Map<string, number>> {
    const state = new Map(orders.map(({ id, version }) => [id, version]));
    for (let position = at, more = true; more; ) {
      const { epoch, seq, tag } = position;
      const answer = (await who.http("GET", `/events?stream=${stream}&epoch=${epoch}&after=${seq}&tag=${tag}`)).body;
      expect(answer.reset).toBeUndefined();
      for (const { event, data } of answer.events) {
        if (!event.startsWith("order.")) continue;
        const { order } = data as OrderEvent;
        // Exactly the next version: nothing twice, nothing left out.
        expect([order.id, order.version]).toEqual([order.id, (state.get(order.id) ?? 0) + 1]);
        state.set(order.id, order.version);
      }
      position = answer;
      more = answer.more;
    }
    return state;
  }

  it("snapshots agree with their position, for the kitchen and for each customer", async () => {
    const kitchen = await house.staff("kitchen");
    const customers = await Promise.all(Array.from({ length: 4 }, () => house.guest()));
    let writing = true;
    const writers = customers.map(async (customer) => {
      let placed = 0;
      while (writing && placed < 20) {
        const { body } = await customer.order();
        placed += 1;
        await kitchen.http("POST", `/orders/${body.order.id}/accept`, { body: {} });
        if (placed % 2) await kitchen.http("POST", `/orders/${body.order.id}/ready`, { body: {} });
      }
    });
    const kitchens: { orders: OrderView[]; position: Position }[] = [];
    const phones: { at: number; orders: OrderView[]; position: Position }[] = [];
    for (let read = 0; read < 25; read++) {
      const [list, mine] = await Promise.all([
        kitchen.http("GET", `/shops/${house.shop}/orders`),
        (customers[read % 4] as Person).http("GET", "/orders"),
      ]);
      kitchens.push(list.body);
      phones.push({ at: read % 4, ...mine.body });
    }
    writing = false;
    await Promise.all(writers);
    const truth = (await kitchen.http("GET", `/shops/${house.shop}/orders`)).body as { orders: OrderView[] };
    const versions = (orders: readonly OrderView[]) => new Map(orders.map(({ id, version }) => [id, version]));
    for (const { orders, position } of kitchens)
      expect(await wind(orders, kitchen, `shop:${house.shop}`, position)).toEqual(versions(truth.orders));
    for (const { at, orders, position } of phones) {
      const customer = customers[at] as Person;
      const theirs = truth.orders.filter(({ customer: user }) => user === customer.user);
      expect(await wind(orders, customer, `user:${customer.user}`, position)).toEqual(versions(theirs));
    }
  });
});
