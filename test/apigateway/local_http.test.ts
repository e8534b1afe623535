/** The HTTP API on this machine: the events that functions get, and the gateway's own answers. */
import { once } from "node:events";
import { deferred, dial, ended, openServer, parse, type TestServer, type TestServerOptions } from "./_server.ts";

let server: TestServer;
const open = async (options: TestServerOptions = {}) => {
  server = await openServer(options);
  return server;
};
afterEach(() => server.stop());

type Answer = ReturnType<typeof parse>;

const get = (path: string, ...headers: string[]) =>
  `GET ${path} HTTP/1.1\r\nHost: shop.example\r\nConnection: close\r\n${headers.map((one) => `${one}\r\n`).join("")}\r\n`;
const post = (body: string | Buffer, ...headers: string[]): Buffer =>
  Buffer.concat([
    Buffer.from(
      `POST /pets HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers.map((one) => `${one}\r\n`).join("")}\r\n`,
    ),
    Buffer.from(body as string),
  ]);

describe("the local gateway's HTTP event", () => {
  it("is AWS's payload 2.0", async () => {
    await open({ now: () => Date.UTC(2026, 10, 1, 6, 5, 4, 321) });
    await server.raw(
      get(
        "/pets/caf%C3%A9%20x?a=1&b=%20c+d&a=2&flag",
        "X-Twice: one",
        "x-twice: two",
        "Cookie: a=1; b=2",
        "Cookie: c=3",
        "User-Agent: probe/1",
        "Keep-Alive: 5",
        "TE: trailers",
      ),
    );
    expect(await server.called("pets")).toEqual({
      version: "2.0",
      routeKey: "GET /pets/{id}",
      rawPath: "/pets/caf%C3%A9%20x",
      rawQueryString: "a=1&b=%20c+d&a=2&flag",
      cookies: ["a=1", "b=2", "c=3"],
      headers: { host: "shop.example", "x-twice": "one,two", "user-agent": "probe/1", "x-forwarded-proto": "http" },
      queryStringParameters: { a: "1,2", b: " c d", flag: "" },
      pathParameters: { id: "café x" },
      isBase64Encoded: false,
      requestContext: {
        accountId: "123456789012",
        apiId: "local",
        domainName: "shop.example",
        domainPrefix: "local",
        http: {
          method: "GET",
          path: "/pets/caf%C3%A9%20x",
          protocol: "HTTP/1.1",
          sourceIp: "127.0.0.1",
          userAgent: "probe/1",
        },
        requestId: expect.stringMatching(/^[0-9a-z]+-[0-9a-z]+$/),
        routeKey: "GET /pets/{id}",
        stage: "$default",
        time: "01/Nov/2026:06:05:04 +0000",
        timeEpoch: Date.UTC(2026, 10, 1, 6, 5, 4, 321),
      },
    });
  });

  it("has no query, cookies, parameters or body where the request has none", async () => {
    await open();
    await server.raw(get("/pets?"));
    const event = await server.called("pets");
    expect(Object.keys(event).sort()).toEqual(
      ["version", "routeKey", "rawPath", "rawQueryString", "headers", "isBase64Encoded", "requestContext"].sort(),
    );
    expect(event.rawQueryString).toBe("");
  });

  it("treats names of Object.prototype like other names", async () => {
    // `name in query` is true for `constructor`, and `__proto__` as a key is lost.
    await open();
    await server.raw(
      get("/pets?__proto__=a&constructor=b&toString=c&toString=d", "__proto__: e", "Constructor: f", "valueOf: g"),
    );
    const { queryStringParameters, headers } = await server.called("pets");
    expect(Object.entries(queryStringParameters)).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
      ["toString", "c,d"],
    ]);
    expect(Object.entries(headers)).toEqual(
      expect.arrayContaining([
        ["__proto__", "e"],
        ["constructor", "f"],
        ["valueof", "g"],
      ]),
    );
    expect({}).not.toHaveProperty("a");
  });

  it("keeps a path as it was sent", async () => {
    await open();
    await server.raw(get("//pets/../x/./%2e%2e?q=/../"));
    expect(await server.called("rest")).toMatchObject({
      rawPath: "//pets/../x/./%2e%2e",
      rawQueryString: "q=/../",
      routeKey: "$default",
    });
  });

  const euro = Buffer.from("€");
  it.each<[string, Buffer, string[], object]>([
    [
      "JSON",
      Buffer.from('{"a":"€"}'),
      ["content-type: application/json"],
      { body: '{"a":"€"}', isBase64Encoded: false },
    ],
    ["text", euro, ["content-type: text/plain; charset=utf-8"], { body: "€", isBase64Encoded: false }],
    [
      "a byte order mark",
      Buffer.from("\ufeff{}"),
      ["content-type: text/x"],
      { body: "\ufeff{}", isBase64Encoded: false },
    ],
    [
      "a form",
      Buffer.from("a=b"),
      ["content-type: application/x-www-form-urlencoded"],
      { body: "YT1i", isBase64Encoded: true },
    ],
    ["a picture", Buffer.from([0, 255]), ["content-type: image/png"], { body: "AP8=", isBase64Encoded: true }],
    ["no type", Buffer.from("{}"), [], { body: "e30=", isBase64Encoded: true }],
    [
      "JSON that is not UTF-8",
      euro.subarray(0, 2),
      ["content-type: application/json"],
      { body: "4oI=", isBase64Encoded: true },
    ],
    [
      "problem+json",
      Buffer.from("{}"),
      ["content-type: application/problem+json"],
      { body: "e30=", isBase64Encoded: true },
    ],
  ])("carries %s", async (_, bytes, headers, expected) => {
    await open();
    await server.raw(post(bytes, ...headers));
    expect(await server.called("pets")).toMatchObject(expected);
  });

  it("assembles a chunked body", async () => {
    await open();
    await server.raw(
      "POST /pets HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n",
      "3\r\none\r\n",
      "4\r\n two\r\n0\r\n\r\n",
    );
    const event = await server.called("pets");
    expect(event.body).toBe("one two");
    expect(event.headers).not.toHaveProperty("transfer-encoding");
  });

  it("has an id of its own for each request", async () => {
    await open({ now: () => 1 });
    await Promise.all([1, 2, 3].map(() => fetch(`${server.url}/pets`)));
    const ids = await Promise.all([1, 2, 3].map(async () => (await server.called("pets")).requestContext.requestId));
    expect(new Set(ids).size).toBe(3);
  });
});

