/** The calls by which functions push: AWS's @connections with its signature, and Tencent's reverse-push address. */
import { type AddressInfo, createServer, type Socket } from "node:net";
import { AwsClient } from "aws4fetch";
import { awsPusher, PushRefused } from "../../apigateway/aws.ts";
import { type Management, startManagement } from "../../apigateway/local/management.ts";
import { tencentPusher } from "../../apigateway/tencent.ts";
import { type Client, deferred, enter, openServer, type TestServer, type TestServerOptions } from "./_server.ts";

const credentials = { region: "us-east-1", accessKeyId: "AKIDEXAMPLE", secretAccessKey: "a-secret-for-tests" };
const maxMessageBytes = 128 * 1_024;

let server: TestServer;
let management: Management;
async function open(options: TestServerOptions = {}): Promise<void> {
  management = await startManagement({
    connections: () => server.connections,
    credentials,
    stage: "dev",
    maxMessageBytes,
  });
  server = await openServer(options);
}
afterEach(async () => {
  await server.stop();
  await management.close();
});

interface Options {
  readonly body?: string;
  readonly as?: Partial<typeof credentials>;
  readonly service?: string;
}

const pathOf = (id: string) => `/%40connections/${encodeURIComponent(id)}`;
const client = (as: object = {}, service = "execute-api") =>
  new AwsClient({ ...credentials, ...as, service, retries: 0 });
const sign = (method: string, path: string, { body, as, service }: Options = {}) =>
  client(as, service).sign(management.url + path, { method, ...(body === undefined ? {} : { body }) });

async function ask(request: Request | Promise<Request>) {
  const answer = await fetch(await request);
  const text = await answer.text();
  const type = answer.headers.get("x-amzn-errortype");
  return { status: answer.status, type, body: text === "" ? undefined : JSON.parse(text) };
}
const call = (method: string, path: string, options?: Options) => ask(sign(method, path, options));

async function connected(): Promise<{ id: string; client: Client }> {
  const before = new Set([...server.connections.all()].map(({ id }) => id));
  const own = await enter(server.ws, [], { headers: { "User-Agent": "probe/1" } });
  const id = [...server.connections.all()].map((one) => one.id).find((one) => !before.has(one)) as string;
  return { id, client: own };
}

const refused = (status: number, type: string) => ({
  status,
  type: `${type}Exception`,
  body: { message: type },
});
const unknownId = "AAAAAAAAAAAAAAA=";

