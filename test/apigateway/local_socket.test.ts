/** The WebSocket API on this machine: the calls of its functions, and the view of its clients. */
import type { Socket } from "node:net";
import {
  type AnyEvent,
  deferred,
  dial,
  ended,
  enter,
  openServer,
  petRoutes,
  type TestServer,
  type TestServerOptions,
} from "./_server.ts";

let server: TestServer;
const open = async (options: TestServerOptions = {}) => {
  server = await openServer(options);
  return server;
};
afterEach(() => server.stop());

const push = (id: string, text: string) => server.connections.send(id, text);
const onlyId = () => [...server.connections.all()].map(({ id }) => id)[0] as string;

const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const upgradeRequest = (path = "/pgws", ...more: string[]) =>
  `GET ${path} HTTP/1.1\r\n${["Host: shop.example", "Upgrade: websocket", "Connection: Upgrade", ...(more.length > 0 ? more : [key, "Sec-WebSocket-Version: 13"])].join("\r\n")}\r\n\r\n`;

/** One text frame as a client sends it, masked with nothing. */
function frameOf(text: string | Buffer, { opcode = 1, last = true } = {}): Buffer {
  const payload = Buffer.from(text as string);
  const long = payload.length >= 126;
  const header = Buffer.alloc(long ? 8 : 6);
  header[0] = (last ? 0x80 : 0) | opcode;
  header[1] = 0x80 | (long ? 126 : payload.length);
  if (long) header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, payload]);
}

/** An open socket below `ws`, to send what no client would. */
async function enterRaw(): Promise<Socket> {
  const socket = await dial(server.port);
  socket.write(upgradeRequest());
  await new Promise((resolve) => socket.once("data", resolve));
  return socket;
}

