/** Rooms: made, joined by grant, written once per message and in each sender's order. */
import { onEveryEngine } from "../_engines.ts";
import { type House, openHouse, type Person, type TestSocket } from "../_house.ts";

onEveryEngine((engine) => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(engine, { environment: { PUBLISHES_PER_SEC: "10" } });
  });
  afterAll(() => house.close());

  const makeRoom = async (owner: Person, body = {}) => {
    const answer = await owner.http("POST", "/rooms", { body });
    expect(answer.status).toBe(201);
    return {
      stream: answer.body.room.stream as string,
      id: answer.body.room.id as string,
      grant: answer.body.grant as string,
    };
  };
  const publish = (socket: TestSocket, room: { stream: string; grant: string }, id: string, after?: string) =>
    socket.say({
      type: "publish",
      stream: room.stream,
      grant: room.grant,
      id,
      data: { text: id },
      ...(after ? { after } : {}),
    });

  it("passes messages on, each once, in the sender's order though frames are served in any", async () => {
    const [anna, bert] = [await house.guest(), await house.guest()];
    const room = await makeRoom(anna);
    const [a, b] = [await anna.connect(), await bert.connect()];
    for (const socket of [a, b])
      expect(await socket.resume({ stream: room.stream, grant: room.grant })).toMatchObject({ type: "resumed" });
    // The third before the second: it is told to come again.
    publish(a, room, "m1");
    await a.next("published", ({ id }) => id === "m1");
    publish(a, room, "m3", "m2");
    expect(await a.next("error")).toMatchObject({
      code: "PUBLISH_OUT_OF_ORDER",
      retry: true,
      id: "m3",
      stream: room.stream,
    });
    publish(a, room, "m2", "m1");
    const second = await a.next("published", ({ id }) => id === "m2");
    publish(a, room, "m3", "m2");
    await a.next("published", ({ id }) => id === "m3");
    // Said again: the same answer, no second message.
    publish(a, room, "m2", "m1");
    expect(await a.next("published", ({ id }) => id === "m2")).toMatchObject({ seq: second.seq, tag: second.tag });
    // Another sender's ids are his own.
    publish(b, room, "m1");
    await b.next("published", ({ id }) => id === "m1");
    const heard = [];
    for (let at = 0; at < 4; at++) heard.push(await b.next("event"));
    expect(heard.map(({ data }) => data)).toEqual([
      { id: "m1", sender: anna.user, data: { text: "m1" } },
      { id: "m2", sender: anna.user, data: { text: "m2" } },
      { id: "m3", sender: anna.user, data: { text: "m3" } },
      { id: "m1", sender: bert.user, data: { text: "m1" } },
    ]);
    expect(heard.map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    a.close();
    b.close();
  });

  it("lets nobody in without a good grant, and nobody write who may only read", async () => {
    const [owner, reader, stranger] = [await house.guest(), await house.guest(), await house.guest()];
    const room = await makeRoom(owner);
    const granted = (
      await owner.http("POST", `/rooms/${room.id}/grants`, { body: { right: "read", user: reader.user } })
    ).body.grant;
    const [r, s] = [await reader.connect(), await stranger.connect()];
    expect(await r.resume({ stream: room.stream, grant: granted })).toMatchObject({ type: "resumed" });
    expect(await s.resume({ stream: room.stream })).toMatchObject({ type: "error", code: "GRANT_INVALID" });
    expect(await s.resume({ stream: room.stream, grant: granted })).toMatchObject({ code: "GRANT_INVALID" });
    expect(await s.resume({ stream: room.stream, grant: `${room.grant.slice(0, -2)}xx` })).toMatchObject({
      code: "GRANT_INVALID",
    });
    const other = await makeRoom(stranger);
    expect(await s.resume({ stream: room.stream, grant: other.grant })).toMatchObject({ code: "GRANT_INVALID" });
    expect(await s.resume({ stream: "room:00000000000000000000000000", grant: other.grant })).toMatchObject({
      code: "GRANT_INVALID",
    });
    publish(r, { stream: room.stream, grant: granted }, "x");
    expect(await r.next("error")).toMatchObject({ code: "STREAM_FORBIDDEN", id: "x" });
    for (const stream of [`shop:${house.shop}`, `menu:${house.shop}`, `user:${stranger.user}`]) {
      publish(s, { stream, grant: other.grant }, "x");
      expect(await s.next("error")).toMatchObject({ code: "STREAM_FORBIDDEN", id: "x", stream });
    }
    const theirs = await stranger.http("POST", `/rooms/${room.id}/grants`, { body: {} });
    expect([theirs.status, theirs.body.code]).toEqual([403, "FORBIDDEN"]);
    r.close();
    s.close();
  });

  it("ends with the grant: withdrawn or expired, at the next check", async () => {
    const owner = await house.guest();
    const room = await makeRoom(owner, { grantSec: 60 });
    const socket = await owner.connect();
    await socket.resume({ stream: room.stream, grant: room.grant });
    expect((await owner.http("DELETE", `/rooms/${room.id}/grants`)).status).toBe(204);
    const n = socket.say({ type: "check", streams: [{ stream: room.stream, grant: room.grant }] });
    expect(await socket.next("error")).toMatchObject({ n, code: "GRANT_INVALID", stream: room.stream });
    const again = (await owner.http("POST", `/rooms/${room.id}/grants`, { body: { grantSec: 60 } })).body.grant;
    expect(await socket.resume({ stream: room.stream, grant: again })).toMatchObject({ type: "resumed" });
    house.clock.forward(61_000);
    expect(await socket.resume({ stream: room.stream, grant: again })).toMatchObject({ code: "GRANT_INVALID" });
    socket.close();
  });

  it("bounds what a sender may publish a second, and how large", async () => {
    const owner = await house.guest();
    const room = await makeRoom(owner);
    const socket = await owner.connect();
    for (let at = 0; at < 40; at++) publish(socket, room, `r${at}`);
    expect(await socket.next("error")).toMatchObject({ code: "PUBLISH_TOO_FAST", retry: true });
    house.clock.forward(2_000);
    const large = socket.say({
      type: "publish",
      stream: room.stream,
      grant: room.grant,
      id: "large",
      data: "x".repeat(25_000),
    });
    expect(await socket.next("error", ({ n }) => n === large)).toMatchObject({
      code: "EVENT_TOO_LARGE",
      retry: false,
      id: "large",
    });
    socket.close();
  });
});
