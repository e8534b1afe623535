/** Rooms: creation, access by grant, messages stored once and in each sender's order. */
import { type Sql, sql } from "../../db/sql.ts";
import { insertEvents, moveHeads, readBacklog } from "../../db/streams.ts";
import { escalateAndExpire } from "../../shared/ordering/take_step.ts";
import { trim } from "../../shared/shop/sweep.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse, type Person, type TestSocket } from "../_house.ts";
import { until } from "../_until.ts";

onEveryDialect((engine) => {
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

  it("a room passes messages on, each once, in the sender's order though frames are served in any", async () => {
    const [anna, bert] = [await house.guest(), await house.guest()];
    const room = await makeRoom(anna);
    const [a, b] = [await anna.connect(), await bert.connect()];
    for (const socket of [a, b])
      expect(await socket.resume({ stream: room.stream, grant: room.grant })).toMatchObject({ type: "resumed" });
    // The third before the second: its sender must send again.
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
    // Sent again: the same answer, no second message.
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

  it("a room lets nobody in without a good grant, and nobody write who may only read", async () => {
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

  it("a room is left with the end of the grant, withdrawn or expired, and the reader is told", async () => {
    const owner = await house.guest();
    const room = await makeRoom(owner, { grantSec: 60 });
    const socket = await owner.connect();
    await socket.resume({ stream: room.stream, grant: room.grant });
    expect((await owner.http("DELETE", `/rooms/${room.id}/grants`)).status).toBe(204);
    expect(await socket.next("error")).toMatchObject({ code: "GRANT_INVALID", stream: room.stream, retry: false });
    const n = socket.say({ type: "check", streams: [{ stream: room.stream, grant: room.grant }] });
    expect(await socket.next("error", (frame) => frame.n === n)).toMatchObject({ code: "GRANT_INVALID" });
    const again = (await owner.http("POST", `/rooms/${room.id}/grants`, { body: { grantSec: 60 } })).body.grant;
    expect(await socket.resume({ stream: room.stream, grant: again })).toMatchObject({ type: "resumed" });
    house.clock.forward(61_000);
    expect(await socket.resume({ stream: room.stream, grant: again })).toMatchObject({ code: "GRANT_INVALID" });
    socket.close();
  });

  it("a busy room pushes each message once and in order to all members, though all write at once", async () => {
    const owner = await house.guest();
    const room = await makeRoom(owner);
    const members = await Promise.all(Array.from({ length: 8 }, async () => (await house.guest()).connect()));
    for (const member of members) await member.resume({ stream: room.stream, grant: room.grant });
    const each = 5;
    await Promise.all(
      members.map(async (member) => {
        for (let at = 0; at < each; at++) publish(member, room, `b${at}`);
        for (let at = 0; at < each; at++) await member.next("published");
      }),
    );
    const all = Array.from({ length: each * members.length }, (_, at) => at + 1);
    for (const member of members) {
      await member.next("event", ({ seq }) => seq === all.length);
      const seqs = member.frames.flatMap((frame) => (frame.type === "event" ? [frame.seq] : []));
      expect([...seqs, all.length]).toEqual(all);
      member.close();
    }
  });

  it("a room stores messages that come together one by one, and a repeated one once", async () => {
    const owner = await house.guest();
    const room = await makeRoom(owner);
    const [a, b] = [await owner.connect(), await owner.connect()];
    await b.resume({ stream: room.stream, grant: room.grant });
    // The first goes ahead, so that the others wait for it, and then go together.
    const ids = ["first", "m1", "m2", "m1", "m2", "m3", "m4", "m5", "m6", "m1"];
    for (const id of ids) publish(a, room, id);
    const answers = [];
    for (const _ of ids) answers.push(await a.next("published"));
    await until(() => b.frames.length === 7, "seven events");
    const heard = b.frames.map((one) =>
      one.type === "event" ? [one.seq, (one.data as { id: string }).id, one.tag] : [],
    );
    expect(heard.map(([seq]) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(new Set(heard.map(([, id]) => id))).toEqual(new Set(ids));
    for (const { id, seq, tag } of answers) expect(heard).toContainEqual([seq, id, tag]);
    a.close();
    b.close();
  });

  it("a room reads no more of a backlog than it sends", async () => {
    const owner = await house.guest();
    const room = await makeRoom(owner);
    const events = Array.from({ length: 30 }, (_, at) => ({
      stream: room.stream,
      seq: at + 1,
      tag: `t${at + 1}`,
      prev: at === 0 ? "" : `t${at}`,
      type: "message",
      data: JSON.stringify({ id: `m${at}`, sender: owner.user, data: "面".repeat(at < 20 ? 7_900 : 10) }),
      at: house.clock.now(),
    }));
    const statements = [
      ...insertEvents(house.db.dialect, events),
      ...moveHeads(house.db.dialect, [{ stream: room.stream, seq: 30, tag: "t30" }], 1),
    ];
    await house.db.flight({ statements });
    const read = async (after: number, bytes: number) =>
      (await house.db.read([readBacklog(room.stream, after, { events: 201, bytes })]))[0]?.map(({ seq }) =>
        Number(seq),
      );
    // The one that exceeds the bytes is the last one.
    expect(await read(0, 30_720)).toEqual([1, 2]);
    expect(await read(19, 30_720)).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30]);
    expect(await read(30, 30_720)).toEqual([]);
    const socket = await owner.connect();
    let position: object = { seq: 0 };
    const got: number[] = [];
    for (let more = true; more; ) {
      const answer = await socket.resume({ stream: room.stream, grant: room.grant, ...position });
      if (answer.type !== "resumed") throw new Error(`"${answer.type}" instead of "resumed"`);
      got.push(...answer.events.map(({ seq }) => seq));
      position = { epoch: answer.epoch, seq: answer.seq, tag: answer.tag };
      more = answer.more;
    }
    expect(got).toEqual(events.map(({ seq }) => seq));
    socket.close();
  });

  it("a room bounds what a sender may publish a second, and how large", async () => {
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

  /** For one test the owner of the server has set rooms so. */
  async function withRooms(set: object, work: () => Promise<void>): Promise<void> {
    const { rooms } = house.app.config;
    const before = { ...rooms };
    Object.assign(rooms, set);
    await work().finally(() => Object.assign(rooms, before));
  }

  it("a room keeps its last messages, by number and by bytes; a reader further behind starts anew", async () => {
    const owner = await house.guest();
    const room = await makeRoom(owner);
    const socket = await owner.connect();
    const send = async (id: string, chars: number) => {
      house.clock.forward(1_100);
      socket.say({ type: "publish", stream: room.stream, grant: room.grant, id, data: "x".repeat(chars) });
      return socket.next("published", (answer) => answer.id === id);
    };
    const kept = async () => {
      const of = sql`WHERE stream = ${room.stream}`;
      const [[held], events, messages] = await house.db.read([
        sql`SELECT bytes, messages FROM rooms WHERE id = ${room.id}`,
        sql`SELECT seq FROM events ${of} ORDER BY seq`,
        sql`SELECT seq, bytes FROM room_messages ${of} ORDER BY seq`,
      ]);
      const numbers = events.map(({ seq }) => seq);
      expect(messages.map(({ seq }) => seq)).toEqual(numbers);
      const bytes = messages.reduce((sum, row) => sum + Number(row.bytes), 0);
      expect(held).toEqual({ bytes, messages: numbers.length });
      return { numbers, bytes };
    };
    await withRooms({ maxMessages: 3, maxBytes: 32 * 1_024 }, async () => {
      const first = await send("m1", 10);
      for (const id of ["m2", "m3", "m4"]) await send(id, 10);
      expect((await kept()).numbers).toEqual([2, 3, 4]);
      await send("m5", 20_000);
      await send("m6", 20_000);
      const { numbers, bytes } = await kept();
      expect(numbers).toEqual([6]);
      expect(bytes).toBeLessThanOrEqual(32 * 1_024);
      const late = await owner.connect();
      const ask = { stream: room.stream, grant: room.grant };
      const { epoch, seq, tag } = first;
      expect(await late.resume({ ...ask, epoch, seq, tag })).toMatchObject({
        type: "reset",
        reason: "trimmed",
        seq: 6,
      });
      const answer = await late.resume(ask);
      expect(answer).toMatchObject({ type: "resumed", seq: 6 });
      late.close();
    });
    socket.close();
  });

  it("rooms bound the bytes of a sender a second, all rooms together", async () => {
    const owner = await house.guest();
    const [one, two] = [await makeRoom(owner), await makeRoom(owner)];
    const socket = await owner.connect();
    await withRooms({ bytesPerSec: 32 * 1_024 }, async () => {
      for (const [at, { stream, grant }] of [one, two, one].entries()) {
        const n = socket.say({ type: "publish", stream, grant, id: `b${at}`, data: "x".repeat(15_000) });
        if (at < 2) await socket.next("published", (answer) => answer.n === n);
        else expect(await socket.next("error")).toMatchObject({ n, code: "PUBLISH_TOO_FAST", retry: true });
      }
    });
    socket.close();
  });

  it("rooms are bounded per user and hour, and guests' per network, with the time to wait", async () => {
    const trusting = await openHouse(engine, {
      environment: { ROOMS_PER_HOUR: "1" },
      trustedProxies: ["127.0.0.1"],
    });
    const make = async (address: string, by?: Person) => {
      const headers = { "x-forwarded-for": address };
      const {
        status,
        body,
        headers: told,
      } = await (by ?? (await trusting.guest())).http("POST", "/rooms", { headers });
      return { status, code: body.code, of: body.of, waitSec: Number(told.get("retry-after")) };
    };
    try {
      const anna = await trusting.guest();
      expect(await make("192.0.2.7", anna)).toMatchObject({ status: 201 });
      const refused = await make("192.0.2.8", anna);
      expect(refused).toMatchObject({ status: 429, code: "TOO_MANY_ROOMS", of: "user" });
      expect(refused.waitSec).toBeGreaterThan(3_000);
      // Each with an address, or a line, of its own.
      for (let at = 0; at < 5; at++) expect((await make(`2001:db8:1:1::${at}`)).status).toBe(201);
      expect(await make("2001:db8:1:1:ffff::")).toMatchObject({ status: 429, of: "address" });
      for (let at = 0; at < 20; at++) expect((await make(`2001:db8:1:a${at}::1`)).status).toBe(201);
      expect(await make("2001:db8:1:bbbb::1")).toMatchObject({ status: 429, of: "address" });
      expect((await make("2001:db8:2::1")).status).toBe(201);
      trusting.clock.forward(refused.waitSec * 1_000);
      expect((await make("192.0.2.7", anna)).status).toBe(201);
    } finally {
      await trusting.close();
    }
  });

  it("rooms are bounded in all they hold, can be left to staff, and can be switched off", async () => {
    const owner = await house.guest();
    const room = await makeRoom(owner);
    const socket = await owner.connect();
    const make = async (by: Person) => {
      const { status, body } = await by.http("POST", "/rooms", { body: {} });
      return body.code ?? status;
    };
    const tryToPublish = async (id: string) => {
      const n = publish(socket, room, id);
      return socket.next("error", (answer) => answer.n === n);
    };
    await withRooms({ maxTotalBytes: 0 }, async () => {
      expect(await make(owner)).toBe("ROOMS_FULL");
      expect(await tryToPublish("full")).toMatchObject({ code: "ROOMS_FULL", retry: true });
    });
    await withRooms({ makers: "staff" }, async () => {
      expect([await make(owner), await make(await house.staff("kitchen"))]).toEqual(["FORBIDDEN", 201]);
      publish(socket, room, "joined");
      await socket.next("published", ({ id }) => id === "joined");
    });
    await withRooms({ makers: "off" }, async () => {
      expect([await make(owner), await make(await house.staff("owner"))]).toEqual(["ROOMS_OFF", "ROOMS_OFF"]);
      expect(await tryToPublish("off")).toMatchObject({ code: "ROOMS_OFF", retry: false });
    });
    socket.close();
  });

  it("a room is swept with its last grant; idle guests, their tickets and orders that nobody accepted are swept too", async () => {
    const dayMs = 24 * 3_600_000;
    const [owner, idle, eater] = [await house.guest(), await house.guest(), await house.guest()];
    const room = await makeRoom(owner);
    const socket = await owner.connect();
    publish(socket, room, "m1");
    await socket.next("published");
    socket.close();
    for (let at = 0; at < 3; at++) {
      await idle.ticket();
      house.clock.forward(31_000);
    }
    const expired = (await eater.order()).body.order.id;
    const there = async () => {
      const count = (from: Sql) => sql`SELECT count(*) AS n FROM ${from}`;
      const rows = await house.db.read([
        count(sql`rooms WHERE id = ${room.id}`),
        count(sql`streams WHERE name = ${room.stream}`),
        count(sql`room_messages WHERE stream = ${room.stream}`),
        count(sql`users WHERE id = ${idle.user}`),
        count(sql`sessions WHERE id = ${idle.session}`),
        count(sql`tickets WHERE session_id = ${idle.session}`),
        count(sql`orders WHERE id = ${expired}`),
        count(sql`order_lines WHERE order_id = ${expired}`),
        count(sql`users WHERE id = ${eater.user}`),
        sql`SELECT bytes AS n FROM rooms WHERE id = ${room.id}`,
      ]);
      return rows.map(([row]) => Number(row?.n ?? 0));
    };
    // However often a session asks for tickets, it has those of some seconds.
    expect(await there()).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, expect.any(Number)]);
    house.clock.forward(900_000);
    await escalateAndExpire(house.app);
    house.clock.forward(3 * dayMs);
    await trim(house.app);
    expect(await there()).toEqual([1, 1, 0, 0, 0, 0, 1, 1, 1, 0]);
    // A new grant keeps the room for as long as it can live.
    house.clock.forward(3 * dayMs);
    expect((await owner.http("POST", `/rooms/${room.id}/grants`, { body: {} })).status).toBe(201);
    house.clock.forward(28 * dayMs);
    await trim(house.app);
    expect(await there()).toEqual([1, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
    house.clock.forward(4 * dayMs);
    await trim(house.app);
    expect((await there()).slice(0, 2)).toEqual([0, 0]);
  });
});