describe("$connect", () => {
  it("gets AWS's event", async () => {
    await open({ now: () => Date.UTC(2026, 10, 21, 6, 15, 30) });
    const client = await enter(`${server.ws}?a=1&a=2&b=%20c&__proto__=d`, [], {
      headers: { "User-Agent": "probe/1", "X-Twice": ["one", "two"] },
    });
    const { headers, multiValueHeaders, ...event } = await server.called("handshake");
    const connectionId = onlyId();
    expect(event).toEqual({
      queryStringParameters: Object.fromEntries([
        ["a", "2"],
        ["b", " c"],
        ["__proto__", "d"],
      ]),
      multiValueQueryStringParameters: Object.fromEntries([
        ["a", ["1", "2"]],
        ["b", [" c"]],
        ["__proto__", ["d"]],
      ]),
      requestContext: {
        routeKey: "$connect",
        eventType: "CONNECT",
        extendedRequestId: expect.any(String),
        requestTime: "21/Nov/2026:06:15:30 +0000",
        messageDirection: "IN",
        stage: "local",
        connectedAt: Date.UTC(2026, 10, 21, 6, 15, 30),
        requestTimeEpoch: Date.UTC(2026, 10, 21, 6, 15, 30),
        identity: { sourceIp: "127.0.0.1", userAgent: "probe/1" },
        requestId: expect.any(String),
        domainName: `127.0.0.1:${server.port}`,
        connectionId,
        apiId: "local",
      },
      isBase64Encoded: false,
    });
    expect(headers).toMatchObject({ "Sec-WebSocket-Version": "13", "User-Agent": "probe/1", "X-Twice": "two" });
    expect(multiValueHeaders).toMatchObject({ Host: [`127.0.0.1:${server.port}`], "X-Twice": ["one", "two"] });
    expect(Object.keys(headers)).not.toContain("Upgrade");
    client.socket.close();
  });

  it("gives ids that must be encoded in a path", async () => {
    await open();
    const clients = await Promise.all([1, 2, 3].map(() => enter(server.ws)));
    const ids = [...server.connections.all()].map(({ id }) => id);
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) {
      expect(id).toMatch(/^[A-Za-z0-9+/]{15}=$/);
      expect(encodeURIComponent(id)).not.toBe(id);
    }
    for (const { socket } of clients) socket.close();
  });

  it.each([401, 403, 404, 429, 500, 503])(
    "refuses the handshake with the function's status: %d",
    async (statusCode) => {
      await open({ functions: { handshake: () => ({ statusCode, body: "{}" }) } });
      await expect(enter(server.ws)).rejects.toMatchObject({ status: statusCode });
      expect(server.calls.map(({ name }) => name)).toEqual(["handshake"]);
      expect(server.connections.size).toBe(0);
    },
  );

  it.each<[string, number, () => unknown]>([
    [
      "throws",
      502,
      () => {
        throw new Error("13900001234");
      },
    ],
    ["answers nothing", 502, () => undefined],
    ["answers no status", 502, () => ({})],
    ["answers a status that is none", 502, () => ({ statusCode: 99 })],
    ["answers a status that ends nothing", 502, () => ({ statusCode: 101 })],
    ["takes too long", 504, () => new Promise((resolve) => setTimeout(resolve, 300))],
  ])("when it %s, the client gets %d", async (_, status, handshake) => {
    await open({ functions: { handshake }, limits: { socketTimeoutMs: 60 } });
    await expect(enter(server.ws)).rejects.toMatchObject({ status });
    expect(server.connections.size).toBe(0);
    expect(server.lines.join("")).not.toContain("13900001234");
  });

  it("is not called for another path, nor for a malformed handshake", async () => {
    await open();
    const version = "Sec-WebSocket-Version: 13";
    const status = async (text: string) => Number((await server.raw(text)).split(" ")[1]);
    for (const path of ["/", "/pgws/", "/PGWS", "/pgws/x", "/pets", "/%", "//pgws"])
      expect([path, await status(upgradeRequest(path))]).toEqual([path, 404]);
    expect(await status(upgradeRequest("/pgws", version))).toBe(400);
    expect(await status(upgradeRequest("/pgws", "Sec-WebSocket-Key: short", version))).toBe(400);
    expect(await status(upgradeRequest("/pgws", key, "Sec-WebSocket-Version: 12"))).toBe(400);
    expect(await status(upgradeRequest("/pgws", key, version, "Sec-WebSocket-Protocol: a, a"))).toBe(400);
    expect(await status(upgradeRequest("/pgws", key, version).replace("GET", "POST"))).toBe(405);
    expect(server.calls).toEqual([]);
  });

  it("may be missing, and so may $default and $disconnect", async () => {
    await open({ yaml: petRoutes.slice(0, petRoutes.indexOf("  handshake:")) });
    const client = await enter(server.ws);
    client.socket.send("hello");
    client.socket.close();
    await client.closed;
    expect(server.calls).toEqual([]);
    expect(server.lines).toEqual([]);
  });

  it("is not called for connections beyond the limit", async () => {
    const held = deferred<object>();
    const answers = [{ statusCode: 200 }, held.promise];
    await open({ limits: { maxConnections: 2 }, functions: { handshake: () => answers.shift() } });
    const first = await enter(server.ws);
    const second = enter(server.ws);
    await server.called("handshake");
    await server.called("handshake");
    // One is connected, and one is in its handshake.
    await expect(enter(server.ws)).rejects.toMatchObject({ status: 503 });
    held.resolve({ statusCode: 403 });
    await expect(second).rejects.toMatchObject({ status: 403 });
    answers.push({ statusCode: 200 });
    (await enter(server.ws)).socket.close();
    first.socket.close();
  });
});

describe("the subprotocol", () => {
  const offering = (answer: object) => open({ functions: { handshake: () => answer } });

  it("is the one that $connect returned", async () => {
    await offering({ statusCode: 200, headers: { "sec-websocket-PROTOCOL": "orderbell.v1" } });
    const { socket } = await enter(server.ws, ["ticket.x", "orderbell.v1"]);
    expect(socket.protocol).toBe("orderbell.v1");
    expect((await server.called("handshake")).headers["Sec-WebSocket-Protocol"]).toBe("ticket.x,orderbell.v1");
    socket.close();
  });

  it.each([
    ["nothing was echoed", {}],
    ["what was echoed had not been offered", { "Sec-WebSocket-Protocol": "other" }],
    ["what was echoed would end the header", { "Sec-WebSocket-Protocol": "a\r\nSet-Cookie: b=c" }],
  ])("is none when %s", async (_, headers) => {
    await offering({ statusCode: 200, headers });
    const socket = await dial(server.port);
    socket.write(upgradeRequest("/pgws", key, "Sec-WebSocket-Version: 13", "Sec-WebSocket-Protocol: a"));
    const answer = String(await new Promise((resolve) => socket.once("data", resolve)));
    expect(answer).toMatch(/^HTTP\/1.1 101 /);
    expect(answer).not.toMatch(/sec-websocket-protocol|cookie/i);
    socket.destroy();
  });
});

