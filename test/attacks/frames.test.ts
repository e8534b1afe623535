/** Invalid socket messages of every type: an error frame with code and number, nothing written, and the socket stays open. */
import type { ServerMessage } from "../../shared/protocol.ts";
import { clientMessageTypes } from "../../shared/protocol.ts";
import { anyEngine, onEveryDialect } from "../_engines.ts";
import { openSocket, Refused, type TestSocket } from "../_house.ts";
import { connected, digest, newShop, nobody, openScene, quiet, type Scene } from "./_scene.ts";

type Fields = Readonly<Record<string, unknown>>;
type ErrorFrame = Extract<ServerMessage, { type: "error" }>;

const long = "x".repeat(1_025);
const wrongTypes = [null, true, 5, -1, 0.5, "", " ", "中", "\u0000", "\uD800", long, [], {}, [[]], { $gt: "" }];
const sqlText = "x'; DROP TABLE events; --";
const wrongNumbers = [null, "1", "", true, 0, -1, 0.5, 2 ** 53, 1e308, [], {}, [1]];
const wrongStreams = [
  ...wrongTypes,
  sqlText,
  "shop:",
  "shop",
  ":x",
  "queue:x",
  "SHOP:noodle-house",
  "shop:a b",
  "shop:中",
  "shop:a:b",
  `shop:${"x".repeat(41)}`,
  "shop:x\n",
];
const inherited = ["nonsense", "__proto__", "constructor", "toString"];

/** The message with one member changed, for each member that it may have. */
function* spoiled(message: Fields, members: Readonly<Record<string, readonly unknown[]>>): Generator<Fields> {
  for (const name of inherited) yield { ...message, [name]: 1 };
  for (const [name, values] of Object.entries(members)) {
    if (name in message) {
      const { [name]: _, ...rest } = message;
      yield rest;
    }
    for (const value of values) yield { ...message, [name]: value };
  }
}

const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
const isNot = (fits: (value: unknown) => boolean) => (value: unknown) => !fits(value);
const tags = [...wrongTypes.filter((value) => value !== ""), "x".repeat(17), sqlText];
const grants = wrongTypes.filter(isNot((value) => typeof value === "string" && value !== long));

function* badAsks(stream: string): Generator<Fields> {
  const position = { epoch: "x", seq: 1, tag: "x" };
  const ask = { stream, ...position };
  const seqs = [...wrongNumbers.filter((value) => value !== 0)];
  yield* spoiled(ask, { epoch: tags, seq: seqs, tag: tags, grant: grants });
  for (const value of wrongStreams) yield { ...ask, stream: value };
  yield position;
}

const maxStreams = 20;
const many = <T>(one: T, count: number) => Array.from({ length: count }, () => one);

/** Messages that must be refused whole, by type. */
function badMessages(type: (typeof clientMessageTypes)[number], scene: Scene): Fields[] {
  const stream = `menu:${scene.at.shop}`;
  const lists = [...wrongTypes, [null], ["x"], [stream, 5]];
  const message = {
    resume: { type, n: 1, streams: [{ stream }] },
    check: { type, n: 1, streams: [{ stream }] },
    leave: { type, n: 1, streams: [stream] },
    publish: { type, n: 1, stream: `room:${scene.at.room}`, id: "m1", data: "x" },
    enter: { type, n: 1, stream: `presence:${scene.at.room}`, id: "e1", data: {} },
    exit: { type, n: 1, stream: `presence:${scene.at.room}`, id: "e1" },
    auth: { type, n: 1, token: scene.customer.token },
  }[type];
  const ids = [...wrongTypes.filter((value) => value !== "中"), "a b", sqlText, "x".repeat(65)];
  const members: Record<typeof type, Record<string, readonly unknown[]>> = {
    resume: { streams: [...lists, [stream], many({ stream }, maxStreams + 1), many({ stream }, 500)] },
    check: { streams: [...lists, [stream], many({ stream }, maxStreams + 1)] },
    leave: { streams: [...lists, [{ stream }], many(stream, maxStreams + 1), ...wrongStreams.map((one) => [one])] },
    publish: { stream: wrongStreams, id: ids, after: ids, grant: grants },
    enter: { stream: wrongStreams, id: ids, grant: grants, data: wrongTypes.filter(isNot(isObject)) },
    exit: { stream: wrongStreams, id: ids, grant: grants },
    auth: { token: wrongTypes.filter(isNot((value) => typeof value === "string" && value !== long)) },
  };
  const inside = [...badAsks(stream)].map((ask) => ({ ...message, streams: [ask] }));
  return [
    ...spoiled(message, { ...members[type], n: wrongNumbers }),
    ...(type === "resume" || type === "check" ? inside : []),
  ];
}

