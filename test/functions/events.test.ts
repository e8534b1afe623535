/** Polling: the events of the socket, for the same readers only. */
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";

onEveryDialect((engine) => {
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

  it("a poll returns the events behind its position, to the end", async () => {
    const { position } = (await customer.http("GET", "/orders")).body;
    const ids = [(await customer.order()).body.order.id, (await customer.order()).body.order.id];
    const { body } = await customer.http("GET", `/events?stream=user:${customer.user}&${query(position)}`);
    expect(body).toMatchObject({ stream: `user:${customer.user}`, more: false, head: body.seq, checkMs: 500 });
    expect(body.events.map(({ data }: { data: { order: { id: string } } }) => data.order.id)).toEqual(ids);
    expect((await customer.http("GET", `/events?stream=user:${customer.user}&${query(body)}`)).body.events).toEqual([]);
    const all = await customer.http("GET", `/events?stream=user:${customer.user}&after=0`);
    expect(all.body.events).toHaveLength(2);
  });

  it("a poll waits for new events, and no longer than it was told", async () => {
    const stream = `user:${customer.user}`;
    const { body: now } = await customer.http("GET", `/events?stream=${stream}`);
    const waiting = customer.http("GET", `/events?stream=${stream}&${query(now)}&wait=15`);
    const { id } = (await customer.order()).body.order;
    const { body } = await waiting;
    expect(body.events.map(({ data }: { data: { order: { id: string } } }) => data.order.id)).toEqual([id]);
    const nothing = await customer.http("GET", `/events?stream=${stream}&${query(body)}&wait=1`);
    expect(nothing.body.events).toEqual([]);
  });

  /** Resolves when no poll waits any more, or when that many do. */
  const waiting = async (count: number) => {
    while (house.app.headWatcher.size !== count) await house.clock.sleep(5);
  };

  it("polls that wait share one query, however many, and all are answered", async () => {
    const count = 40;
    const { body: now } = await house.http("GET", `/events?stream=board:${house.shop}`);
    const real = house.db.read;
    const statements: string[] = [];
    house.db.read = (list) => {
      statements.push(...list.map((statement) => ("sql" in statement ? String(statement.sql) : "")));
      return real(list);
    };
    const asked = Array.from({ length: count }, () =>
      house.http("GET", `/events?stream=board:${house.shop}&${query(now)}&wait=15`),
    );
    await waiting(count);
    const heads = () => statements.filter((sql) => /FROM streams WHERE name|FROM events/.test(sql)).length;
    const before = heads();
    await house.clock.sleep(1_200);
    const whileWaiting = heads() - before;
    const { id } = (await customer.order()).body.order;
    await kitchen.http("POST", `/orders/${id}/accept`, { body: {} });
    const answers = await Promise.all(asked);
    house.db.read = real;
    for (const { body } of answers) expect(body.events[0]).toMatchObject({ event: "board.state" });
    expect(whileWaiting).toBeLessThan(count);
    expect(heads()).toBeLessThan(count * 3);
  });

  it("a poll ends when its client has left", async () => {
    const left = new AbortController();
    const stream = `menu:${house.shop}`;
    const asked = fetch(`${house.url}/events?stream=${stream}&wait=20`, { signal: left.signal });
    await waiting(1);
    left.abort();
    await expect(asked).rejects.toThrow();
    await waiting(0);
  });

  it("a poll waits no longer than the setting, and says how long to pause instead", async () => {
    const path = `/events?stream=menu:${house.shop}`;
    const ask = async (wait: number) => (await house.http("GET", `${path}&wait=${wait}`)).body;
    const { pollWaitMs } = house.app.config;
    try {
      Object.assign(house.app.config, { pollWaitMs: 0 });
      expect(await ask(20)).toMatchObject({ events: [], pauseMs: 500 });
      Object.assign(house.app.config, { pollWaitMs: 50 });
      expect(await ask(3_600)).toMatchObject({ events: [], pauseMs: 0 });
    } finally {
      Object.assign(house.app.config, { pollWaitMs });
    }
    expect((await house.http("GET", `${path}&wait=3601`)).body.code).toBe("INVALID_INPUT");
  });

  it("a poll leaves in the log who received what", async () => {
    const stream = `shop:${house.shop}`;
    const { body: now } = await kitchen.http("GET", `/events?stream=${stream}`);
    await customer.order();
    const { body } = await kitchen.http("GET", `/events?stream=${stream}&${query(now)}&wait=15`);
    const { body: open } = await house.http("GET", `/events?stream=board:${house.shop}`);
    const logged = house.lines.map((line) => JSON.parse(line)).filter(({ route }) => route === "GET /events");
    const [own, others] = logged.slice(-2);
    const who = { session: kitchen.session, device: kitchen.session };
    expect(own).toMatchObject({ stream, ...who, seq: body.seq, events: body.events.length });
    expect(body.events).toHaveLength(body.seq - now.seq);
    expect(others).toMatchObject({ stream: `board:${house.shop}`, seq: open.seq, events: 0 });
    expect([others.session, others.device]).toEqual([undefined, undefined]);
  });

  it("a poll says reset where the socket would", async () => {
    const { body } = await kitchen.http("GET", `/events?stream=shop:${house.shop}&epoch=other&after=1&tag=x`);
    expect(body.reset).toBe("epoch");
    expect(body.events).toBeUndefined();
  });

  it("a poll shows public streams to anybody, the others to their own readers", async () => {
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

  it("a poll ends with its session", async () => {
    const other = await house.staff("kitchen");
    const waiting = other.http("GET", `/events?stream=shop:${house.shop}&wait=15`);
    await new Promise((resolve) => setTimeout(resolve, 200));
    await other.http("DELETE", "/session");
    const { status, body } = await waiting;
    expect([status, body.code]).toEqual([401, "SESSION_ENDED"]);
  });

  it("a poll brings board and menu as whole states", async () => {
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
