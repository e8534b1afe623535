/** Stopping: who is being served gets an answer, who is connected is told, and nobody can hold the process. */
import type { Socket } from "node:net";
import { deferred, dial, ended, enter, openServer, parse, type TestServer, type TestServerOptions } from "./_server.ts";

let server: TestServer;
const open = async (options: TestServerOptions = {}) => {
  server = await openServer(options);
};
afterEach(() => server.stop());

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const stopping = { type: "error", code: "STOPPING", retry: true };
const never = () => new Promise<never>(() => {});
/** Longer than any test waits: what ends before was not ended by the patience. */
const patient = { stopMs: 600_000 };

it("answers running requests and then closes their connections", async () => {
  const held = deferred<object>();
  await open({ limits: patient, functions: { pets: () => held.promise } });
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

it("waits for a body that is still on its way, and refuses what begins now", async () => {
  await open({ limits: patient });
  const sockets = (await Promise.all([1, 2, 3].map(() => dial(server.port)))) as [Socket, Socket, Socket];
  const answers = sockets.map(ended) as [Promise<string>, Promise<string>, Promise<string>];
  sockets[0].write("POST /pets HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{");
  // Begun, and not whole: Node closes only those that say nothing.
  const begun = "GET /".length;
  for (const socket of [sockets[1], sockets[2]]) socket.write(get("/").slice(0, begun));
  // By the time of an answer to somebody else the server has these headers.
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

it("is not held by requests that waited behind another one when their client left", async () => {
  // Node tells no end of such a response: it was never given a connection.
  const held = deferred<object>();
  await open({ limits: patient, functions: { pets: () => held.promise } });
  const socket = await dial(server.port);
  socket.write(get("/pets").repeat(20));
  for (let at = 0; at < 20; at++) await server.called("pets");
  const left = ended(socket);
  socket.destroy();
  await left;
  held.resolve({ statusCode: 200, headers: {}, body: "{}" });
  await server.stop();
});

it("tells sockets why and closes them with 1012, and waits for what $disconnect does", async () => {
  let left = 0;
  await open({
    limits: patient,
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

it("finishes the frame that is being served, and takes no further ones", async () => {
  const held = deferred();
  let served = 0;
  await open({
    limits: patient,
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

it("lets nobody in whom $connect accepts only now, and takes back what it noted", async () => {
  const held = deferred<object>();
  await open({ limits: patient, functions: { knock: () => held.promise } });
  const entering = enter(server.ws);
  const { requestContext } = await server.called("knock");
  const stopped = server.stop();
  held.resolve({ statusCode: 200 });
  await expect(entering).rejects.toMatchObject({ status: 503 });
  await stopped;
  expect((await server.called("leave")).requestContext.connectionId).toBe(requestContext.connectionId);
});

it("is not held by a connection that says nothing", async () => {
  await open({ limits: patient });
  const [silent, kept] = (await Promise.all([dial(server.port), dial(server.port)])) as [Socket, Socket];
  kept.write(get("/pets"));
  await new Promise((resolve) => kept.once("data", resolve));
  const gone = Promise.all([ended(silent), ended(kept)]);
  await server.stop();
  await gone;
});

it("is done though functions hang and clients neither read nor leave", async () => {
  const knocks = [{ statusCode: 200 }, { statusCode: 200 }, never()];
  await open({
    limits: { stopMs: 300 },
    functions: { knock: () => knocks.shift(), pets: never, say: never, leave: never },
  });
  const request = await dial(server.port);
  request.write(get("/pets"));
  await server.called("pets");
  const deaf = await enter(server.ws);
  const deafId = [...server.connections.all()].map(({ id }) => id)[0] as string;
  const busy = await enter(server.ws);
  for (const _ of [deaf, busy]) await server.called("knock");
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

/** Somebody who knocks and whose $connect never answers. */
async function openDoor(): Promise<Socket> {
  const socket = await dial(server.port);
  socket.write(
    "GET /pgws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
  );
  await server.called("knock");
  return socket;
}

it("may be asked twice", async () => {
  await open();
  await Promise.all([server.stop(), server.stop()]);
  await server.stop();
});
