/**
 * A database that goes back or forth under open sockets while orders keep coming: a fail-over to a copy that lags, a quick
 * restore. Every event names the one before it, so a reader recognises another history by its first event.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Row } from "../../db/database.ts";
import { insertRows, type NewRow } from "../../db/dialect.ts";
import { raw, sql } from "../../db/sql.ts";
import type { OrderEvent, OrderView, Position, ServerMessage, StreamEvent } from "../../shared/protocol.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse, type Person, type TestSocket, testMenu } from "../_house.ts";
import { openTablet } from "../_tablet.ts";

type Pushed = Extract<ServerMessage, { type: "event" }>;

/** A kitchen's screen written from docs/protocol.md alone. */
async function openPlainReader(house: House, kitchen: Person) {
  const stream = `shop:${house.shop}`;
  const socket = await kitchen.connect();
  const orders = new Map<string, OrderView>();
  const tags = new Map<number, string>();
  const held = new Map<number, StreamEvent>();
  const asked = new Set<number>();
  let at: Position | undefined;
  let stopped = false;

  const ask = (type: "resume" | "check") => void asked.add(socket.say({ type, streams: [{ stream, ...at }] }));
  async function begin(): Promise<void> {
    at = undefined;
    asked.clear();
    held.clear();
    const { body } = await kitchen.http("GET", `/shops/${house.shop}/orders`);
    orders.clear();
    tags.clear();
    for (const order of body.orders as OrderView[]) orders.set(order.id, order);
    const { epoch, seq, tag } = body.position;
    at = { epoch, seq, tag };
    tags.set(seq, tag);
    ask("resume");
  }
  function take(epoch: string, event: StreamEvent): void {
    if (!fits(epoch, event)) ask("resume");
  }
  function fits(epoch: string, event: StreamEvent): boolean {
    if (at === undefined) return true;
    if (epoch !== at.epoch) return false;
    if (event.seq <= at.seq) return !tags.has(event.seq) || tags.get(event.seq) === event.tag;
    held.set(event.seq, event);
    for (let next = held.get(at.seq + 1); next !== undefined; next = held.get(at.seq + 1)) {
      held.delete(next.seq);
      if (next.prev !== at.tag) return false;
      at = { epoch, seq: next.seq, tag: next.tag };
      tags.set(at.seq, at.tag);
      if (next.event.startsWith("order.")) {
        const { order } = next.data as OrderEvent;
        orders.set(order.id, order);
      }
    }
    return held.size === 0;
  }
  function hear(frame: ServerMessage): void {
    if (frame.type === "event") take(frame.epoch, frame);
    if (frame.type === "head" && (frame.epoch !== at?.epoch || tags.get(frame.seq) !== frame.tag)) ask("resume");
    if (!("n" in frame) || frame.n === undefined || !asked.has(frame.n)) return;
    for (const n of [...asked]) if (n <= frame.n) asked.delete(n);
    if (frame.type === "reset") void begin();
    if (frame.type !== "resumed") return;
    for (const event of frame.events) take(frame.epoch, event);
    if (frame.more) ask("resume");
    else held.clear();
  }
  const listening = (async () => {
    while (!stopped) {
      for (const frame of socket.frames.splice(0)) hear(frame);
      await sleep(10);
    }
  })();
  await begin();
  return {
    orders,
    async close() {
      stopped = true;
      await listening;
      socket.close();
    },
  };
}