describe("$default", () => {
  it("gets AWS's event, without headers and query", async () => {
    await open({ now: () => Date.UTC(2026, 10, 21, 6, 15, 30) });
    const client = await enter(`${server.ws}?a=1`, [], { headers: { "User-Agent": "probe/1" } });
    const connect = await server.called("handshake");
    client.socket.send('{"type":"你好"}');
    const event = await server.called("say");
    expect(event).toEqual({
      requestContext: {
        ...connect.requestContext,
        routeKey: "$default",
        eventType: "MESSAGE",
        messageId: expect.stringMatching(/=$/),
        requestId: expect.any(String),
        extendedRequestId: expect.any(String),
      },
      body: '{"type":"你好"}',
      isBase64Encoded: false,
    });
    expect(event.requestContext.requestId).not.toBe(connect.requestContext.requestId);
    client.socket.send("2");
    const next = await server.called("say");
    expect(next.requestContext.messageId).not.toBe(event.requestContext.messageId);
    client.socket.close();
  });

  it("serves each frame at once: a slow one does not delay the next", async () => {
    const held = deferred();
    await open({ functions: { say: ({ body }) => (body === "slow" ? held.promise : push(onlyId(), body)) } });
    const client = await enter(server.ws);
    client.socket.send("slow");
    client.socket.send("quick");
    expect(await client.next()).toBe("quick");
    held.resolve();
    client.socket.close();
  });

  it("serves a bounded number of frames of one connection at once: the socket is then read no further, and nothing is lost", async () => {
    const held = deferred();
    const running = { now: 0, most: 0 };
    await open({
      limits: { framesPerConnection: 3 },
      functions: {
        async say({ body, requestContext: { connectionId } }: AnyEvent) {
          if (body === "other") {
            push(connectionId, "other");
            return;
          }
          running.most = Math.max(running.most, ++running.now);
          await held.promise;
          running.now -= 1;
        },
      },
    });
    const socket = await enterRaw();
    const id = onlyId();
    // One packet: what is in it has been read when the socket pauses.
    socket.write(Buffer.concat(Array.from({ length: 10 }, (_, at) => frameOf(`f${at}`))));
    for (const body of ["f0", "f1", "f2"]) expect((await server.called("say")).body).toBe(body);
    socket.write(frameOf("f10"));
    const other = await enter(server.ws);
    other.socket.send("other");
    expect(await other.next()).toBe("other");
    await server.called("say");
    expect(server.calls.filter(({ name }) => name === "say")).toEqual([]);
    expect(server.connections.get(id)?.socket.isPaused).toBe(true);
    held.resolve();
    for (let at = 3; at <= 10; at++) expect((await server.called("say")).body).toBe(`f${at}`);
    expect(running.most).toBe(3);
    expect(server.connections.get(id)?.socket.isPaused).toBe(false);
    socket.destroy();
    other.socket.close();
  });

  it.each<[string, () => unknown]>([
    ["throws", () => Promise.reject(new Error("13900001234"))],
    ["takes too long", () => new Promise((resolve) => setTimeout(resolve, 300))],
  ])("when it %s, the client gets AWS's error frame and stays", async (_, say) => {
    const answers = [say, () => ({ statusCode: 200 })];
    await open({ limits: { socketTimeoutMs: 60 }, functions: { say: () => answers.shift()?.() } });
    const client = await enter(server.ws);
    client.socket.send("{}");
    const { requestContext } = await server.called("say");
    const { connectionId, requestId } = requestContext;
    expect(JSON.parse(await client.next())).toEqual({ message: "Internal server error", connectionId, requestId });
    client.socket.send("{}");
    await server.called("say");
    expect(server.lines.join("")).not.toContain("13900001234");
    client.socket.close();
  });

  it("lets frames beyond the limit of invocations wait, and refuses none", async () => {
    const held = deferred();
    await open({ limits: { concurrency: 1, queue: 0 }, functions: { say: () => held.promise } });
    const [one, other] = await Promise.all([enter(server.ws), enter(server.ws)]);
    one.socket.send("1");
    await server.called("say");
    for (const text of ["2", "3", "4"]) other.socket.send(text);
    for (const text of ["5", "6"]) one.socket.send(text);
    // Its answer comes by the same loop: by then the frames above have been read.
    expect((await fetch(`${server.url}/pets`)).status).toBe(200);
    held.resolve();
    const said = new Set<string>();
    while (said.size < 5) said.add((await server.called("say")).body);
    expect([...said].toSorted()).toEqual(["2", "3", "4", "5", "6"]);
    expect([...one.texts, ...other.texts]).toEqual([]);
    one.socket.close();
    other.socket.close();
  });
});

