/** Wall clocks that are wrong, differ between processes, or are set during service: rights end and events arrive all the same. */
import { startMachine } from "../../cli/machine.ts";
import { readClock } from "../../db/clock.ts";
import { readConfig } from "../../shared/config.ts";
import { onEveryDialect, type TestDatabase } from "../_engines.ts";
import { type House, openHouse, TestClock, type TestSocket, testKeys } from "../_house.ts";

const minuteMs = 60_000;

onEveryDialect((engine) => {
  let db: TestDatabase;
  let here: House;
  let there: House;
  beforeAll(async () => {
    db = await engine.open();
    here = await openHouse(engine, { db });
    there = await openHouse(engine, { db });
  });
  afterAll(async () => {
    await there.close();
    await here.close();
    await db.remove();
  });

  const ordersAt = ({ frames }: TestSocket) =>
    frames.filter((frame) => frame.type === "event" && frame.event.startsWith("order."));

  it.each([
    ["ahead", 70_000],
    ["behind", -70_000],
  ])("a device that was revoked here hears no order at a process whose clock is 70 s %s", async (_, ms) => {
    const owner = await here.staff("owner");
    const kitchen = await there.staff("kitchen");
    const screen = await kitchen.connect();
    await screen.resume({ stream: `shop:${there.shop}` });
    there.clock.forward(ms);
    const revoked = await owner.http("DELETE", `/shops/${here.shop}/devices/${kitchen.session}`);
    expect(revoked.status).toBe(204);
    const placed = await (await there.guest()).order();
    there.clock.forward(-ms);
    expect(placed.status).toBe(201);
    expect(await screen.next("error")).toMatchObject({ code: "SESSION_ENDED" });
    await screen.closed;
    // An order of before may have come late; this one never.
    expect(JSON.stringify(ordersAt(screen))).not.toContain(placed.body.order.id);
  });

  it("a room is left when its grant expires or is withdrawn elsewhere, though nobody writes to it", async () => {
    const owner = await here.guest();
    const room = (await owner.http("POST", "/rooms", { body: { grantSec: 60 } })).body;
    const { stream, id } = room.room;
    const short = await there.guest();
    const socket = await (await there.guest()).connect();
    expect(await socket.resume({ stream, grant: room.grant })).toMatchObject({ type: "resumed" });
    there.clock.forward(61_000);
    expect(await socket.next("error")).toMatchObject({ code: "GRANT_INVALID", stream, retry: false });
    there.clock.forward(-61_000);
    const other = await short.connect();
    expect(await other.resume({ stream, grant: room.grant })).toMatchObject({ type: "resumed" });
    expect((await owner.http("DELETE", `/rooms/${id}/grants`)).status).toBe(204);
    expect(await other.next("error")).toMatchObject({ code: "GRANT_INVALID", stream, retry: false });
    for (const one of [socket, other]) one.close();
  });

  it("menu and board are told after the clock was set back, after it was set forth, and after a process ahead was here", async () => {
    const owner = await here.staff("owner");
    const watcher = await (await here.guest()).connect();
    const [menu, board] = [`menu:${here.shop}`, `board:${here.shop}`];
    for (const stream of [menu, board]) await watcher.resume({ stream });
    const turn = async (house: House, open: boolean) => {
      expect(
        (await house.http("PUT", `/shops/${house.shop}/open`, { token: owner.token, body: { open } })).status,
      ).toBe(200);
      const told = ({ stream, data }: { stream: string; data: unknown }) =>
        stream === menu && (data as { open: boolean }).open === open;
      await watcher.next("event", told as never);
    };
    there.clock.forward(4 * minuteMs);
    await turn(there, false);
    await turn(here, true);
    here.clock.forward(4 * minuteMs);
    await turn(here, false);
    here.clock.forward(-8 * minuteMs);
    await turn(here, true);
    const { body } = await (await here.guest()).order();
    const step = await here.http("POST", `/orders/${body.order.id}/accept`, {
      token: owner.token,
      body: {},
    });
    expect(step.status).toBe(200);
    await watcher.next(
      "event",
      ({ stream, data }) => stream === board && JSON.stringify(data).includes(body.order.number),
    );
    here.clock.forward(4 * minuteMs);
    there.clock.forward(-4 * minuteMs);
    watcher.close();
  });

  it("a sender's count of a second, and a kitchen that has gone, are not kept by a clock that was set back", async () => {
    const owner = await here.guest();
    const { grant, room } = (await owner.http("POST", "/rooms", { body: {} })).body;
    const socket = await owner.connect();
    const say = (id: string) => socket.say({ type: "publish", stream: room.stream, grant, id, data: {} });
    for (let at = 0; at < 20; at++) say(`before-${at}`);
    for (let at = 0; at < 20; at++) await socket.next("published");
    const kitchen = await (await here.staff("kitchen")).connect();
    await kitchen.resume({ stream: `shop:${here.shop}` });
    here.clock.forward(-4 * minuteMs);
    say("after");
    expect(await socket.next("published")).toMatchObject({ id: "after" });
    // It sends no more heartbeats: those with a future time do not count.
    const { screenMs } = here.app.config;
    here.clock.forward(screenMs);
    const owners = await here.staff("owner");
    const live = async () => (await owners.http("GET", `/get_shop_info?shop=${here.shop}`)).body.shop.live;
    while (await live()) await new Promise((resolve) => setTimeout(resolve, 20));
    here.clock.forward(4 * minuteMs - screenMs);
    for (const one of [socket, kitchen]) one.close();
  });

  it("a process that waits to tell the board ends when it is stopped", async () => {
    const clock = new TestClock();
    const { sleep } = clock;
    const asleep = new Map<Promise<void>, number>();
    clock.sleep = (ms, signal) => {
      const slept = sleep(ms, signal).finally(() => asleep.delete(slept));
      asleep.set(slept, ms);
      return slept;
    };
    const slow = await openHouse(engine, { db, clock, environment: { COALESCE_MS: "50000" } });
    const owner = await slow.staff("owner");
    const turn = (open: boolean) =>
      slow.http("PUT", `/shops/${slow.shop}/open`, { token: owner.token, body: { open } });
    const waits = () => [...asleep.values()].some((ms) => ms > 10_000 && ms <= 50_000);
    // Another process on the same database may have pushed it first; then this one has nothing to wait for.
    for (let open = false; !waits(); open = !open) {
      expect((await turn(open)).status).toBe(200);
      await sleep(10);
    }
    await slow.stop();
    expect([...asleep.values()]).toEqual([]);
  });

  it("a process has the database's time, whatever its own clock says", async () => {
    const real = Date.now;
    const ownClock = jest.spyOn(Date, "now").mockImplementation(() => real() + 70_000);
    const config = readConfig({ ...testKeys, DATABASE_URL: "pglite:" });
    const machine = await startMachine({ config, db, host: "127.0.0.1", port: 0, write: () => {} });
    try {
      const [rows] = await db.read([readClock(db.dialect)]);
      const apart = () => Math.abs(machine.app.clock.now() - Number(rows?.[0]?.at));
      expect(apart()).toBeLessThan(30_000);
      ownClock.mockImplementation(() => real() - 70_000);
      // The embedded database is this process, and its clock this one.
      if (engine.name !== "pglite") expect(apart()).toBeLessThan(30_000);
    } finally {
      ownClock.mockRestore();
      await machine.stop();
    }
  });
});