describe("a frame", () => {
  let scene: Scene;
  let socket: TestSocket;
  let before: string[];
  beforeAll(async () => {
    scene = await openScene(anyEngine);
    socket = await scene.customer.connect();
    // Opens the connection, which is written.
    await socket.resume({ stream: `menu:${scene.at.shop}` });
    await quiet(scene.house);
    before = await digest(scene.house.db);
  });
  afterEach(async () => {
    // It is still of use, and nothing was written.
    const answer = await socket.resume({ stream: `menu:${scene.at.shop}` });
    expect(answer.type).toBe("resumed");
    expect(socket.frames).toEqual([]);
    expect(await digest(scene.house.db)).toEqual(before);
  });
  afterAll(() => scene.close());

  /** Sends it and takes the error that must come. */
  async function refused(text: string | Buffer): Promise<ErrorFrame> {
    socket.socket.send(text, { binary: false });
    return socket.next("error");
  }

  it.each(clientMessageTypes)("of type %s with a wrong member is refused whole, by its number", async (type) => {
    const messages = badMessages(type, scene);
    const wrong: unknown[] = [];
    // Numbers beside those that the test's own messages use.
    let n = 1_000_000;
    for (const message of messages) {
      n += 1;
      const sent = message.n === 1 ? { ...message, n } : message;
      const error = await refused(JSON.stringify(sent));
      const expected = {
        type: "error",
        code: "INVALID_INPUT",
        message: error.message,
        retry: false,
        ...(sent.n === n ? { n } : {}),
      };
      if (JSON.stringify(Object.entries(error).sort()) !== JSON.stringify(Object.entries(expected).sort()))
        wrong.push([JSON.stringify(sent).slice(0, 200), error]);
    }
    expect(wrong.slice(0, 5)).toEqual([]);
    expect(messages.length).toBeGreaterThan(20);
  });

  it.each<[string, string, string]>([
    ["nothing", "", "MALFORMED"],
    ["no JSON", '{"type":"resume",', "MALFORMED"],
    ["two values", '{"type":"leave","n":1,"streams":["menu:x"]}{}', "MALFORMED"],
    ["deep arrays", "[".repeat(33) + "]".repeat(33), "MALFORMED"],
    ["very deep arrays", "[".repeat(16_000) + "]".repeat(16_000), "MALFORMED"],
    ["very deep objects", '{"a":'.repeat(6_000), "MALFORMED"],
    ["null", "null", "INVALID_INPUT"],
    ["a number", "1e999", "INVALID_INPUT"],
    ["a text", '"resume"', "INVALID_INPUT"],
    ["an array", '[{"type":"resume"}]', "INVALID_INPUT"],
    ["an object", "{}", "INVALID_INPUT"],
    ["an unknown type", '{"type":"subscribe","streams":[]}', "INVALID_INPUT"],
    ["an inherited type", '{"type":"__proto__"}', "INVALID_INPUT"],
    ["a type that is no text", '{"type":["resume"]}', "INVALID_INPUT"],
    ["a message of the server", '{"type":"event","stream":"menu:x"}', "INVALID_INPUT"],
    ["SQL", `{"type":"${sqlText}"}`, "INVALID_INPUT"],
  ])("that is %s is refused", async (_, text, code) => {
    const { message, ...error } = await refused(text);
    expect(error).toEqual({ type: "error", code, retry: false });
    expect(message.length).toBeLessThan(300);
  });

  it("that came in pieces and is too large as a whole is refused", async () => {
    const part = `{"type":"publish","n":7,"data":"${"x".repeat(20_000)}`;
    socket.socket.send(part, { fin: false, binary: false });
    socket.socket.send(`${"x".repeat(20_000)}"}`, { fin: true, binary: false });
    expect(await socket.next("error")).toMatchObject({ code: "FRAME_TOO_LARGE", retry: false, n: 7 });
  });

  it("with an unknown token is the only one that closes the socket", async () => {
    for (const token of ["", "x", sqlText, `obg_${"0".repeat(52)}${"x".repeat(32)}`, `${scene.customer.token} `]) {
      const own = await scene.other.connect();
      own.say({ type: "auth", token });
      expect(await own.next("error")).toEqual({
        type: "error",
        code: "SESSION_INVALID",
        message: "the session token is not valid",
        retry: false,
      });
      await own.closed;
    }
    // Each of those connections was noted, and forgotten.
    await connected(scene.house, 1);
    before = (await digest(scene.house.db)).map((line, at) => (/^tickets/.test(line) ? line : (before[at] as string)));
  });

  it("in text that is no UTF-8 closes the socket with 1007, and bytes with 1003", async () => {
    for (const [bytes, binary, code] of [
      [Buffer.of(0x7b, 0xff, 0x7d), false, 1007],
      [Buffer.from('"\ud800"', "utf16le"), false, 1007],
      [Buffer.from('{"type":"check"}'), true, 1003],
    ] as const) {
      const own = await scene.other.connect();
      own.socket.send(bytes, { binary });
      expect(await own.closed).toBe(code);
      expect(own.frames).toEqual([]);
    }
    await connected(scene.house, 1);
    before = (await digest(scene.house.db)).map((line, at) => (/^tickets/.test(line) ? line : (before[at] as string)));
  });
});

