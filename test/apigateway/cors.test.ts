/** Pages of another origin: the behaviour of an HTTP API with and without `provider.httpApi.cors`. */
import { readRoutes } from "../../apigateway/local/routes.ts";
import { functions } from "../../functions/index.ts";
import { openServer, petRoutes, type TestServer, type TestServerOptions } from "./_server.ts";

const withCors = (cors: string, routes = petRoutes) => `provider:\n  httpApi:\n    cors: ${cors}\n${routes}`;
const noDefault = `
functions:
  pets:
    handler: functions/pets.handler
    events:
      - httpApi: GET /pets
      - httpApi: POST /pets
      - httpApi: PUT /pets/{id}
`;
const page = "https://shop.example";
const preflight = { origin: page, "access-control-request-method": "POST" };

let server: TestServer;
const open = async (options: TestServerOptions) => {
  server = await openServer(options);
};
afterEach(() => server.stop());
const ask = async (method: string, path: string, headers: Record<string, string>) => {
  const answer = await fetch(server.url + path, { method, headers });
  const own = [...answer.headers].filter(([name]) => name.startsWith("access-control-") || name === "vary");
  return { status: answer.status, text: await answer.text(), headers: Object.fromEntries(own) };
};

describe("a gateway without cors", () => {
  it("adds no header, and treats OPTIONS like any method", async () => {
    await open({ yaml: noDefault });
    expect(await ask("GET", "/pets", { origin: page })).toMatchObject({ status: 200, headers: {} });
    expect(await ask("OPTIONS", "/pets", preflight)).toMatchObject({ status: 404, headers: {} });
  });

  it("behaves as with `cors: false`", () => {
    expect(readRoutes(withCors("false")).cors).toBeUndefined();
    expect(readRoutes(petRoutes).cors).toBeUndefined();
  });
});

describe("a gateway with `cors: true`", () => {
  const allowed = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "OPTIONS,GET,POST,PUT",
    "access-control-allow-headers":
      "Content-Type,X-Amz-Date,Authorization,X-Api-Key,X-Amz-Security-Token,X-Amz-User-Agent,X-Amzn-Trace-Id",
  };

  it("answers the preflight without calling a function, with the framework's own defaults", async () => {
    await open({ yaml: withCors("true", noDefault) });
    expect(await ask("OPTIONS", "/pets", preflight)).toEqual({ status: 204, text: "", headers: allowed });
    expect(await ask("OPTIONS", "/nowhere", preflight)).toEqual({ status: 204, text: "", headers: allowed });
    expect(server.calls).toEqual([]);
  });

  it("lets a route that takes OPTIONS answer, as $default does, and puts its own headers in place of the function's", async () => {
    const headers = {
      "Access-Control-Allow-Origin": "https://other.example",
      "access-control-max-age": "1",
      "x-own": "1",
    };
    await open({ yaml: withCors("true"), functions: { rest: () => ({ statusCode: 204, headers, body: "" }) } });
    expect(await ask("OPTIONS", "/pets", preflight)).toEqual({ status: 204, text: "", headers: allowed });
    expect(server.calls.map(({ name }) => name)).toEqual(["rest"]);
  });

  it("adds the origin to every other answer, also to its own", async () => {
    await open({ yaml: withCors("true", noDefault) });
    const headers = { "access-control-allow-origin": "*" };
    expect(await ask("GET", "/pets", { origin: page })).toMatchObject({ status: 200, headers });
    expect(await ask("GET", "/nowhere", { origin: page })).toMatchObject({ status: 404, headers });
    expect(await ask("GET", "/pets", {})).toMatchObject({ status: 200, headers: {} });
  });

  it("takes OPTIONS without the two headers for no preflight", async () => {
    await open({ yaml: withCors("true", noDefault) });
    expect((await ask("OPTIONS", "/pets", { origin: page })).status).toBe(404);
    expect((await ask("OPTIONS", "/pets", { "access-control-request-method": "GET" })).status).toBe(404);
  });
});

describe("a gateway with cors settings of its own", () => {
  const cors = `
      allowedOrigins: [ "${page}", "http://*" ]
      allowedHeaders: [ Authorization, Idempotency-Key ]
      allowedMethods: [ GET, POST ]
      exposedResponseHeaders: [ ETag, Retry-After ]
      allowCredentials: true
      maxAge: 600`;

  it("answers with those settings", async () => {
    await open({ yaml: withCors(cors, noDefault) });
    const origin = { "access-control-allow-origin": page, vary: "origin", "access-control-allow-credentials": "true" };
    expect((await ask("OPTIONS", "/pets", preflight)).headers).toEqual({
      ...origin,
      "access-control-allow-methods": "GET,POST",
      "access-control-allow-headers": "Authorization,Idempotency-Key",
      "access-control-max-age": "600",
    });
    expect((await ask("GET", "/pets", { origin: page })).headers).toEqual({
      ...origin,
      "access-control-expose-headers": "ETag,Retry-After",
    });
  });

  it.each([
    [page, true],
    ["http://localhost:5173", true],
    ["https://shop.example.evil", false],
    ["https://shop.example:8443", false],
    ["https://localhost", false],
    ["null", false],
  ])("allows origin %s: %s", async (origin, allowed) => {
    await open({ yaml: withCors(cors, noDefault) });
    const before = await ask("OPTIONS", "/pets", { ...preflight, origin });
    expect(before.status).toBe(204);
    expect(before.headers["access-control-allow-origin"]).toBe(allowed ? origin : undefined);
    const { headers } = await ask("GET", "/pets", { origin });
    expect(headers["access-control-allow-origin"]).toBe(allowed ? origin : undefined);
  });

  it("names the origin and not `*` where credentials are allowed", async () => {
    await open({ yaml: withCors("{ allowCredentials: true }", noDefault) });
    expect((await ask("GET", "/pets", { origin: page })).headers["access-control-allow-origin"]).toBe(page);
  });
});

describe("our own $default", () => {
  // On AWS the $default route gets the preflights, so a 404 there would close the API for every page of another origin.
  const notFound = functions.not_found({
    clock: { now: Date.now },
    log: { info() {}, error() {} },
  } as never);

  it("names what is missing in a handshake whose upgrade a proxy has removed", async () => {
    await open({ functions: { rest: (event) => notFound(event) } });
    const { status, headers } = await fetch(`${server.url}/pgws`);
    expect([status, headers.get("upgrade")]).toEqual([426, "websocket"]);
  });

  it("answers a preflight with success and the rest with 404", async () => {
    await open({ yaml: withCors("{ maxAge: 60 }"), functions: { rest: (event) => notFound(event) } });
    expect(await ask("OPTIONS", "/bill", preflight)).toMatchObject({
      status: 204,
      headers: { "access-control-allow-origin": "*", "access-control-max-age": "60" },
    });
    const { status, text, headers } = await ask("OPTIONS", "/bill", { origin: page });
    expect([status, JSON.parse(text).code]).toEqual([404, "ROUTE_UNKNOWN"]);
    expect(headers["access-control-allow-origin"]).toBe("*");
  });
});
