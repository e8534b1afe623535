/** Pickup numbers at the turn of the day: no two orders on call have the same. */
import fc from "fast-check";
import type { OrderView } from "../../shared/protocol.ts";
import { sweep } from "../../shared/shop/sweep.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";

const minuteMs = 60_000;
const shanghaiMinutes = () => (Math.floor(Date.now() / minuteMs) + 8 * 60) % (24 * 60);

onEveryDialect((engine) => {
  let house: House;
  let customer: Person;
  let kitchen: Person;
  beforeAll(async () => {
    // The day turns over in half an hour.
    house = await openHouse(engine, {
      rolloverMinutes: (shanghaiMinutes() + 30) % (24 * 60),
      // Weeks go by.
      environment: { GUEST_SESSION_DAYS: "365", STAFF_SESSION_DAYS: "365" },
    });
    [customer, kitchen] = [await house.guest(), await house.staff("kitchen")];
  });
  afterAll(() => house.close());

  const place = async (): Promise<OrderView> => {
    const { status, body } = await customer.order();
    expect(status).toBe(201);
    return body.order;
  };
  const take = async ({ id }: OrderView, ...actions: string[]) => {
    for (const action of actions) {
      const answer = await kitchen.http("POST", `/orders/${id}/${action}`, { body: {} });
      expect([action, answer.status]).toEqual([action, 200]);
    }
  };
  const placeMany = async (many: number) => {
    const placed = await Promise.all(Array.from({ length: many }, place));
    return placed.map(({ number }) => number).sort();
  };

  it("pickup numbers are skipped while they are open or may be recalled, and are given again after that", async () => {
    const first = [await place(), await place(), await place()] as const;
    expect(first.map(({ number }) => number)).toEqual(["A001", "A002", "A003"]);
    for (const one of first) await take(one, "accept", "ready");
    house.clock.forward(20 * minuteMs);
    await take(first[1], "complete");
    house.clock.forward(15 * minuteMs);
    // The next day: two stand on the board, and the third can come back to it.
    expect(await placeMany(3)).toEqual(["A004", "A005", "A006"]);
    house.clock.forward(24 * 60 * minuteMs);
    // The sweep has expired the unaccepted orders long ago.
    await sweep(house.app);
    house.clock.forward(31 * minuteMs);
    expect(await placeMany(4)).toEqual(["A002", "A004", "A005", "A006"]);
  });

  it("pickup numbers leave the board when nobody collects them", async () => {
    const forgotten = await place();
    await take(forgotten, "accept", "ready");
    const board = async () => (await house.http("GET", `/shops/${house.shop}/board`)).body;
    expect((await board()).board.ready).toEqual([forgotten.number]);
    const { stream, epoch, seq, tag } = (await board()).position;
    const query = new URLSearchParams({ stream, epoch, after: String(seq), tag });
    house.clock.forward(61 * minuteMs);
    await sweep(house.app);
    const { events } = (await house.http("GET", `/events?${query}`)).body;
    expect(events.at(-1)).toMatchObject({ event: "board.state", data: { ready: [] } });
  });

  it("pickup numbers are never the same for two orders that may be called out, whatever the hours bring", async () => {
    const hour = 60 * minuteMs;
    const command = fc.oneof(
      fc.record({ place: fc.integer({ min: 1, max: 5 }) }),
      fc.record({ end: fc.nat() }),
      fc.record({ hours: fc.constantFrom(0.2, 0.6, 8, 24) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(command, { minLength: 8, maxLength: 16 }), async (commands) => {
        for (const one of commands) {
          if ("place" in one) {
            const orders = await Promise.all(Array.from({ length: one.place }, place));
            for (const order of orders) await take(order, "accept", "ready");
          } else if ("hours" in one) house.clock.forward(one.hours * hour);
          else {
            const { orders } = (await kitchen.http("GET", `/shops/${house.shop}/orders`)).body;
            const order = orders[one.end % orders.length];
            if (order !== undefined) await take(order, "complete");
          }
          const statuses = "placed,accepted,cooking,ready,completed";
          const { body } = await kitchen.http("GET", `/shops/${house.shop}/orders?status=${statuses}`);
          const since = house.clock.now() - 30 * minuteMs;
          const held = (body.orders as OrderView[])
            .filter(({ endedAt }) => endedAt === null || Date.parse(endedAt) > since)
            .map(({ number }) => number);
          expect(held).toEqual([...new Set(held)]);
        }
      }),
      { numRuns: 2 },
    );
  });
});
