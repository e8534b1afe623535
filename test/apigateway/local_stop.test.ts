/** Stopping the server: running requests are answered, connected clients are told, and nothing delays the end. */
import type { Socket } from "node:net";
import { type Engine, engines } from "../_engines.ts";
import { openHouse } from "../_house.ts";
import { deferred, dial, ended, enter, openServer, parse, type TestServer, type TestServerOptions } from "./_server.ts";

let server: TestServer;
const open = async (options: TestServerOptions = {}) => {
  server = await openServer(options);
};
afterEach(() => server.stop());

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const stopping = { type: "error", code: "STOPPING", retry: true };
const never = () => new Promise<never>(() => {});
/** A time-out longer than any test: a connection that ends earlier was not ended by it. */
const longStop = { stopMs: 600_000 };

it("a stop answers running requests and then closes their connections", async () => {
  const held = deferred<object>();
  await open({ limits: longStop, functions: { pets: () => held.promise } });
  const socket = await dial(server.port);
  const answer = ended(socket);
  socket.write(get("/pets"));
  await server.called("pets");
  const stopped = server.stop();
  held.resolve({ statusCode: 201, headers: {}, body: "{}" });
  await stopped;
  expect(parse(await answer)).toMatchObject({ status: 201, headers: { connection: "close" } });
  await expect(dial(server.port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
});

it("a stop ends waiting polls, and answers them", async () => {
  await open({
    limits: longStop,
    functions: {
      pets: (_, { signal }) =>
        new Promise((resolve) =>
          signal.addEventListener("abort", () => resolve({ statusCode: 200, headers: {}, body: "nothing yet" })),
        ),
    },
  });
  const waiting = fetch(`${server.url}/pets`);
  await server.called("pets");
  await server.stop();
  expect(await (await waiting).text()).toBe("nothing yet");
});

it("a stop finishes though the database hangs", async () => {
  await open();
  const pglite = engines.find(({ name }) => name === "pglite") as Engine;
  const house = await openHouse(pglite, { limits: { stopMs: 100 }, mayFail: true });
  const { flight } = house.db;
  house.db.flight = never;
  void house.http("POST", "/login/guest").catch(() => {});
  await house.stop();
  house.db.flight = flight;
  await house.db.remove();
});

it("a stop waits for a body that is still arriving, and refuses new requests", async () => {
  await open({ limits: longStop });
  const sockets = (await Promise.all([1, 2, 3].map(() => dial(server.port)))) as [Socket, Socket, Socket];
  const answers = sockets.map(ended) as [Promise<string>, Promise<string>, Promise<string>];
  sockets[0].write("POST /pets HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{");
  // Begun and incomplete: Node closes only silent connections.
  const begun = "GET /".length;
  for (const socket of [sockets[1], sockets[2]]) socket.write(get("/").slice(0, begun));
  // Once another request is answered, the server has these headers.
  await fetch(`${server.url}/healthz`);
  const stopped = server.stop();
  sockets[1].write(get("/pets").slice(begun));
  sockets[2].write(get("/healthz").slice(begun));
  expect(parse(await answers[1])).toMatchObject({ status: 503, headers: { "retry-after": "1", connection: "close" } });
  expect(parse(await answers[2])).toMatchObject({ status: 503, body: { status: "stopping" } });
  expect(server.calls).toEqual([]);
  sockets[0].write("}");
  expect((await server.called("pets")).requestContext.http.method).toBe("POST");
  await stopped;
  expect(parse(await answers[0]).status).toBe(200);
});

it("a stop is not delayed by queued requests whose client left", async () => {
  // Node emits no close for such a response: it never had a connection.
  const held = deferred<object>();
  await open({ limits: longStop, functions: { pets: () => held.promise } });
  const socket = await dial(server.port);
  socket.write(get("/pets").repeat(20));
  for (let at = 0; at < 20; at++) await server.called("pets");
  const left = ended(socket);
  socket.destroy();
  await left;
  held.resolve({ statusCode: 200, headers: {}, body: "{}" });
  await server.stop();
});

it("a stop tells sockets why, closes them with 1012, and waits for $disconnect", async () => {
  let left = 0;
  await open({
    limits: longStop,
    functions: {
      async leave() {
        await new Promise((resolve) => setImmediate(resolve));
        left += 1;
      },
    },
  });
  const clients = await Promise.all([1, 2, 3].map(() => enter(server.ws)));
  await server.stop();
  for (const client of clients) {
    expect(JSON.parse(await client.next())).toMatchObject(stopping);
    expect((await client.closed).code).toBe(1012);
  }
  expect(left).toBe(3);
  expect(server.connections.size).toBe(0);
});

it("a stop finishes the frame being served, and takes no further ones", async () => {
  const held = deferred();
  let served = 0;
  await open({
    limits: longStop,
    functions: {
      async say() {
        await held.promise;
        served += 1;
      },
    },
  });
  const client = await enter(server.ws);
  client.socket.send("first");
  await server.called("say");
  const stopped = server.stop();
  client.socket.send("second");
  expect((await client.closed).code).toBe(1012);
  held.resolve();
  await stopped;
  expect(served).toBe(1);
});

it("a stop refuses connections that $connect accepts only then, and removes their rows", async () => {
  const held = deferred<object>();
  await open({ limits: longStop, functions: { handshake: () => held.promise } });
  const entering = enter(server.ws);
  const { requestContext } = await server.called("handshake");
  const stopped = server.stop();
  held.resolve({ statusCode: 200 });
  await expect(entering).rejects.toMatchObject({ status: 503 });
  await stopped;
  expect((await server.called("leave")).requestContext.connectionId).toBe(requestContext.connectionId);
});

it("a stop is not delayed by a connection that says nothing", async () => {
  await open({ limits: longStop });
  const [silent, kept] = (await Promise.all([dial(server.port), dial(server.port)])) as [Socket, Socket];
  kept.write(get("/pets"));
  await new Promise((resolve) => kept.once("data", resolve));
  const gone = Promise.all([ended(silent), ended(kept)]);
  await server.stop();
  await gone;
});

it("a stop finishes though functions hang and clients neither read nor leave", async () => {
  const handshakes = [{ statusCode: 200 }, { statusCode: 200 }, never()];
  await open({
    limits: { stopMs: 300 },
    functions: { handshake: () => handshakes.shift(), pets: never, say: never, leave: never },
  });
  const request = await dial(server.port);
  request.write(get("/pets"));
  await server.called("pets");
  const deaf = await enter(server.ws);
  const deafId = [...server.connections.all()].map(({ id }) => id)[0] as string;
  const busy = await enter(server.ws);
  for (const _ of [deaf, busy]) await server.called("handshake");
  busy.socket.send("x");
  await server.called("say");
  deaf.socket.pause();
  const frame = "x".repeat(64 * 1_024);
  while (server.connections.send(deafId, frame) === "sent") await new Promise((resolve) => setImmediate(resolve));
  const door = await openDoor();
  const gone = Promise.all([ended(request), ended(door)]);
  await server.stop();
  await gone;
  expect(server.connections.size).toBe(0);
  deaf.socket.resume();
  expect((await deaf.closed).code).toBe(1006);
});

/** A handshake whose $connect never answers. */
async function openDoor(): Promise<Socket> {
  const socket = await dial(server.port);
  socket.write(
    "GET /pgws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await server.called("handshake");
  return socket;
}

it("a stop may be requested twice", async () => {
  await open();
  await Promise.all([server.stop(), server.stop()]);
  await server.stop();
});
