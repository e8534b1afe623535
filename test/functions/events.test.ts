/** The polling road: what the socket would have brought, to the same people only. */
import { onEveryEngine } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";

onEveryEngine((engine) => {
  let house: House;
  let kitchen: Person;
  let customer: Person;
  beforeAll(async () => {
    house = await openHouse(engine);
    [kitchen, customer] = [await house.staff("kitchen"), await house.guest()];
    await kitchen.http("GET", `/events?stream=shop:${house.shop}`);
  });
  afterAll(() => house.close());

  const query = ({ epoch, seq, tag }: { epoch: string; seq: number; tag: string }) =>
    `epoch=${epoch}&after=${seq}&tag=${tag}`;

  it("gives what lies behind the position, to the end", async () => {
    const { position } = (await customer.http("GET", "/orders")).body;
    const ids = [(await customer.order()).body.order.id, (await customer.order()).body.order.id];
    const { body } = await customer.http("GET", `/events?stream=user:${customer.user}&${query(position)}`);
    expect(body).toMatchObject({ stream: `user:${customer.user}`, more: false, head: body.seq, checkMs: 500 });
    expect(body.events.map(({ data }: { data: { order: { id: string } } }) => data.order.id)).toEqual(ids);
    expect((await customer.http("GET", `/events?stream=user:${customer.user}&${query(body)}`)).body.events).toEqual([]);
    const all = await customer.http("GET", `/events?stream=user:${customer.user}&after=0`);
    expect(all.body.events).toHaveLength(2);
  });

  it("waits for what comes, and no longer than it was told", async () => {
    const stream = `user:${customer.user}`;
    const { body: now } = await customer.http("GET", `/events?stream=${stream}`);
    const waiting = customer.http("GET", `/events?stream=${stream}&${query(now)}&wait=15`);
    const { id } = (await customer.order()).body.order;
    const { body } = await waiting;
    expect(body.events.map(({ data }: { data: { order: { id: string } } }) => data.order.id)).toEqual([id]);
    const nothing = await customer.http("GET", `/events?stream=${stream}&${query(body)}&wait=1`);
    expect(nothing.body.events).toEqual([]);
  });

  it("says reset where the socket would", async () => {
    const { body } = await kitchen.http("GET", `/events?stream=shop:${house.shop}&epoch=other&after=1&tag=x`);
    expect(body.reset).toBe("epoch");
    expect(body.events).toBeUndefined();
  });

  it("shows public streams to anybody, the others to their own people", async () => {
    const read = async (who: Person | undefined, stream: string) => {
      const { status, body } = await (who?.http ?? house.http)("GET", `/events?stream=${stream}`);
      return status === 200 ? "read" : body.code;
    };
    const shop = house.shop;
    expect(await read(undefined, `menu:${shop}`)).toBe("read");
    expect(await read(undefined, `board:${shop}`)).toBe("read");
    expect(await read(undefined, `shop:${shop}`)).toBe("SESSION_MISSING");
    expect(await read(customer, `shop:${shop}`)).toBe("STREAM_FORBIDDEN");
    expect(await read(kitchen, `shop:other-shop`)).toBe("STREAM_FORBIDDEN");
    expect(await read(kitchen, `user:${customer.user}`)).toBe("STREAM_FORBIDDEN");
    expect(await read(customer, `user:${customer.user}`)).toBe("read");
    expect(await read(kitchen, `shop:${shop}`)).toBe("read");
    expect(await read(customer, "menu:nowhere")).toBe("STREAM_UNKNOWN");
    expect(await read(customer, "room:01M7YHFXQAX5A2EW393VQTANMS")).toBe("GRANT_INVALID");
    const shouting = await house.http("GET", "/events?stream=SHOP:x");
    expect([shouting.status, shouting.body.code]).toEqual([400, "INVALID_INPUT"]);
  });

  it("stops waiting for a session that ends meanwhile", async () => {
    const other = await house.staff("kitchen");
    const waiting = other.http("GET", `/events?stream=shop:${house.shop}&wait=15`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await other.http("DELETE", "/session");
    const { status, body } = await waiting;
    expect([status, body.code]).toEqual([401, "SESSION_ENDED"]);
  });

  it("brings board and menu as whole states", async () => {
    const { id, number } = (await customer.order()).body.order;
    const board = async () => (await house.http("GET", `/shops/${house.shop}/board`)).body;
    expect((await board()).board.preparing).not.toContain(number);
    const { position } = await board();
    const waiting = house.http("GET", `/events?stream=board:${house.shop}&${query(position)}&wait=15`);
    await kitchen.http("POST", `/orders/${id}/accept`, { body: {} });
    const { body } = await waiting;
    expect(body.events[0]).toMatchObject({ event: "board.state" });
    expect(body.events.at(-1).data.preparing).toContain(number);
    await kitchen.http("POST", `/orders/${id}/ready`, { body: {} });
    expect((await board()).board.ready).toContain(number);
    expect(JSON.stringify((await board()).board)).toBe(
      JSON.stringify({ preparing: (await board()).board.preparing, ready: (await board()).board.ready }),
    );
  });
});