describe("@connections", () => {
  it("sends, reports and closes", async () => {
    await open({ now: () => Date.UTC(2026, 10, 21, 6, 15, 30, 123) });
    const { id, client } = await connected();
    expect(await call("POST", pathOf(id), { body: '{"a":"你好"}' })).toEqual({
      status: 200,
      type: null,
      body: undefined,
    });
    expect(await client.next()).toBe('{"a":"你好"}');
    expect(await call("GET", pathOf(id))).toEqual({
      status: 200,
      type: null,
      body: {
        connectedAt: "2026-11-21T06:15:30.123Z",
        lastActiveAt: "2026-11-21T06:15:30.123Z",
        identity: { sourceIp: "127.0.0.1", userAgent: "probe/1" },
      },
    });
    expect(await call("DELETE", pathOf(id))).toEqual({ status: 204, type: null, body: undefined });
    await client.closed;
  });

  it("takes 128 KB and not one byte more", async () => {
    await open();
    const { id, client } = await connected();
    expect((await call("POST", pathOf(id), { body: "x".repeat(maxMessageBytes) })).status).toBe(200);
    expect((await client.next()).length).toBe(maxMessageBytes);
    const body = "x".repeat(maxMessageBytes + 1);
    expect(await call("POST", pathOf(id), { body })).toEqual(refused(413, "PayloadTooLarge"));
    client.socket.close();
  });

  it("finds no connection before $connect has answered, nor from the close on", async () => {
    const held = deferred<object>();
    await open({ functions: { handshake: () => held.promise } });
    const entering = enter(server.ws);
    const id = (await server.called("handshake")).requestContext.connectionId;
    for (const method of ["POST", "GET", "DELETE"])
      expect(await call(method, pathOf(id), method === "POST" ? { body: "x" } : {})).toEqual(refused(410, "Gone"));
    held.resolve({ statusCode: 200 });
    const own = await entering;
    expect((await call("GET", pathOf(id))).status).toBe(200);
    own.socket.close();
    await server.called("leave");
    for (const method of ["POST", "GET", "DELETE"]) expect((await call(method, pathOf(id))).status).toBe(410);
    expect(await call("POST", pathOf(unknownId), { body: "x" })).toEqual(refused(410, "Gone"));
  });

  it("answers GONE between the server's close and the client's answer to it", async () => {
    await open();
    const { id, client } = await connected();
    client.socket.pause();
    expect((await call("DELETE", pathOf(id))).status).toBe(204);
    expect(server.connections.size).toBe(1);
    for (const method of ["POST", "GET", "DELETE"]) expect((await call(method, pathOf(id))).status).toBe(410);
    client.socket.resume();
    await client.closed;
  });

  it.each(["x", "", "%20", "%ZZ", "short", "AAAAAAAAAAAAA%0A=", "AAAAAAAAAAAAAAA%3D%3D%3D"])(
    'calls the id "%s" malformed',
    async (encoded) => {
      await open();
      expect(await call("POST", `/%40connections/${encoded}`, { body: "x" })).toEqual(refused(400, "BadRequest"));
    },
  );

  it("refuses other methods", async () => {
    await open();
    const { id, client } = await connected();
    expect(await call("PUT", pathOf(id), { body: "x" })).toEqual(refused(403, "MissingAuthenticationToken"));
    client.socket.close();
  });

  it.each([
    "/connections/AAAAAAAAAAAAAAA%3D",
    "/%40connections/AAAAAAAAAAAAAAA%3D/x",
    "x/%40connections/AAAAAAAAAAAAAAA%3D",
    "",
  ])('forbids "%s": it is not of this stage or not this API', async (path) => {
    await open();
    expect(await call("POST", path, { body: "x" })).toEqual(refused(403, "Forbidden"));
  });

  it("answers 429 under load, and no more after it", async () => {
    await open();
    const { id, client } = await connected();
    management.throttle(2);
    const statuses = [];
    for (let at = 0; at < 3; at++) statuses.push(await call("POST", pathOf(id), { body: String(at) }));
    expect(statuses).toEqual([
      refused(429, "LimitExceeded"),
      refused(429, "LimitExceeded"),
      { status: 200, type: null, body: undefined },
    ]);
    expect(await client.next()).toBe("2");
    client.socket.close();
  });

  it("answers 429 when the client does not read, and 200 when it reads again", async () => {
    await open();
    const { id, client } = await connected();
    client.socket.pause();
    const body = "x".repeat(32 * 1_024);
    let sent = 0;
    let answer = await call("POST", pathOf(id), { body });
    for (; answer.status === 200; sent++) answer = await call("POST", pathOf(id), { body });
    expect(answer).toEqual(refused(429, "LimitExceeded"));
    // What may wait for it here is bounded; the rest is in the system's own buffers.
    const { socket } = server.connections.get(id) ?? {};
    expect(socket?.bufferedAmount).toBeLessThan(512 * 1_024);
    client.socket.resume();
    for (let at = 0; at < sent; at++) await client.next();
    expect((await call("POST", pathOf(id), { body: "again" })).status).toBe(200);
    expect(await client.next()).toBe("again");
    client.socket.close();
  });
});

describe("the signature of a request", () => {
  const forbidden = refused(403, "Forbidden");
  /** A request that was signed, with something else in it. */
  const altered = async (change: (request: Request) => Request | Promise<Request>) =>
    ask(change(await sign("POST", pathOf(unknownId), { body: "x" })));
  const withHeader = (request: Request, name: string, value: string) => {
    const headers = new Headers(request.headers);
    headers.set(name, value);
    return new Request(request, { headers });
  };

  beforeEach(() => open());

  it("of another implementation is accepted", async () => {
    expect((await altered((request) => request)).status).toBe(410);
    expect((await call("POST", `${pathOf(unknownId)}?b=2&a=1%20x`, { body: "x" })).status).toBe(410);
    expect((await call("POST", `/@connections/${unknownId}`, { body: "x" })).status).toBe(410);
  });

  it("is required", async () => {
    const request = new Request(management.url + pathOf(unknownId), { method: "POST", body: "x" });
    expect(await ask(request)).toEqual(forbidden);
  });

  it.each<[string, (request: Request) => Request | Promise<Request>]>([
    ["the body", (request) => new Request(request, { body: "y" })],
    ["the method", (request) => new Request(request, { method: "PUT" })],
    [
      "the date",
      (request) =>
        withHeader(request, "x-amz-date", new Date(Date.now() + 1_000).toISOString().replace(/[:-]|\.\d{3}/g, "")),
    ],
    ["the date to nonsense", (request) => withHeader(request, "x-amz-date", "today")],
    ["the query", (request) => new Request(`${request.url}?a=1`, request)],
    ["the connection", (request) => new Request(request.url.replace("AAA", "BBB"), request)],
    [
      "the signature",
      (request) =>
        withHeader(
          request,
          "authorization",
          (request.headers.get("authorization") ?? "").replace(/.$/, (last) => (last === "0" ? "1" : "0")),
        ),
    ],
    [
      "the signed headers",
      (request) =>
        withHeader(request, "authorization", (request.headers.get("authorization") ?? "").replace("host;", "")),
    ],
  ])("no longer fits when somebody changes %s", async (_, change) => {
    expect(await altered(change)).toEqual(forbidden);
  });

  it.each<[string, Options]>([
    ["another secret", { as: { secretAccessKey: "another" } }],
    ["another key id", { as: { accessKeyId: "AKIDOTHER" } }],
    ["another region", { as: { region: "eu-west-1" } }],
    ["another service", { service: "s3" }],
  ])("of %s is forbidden", async (_, options) => {
    expect(await call("POST", pathOf(unknownId), { body: "x", ...options })).toEqual(forbidden);
  });

  it.each([
    [-6, 403],
    [-4, 410],
    [4, 410],
    [6, 403],
  ])("of %d minutes from now is answered with %d", async (minutes, status) => {
    const datetime = new Date(Date.now() + minutes * 60_000).toISOString().replace(/[:-]|\.\d{3}/g, "");
    const request = client().sign(management.url + pathOf(unknownId), { method: "POST", body: "x", aws: { datetime } });
    expect((await ask(request)).status).toBe(status);
  });
});

