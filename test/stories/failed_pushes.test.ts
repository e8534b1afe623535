/** Failures of a push between commit and screen. In the end every order is on the screen once, in order. */
import type { Row } from "../../db/database.ts";
import { eventOf, headOf, readHeads, readNewest } from "../../db/streams.ts";
import { deliver } from "../../shared/streams/deliver.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { openTablet } from "../_tablet.ts";

onEveryDialect((engine) => {
  let house: House;
  afterEach(() => house.close());

  const shop = () => `shop:${house.shop}`;
  const tabletOf = async () => {
    const kitchen = await house.staff("kitchen");
    const tablet = openTablet({ url: house.url, token: kitchen.token, shop: house.shop });
    await tablet.until(({ channel }) => channel.state() === "live", "a live channel");
    return tablet;
  };

  it("an order is shown though its socket died between commit and push", async () => {
    let cuts = 1;
    house = await openHouse(engine, {
      faults: {
        push(connection, frame) {
          if (!frame.includes('"order.placed"') || cuts-- <= 0) return undefined;
          house.server.cut(connection);
          return "drop";
        },
      },
    });
    const tablet = await tabletOf();
    const placed = await (await house.guest()).order();
    expect(placed.status).toBe(201);
    await tablet.until(({ orders }) => orders.has(placed.body.order.id), "the order");
    expect(tablet.states).toContain("offline");
    tablet.close();
  });

  it("an order whose push was lost is shown at the stream's next check", async () => {
    let losses = 1;
    house = await openHouse(engine, {
      faults: { push: (_, frame) => (frame.includes('"order.placed"') && losses-- > 0 ? "drop" : undefined) },
    });
    const tablet = await tabletOf();
    const placed = await (await house.guest()).order();
    await tablet.until(({ orders }) => orders.has(placed.body.order.id), "the order");
    expect(tablet.rung()).toEqual([placed.body.order.id]);
    tablet.close();
  });

  it("the last order of a quiet kitchen is shown though a room on the same socket is busy", async () => {
    let lost = 0;
    house = await openHouse(engine, {
      // Every push of the kitchen's stream is lost; only its own check can find out.
      faults: {
        push(_, frame) {
          if (!frame.startsWith(`{"type":"event","stream":"${shop()}"`)) return undefined;
          lost += 1;
          return "drop";
        },
      },
      // Catch-up would find it too; here it must not.
      lookMs: 3_600_000,
    });
    const tablet = await tabletOf();
    const chatter = await house.guest();
    const { body } = await chatter.http("POST", "/rooms", { body: {} });
    let heard = 0;
    tablet.channel.subscribe(body.room.stream, { grant: body.grant, onEvent: () => void heard++ });
    const talker = await chatter.connect();
    await talker.resume({ stream: body.room.stream, grant: body.grant });
    let talking = true;
    const talk = (async () => {
      for (let id = 1; talking; id++) {
        talker.say({ type: "publish", stream: body.room.stream, id: `m${id}`, grant: body.grant, data: id });
        await talker.next("published").catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
    })();
    // The tablet's list is read only when its own streams change.
    while (heard <= 3) await new Promise((resolve) => setTimeout(resolve, 20));
    const placed = await (await house.guest()).order();
    await tablet.until(({ orders }) => orders.has(placed.body.order.id), "the order");
    expect(lost).toBeGreaterThan(0);
    expect(heard).toBeGreaterThan(3);
    talking = false;
    await talk;
    talker.close();
    tablet.close();
  });

  it("orders are shown in order though pushes overtake each other, and one is doubled", async () => {
    const delays = [300, 200, 100, 0, 150, 50];
    let nth = 0;
    house = await openHouse(engine, {
      faults: { push: (_, frame) => (frame.includes('"order.placed"') ? delays[nth++ % delays.length] : undefined) },
    });
    const tablet = await tabletOf();
    const customer = await house.guest();
    const ids: string[] = [];
    for (let at = 0; at < 6; at++) ids.push((await customer.order()).body.order.id);
    await tablet.until(({ orders }) => ids.every((id) => orders.has(id)), "six orders");
    expect(tablet.rung()).toEqual(ids);
    tablet.close();
  });

  it("an order is shown once though two functions deliver it at once", async () => {
    house = await openHouse(engine);
    const tablet = await tabletOf();
    const placed = await (await house.guest()).order();
    const [events, heads] = await house.db.read([readNewest(shop()), readHeads([shop()])]);
    const again = { ...eventOf({ stream: shop(), ...(events[0] as Row) }), epoch: headOf(heads[0]).epoch };
    await Promise.all([1, 2].map(() => deliver(house.app, { events: [again], subscribers: [] })));
    const second = await (await house.guest()).order();
    await tablet.until(({ orders }) => orders.has(second.body.order.id), "the second order");
    expect(tablet.rung()).toEqual([placed.body.order.id, second.body.order.id]);
    tablet.close();
  });

  it("the higher number wins when leave and resume swap", async () => {
    // AWS runs each frame as its own invocation: here the earlier one is served later.
    let swap: RegExp | undefined;
    house = await openHouse(engine, { faults: { frame: (_, text) => (swap?.test(text) ? 300 : undefined) } });
    const kitchen = await house.staff("kitchen");
    const customer = await house.guest();
    const screen = await kitchen.connect();
    await screen.resume({ stream: shop() });

    swap = /"type":"leave"/;
    screen.say({ type: "leave", streams: [shop()] });
    const back = await screen.resume({ stream: shop() });
    expect(back.type).toBe("resumed");
    await new Promise((resolve) => setTimeout(resolve, 500));
    await customer.order();
    await screen.next("event");

    swap = /"type":"resume"/;
    screen.say({ type: "resume", streams: [{ stream: shop() }] });
    screen.say({ type: "leave", streams: [shop()] });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const { length } = screen.frames;
    await customer.order();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(screen.frames.slice(length).filter(({ type }) => type === "event")).toEqual([]);
    screen.close();
  });
});
