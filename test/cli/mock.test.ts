/** The mock: answers from the examples of openapi.yaml, alone or in front of a real gateway. */
import type { Server } from "node:http";
import { WebSocket } from "ws";
import { startMock } from "../../cli/mock.ts";
import { readLaw } from "../_contract.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";

let servers: Server[] = [];
const json = async (answer: Response) => JSON.parse(await answer.text());
const started = async (options: Parameters<typeof startMock>[0]) => {
  const { port, server } = await startMock(options);
  servers.push(server);
  return `http://127.0.0.1:${port}`;
};
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
});

it("npm run mock answers every route with the example of openapi.yaml", async () => {
  const url = await started({ port: 0, routes: [] });
  const { api, operations } = readLaw();
  expect(operations.size).toBeGreaterThan(30);
  for (const [key, { responses }] of operations) {
    const [method = "", path = ""] = key.split(" ");
    const answer = await fetch(url + path.replace(/\{\w+\}/g, "x"), { method });
    const written = responses[answer.status];
    // A success, where the route has one: native commands are always refused.
    const succeeds = Object.keys(responses).some((status) => Number(status) < 300);
    expect([key, written === undefined ? "unwritten" : answer.status < 300]).toEqual([key, succeeds]);
    const { content = {} } = written ?? {};
    const type = answer.headers.get("content-type");
    const text = await answer.text();
    if (Object.keys(content).length === 0) expect([key, type, text]).toEqual([key, null, ""]);
    else {
      const { schema = false } = content[type ?? ""] ?? {};
      const value = type?.endsWith("json") ? JSON.parse(text) : text;
      expect([key, type, api.fault(schema, value)]).toEqual([key, type, undefined]);
    }
  }
});

it("npm run mock answers an example that is a text as it is, with its media type", async () => {
  const url = await started({ port: 0, routes: [] });
  const playlist = await fetch(`${url}/files/01M7Y5WJA0M8QMQVNWB9W1KMCD/content`);
  expect(playlist.headers.get("content-type")).toBe("application/vnd.apple.mpegurl");
  expect(await playlist.text()).toBe("#EXTM3U");
});

it("npm run mock answers another status on request, and knows no other routes", async () => {
  const url = await started({ port: 0, routes: [] });
  const refused = await fetch(`${url}/bill`, { method: "POST", headers: { prefer: "code=409" } });
  expect(refused.status).toBe(409);
  expect(refused.headers.get("content-type")).toBe("application/problem+json");
  expect(typeof (await json(refused)).code).toBe("string");
  // Where the gateway's own answer is written beside the problem, too.
  const away = await fetch(`${url}/bill`, { method: "POST", headers: { prefer: "code=503" } });
  expect([away.headers.get("content-type"), typeof (await json(away)).code]).toEqual([
    "application/problem+json",
    "string",
  ]);
  const unknown = await fetch(`${url}/nothing`);
  expect([unknown.status, (await json(unknown)).code]).toEqual([404, "ROUTE_UNKNOWN"]);
  await expect(startMock({ port: 0, routes: ["GET /nothing"] })).rejects.toThrow('no route "GET /nothing"');
});

it("npm run mock answers one route in front of a real gateway, and passes on the rest, the socket too", async () => {
  const house: House = await openHouse(anyEngine);
  try {
    const url = await started({ port: 0, gateway: house.url, routes: ["GET /shops/{shop}/report"] });
    const report = await json(await fetch(`${url}/shops/${house.shop}/report`));
    expect(report.shop).toBe("noodle-house");
    const { shops } = await json(await fetch(`${url}/get_shop_info`));
    expect(shops.map(({ id }: { id: string }) => id)).toEqual([house.shop]);
    expect((await fetch(`${url}/orders`)).status).toBe(401);

    const customer = await house.guest();
    const socket = new WebSocket(`${url.replace("http", "ws")}/pgws`, [
      "orderbell.v1",
      `ticket.${await customer.ticket()}`,
    ]);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    const heard = new Promise<string>((resolve) => socket.once("message", (data) => resolve(String(data))));
    socket.send(JSON.stringify({ type: "resume", n: 1, streams: [{ stream: `user:${customer.user}` }] }));
    expect(JSON.parse(await heard)).toMatchObject({ type: "resumed", n: 1 });
    const closed = new Promise((resolve) => socket.once("close", resolve));
    socket.close();
    await closed;
  } finally {
    await house.close();
  }
});