describe("a client may send", () => {
  it("100 KB in four frames of 25 KB", async () => {
    await open();
    const { socket } = await enter(server.ws);
    const part = "x".repeat(25 * 1_024);
    for (const fin of [false, false, false, true]) socket.send(part, { fin });
    expect((await server.called("say")).body).toBe(part.repeat(4));
    socket.send("y".repeat(32 * 1_024));
    expect((await server.called("say")).body).toBe("y".repeat(32 * 1_024));
    socket.close();
  });

  it("not one frame of 40 KB: 1009", async () => {
    await open();
    const client = await enter(server.ws);
    client.socket.send("x".repeat(40 * 1_024));
    expect((await client.closed).code).toBe(1009);
    expect((await server.called("leave")).requestContext.disconnectStatusCode).toBe(1009);
    expect(server.calls.filter(({ name }) => name === "say")).toEqual([]);
  });

  it("not a frame that follows a too long one in the same packet", async () => {
    // The frame itself is below the limit of messages, and `ws` would have handed it on.
    await open();
    const socket = await enterRaw();
    socket.write(Buffer.concat([frameOf("x".repeat(33 * 1_024)), frameOf("after")]));
    await server.called("leave");
    expect(server.calls.filter(({ name }) => name === "say")).toEqual([]);
    socket.destroy();
  });

  it("not more than 128 KB in small frames: 1009", async () => {
    await open();
    const client = await enter(server.ws);
    const part = "x".repeat(30 * 1_024);
    for (const fin of [false, false, false, false, true]) client.socket.send(part, { fin });
    expect((await client.closed).code).toBe(1009);
    await server.called("leave");
    expect(server.calls.filter(({ name }) => name === "say")).toEqual([]);
  });

  it("not bytes: 1003", async () => {
    await open();
    const client = await enter(server.ws);
    client.socket.send(Buffer.from("{}"));
    expect((await client.closed).code).toBe(1003);
    await server.called("leave");
    expect(server.calls.filter(({ name }) => name === "say")).toEqual([]);
  });

  it.each<[string, number, string | Buffer, object]>([
    ["text that is not UTF-8", 1007, Buffer.from([0xc3, 0x28]), { binary: false }],
    ["frames without a mask", 1002, "x", { mask: false }],
  ])("not %s: %d", async (_, code, data, options) => {
    await open();
    const client = await enter(server.ws);
    client.socket.send(data, options);
    expect((await client.closed).code).toBe(code);
    await server.called("leave");
    expect(server.calls.filter(({ name }) => name === "say")).toEqual([]);
  });

  it("not a frame read with the close, and is cut when it does not answer the close", async () => {
    await open();
    const socket = await enterRaw();
    const gone = ended(socket);
    socket.write(frameOf("bytes", { opcode: 2 }));
    socket.write(frameOf("text"));
    expect((await server.called("leave")).requestContext.disconnectStatusCode).toBe(1006);
    await gone;
    expect(server.calls.filter(({ name }) => name === "say")).toEqual([]);
  });
});

describe("pushes", () => {
  it("reach their connection, in order", async () => {
    await open();
    const [a, b] = await Promise.all([enter(server.ws), enter(server.ws)]);
    const [first, second] = [await server.called("handshake"), await server.called("handshake")];
    const ids = [first, second].map(({ requestContext }) => requestContext.connectionId);
    for (const text of ["1", "2", "3"]) for (const id of ids) expect(push(id, `${text} ${id}`)).toBe("sent");
    const heard = await Promise.all([a, b].map(async (one) => [await one.next(), await one.next(), await one.next()]));
    const expected = ids.map((id) => ["1", "2", "3"].map((text) => `${text} ${id}`));
    expect(new Set(heard.map(String))).toEqual(new Set(expected.map(String)));
    for (const { socket } of [a, b]) socket.close();
  });

  it("find no connection before $connect has answered, nor after the close", async () => {
    const sent: string[] = [];
    await open({
      functions: {
        handshake({ requestContext }) {
          sent.push(push(requestContext.connectionId, "early"));
          return { statusCode: 200 };
        },
        leave({ requestContext }) {
          sent.push(push(requestContext.connectionId, "late"));
        },
      },
    });
    const client = await enter(server.ws);
    const id = onlyId();
    expect(push(id, "now")).toBe("sent");
    expect(await client.next()).toBe("now");
    client.socket.close();
    await client.closed;
    await server.called("leave");
    expect(sent).toEqual(["gone", "gone"]);
    expect(client.texts).toEqual([]);
    expect(push("AAAAAAAAAAAAAAA=", "x")).toBe("gone");
  });

  it("are refused once the close has begun, and frames corked for a cut socket do no harm", async () => {
    await open();
    const client = await enter(server.ws);
    const id = onlyId();
    expect(push(id, "lost")).toBe("sent");
    server.cut(id);
    expect(push(id, "x")).toBe("gone");
    await client.closed;
    const other = await enter(server.ws);
    push(onlyId(), "fine");
    expect(await other.next()).toBe("fine");
    other.socket.close();
  });

  it("leave nothing of a closed connection behind", async () => {
    await open();
    const client = await enter(server.ws);
    const id = onlyId();
    expect(server.connections.subscribe(id, "room:a", 1)).toBe("subscribed");
    client.socket.close();
    await server.called("leave");
    expect([server.connections.size, server.connections.streams(), server.connections.isRead("room:a")]).toEqual([
      0,
      [],
      false,
    ]);
    expect(server.connections.subscribe(id, "room:a", 2)).toBe("left");
    server.connections.unsubscribe(id, "room:a", 3);
    expect(server.connections.streams()).toEqual([]);
  });
});

