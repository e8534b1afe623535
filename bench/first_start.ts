/** Workload: from the start of the process to the first page and the first order, and what a phone on a quiet page sends and gets. See README.md. */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { ensurePages } from "../cli/ensure_pages.ts";
import { createClient } from "../clients/node.ts";
import type { Running } from "./_contender.ts";
import { freshDatabase } from "./_database.ts";
import type { OrderServer } from "./_load.ts";
import { type Meter, startMeter } from "./_meter.ts";
import type { Bench, Measured, Workload } from "./_workload.ts";

const contenders = ["orderbell", "fastify_ws"] as const;

// --- Start ---------------------------------------------------------------------------------------------------------

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

interface Answer {
  readonly status: number;
  readonly body: string;
}

async function ask(url: string, method: string, token?: string, body?: object): Promise<Answer> {
  const headers = {
    "content-type": "application/json",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(method === "POST" ? { "idempotency-key": randomUUID() } : {}),
  };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const answer = await fetch(url, init);
  return { status: answer.status, body: await answer.text() };
}

/** Asks until somebody answers. */
async function firstAnswer(url: string): Promise<Answer> {
  for (const until = performance.now() + 180_000; performance.now() < until; await pause(5)) {
    const answer = await ask(url, "GET").catch(() => undefined);
    if (answer !== undefined) return answer;
  }
  throw new Error(`${url} did not answer in three minutes`);
}

/** Lets it end as a user would: what it started itself ends too. */
async function end(child: ChildProcess): Promise<void> {
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const late = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await exited;
  clearTimeout(late);
}

/** What `npm start` runs; npm itself takes some tenths of a second more. */
async function startOrderbell(home: string): Promise<Measured> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const from = performance.now();
  const child = spawn(process.execPath, ["bin/orderbell.mjs", "start", "--port", String(port)], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, ORDERBELL_HOME: home },
  });
  try {
    await firstAnswer(`${url}/healthz`);
    const page = await ask(`${url}/`, "GET");
    if (page.status !== 200) throw new Error(`the first page was answered ${page.status}`);
    const pageMs = performance.now() - from;
    const shop = await firstShop(url);
    const { token } = JSON.parse((await ask(`${url}/login/guest`, "POST")).body).session;
    const { status, body } = await placeOrder(url, shop, token);
    if (status !== 201) throw new Error(`the first order was answered ${status} ${body}`);
    return { "first page": [pageMs, "ms"], "first order": [performance.now() - from, "ms"] };
  } finally {
    await end(child);
  }
}

/** The server listens a moment before its demo shops are there. */
async function firstShop(url: string): Promise<string> {
  for (;;) {
    const { shops } = JSON.parse((await ask(`${url}/get_shop_info`, "GET")).body) as { shops: { id: string }[] };
    if (shops[0] !== undefined) return shops[0].id;
    await pause(5);
  }
}

interface Dish {
  readonly id: string;
  readonly options: readonly { id: string; min: number; choices: readonly { id: string }[] }[];
}

/** The first dish, with as few options as it allows. The shop opens a moment after it is there. */
async function placeOrder(url: string, shop: string, token: string): Promise<Answer> {
  for (let tries = 0; ; tries++) {
    const { menu } = JSON.parse((await ask(`${url}/get_shop_info?shop=${shop}`, "GET")).body) as {
      menu?: { dishes: readonly Dish[] };
    };
    const dish = menu?.dishes[0];
    const options = (dish?.options ?? [])
      .filter(({ min }) => min > 0)
      .map(({ id, min, choices }) => ({ option: id, choices: choices.slice(0, min).map((choice) => choice.id) }));
    const lines = [{ dish: dish?.id, quantity: 1, options }];
    const answer = await ask(`${url}/bill`, "POST", token, { shop, lines, service: "pickup" });
    if (answer.status === 201 || tries === 100) return answer;
    await pause(10);
  }
}