onEveryDialect((engine) => {
  let house: House;
  afterEach(() => house.close());

  /** What was pushed of a stream, by number, when the last of it has come. */
  async function pushed(socket: TestSocket, stream: string, upTo: number): Promise<Pushed[]> {
    const found = new Map<number, Pushed>();
    while (!found.has(upTo)) {
      const event = await socket.next("event", (frame) => frame.stream === stream);
      found.set(event.seq, event);
    }
    return [...found.values()].toSorted((a, b) => a.seq - b.seq);
  }

  const headOf = async (stream: string): Promise<number> => {
    const [rows] = await house.db.read([sql`SELECT seq FROM streams WHERE name = ${stream}`]);
    return Number(rows?.[0]?.seq);
  };

  it("every event names its predecessor, however it was stored and whichever way it comes", async () => {
    house = await openHouse(engine);
    const kitchen = await house.staff("kitchen");
    const customer = await house.guest();
    const { body } = await customer.http("POST", "/rooms", { body: {} });
    const [shop, room] = [`shop:${house.shop}`, body.room.stream as string];
    const [screen, phone] = [await kitchen.connect(), await customer.connect()];
    const start = await screen.resume({ stream: shop });
    await phone.resume({ stream: room, grant: body.grant });
    await phone.resume({ stream: `menu:${house.shop}` });
    await phone.resume({ stream: `user:${customer.user}`, seq: 0 });

    // One by one, many at once, the last portions, steps, and messages that a function of their own sends out.
    const bun = (quantity: number) => ({ lines: [{ dish: "bun", quantity }] });
    const first = await customer.order(bun(10));
    await Promise.all(Array.from({ length: 12 }, (_, at) => customer.order(at % 2 ? {} : bun(6))));
    await customer.order(bun(4));
    await kitchen.http("POST", `/orders/${first.body.order.id}/accept`, { body: {} });
    for (const id of ["m1", "m2", "m3"]) {
      phone.say({ type: "publish", stream: room, grant: body.grant, id, data: id });
      await phone.next("published");
    }

    const all = new Map<string, readonly (StreamEvent | Pushed)[]>();
    for (const [socket, stream] of [
      [screen, shop],
      [phone, room],
      [phone, `user:${customer.user}`],
      [phone, `menu:${house.shop}`],
    ] as const)
      all.set(stream, await pushed(socket, stream, await headOf(stream)));
    all.set("resumed", ((await screen.resume({ stream: shop, seq: 0 })) as { events: StreamEvent[] }).events);
    all.set("polled", (await kitchen.http("GET", `/events?stream=${shop}&after=0`)).body.events);
    const position = start as unknown as Record<string, string>;
    const behind = `epoch=${position.epoch}&after=${position.seq}&tag=${position.tag}`;
    all.set("polled from the middle", (await kitchen.http("GET", `/events?stream=${shop}&${behind}`)).body.events);
    for (const [how, events] of all) {
      expect([how, events.length > 0]).toEqual([how, true]);
      for (const [at, { seq, prev }] of events.entries()) {
        const before =
          at === 0 ? (seq === 1 ? "" : how.startsWith("polled from") ? position.tag : undefined) : events[at - 1]?.tag;
        if (before !== undefined) expect([how, seq, prev]).toEqual([how, seq, before]);
      }
    }
    const [broken] = await house.db.read([
      sql`SELECT e.stream, e.seq FROM events e JOIN events b ON b.stream = e.stream AND b.seq = e.seq - 1 WHERE e.prev <> b.tag`,
    ]);
    expect(broken).toEqual([]);
    screen.close();
    phone.close();
  });

  it("no order is priced by a menu of the lost history, though the version has its number again", async () => {
    house = await openHouse(engine);
    const customer = await house.guest();
    expect((await customer.order()).body.order.totalFen).toBe(2_900);
    // As after a restore and an edit: another document under the number that this process holds.
    const dishes = testMenu.dishes.map((dish) => ({ ...dish, priceFen: dish.priceFen + 100 }));
    const document = JSON.stringify({ ...testMenu, dishes });
    const again = sql`UPDATE menus SET document = ${document}, created_at = created_at + 1 WHERE shop_id = ${house.shop}`;
    await house.db.flight({ statements: [again] });
    expect((await customer.order()).body.order.totalFen).toBe(3_000);
  });

  const tables = ["streams", "events", "orders", "order_lines", "order_history", "idempotency_keys", "shop_days"];
  const copyOf = async () =>
    Promise.all(
      [...tables, "room_messages"].map(
        async (table) => [table, (await house.db.read([sql`SELECT * FROM ${raw(table)}`]))[0] as Row[]] as const,
      ),
    );
  /** In one transaction: no reader sees half of it. */
  const putBack = async (copy: Awaited<ReturnType<typeof copyOf>>) => {
    await house.db.flight({
      statements: copy.flatMap(([table, rows]) => [
        sql`DELETE FROM ${raw(table)}`,
        ...insertRows(house.db.dialect, table, rows as NewRow[]),
      ]),
      repeatable: true,
    });
  };

  it("no screen stays on a lost history: lost orders go, new ones come, by what is pushed alone", async () => {
    // No check is due during the test, no other process pushes, and a process's head is lost.
    const environment = { CHECK_SHOP_MS: "60000", CHECK_OTHER_MS: "60000" };
    const push = (_: string, frame: string) => (frame.startsWith('{"type":"head"') ? "drop" : undefined);
    house = await openHouse(engine, { environment, lookMs: 3_600_000, faults: { push } });
    const kitchen = await house.staff("kitchen");
    const customer = await house.guest();
    const { body } = await customer.http("POST", "/rooms", { body: {} });
    const room = { stream: body.room.stream as string, grant: body.grant as string };
    const talker = await customer.connect();
    let said = 0;
    const say = async () => {
      said += 1;
      talker.say({ type: "publish", ...room, id: `m${said}`, data: said });
      await talker.next("published");
      return said;
    };
    const order = async (times: number) => {
      const ids: string[] = [];
      for (let at = 0; at < times; at++) ids.push((await customer.order()).body.order.id);
      return ids;
    };

    const tablet = openTablet({ url: house.url, token: kitchen.token, shop: house.shop });
    const heard: unknown[] = [];
    tablet.channel.subscribe(room.stream, {
      grant: room.grant,
      onEvent: ({ data }) => void heard.push((data as { data: number }).data),
    });
    await tablet.until(({ channel }) => channel.state() === "live", "a live channel");
    const plain = await openPlainReader(house, kitchen);
    /** Both screens show what the database has, the SDK's reports that it is live, and the room's reader receives again. */
    const agree = async () => {
      const list = (await kitchen.http("GET", `/shops/${house.shop}/orders`)).body.orders as OrderView[];
      const truth = list.map(({ id, version }) => `${id} ${version}`).toSorted();
      const shows = (orders: ReadonlyMap<string, OrderView>) =>
        JSON.stringify([...orders.values()].map(({ id, version }) => `${id} ${version}`).toSorted());
      await tablet.until(
        ({ orders, channel }) => shows(orders) === JSON.stringify(truth) && channel.state() === "live",
        `exactly ${truth}`,
      );
      for (let ms = 0; shows(plain.orders) !== JSON.stringify(truth) && ms < 15_000; ms += 20) await sleep(20);
      expect(shows(plain.orders)).toBe(JSON.stringify(truth));
      // A room has no snapshot: messages before the reset may be skipped, later ones may not.
      for (let tries = 0; heard.at(-1) !== said && tries < 50; tries++) {
        await say();
        for (let ms = 0; heard.at(-1) !== said && ms < 300; ms += 20) await sleep(20);
      }
      expect(heard.at(-1)).toBe(said);
      return list.map(({ id }) => id);
    };

    const [kept] = await order(3);
    await agree();
    const before = await copyOf();
    const lost = await order(4);
    await kitchen.http("POST", `/orders/${kept}/accept`, { body: {} });
    for (let times = 0; times < 3; times++) await say();
    await agree();
    const after = await copyOf();
    const head = (await kitchen.http("GET", `/shops/${house.shop}/orders`)).body.position;
    const behind = `stream=shop:${house.shop}&epoch=${head.epoch}&after=${head.seq}&tag=${head.tag}&wait=20`;
    const polling = kitchen.http("GET", `/events?${behind}`);

    // Back: the numbers of what was lost are given again, and passed. And the step is taken again.
    await putBack(before);
    const fresh = await order(7);
    await kitchen.http("POST", `/orders/${kept}/accept`, { body: {} });
    for (let times = 0; times < 5; times++) await say();
    const shown = await agree();
    expect(shown.filter((id) => lost.includes(id))).toEqual([]);
    expect(fresh.every((id) => shown.includes(id))).toBe(true);
    expect((await polling).body.reset).toBeDefined();

    // And forth again, to what was there before it went back.
    await putBack(after);
    const more = await order(2);
    for (let times = 0; times < 2; times++) await say();
    const again = await agree();
    expect(again.filter((id) => fresh.includes(id))).toEqual([]);
    expect([...lost, ...more].every((id) => again.includes(id))).toBe(true);
    expect(new Set(heard).size).toBe(heard.length);
    await plain.close();
    talker.close();
    tablet.close();
  });
});