describe("$disconnect", () => {
  it("gets AWS's event", async () => {
    await open({ now: () => Date.UTC(2026, 10, 21, 6, 15, 30) });
    const client = await enter(server.ws);
    const connect = await server.called("handshake");
    client.socket.close(4001, "closing time");
    const host = `127.0.0.1:${server.port}`;
    const event = await server.called("leave");
    expect(event).toEqual({
      headers: { Host: host, "x-api-key": "", "X-Forwarded-For": "", "x-restapi": "" },
      multiValueHeaders: { Host: [host], "x-api-key": [""], "X-Forwarded-For": [""], "x-restapi": [""] },
      requestContext: {
        ...connect.requestContext,
        routeKey: "$disconnect",
        eventType: "DISCONNECT",
        disconnectStatusCode: 4001,
        disconnectReason: "closing time",
        requestId: expect.any(String),
        extendedRequestId: expect.any(String),
      },
      isBase64Encoded: false,
    });
    expect(event.requestContext.requestId).not.toBe(connect.requestContext.requestId);
  });

  it("gets 1005 for a close without a code, 1006 for a broken network", async () => {
    await open();
    const first = await enter(server.ws);
    first.socket.close();
    expect((await server.called("leave")).requestContext.disconnectStatusCode).toBe(1005);
    const second = await enter(server.ws);
    second.socket.terminate();
    expect((await server.called("leave")).requestContext.disconnectStatusCode).toBe(1006);
    const third = await enter(server.ws);
    server.cut(onlyId());
    expect((await third.closed).code).toBe(1006);
    expect((await server.called("leave")).requestContext.disconnectStatusCode).toBe(1006);
  });

  it("may fail without harm to the gateway", async () => {
    await open({ functions: { leave: () => Promise.reject(new Error("x")) } });
    const client = await enter(server.ws);
    client.socket.close();
    await server.called("leave");
    (await enter(server.ws)).socket.close();
    expect(server.lines).toEqual([]);
  });

  it("is called for a client that left while $connect was deciding, so that its row goes", async () => {
    let held = deferred<object>();
    await open({ functions: { handshake: () => held.promise } });
    for (const leave of [(socket: Socket) => void socket.end(), (socket: Socket) => void socket.destroy()]) {
      const socket = await dial(server.port);
      socket.write(upgradeRequest());
      const { connectionId } = (await server.called("handshake")).requestContext;
      leave(socket);
      // Once another request is answered, the server has noticed.
      await fetch(`${server.url}/healthz`);
      held.resolve({ statusCode: 200 });
      const { requestContext } = await server.called("leave");
      expect(requestContext).toMatchObject({ connectionId, disconnectStatusCode: 1006 });
      expect(server.connections.size).toBe(0);
      held = deferred<object>();
    }
  });

  it("is not called for a client that was refused", async () => {
    await open({ functions: { handshake: () => ({ statusCode: 401 }) } });
    await expect(enter(server.ws)).rejects.toMatchObject({ status: 401 });
    await server.stop();
    expect(server.calls.map(({ name }) => name)).toEqual(["handshake"]);
  });
});