describe("a local route", () => {
  it.each([
    ["GET", "/pets", "GET /pets", undefined],
    ["GET", "/pets/7", "GET /pets/{id}", { id: "7" }],
    ["GET", "/pets/mine", "GET /pets/mine", undefined],
    ["GET", "/pets/mine/name", "GET /pets/{id}/name", { id: "mine" }],
    ["GET", "/pets/7/age", "GET /pets/{id}/{part}", { id: "7", part: "age" }],
    ["PUT", "/pets/7", "PUT /pets/{id}", { id: "7" }],
    ["GET", "/pets/a%2Fb", "GET /pets/{id}", { id: "a/b" }],
    ["GET", "/pets/", "$default", undefined],
    ["GET", "/pets/7/", "$default", undefined],
    ["GET", "/Pets", "$default", undefined],
    ["GET", "/PETS/7", "$default", undefined],
    ["DELETE", "/pets", "$default", undefined],
    ["HEAD", "/pets", "$default", undefined],
    ["OPTIONS", "/pets", "$default", undefined],
    ["GET", "/", "$default", undefined],
    ["GET", "/nowhere", "$default", undefined],
  ])("%s %s is served by %s", async (method, path, routeKey, pathParameters) => {
    await open();
    const answer = await fetch(server.url + path, { method });
    expect(answer.status).toBe(routeKey === "$default" ? 404 : 200);
    const [call] = server.calls;
    expect(call?.event).toMatchObject({ routeKey, requestContext: { routeKey, http: { method } } });
    expect(call?.event.pathParameters).toEqual(pathParameters);
  });

  it("answers HEAD without a body", async () => {
    await open();
    const answer = await server.raw("HEAD /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
    expect(answer).toMatch(/^HTTP\/1.1 404 /);
    expect(answer).toMatch(/content-length: [1-9]/i);
    expect(answer.split("\r\n\r\n")[1]).toBe("");
  });

  it("gives 204 and 304 neither body nor length", async () => {
    const headers = { etag: '"1"' };
    await open({
      functions: { pets: ({ routeKey }) => ({ statusCode: routeKey === "GET /pets" ? 204 : 304, headers, body: "x" }) },
    });
    const answers = [await server.raw(get("/pets")), await server.raw(get("/pets/1"))];
    for (const answer of answers) {
      expect(answer).toMatch(/^HTTP\/1.1 (204|304) /);
      expect(answer).toMatch(/etag: "1"/);
      expect(answer).not.toMatch(/content-length/i);
      expect(answer.split("\r\n\r\n")[1]).toBe("");
    }
  });

  it("sends bytes that a function gave in base64", async () => {
    await open({
      functions: {
        pets: () => ({
          statusCode: 200,
          headers: { "content-type": "image/png" },
          body: "AP8=",
          isBase64Encoded: true,
        }),
      },
    });
    const answer = await fetch(`${server.url}/pets`);
    expect(Buffer.from(await answer.arrayBuffer())).toEqual(Buffer.from([0, 255]));
    expect(answer.headers.get("content-length")).toBe("2");
  });
});

describe("the local gateway compresses JSON", () => {
  const headers = { "content-type": "application/json", etag: '"7"' };
  const menuOf = (shop: string) => JSON.stringify({ shop, dishes: Array(200).fill("红烧牛肉面") });

  it("for those who accept it, keeps its ETag, and confuses no two bodies", async () => {
    await open({
      functions: {
        pets: ({ pathParameters }) => ({ statusCode: 200, headers, body: menuOf(pathParameters.id) }),
      },
    });
    for (const round of [1, 2])
      for (const [accepted, encoding] of [
        ["gzip, deflate, br", "br"],
        ["gzip", "gzip"],
        ["identity", null],
        ["br;q=0, gzip;q=0", null],
      ] as const)
        for (const shop of ["a", "b"]) {
          const got = await fetch(`${server.url}/pets/${shop}`, { headers: { "accept-encoding": accepted } });
          expect([round, accepted, got.headers.get("content-encoding")]).toEqual([round, accepted, encoding]);
          expect([got.headers.get("vary"), got.headers.get("etag")]).toEqual(["accept-encoding", '"7"']);
          const sent = Number(got.headers.get("content-length"));
          expect(sent < menuOf(shop).length / 10).toBe(encoding !== null);
          expect(await got.text()).toBe(menuOf(shop));
        }
  });

  it("only where it is worth it: not a short answer, another type, or an error", async () => {
    await open({
      functions: {
        pets: ({ pathParameters: { id } }) => ({
          statusCode: id === "missing" ? 404 : 200,
          headers: { "content-type": id === "text" ? "text/plain" : "application/json" },
          body: id === "short" ? "{}" : menuOf("a"),
        }),
      },
    });
    for (const id of ["short", "text", "missing"])
      expect([
        id,
        parse(await server.raw(get(`/pets/${id}`, "Accept-Encoding: br"))).headers["content-encoding"],
      ]).toEqual([id, undefined]);
  });
});

describe("the local gateway answers by itself", () => {
  it("404 when no route takes the request", async () => {
    await open({ yaml: "functions:\n  pets:\n    handler: x\n    events:\n      - httpApi: GET /pets\n" });
    const { status, body } = parse(await server.raw(get("/other")));
    expect([status, body]).toEqual([404, { message: "Not Found" }]);
    expect(server.calls).toEqual([]);
  });

  it.each([
    ["by its announced length", (bytes: Buffer) => post(bytes, "content-type: text/plain")],
    [
      "by its chunks",
      (bytes: Buffer) =>
        `POST /pets HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n${bytes.length.toString(16)}\r\n${bytes}\r\n0\r\n\r\n`,
    ],
  ])("413 for a body over the limit, %s", async (_, request) => {
    await open({ limits: { maxBodyBytes: 1_000 } });
    const { status, body } = parse(await server.raw(request(Buffer.alloc(1_001, "x"))));
    expect([status, body]).toEqual([413, { message: "Request Entity Too Large" }]);
    expect(server.calls).toEqual([]);
    expect(parse(await server.raw(request(Buffer.alloc(1_000, "x")))).status).toBe(200);
  });

  it("413 reaches a client that writes much more than fits into the wire", async () => {
    // Closing early resets the connection, and the client never sees why.
    await open({ limits: { maxBodyBytes: 1_000 } });
    const answer = await fetch(`${server.url}/pets`, { method: "POST", body: Buffer.alloc(8 * 1_024 * 1_024) });
    expect(answer.status).toBe(413);
  });

  it("503 when the bodies of all requests together are too much, and serves again afterwards", async () => {
    const held = deferred<object>();
    await open({ limits: { maxBodiesBytes: 1_000 }, functions: { pets: () => held.promise } });
    const first = server.raw(post(Buffer.alloc(800)));
    await server.called("pets");
    const second = parse(await server.raw(post(Buffer.alloc(300))));
    expect([second.status, second.headers["retry-after"]]).toEqual([503, "1"]);
    held.resolve({ statusCode: 201, headers: {}, body: "{}" });
    expect(parse(await first).status).toBe(201);
    expect(parse(await server.raw(post(Buffer.alloc(900)))).status).toBe(201);
  });

  it("431 for headers over the limit", async () => {
    await open();
    const answer = await server.raw(get("/pets", `x-large: ${"x".repeat(10_240)}`));
    expect(answer).toMatch(/^HTTP\/1.1 431 /);
    expect(parse(await server.raw(get("/pets", `x-large: ${"x".repeat(9_000)}`))).status).toBe(200);
  });

  it("503 with Retry-After when too many run", async () => {
    const held = deferred<object>();
    await open({ limits: { concurrency: 1, queue: 0, overloadDelayMs: 0 }, functions: { pets: () => held.promise } });
    const first = server.raw(get("/pets"));
    await server.called("pets");
    const { status, headers, body } = parse(await server.raw(get("/pets")));
    expect([status, headers["retry-after"], body]).toEqual([
      503,
      "1",
      { message: "Service Unavailable", code: "OVERLOADED" },
    ]);
    held.resolve({ statusCode: 200, headers: {}, body: "{}" });
    expect(parse(await first).status).toBe(200);
    expect(parse(await server.raw(get("/pets"))).status).toBe(200);
  });

  it("503 when the function takes too long", async () => {
    const held = deferred();
    await open({ limits: { httpTimeoutMs: 50 }, functions: { pets: () => held.promise } });
    const { status, body } = parse(await server.raw(get("/pets")));
    expect([status, body]).toEqual([503, { message: "Service Unavailable" }]);
    held.resolve();
  });

  it.each<[string, (event: object) => unknown]>([
    [
      "throws",
      () => {
        throw new Error("13900001234");
      },
    ],
    ["rejects", () => Promise.reject(new Error("13900001234"))],
    ["answers nothing", () => undefined],
    ["answers without a status", () => ({ headers: {}, body: "" })],
    ["answers with a line break in a header", () => ({ statusCode: 200, headers: { a: "b\r\nc: d" }, body: "" })],
  ])("500 when the function %s, and says nothing of why", async (_, pets) => {
    await open({ functions: { pets } });
    const answer = await server.raw(get("/pets"));
    const { status, body } = parse(answer);
    expect([status, body]).toEqual([500, { message: "Internal Server Error" }]);
    expect(answer).not.toMatch(/\nc: d/);
    const line = JSON.parse(server.lines.at(-1) ?? "{}");
    expect(line).toMatchObject({ level: "error", event: "function", function: "pets" });
    expect(JSON.stringify(line)).not.toContain("13900001234");
  });

  it.each(["/pets/%ZZ", "/pets/%E4%BD", "/%", "http://shop.example/pets", "*"])("400 for the path %s", async (path) => {
    await open();
    const { status, body } = parse(await server.raw(get(path)));
    expect([status, body]).toEqual([400, { message: "Bad Request" }]);
    expect(server.calls).toEqual([]);
  });

  const ambiguous = (...headers: string[]) => `POST /pets HTTP/1.1\r\n${headers.join("\r\n")}\r\n\r\n0\r\n\r\n`;
  it.each([
    ["two lengths", ambiguous("Host: a", "Content-Length: 1", "Content-Length: 2")],
    ["a length beside chunks", ambiguous("Host: a", "Content-Length: 5", "Transfer-Encoding: chunked")],
    ["an unknown coding", ambiguous("Host: a", "Transfer-Encoding: xchunked")],
    ["a blank before the colon", ambiguous("Host : a", "Content-Length: 5")],
    ["a folded header", ambiguous("Host: a", "X: a", " b", "Content-Length: 5")],
    ["no host", ambiguous("Content-Length: 5")],
    ["what is not HTTP", "\x16\x03\x01\x02\x00\x01\x00\r\n\r\n"],
  ])("400 for a request that another server could read in another way: %s", async (_, request) => {
    await open();
    expect(await server.raw(request)).toMatch(/^HTTP\/1.1 400 /);
    expect(server.calls).toEqual([]);
  });

  it("408 for headers or a body that do not come to their end", async () => {
    await open({ limits: { headersMs: 150, requestMs: 300 } });
    const [headers, body] = await Promise.all([
      server.raw("GET /pets HTTP/1.1\r\nHost: a\r\n"),
      server.raw("POST /pets HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nxx"),
    ]);
    expect(headers).toMatch(/^HTTP\/1.1 408 /);
    expect(body).toMatch(/^HTTP\/1.1 408 /);
    expect(server.calls).toEqual([]);
    expect(server.lines).toEqual([]);
  });

  it("nothing to a client that left while it was writing", async () => {
    await open();
    const socket = await dial(server.port);
    socket.write("POST /pets HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nxx");
    socket.destroy();
    await ended(socket);
    expect((await fetch(`${server.url}/pets`)).status).toBe(200);
    expect(server.calls.map(({ event }) => event.requestContext.http.method)).toEqual(["GET"]);
    expect(server.lines).toEqual([]);
  });

  it("nothing to a client that left before the answer, and serves on", async () => {
    const held = deferred<object>();
    await open({ functions: { pets: () => held.promise } });
    const socket = await dial(server.port);
    socket.write(get("/pets"));
    await server.called("pets");
    socket.destroy();
    await ended(socket);
    held.resolve({ statusCode: 200, headers: {}, body: "{}" });
    expect((await fetch(`${server.url}/pets`)).status).toBe(200);
    expect(server.lines).toEqual([]);
  });
});

describe("an offer to upgrade to something else", () => {
  it("is ignored by the local gateway", async () => {
    // Java's clients offer h2c with their first request; by itself Node takes the offer for accepted and reads no further.
    await open();
    const offer = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAA\r\n";
    const body = "Content-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello";
    const socket = await dial(server.port);
    const answers = ended(socket);
    socket.write(`POST /pets HTTP/1.1\r\nHost: a\r\n${offer}${body}`);
    await once(socket, "data");
    // The connection goes on as it was.
    socket.write(get("/pets/7"));
    const [first, second] = (await answers).split(/(?=HTTP\/1\.1 )/).map(parse) as [Answer, Answer];
    expect([first.status, first.body.body, first.body.routeKey]).toEqual([200, "hello", "POST /pets"]);
    expect([second.status, second.body.routeKey]).toEqual([200, "GET /pets/{id}"]);
    expect(server.calls.map(({ event }) => event.routeKey)).toEqual(["POST /pets", "GET /pets/{id}"]);
    for (const { event } of server.calls) expect(event.headers).not.toHaveProperty("upgrade");
  });
});

it("browsers are asked for HTTPS only where the proxy in front reports it", async () => {
  await open({ trustedProxies: ["127.0.0.1"] });
  const asked = async (proto: string) => parse(await server.raw(get("/pets", `x-forwarded-proto: ${proto}`))).headers;
  expect((await asked("https"))["strict-transport-security"]).toBe("max-age=31536000");
  expect(await asked("http")).not.toHaveProperty("strict-transport-security");
  await server.stop();
  await open();
  expect(await asked("https")).not.toHaveProperty("strict-transport-security");
});

describe("/healthz", () => {
  it("reports the database's condition", async () => {
    let healthy = true;
    await open({ healthy: async () => healthy });
    const ask = async () => parse(await server.raw(get("/healthz")));
    expect(await ask()).toMatchObject({ status: 200, body: { status: "ok", connections: 0 } });
    healthy = false;
    expect(await ask()).toMatchObject({ status: 503, body: { status: "database away" } });
    expect(server.calls).toEqual([]);
  });
});

describe("a port that is taken", () => {
  it("is named in the error", async () => {
    await open();
    await expect(openServer({ port: server.port })).rejects.toMatchObject({ code: "EADDRINUSE" });
  });
});

describe("the local gateway's files", () => {
  it("are looked up after the routes of functions and before $default", async () => {
    const asked: string[] = [];
    await open({
      files(request, response, otherwise) {
        asked.push(request.url ?? "");
        if (request.url === "/page") response.end("page");
        else otherwise();
      },
    });
    const read = async (path: string, method = "GET") => (await fetch(server.url + path, { method })).text();
    expect(await read("/page")).toBe("page");
    expect(await read("/pets")).toContain("GET /pets");
    expect(await read("/other")).toContain("$default");
    expect(await read("/page", "POST")).toContain("$default");
    expect(asked).toEqual(["/page", "/other"]);
  });

  it("may fail without ending the server", async () => {
    await open({
      files() {
        throw new Error("disk");
      },
    });
    expect((await fetch(`${server.url}/page`)).status).toBe(500);
    expect((await fetch(`${server.url}/pets`)).status).toBe(200);
  });
});
