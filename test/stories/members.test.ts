/** Members of rooms: who is there is told to everybody once, by leases, whatever is lost; and nobody can be made to seem there. */
import { sql } from "../../db/sql.ts";
import { trim } from "../../shared/shop/sweep.ts";
import { onEveryDialect } from "../_engines.ts";
import { altered, type House, openHouse, type Person, type TestSocket } from "../_house.ts";
import { until } from "../_until.ts";

interface TestRoom {
  readonly id: string;
  readonly grant: string;
  readonly owner: Person;
}

onEveryDialect((engine) => {
  let house: House;
  const open: TestSocket[] = [];
  beforeAll(async () => {
    house = await openHouse(engine, { environment: { ROOM_MEMBERS: "8" } });
  });
  afterEach(() => {
    for (const socket of open.splice(0)) socket.close();
  });
  afterAll(() => house.close());

  const leaseMs = 90_000;

  async function makeRoom(grantSec = 86_400): Promise<TestRoom> {
    const owner = await house.guest();
    const { body } = await owner.http("POST", "/rooms", { body: { grantSec } });
    return { id: body.room.id, grant: body.grant, owner };
  }
  const connect = async (person: Person) => {
    const socket = await person.connect();
    open.push(socket);
    return socket;
  };
  const presenceOf = ({ id }: TestRoom) => `presence:${id}`;
  const enter = (
    socket: TestSocket,
    room: TestRoom,
    id: string,
    data: object = {},
    more: { n?: number } & object = {},
  ) => {
    const n = socket.say({ type: "enter", stream: presenceOf(room), grant: room.grant, id, data, ...more });
    return more.n ?? n;
  };
  const entered = async (...given: Parameters<typeof enter>) => {
    const n = enter(...given);
    return given[0].next("entered", (answer) => answer.n === n);
  };
  const refused = async (...given: Parameters<typeof enter>) => {
    const n = enter(...given);
    return given[0].next("error", (answer) => answer.n === n);
  };
  const exit = (socket: TestSocket, room: TestRoom, id: string, more = {}) =>
    socket.say({ type: "exit", stream: presenceOf(room), grant: room.grant, id, ...more });
  const membersOf = async ({ id, grant, owner }: TestRoom) => {
    const answer = await owner.http("GET", `/rooms/${id}/members`, { headers: { "x-grant": grant } });
    expect(answer.status).toBe(200);
    return answer.body as {
      members: { user: string; data: object; connections: number; since: string }[];
      position: { stream: string; epoch: string; seq: number; tag: string };
    };
  };
  /** A reader of the room's presence, from the snapshot on. */
  async function watch(person: Person, room: TestRoom) {
    const { members, position } = await membersOf(room);
    const socket = await connect(person);
    expect(await socket.resume({ ...position, grant: room.grant })).toMatchObject({ type: "resumed" });
    const next = async () => {
      const { event, data } = await socket.next("event");
      return [event, data] as const;
    };
    return { members, socket, next };
  }
  /** What was told so far, and nothing else: an event made last comes last. */
  async function toldUntil(socket: TestSocket, seq: number) {
    await socket.next("event", (event) => event.seq === seq);
    return socket.frames.flatMap((frame) => (frame.type === "event" ? [frame.event] : []));
  }
  const rowsOf = async ({ id }: TestRoom) => {
    const [rows = []] = await house.db.read([
      sql`SELECT user_id, entry_id, lease_until, exited FROM room_entries WHERE room_id = ${id} ORDER BY entry_id`,
    ]);
    return rows;
  };

  async function rowsAre(room: TestRoom, right: (rows: Awaited<ReturnType<typeof rowsOf>>) => boolean) {
    while (!right(await rowsOf(room))) await house.clock.sleep(5);
  }

  it("members come, change and go, and a late reader begins with who is there", async () => {
    const room = await makeRoom();
    const [li, wang] = [await house.guest(), await house.guest()];
    const early = await watch(room.owner, room);
    expect(early.members).toEqual([]);
    const phone = await connect(li);
    const answer = await entered(phone, room, "phone", { name: "李" });
    expect(answer).toMatchObject({ id: "phone", stream: presenceOf(room), checkMs: 25_000 });
    const [event, member] = await early.next();
    expect([event, member]).toEqual([
      "member.joined",
      { user: li.user, data: { name: "李" }, connections: 1, since: expect.stringMatching(/Z$/) },
    ]);
    // A second tab is no second member. What was said last counts, and goes with the tab that said it.
    const tablet = await connect(li);
    await entered(tablet, room, "tablet", { name: "李", typing: true });
    const both = { ...(member as object), data: { name: "李", typing: true }, connections: 2 };
    expect(await early.next()).toEqual(["member.changed", both]);
    await entered(await connect(wang), room, "phone", { name: "王" });
    expect((await early.next())[1]).toMatchObject({ user: wang.user });
    const late = await watch(wang, room);
    expect(late.members).toEqual([both, expect.objectContaining({ user: wang.user, connections: 1 })]);
    exit(tablet, room, "tablet");
    for (const { next } of [early, late]) expect(await next()).toEqual(["member.changed", member]);
    exit(phone, room, "phone");
    for (const { next } of [early, late]) expect(await next()).toEqual(["member.left", { user: li.user }]);
    expect((await membersOf(room)).members.map(({ user }) => user)).toEqual([wang.user]);
  });

  it("a lease is written about every second time, and who is silent for longer has left", async () => {
    const room = await makeRoom();
    const li = await house.guest();
    const { next, socket } = await watch(room.owner, room);
    const phone = await connect(li);
    const { checkMs } = await entered(phone, room, "phone", { at: 1 });
    await next();
    const leases = new Set<unknown>();
    for (let beat = 0; beat < 6; beat++) {
      house.clock.forward(checkMs);
      await entered(phone, room, "phone", { at: 1 });
      const [row] = await rowsOf(room);
      leases.add(row?.lease_until);
      expect(Number(row?.lease_until)).toBeGreaterThan(house.clock.now());
    }
    expect(leases.size).toBeGreaterThanOrEqual(3);
    expect(leases.size).toBeLessThanOrEqual(4);
    // Nothing was told meanwhile.
    expect(socket.frames.filter(({ type }) => type === "event")).toEqual([]);
    house.clock.forward(leaseMs);
    expect(await next()).toEqual(["member.left", { user: li.user }]);
    // It was only slow.
    await entered(phone, room, "phone", { at: 1 });
    expect((await next())[0]).toBe("member.joined");
  });

  it("a closed socket is no departure until the grace has passed, and whoever is back by then never left", async () => {
    const room = await makeRoom();
    const [li, wang] = [await house.guest(), await house.guest()];
    const { next } = await watch(room.owner, room);
    for (const [person, name] of [
      [li, "li"],
      [wang, "wang"],
    ] as const) {
      const socket = await connect(person);
      await entered(socket, room, name);
      await next();
      socket.close();
    }
    await rowsAre(room, (rows) =>
      rows.every(({ lease_until }) => Number(lease_until) <= house.clock.now() + leaseMs / 6),
    );
    const back = await connect(li);
    await entered(back, room, "li");
    house.clock.forward(leaseMs / 6);
    expect(await next()).toEqual(["member.left", { user: wang.user }]);
    expect((await membersOf(room)).members.map(({ user }) => user)).toEqual([li.user]);
  });

  it("frames that overtake each other leave the later one's state", async () => {
    const room = await makeRoom();
    const { next, socket: reader } = await watch(room.owner, room);
    const socket = await connect(await house.guest());
    await entered(socket, room, "phone", { at: 20 }, { n: 20 });
    await entered(socket, room, "phone", { at: 10 }, { n: 10 });
    exit(socket, room, "phone", { n: 15 });
    expect((await next())[1]).toMatchObject({ data: { at: 20 } });
    // Left before it came.
    exit(socket, room, "tablet", { n: 31 });
    await rowsAre(room, (rows) => rows.some(({ entry_id }) => entry_id === "tablet"));
    await entered(socket, room, "tablet", {}, { n: 30 });
    await entered(socket, room, "phone", { at: 40 }, { n: 40 });
    expect(await toldUntil(reader, 2)).toEqual([]);
    expect((await membersOf(room)).members).toMatchObject([{ connections: 1, data: { at: 40 } }]);
    house.clock.forward(61_000);
    await trim(house.app);
    expect((await rowsOf(room)).map(({ entry_id }) => entry_id)).toEqual(["phone"]);
  });

  it("nobody enters without a good grant to write, or as somebody else", async () => {
    const room = await makeRoom();
    const [other, short] = [await makeRoom(), await makeRoom(60)];
    const stranger = await house.guest();
    const socket = await connect(stranger);
    const readOnly = (await room.owner.http("POST", `/rooms/${room.id}/grants`, { body: { right: "read" } })).body
      .grant;
    const bound = (await room.owner.http("POST", `/rooms/${room.id}/grants`, { body: { user: room.owner.user } })).body
      .grant;
    const code = async (of: TestRoom, more: object) => (await refused(socket, of, "x", {}, more)).code;
    expect(await code(room, { grant: undefined })).toBe("GRANT_INVALID");
    expect(await code(room, { grant: other.grant })).toBe("GRANT_INVALID");
    expect(await code(room, { grant: altered(room.grant) })).toBe("GRANT_INVALID");
    expect(await code(room, { grant: bound })).toBe("GRANT_INVALID");
    expect(await code(room, { grant: readOnly })).toBe("STREAM_FORBIDDEN");
    for (const stream of [`room:${room.id}`, `shop:${house.shop}`, `user:${stranger.user}`])
      expect(await code(room, { stream })).toBe("STREAM_FORBIDDEN");
    house.clock.forward(61_000);
    expect(await code(short, {})).toBe("GRANT_INVALID");
    // A member is the session's user: nothing in the message says another.
    expect(await code(room, { user: room.owner.user })).toBe("INVALID_INPUT");
    const owner = await connect(room.owner);
    await entered(owner, room, "phone");
    exit(socket, room, "phone");
    exit(socket, room, "phone", { grant: other.grant });
    expect(await socket.next("error")).toMatchObject({ code: "GRANT_INVALID", id: "phone" });
    await entered(socket, room, "phone", { name: "owner" });
    const { members } = await membersOf(room);
    expect(members.map(({ user, data }) => [user, data]).toSorted()).toEqual(
      [
        [room.owner.user, {}],
        [stranger.user, { name: "owner" }],
      ].toSorted(),
    );
    // Nobody reads without one either.
    for (const path of ["members", "messages"]) {
      const answer = await stranger.http("GET", `/rooms/${room.id}/${path}`, { headers: { "x-grant": other.grant } });
      expect([answer.status, answer.body.code]).toEqual([403, "GRANT_INVALID"]);
    }
    expect(await socket.resume({ stream: presenceOf(room), grant: other.grant })).toMatchObject({
      code: "GRANT_INVALID",
    });
    expect(await socket.resume({ stream: presenceOf(room), grant: room.grant })).toMatchObject({ type: "resumed" });
    await room.owner.http("DELETE", `/rooms/${room.id}/grants`);
    expect(await socket.next("error")).toMatchObject({ code: "GRANT_INVALID", stream: presenceOf(room) });
  });

  it("of many who enter at once so many come in as the room holds, and each is told once", async () => {
    const room = await makeRoom();
    const { next, socket: reader } = await watch(room.owner, room);
    const people = await Promise.all(Array.from({ length: 10 }, () => house.guest()));
    const sockets = await Promise.all(people.map(connect));
    for (const socket of sockets) enter(socket, room, "phone");
    const answerOf = ({ frames }: TestSocket) =>
      frames.flatMap((frame) => (frame.type === "error" ? [frame.code] : frame.type === "entered" ? ["entered"] : []));
    await until(() => sockets.every((socket) => answerOf(socket).length === 1), "an answer to each");
    const answers = sockets.flatMap(answerOf);
    expect(answers.toSorted()).toEqual([...Array(2).fill("TOO_MANY_MEMBERS"), ...Array(8).fill("entered")]);
    const told: string[] = [];
    for (let at = 0; at < 8; at++) {
      const [event, data] = await next();
      told.push(`${event} ${(data as { user: string }).user}`);
    }
    const inside = people.filter((_, at) => answers[at] === "entered").map(({ user }) => `member.joined ${user}`);
    expect(told.toSorted()).toEqual(inside.toSorted());
    // Whoever is in may change and go, and makes room.
    const [first, last] = [answers.indexOf("entered"), answers.indexOf("TOO_MANY_MEMBERS")];
    const [inner, outer] = [sockets[first] as TestSocket, sockets[last] as TestSocket];
    await entered(inner, room, "phone", { still: "there" });
    expect(await refused(outer, room, "phone")).toMatchObject({ code: "TOO_MANY_MEMBERS", retry: false });
    exit(inner, room, "phone");
    await reader.next("event", ({ event }) => event === "member.left");
    await entered(outer, room, "phone");
  });

  it("a member says little about itself, and not too often", async () => {
    const room = await makeRoom();
    const socket = await connect(room.owner);
    expect(await refused(socket, room, "x", { text: "x".repeat(1_024) })).toMatchObject({ code: "EVENT_TOO_LARGE" });
    expect(await refused(socket, room, "x", { text: "字".repeat(340) })).toMatchObject({ code: "EVENT_TOO_LARGE" });
    for (const data of [[], "x", 1, null] as unknown as object[])
      expect(await refused(socket, room, "x", data)).toMatchObject({ code: "INVALID_INPUT" });
    expect(await rowsOf(room)).toEqual([]);
    const flood = Array.from({ length: 40 }, (_, at) => enter(socket, room, `e${at % 2}`, { at }));
    const codes = () =>
      socket.frames.flatMap((frame) => (frame.type === "error" ? [frame.code] : frame.type === "entered" ? [""] : []));
    await until(() => codes().length === flood.length, "an answer to each");
    expect(new Set(codes())).toEqual(new Set(["", "PUBLISH_TOO_FAST"]));
    // Another member is not slowed by it.
    await entered(await connect(await house.guest()), room, "phone");
    // Events of presence are few, however many there were.
    const [rows = []] = await house.db.read([sql`SELECT count(*) AS n FROM events WHERE stream = ${presenceOf(room)}`]);
    expect(Number(rows[0]?.n)).toBeLessThanOrEqual(101);
  });

  it("a room's messages are read backwards, page by page", async () => {
    const room = await makeRoom();
    const socket = await connect(room.owner);
    const stream = `room:${room.id}`;
    for (let at = 1; at <= 7; at++) {
      socket.say({ type: "publish", stream, grant: room.grant, id: `m${at}`, data: { at } });
      await socket.next("published");
    }
    const read = async (query: string) => {
      const answer = await room.owner.http("GET", `/rooms/${room.id}/messages?${query}`, {
        headers: { "x-grant": room.grant },
      });
      const { messages, more, position } = answer.body;
      return { seqs: messages.map(({ seq }: { seq: number }) => seq), more, position, first: messages[0] };
    };
    const newest = await read("limit=3");
    expect(newest).toMatchObject({ seqs: [7, 6, 5], more: true, position: { stream, seq: 7 } });
    expect(newest.first).toEqual({
      seq: 7,
      at: expect.stringMatching(/Z$/),
      id: "m7",
      sender: room.owner.user,
      data: { at: 7 },
    });
    expect(await read("limit=3&before=5")).toMatchObject({ seqs: [4, 3, 2], more: true });
    expect(await read("limit=3&before=2")).toMatchObject({ seqs: [1], more: false });
    expect(await read("before=1")).toMatchObject({ seqs: [], more: false });
    expect(await socket.resume({ ...newest.position, grant: room.grant })).toMatchObject({
      type: "resumed",
      events: [],
    });
    // Large messages make short pages, and each is on one.
    for (let at = 8; at <= 10; at++) {
      house.clock.forward(1_000);
      for (const half of ["a", "b", "c", "d"])
        socket.say({ type: "publish", stream, grant: room.grant, id: `m${at}${half}`, data: "x".repeat(23_000) });
      for (let answers = 0; answers < 4; answers++) await socket.next("published");
    }
    const seqs: number[] = [];
    for (let page = await read("limit=100"); ; page = await read(`limit=100&before=${seqs.at(-1)}`)) {
      seqs.push(...page.seqs);
      if (!page.more) break;
    }
    expect(seqs).toEqual(Array.from({ length: 19 }, (_, at) => 19 - at));
  });
});