onEveryDialect((engine) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(engine);
  });
  afterAll(() => scene.close());

  it("a frame that names foreign streams gets an error for each, the same as for unknown ones, and the others are read", async () => {
    const { customer, other, at, house } = scene;
    const socket = await customer.connect();
    const own = `user:${customer.user}`;
    const foreign: Readonly<Record<string, string>> = {
      [`shop:${at.shop}`]: "STREAM_FORBIDDEN",
      "shop:next-door": "STREAM_FORBIDDEN",
      "shop:nowhere": "STREAM_FORBIDDEN",
      [`user:${other.user}`]: "STREAM_FORBIDDEN",
      [`user:${nobody}`]: "STREAM_FORBIDDEN",
      [`room:${at.room}`]: "GRANT_INVALID",
      [`room:${nobody}`]: "GRANT_INVALID",
      "menu:nowhere": "STREAM_UNKNOWN",
      "board:nowhere": "STREAM_UNKNOWN",
    };
    for (const type of ["resume", "check"]) {
      const n = socket.say({ type, streams: [{ stream: own }, ...Object.keys(foreign).map((stream) => ({ stream }))] });
      expect(await socket.next("resumed")).toMatchObject({ n, stream: own });
      const refusals = await Promise.all(Object.keys(foreign).map(() => socket.next("error")));
      expect(Object.fromEntries(refusals.map(({ stream, code }) => [stream, code]))).toEqual(foreign);
      expect(refusals.map((refusal) => [refusal.n, refusal.retry])).toEqual(refusals.map(() => [n, false]));
    }
    // None of their events arrives.
    expect((await other.order()).status).toBe(201);
    const { order } = (await customer.order()).body;
    expect(await socket.next("event")).toMatchObject({ stream: own, data: { order: { id: order.id } } });
    expect(socket.frames).toEqual([]);
    for (const stream of Object.keys(foreign)) {
      const n = socket.say({ type: "publish", stream, id: "m1", data: "x" });
      const code = stream.startsWith("room:") ? "GRANT_INVALID" : "STREAM_FORBIDDEN";
      expect(await socket.next("error")).toMatchObject({ n, code, stream, id: "m1" });
    }
    socket.close();
    await quiet(house);
  });

  it("a frame beyond the streams of a connection is refused for those alone, and leaving makes room", async () => {
    const shops = Array.from({ length: 11 }, (_, nth) => `shop-${nth}`);
    for (const shop of shops) await newShop(scene.house, shop);
    const streams = shops.flatMap((shop) => [`menu:${shop}`, `board:${shop}`]);
    const [first, beyond, further] = [streams.slice(0, maxStreams), streams[20], streams[21]] as [
      string[],
      string,
      string,
    ];
    const socket = await scene.other.connect();
    socket.say({ type: "resume", streams: first.map((stream) => ({ stream })) });
    for (const stream of first) await socket.next("resumed", (frame) => frame.stream === stream);
    expect(await socket.resume({ stream: beyond })).toMatchObject({ code: "TOO_MANY_STREAMS", stream: beyond });
    // The same stream again takes no further place.
    expect(await socket.resume({ stream: first[0] as string })).toMatchObject({ type: "resumed" });
    socket.say({ type: "leave", streams: [first[0]] });
    const readable = async () => (await socket.resume({ stream: beyond })).type === "resumed";
    // A frame is served by itself: the next one may overtake it.
    while (!(await readable())) await scene.house.app.clock.sleep(5);
    expect(await socket.resume({ stream: further })).toMatchObject({ code: "TOO_MANY_STREAMS" });
    socket.close();
  });

  it("the oldest of eleven connections gets TOO_MANY_CONNECTIONS, and the others stay", async () => {
    const person = await scene.house.guest();
    const sockets: TestSocket[] = [];
    for (let count = 0; count < 11; count++) {
      sockets.push(await person.connect());
      // A connection is as old as its clock says.
      scene.house.clock.forward(1);
    }
    const [oldest, ...others] = sockets as [TestSocket, ...TestSocket[]];
    expect(await oldest.next("error")).toMatchObject({ code: "TOO_MANY_CONNECTIONS", retry: false });
    await oldest.closed;
    for (const socket of others) {
      expect(await socket.resume({ stream: `user:${person.user}` })).toMatchObject({ type: "resumed" });
      socket.close();
    }
  });

  it("a frame with halves of characters and NUL in its data is passed on as it was written", async () => {
    const { customer, other, at } = scene;
    const { grant } = (await customer.http("POST", `/rooms/${at.room}/grants`, { body: {} })).body;
    const [writer, reader] = [await customer.connect(), await other.connect()];
    const stream = `room:${at.room}`;
    await reader.resume({ stream, grant });
    const data = [
      "\uD800",
      "\u0000",
      "\\u0000",
      sqlText,
      "</script>",
      { ["__proto__"]: 1, a: [null, -0.5, 1e21] },
      "🍜\u202E",
    ];
    for (const [nth, one] of data.entries()) {
      writer.say({ type: "publish", stream, grant, id: `m${nth}`, data: one });
      expect(await writer.next("published")).toMatchObject({ id: `m${nth}` });
      const { data: heard } = await reader.next("event");
      expect(JSON.stringify((heard as { data: unknown }).data)).toBe(JSON.stringify(one));
    }
    const again = await reader.resume({ stream, grant, seq: 0 });
    expect(again).toMatchObject({ type: "resumed", events: data.map((_, nth) => ({ seq: nth + 1 })) });
    expect(
      JSON.stringify((again as { events: { data: { data: unknown } }[] }).events.map((one) => one.data.data)),
    ).toBe(JSON.stringify(data));
    writer.close();
    reader.close();
  });

  describe("a ticket", () => {
    const handshake = async (protocols: string[]) => {
      const url = `${scene.house.url.replace("http", "ws")}/pgws`;
      try {
        return await openSocket(url, protocols);
      } catch (error) {
        return error instanceof Refused ? error.status : String(error);
      }
    };
    const withTicket = (ticket: string) => handshake(["orderbell.v1", `ticket.${ticket}`]);

    it("opens one socket, also when two come at once with it", async () => {
      const ticket = await scene.customer.ticket();
      const both = await Promise.all([withTicket(ticket), withTicket(ticket)]);
      expect(both.filter((one) => one === 401)).toHaveLength(1);
      expect(await withTicket(ticket)).toBe(401);
      for (const one of both) if (typeof one === "object") one.close();
    });

    it("is refused when it is unknown, missing, too old or of an ended session, and nothing is written", async () => {
      const { house } = scene;
      const [old, ended] = [await scene.customer.ticket(), await house.guest()];
      const late = await ended.ticket();
      expect((await ended.http("DELETE", "/session")).status).toBe(204);
      house.clock.forward(30_001);
      const fresh = await scene.customer.ticket();
      await connected(house, 0);
      const before = await digest(house.db);
      const unknown = [`obt_${"x".repeat(32)}`, "x", "x".repeat(5_000), scene.customer.token];
      for (const ticket of [old, late, ...unknown]) expect([ticket, await withTicket(ticket)]).toEqual([ticket, 401]);
      expect(await handshake(["orderbell.v1"])).toBe(401);
      expect(await handshake([])).toBe(401);
      expect(await handshake([`ticket.${fresh}`])).toBe(401);
      expect(await handshake(["orderbell.v2", `ticket.${fresh}`])).toBe(401);
      expect(await digest(house.db)).toEqual(before);
      // And the last one is as good as before.
      const socket = await withTicket(fresh);
      expect(socket).toBeInstanceOf(Object);
      (socket as TestSocket).close();
    });

    it("gives the rights of the session that fetched it, to any client that presents it", async () => {
      const socket = (await withTicket(await scene.other.ticket())) as TestSocket;
      expect(await socket.resume({ stream: `user:${scene.other.user}` })).toMatchObject({ type: "resumed" });
      expect(await socket.resume({ stream: `user:${scene.customer.user}` })).toMatchObject({
        code: "STREAM_FORBIDDEN",
      });
      socket.say({ type: "auth", token: scene.customer.token });
      expect(await socket.next("error")).toMatchObject({ code: "FORBIDDEN", retry: false });
      expect(await socket.resume({ stream: `user:${scene.customer.user}` })).toMatchObject({
        code: "STREAM_FORBIDDEN",
      });
      socket.close();
    });
  });
});