describe("a cloud pusher", () => {
  const aws = (options: Partial<typeof credentials> = {}) =>
    awsPusher({ ...credentials, ...options, timeoutMs: 5_000 });

  it("of AWS tells sent, gone and throttled apart, and throws the rest with its status", async () => {
    await open();
    const { id, client } = await connected();
    expect(await aws().post(management.url, id, "hello")).toBe("sent");
    expect(await client.next()).toBe("hello");
    management.throttle(1);
    expect(await aws().post(management.url, id, "hello")).toBe("throttled");
    expect(await aws().post(management.url, unknownId, "hello")).toBe("gone");
    const wrong = aws({ secretAccessKey: "another" }).post(management.url, id, "hello");
    await expect(wrong).rejects.toThrow(PushRefused);
    await expect(wrong).rejects.toMatchObject({ code: "HTTP_403" });
    await expect(aws().post(management.url, id, "x".repeat(maxMessageBytes + 1))).rejects.toMatchObject({
      code: "HTTP_413",
    });
    await aws().drop(management.url, id);
    await client.closed;
    await expect(aws().drop(management.url, id)).resolves.toBeUndefined();
  });

  it("of AWS reaches an id with a slash in it", async () => {
    await open();
    let one = await connected();
    while (!one.id.includes("/")) {
      one.client.socket.close();
      one = await connected();
    }
    expect(await aws().post(management.url, one.id, "hello")).toBe("sent");
    await aws().drop(management.url, one.id);
    expect(await one.client.next()).toBe("hello");
    await one.client.closed;
  });

  it("of AWS sends the token of a role along, signed", async () => {
    await open();
    const { id, client } = await connected();
    const pusher = awsPusher({ ...credentials, sessionToken: "of a role", timeoutMs: 5_000 });
    expect(await pusher.post(management.url, id, "hello")).toBe("sent");
    expect(await client.next()).toBe("hello");
    client.socket.close();
  });

  it("gives up on a gateway that takes the request and never answers", async () => {
    await open();
    const sockets: Socket[] = [];
    const silent = createServer((socket) => void sockets.push(socket));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const late = { name: "TimeoutError" };
    await expect(awsPusher({ ...credentials, timeoutMs: 50 }).post(url, unknownId, "x")).rejects.toMatchObject(late);
    await expect(tencentPusher(url, 50).post("", unknownId, "x")).rejects.toMatchObject(late);
    expect(sockets.length).toBeGreaterThan(0);
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it("of Tencent tells sent, gone and throttled apart", async () => {
    await open({ cloud: "tencent", functions: { handshake: () => ({ errNo: 0, errMsg: "ok" }) } });
    const { id, client } = await connected();
    const pusher = tencentPusher(management.tencentUrl, 5_000);
    expect(await pusher.post("", id, "你好")).toBe("sent");
    expect(await client.next()).toBe("你好");
    management.throttle(1);
    expect(await pusher.post("", id, "hello")).toBe("throttled");
    expect(await pusher.post("", unknownId, "hello")).toBe("gone");
    await pusher.drop("", id);
    await client.closed;
    await expect(tencentPusher(`${management.url}x`, 5_000).post("", id, "x")).rejects.toThrow(PushRefused);
  });
});