/** It has no page: what it answers to that is its first answer. Its database is there before. */
async function startFastify(): Promise<Measured> {
  const database = await freshDatabase("postgres");
  const from = performance.now();
  const child = spawn(process.execPath, ["bench/peers/fastify_ws.mjs", database.url, "1"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = (await once(child.stdout, "data")) as [Buffer];
    const { port, path, shops } = JSON.parse(line.toString()) as OrderServer;
    const url = `http://127.0.0.1:${port}`;
    await firstAnswer(url);
    const pageMs = performance.now() - from;
    const lines = [{ dish: "beef", quantity: 1 }];
    const order = { shop: shops[0]?.id, lines, service: "pickup" };
    const { status } = await ask(`${url}${path}`, "POST", undefined, order);
    if (status !== 201) throw new Error(`the first order was answered ${status}`);
    return { "first page": [pageMs, "ms"], "first order": [performance.now() - from, "ms"] };
  } finally {
    await end(child);
    await database.remove();
  }
}

async function starts(bench: Bench): Promise<void> {
  // A fresh clone builds its pages once, in a quarter of a minute; that is not a start.
  await ensurePages(() => {});
  const home = () => mkdtempSync(join(tmpdir(), "orderbell-bench-home-"));
  const old = home();
  const folders = [old];
  const chosen = await bench.available(bench.list("contenders", contenders));
  const rounds = bench.number("rounds", { short: 1, full: 2 });
  try {
    for (const again of [false, true]) {
      const play = (one: string): Promise<Measured> => {
        if (one === "fastify_ws") return startFastify();
        const folder = again ? old : home();
        folders.push(folder);
        return startOrderbell(folder);
      };
      if (again && !existsSync(join(old, "keys.json"))) await startOrderbell(old);
      await bench.play({ case: again ? "later start" : "first start", contenders: chosen, rounds, play });
    }
  } finally {
    for (const folder of folders) rmSync(folder, { recursive: true, force: true });
  }
}

// --- A quiet page --------------------------------------------------------------------------------------------------

const heartbeatMs = 25_000;
const hourMs = 3_600_000;

/** Counts over whole heartbeats, and what they would be in an hour. */
async function hourOf(meter: Meter, beats: number): Promise<Measured> {
  await meter.nextFrame();
  // The answer to it, and what else belongs to the same heartbeat.
  await pause(2_000);
  const from = meter.traffic();
  await pause(beats * heartbeatMs);
  const to = meter.traffic();
  const times = hourMs / (beats * heartbeatMs);
  return {
    "bytes in an hour": [((to.bytes - from.bytes) * times) / 1_024, "KB"],
    "frames in an hour": [(to.frames - from.frames) * times, "count"],
  };
}

interface Crowd extends OrderServer, Running {}

/** The customer's page after an order: its orders and the menu are watched by the client of the pages. */
async function phone(bench: Bench, beats: number): Promise<Measured> {
  const server = await bench.start<Crowd>("_crowd", { engine: bench.engine, args: [1, 1, 0] });
  const meter = await startMeter(server.port);
  const client = createClient({ url: `http://127.0.0.1:${meter.port}` });
  try {
    const live = new Promise<void>((resolve) => client.watch("orders", { onChange: () => resolve() }));
    client.watch("menu", { shop: "shop-0", onChange: () => {} });
    await live;
    const lines = [{ dish: "beef", quantity: 1, options: [] }];
    await client.submit({ shop: "shop-0", lines, service: "pickup" });
    await pause(3_000);
    return await hourOf(meter, beats);
  } finally {
    client.close();
    meter.close();
    await server.stop();
  }
}

/** A bare socket that is pinged as often, which Fastify with `ws` would do no differently. */
async function pinged(bench: Bench, beats: number): Promise<Measured> {
  const server = await bench.start<object>("peers/ws_loop", { needsDatabase: false, args: ["pings"] });
  const meter = await startMeter(server.port);
  const socket = new WebSocket(`ws://127.0.0.1:${meter.port}/pgws`);
  try {
    await once(socket, "open");
    socket.send("resume");
    await pause(3_000);
    return await hourOf(meter, beats);
  } finally {
    socket.terminate();
    meter.close();
    await server.stop();
  }
}

async function quietPage(bench: Bench): Promise<void> {
  const beats = bench.number("beats", { short: 1, full: 1 });
  // Side by side: neither does anything but wait.
  const both = Promise.all([phone(bench, beats), pinged(bench, beats)]);
  const [own, ws] = await both;
  const measured = { orderbell: own, ws };
  await bench.play({
    case: "quiet page",
    contenders: ["orderbell", "ws"],
    rounds: 1,
    play: async (one) => measured[one as keyof typeof measured],
  });
}

export const firstStart: Workload = {
  name: "first_start",
  says: "From the start of the process to the first page and the first order; and what a phone on a quiet page costs in an hour.",
  seconds: { short: 20, full: 60 },
  async run(bench) {
    const parts = bench.list("parts", bench.profile === "full" ? ["starts", "quiet"] : ["starts"]);
    // A quiet page waits for its heartbeats, and disturbs nobody.
    const quiet = parts.includes("quiet") ? quietPage(bench) : undefined;
    quiet?.catch(() => {});
    if (parts.includes("starts")) await starts(bench);
    await quiet;
  },
};