describe("a time limit", () => {
  /** A clock that is moved by hand, and resolves when the gateway has read it. */
  function handClock() {
    let time = Date.UTC(2026, 10, 21);
    const looks = new Set<() => void>();
    return {
      now: () => {
        for (const look of [...looks]) look();
        return time;
      },
      forward: (ms: number) => {
        time += ms;
      },
      /** Resolves after that many reads. */
      looked: (times = 4) =>
        new Promise<void>((resolve) => {
          const look = () => {
            if (--times > 0) return;
            looks.delete(look);
            resolve();
          };
          looks.add(look);
        }),
    };
  }

  it("closes an idle connection with 1001; a push or a message starts the time anew", async () => {
    const clock = handClock();
    await open({ now: clock.now, limits: { idleMs: 400 } });
    const client = await enter(server.ws);
    clock.forward(300);
    push(onlyId(), "x");
    await client.next();
    clock.forward(300);
    await clock.looked();
    client.socket.send("x");
    await server.called("say");
    clock.forward(300);
    await clock.looked();
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    clock.forward(100);
    expect(await client.closed).toEqual({ code: 1001, reason: "Going away" });
    expect((await server.called("leave")).requestContext).toMatchObject({
      disconnectStatusCode: 1001,
    });
  });

  it("closes a connection of full age with 1001, however busy it is", async () => {
    const clock = handClock();
    await open({ now: clock.now, limits: { durationMs: 400 } });
    const client = await enter(server.ws);
    clock.forward(399);
    push(onlyId(), "x");
    await client.next();
    await clock.looked();
    expect(client.socket.readyState).toBe(client.socket.OPEN);
    clock.forward(1);
    expect((await client.closed).code).toBe(1001);
  });
});

describe("injected faults", () => {
  it("drop and delay pushes, so that they overtake each other", async () => {
    await open({ faults: { push: (_, frame) => (frame === "lost" ? "drop" : frame === "slow" ? 60 : undefined) } });
    const client = await enter(server.ws);
    for (const text of ["lost", "slow", "quick"]) expect(push(onlyId(), text)).toBe("sent");
    expect([await client.next(), await client.next()]).toEqual(["quick", "slow"]);
    client.socket.close();
  });

  it("drop and delay frames, so that they overtake each other", async () => {
    await open({ faults: { frame: (_, text) => (text === "lost" ? "drop" : text === "slow" ? 60 : undefined) } });
    const client = await enter(server.ws);
    for (const text of ["lost", "slow", "quick"]) client.socket.send(text);
    const bodies = [(await server.called("say")).body, (await server.called("say")).body];
    expect(bodies).toEqual(["quick", "slow"]);
    client.socket.close();
  });

  it("hide the end of a connection", async () => {
    await open({ faults: { dropDisconnect: true } });
    const client = await enter(server.ws);
    client.socket.close();
    await client.closed;
    await server.stop();
    expect(server.calls.map(({ name }) => name)).toEqual(["handshake"]);
    expect(server.connections.size).toBe(0);
  });
});

describe("Tencent's events", () => {
  const handshake = ({ websocket: { secConnectionID } }: AnyEvent) => ({
    errNo: 0,
    errMsg: "ok",
    websocket: { action: "connecting", secConnectionID, secWebSocketProtocol: "orderbell.v1" },
  });

  it("are named register, transmit and cleanup", async () => {
    await open({ cloud: "tencent", functions: { handshake } });
    const { socket } = await enter(server.ws, ["orderbell.v1", "ticket.x"]);
    const secConnectionID = onlyId();
    expect(await server.called("handshake")).toEqual({
      requestContext: { sourceIp: "127.0.0.1", websocketEnable: true },
      websocket: { action: "connecting", secConnectionID, secWebSocketProtocol: "orderbell.v1,ticket.x" },
    });
    expect(socket.protocol).toBe("orderbell.v1");
    socket.send("hello");
    expect(await server.called("say")).toEqual({
      websocket: { action: "data send", secConnectionID, dataType: "text", data: "hello" },
    });
    socket.close();
    expect(await server.called("leave")).toEqual({ websocket: { action: "closing", secConnectionID } });
  });

  it("refuse a handshake by errNo", async () => {
    await open({ cloud: "tencent", functions: { handshake: () => ({ errNo: 401, errMsg: "TICKET_INVALID" }) } });
    await expect(enter(server.ws)).rejects.toMatchObject({ status: 403 });
    expect((await server.called("handshake")).websocket).not.toHaveProperty("secWebSocketProtocol");
  });
});
