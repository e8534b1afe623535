/** A session that ends, expires or is revoked gets nothing more, and its sockets get the reason. */
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse, type Person, type TestSocket } from "../_house.ts";

onEveryDialect((engine) => {
  let house: House;
  let kitchen: Person;
  let screen: TestSocket;
  beforeEach(async () => {
    // No catch-up here: the push itself must check the session.
    house = await openHouse(engine, { lookMs: 3_600_000, tickMs: 3_600_000 });
    kitchen = await house.staff("kitchen");
    screen = await kitchen.connect();
    await screen.resume({ stream: `shop:${house.shop}` });
    await screen.next("event", ({ event }) => event === "kitchen.live").catch(() => {});
  });
  afterEach(() => house.close());

  const nothingMore = async (code: string) => {
    const placed = await (await house.guest()).order();
    expect(placed.status).toBe(201);
    expect(await screen.next("error")).toMatchObject({ code, retry: false });
    await screen.closed;
    expect(screen.frames.filter((frame) => frame.type === "event" && frame.event === "order.placed")).toEqual([]);
    const again = await kitchen.http("GET", `/shops/${house.shop}/orders`);
    expect([again.status, again.body.code]).toEqual([401, code]);
  };

  it("a session's sockets end with it: its owner ended it", async () => {
    expect((await kitchen.http("DELETE", "/session")).status).toBe(204);
    await nothingMore("SESSION_ENDED");
  });

  it("a session's sockets end with it: its device was revoked", async () => {
    const owner = await house.staff("owner");
    expect((await owner.http("DELETE", `/shops/${house.shop}/devices/${kitchen.session}`)).status).toBe(204);
    await nothingMore("SESSION_ENDED");
  });

  it("a session's sockets end with it: it was ended where this process did not see it", async () => {
    const { endSession } = await import("../../db/sessions.ts");
    await house.db.flight({ statements: [endSession(kitchen.session, "revoked", house.clock.now())] });
    await nothingMore("SESSION_ENDED");
  });

  it("a session's sockets end with it: it expired", async () => {
    house.clock.forward(91 * 86_400_000);
    await nothingMore("SESSION_EXPIRED");
  });

  it("an ended session gets an error for whatever it says on a socket that is still open", async () => {
    const { endSession } = await import("../../db/sessions.ts");
    await house.db.flight({ statements: [endSession(kitchen.session, "revoked", house.clock.now())] });
    screen.say({ type: "check", streams: [{ stream: `shop:${house.shop}` }] });
    expect(await screen.next("error")).toMatchObject({ code: "SESSION_ENDED" });
    await screen.closed;
  });

  it("a socket goes on under a renewed token of the same person, and of nobody else", async () => {
    const other = await house.staff("kitchen");
    const n = screen.say({ type: "auth", token: other.token });
    expect(await screen.next("error")).toMatchObject({ n, code: "FORBIDDEN" });
    const mine = screen.say({ type: "auth", token: kitchen.token });
    expect(await screen.next("authorized")).toMatchObject({ n: mine });
    const forged = `${kitchen.token.slice(0, -3)}AAA`;
    screen.say({ type: "auth", token: forged });
    expect(await screen.next("error")).toMatchObject({ code: "SESSION_INVALID" });
    await screen.closed;
  });
});
