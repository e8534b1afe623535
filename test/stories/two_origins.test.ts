/**
 * HTTP on one origin, sockets on another, as in the cloud: every page and the mini-program open their socket where the ticket
 * says, and none of them polls.
 */
import { createServer, request as forward } from "node:http";
import { type AddressInfo, connect, createServer as createGate, type Server } from "node:net";
import { asGuest } from "../../clients/client.ts";
import { makeClient, wechatPlatform } from "../../clients/wechat.ts";
import { builtPages } from "../../cloud/built_pages.ts";
import { newPairingCode } from "../../shared/sessions/login.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { fakeWx } from "../clients/_wx.ts";
import { hasBrowser, type OpenBrowser, openBrowser } from "../web/_browser.ts";
import { type BuiltPages, buildPages } from "../web/_pages.ts";

const real = hasBrowser() ? it : it.skip;

let house: House;
/** The HTTP origin: it passes requests on and has no sockets, as an HTTP API. */
let api: { readonly url: string; readonly polls: string[]; close(): Promise<void> };
let pages: BuiltPages | undefined;
let browser: OpenBrowser | undefined;
/** The socket's origin, by another name than the house's own. */
let socketUrl: string;

beforeAll(async () => {
  // Its port is known before the house's is.
  const gate = createGate((client) => {
    const inner = connect(Number(new URL(house.url).port), "127.0.0.1");
    client.pipe(inner).pipe(client);
    for (const socket of [client, inner])
      socket
        .on("error", () => {})
        .on("close", () => {
          client.destroy();
          inner.destroy();
        });
  });
  socketUrl = `ws://127.0.0.1:${await listen(gate)}/pgws`;
  house = await openHouse(anyEngine, { environment: { SOCKET_URL: socketUrl } });
  if (hasBrowser()) {
    pages = buildPages();
    browser = await openBrowser();
  }
  const polls: string[] = [];
  const find = pages && builtPages({ folder: pages.folder, socketUrl, picturesUrl: "https://pictures.example" });
  const http = createServer((request, response) => {
    const { method, url = "/", headers } = request;
    if (url.startsWith("/events")) polls.push(url);
    const page = find?.(url.split("?")[0] ?? "", { acceptEncoding: "", ifNoneMatch: undefined });
    if (page !== undefined) {
      response.writeHead(page.status, page.headers).end(page.body);
      return;
    }
    const passed = forward(house.url + url, { method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    passed.on("error", () => response.destroy());
    request.pipe(passed);
  });
  api = {
    url: `http://127.0.0.1:${await listen(http)}`,
    polls,
    async close() {
      http.closeAllConnections();
      await Promise.all([http, gate].map((server) => new Promise((resolve) => server.close(resolve))));
    },
  };
}, 120_000);

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

afterAll(async () => {
  await browser?.close();
  await house?.close();
  await api?.close();
  pages?.remove();
});

const codeFor = async (role: "kitchen" | "owner") =>
  (await newPairingCode(house.app, { shop: house.shop, role, device: "tablet", by: null })).code;

const readers = (stream: string) => house.server.connections.readersOf(stream).length;

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 20));
}

real.each<[string, () => Promise<string>, () => string]>([
  ["customer", async () => `/?shop=${house.shop}`, () => `menu:${house.shop}`],
  ["kitchen", async () => `/kitchen#pair=${await codeFor("kitchen")}`, () => `shop:${house.shop}`],
  ["board", async () => `/board?shop=${house.shop}`, () => `board:${house.shop}`],
  ["owner", async () => `/owner#pair=${await codeFor("owner")}`, () => `menu:${house.shop}`],
])("the %s's page opens its socket there and never polls", async (_, path, stream) => {
  const page = await (browser as OpenBrowser).newPage({ width: 800, height: 800 });
  const opened: string[] = [];
  page.on("websocket", (socket) => void opened.push(socket.url()));
  await page.goto(api.url + (await path()));
  await until(() => readers(stream()) > 0);
  expect([new Set(opened), api.polls]).toEqual([new Set([socketUrl]), []]);
  await page.close();
  await until(() => readers(stream()) === 0);
});

it("the mini-program opens its socket there and never polls", async () => {
  const wx = fakeWx({ newCode: () => "" });
  const client = makeClient(wechatPlatform(wx), { url: api.url, begin: asGuest });
  const watch = client.watch("menu", { shop: house.shop, onChange: () => {} });
  await until(() => readers(`menu:${house.shop}`) > 0);
  expect([wx.sockets(), wx.faults, api.polls]).toEqual([1, [], []]);
  watch.close();
  client.close();
});
