/** Workload: the functions on AWS's terms, without an account: size and load, round trips, and pushes to many. See README.md. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { WebSocket } from "ws";
import { insertRows } from "../db/dialect.ts";
import { buildFunction, functionNames } from "../scripts/build.ts";
import { driverOnly, loadMs } from "../scripts/bundle_control.ts";
import { loginAsGuest } from "../shared/sessions/login.ts";
import { createRoom } from "../shared/streams/room.ts";
import { type AwsHouse, openAwsHouse } from "./_aws_house.ts";
import { monotonicMs } from "./_clock.ts";
import { ticketFor } from "./_contender.ts";
import { makeGuests } from "./_guests.ts";
import { startPosts } from "./_posts.ts";
import { ascending } from "./_statistics.ts";
import type { Bench, Measured, Workload } from "./_workload.ts";

/** The functions in the way of an order and of its kitchen. */
const hot = [
  "bill",
  "order",
  "get_shop_info",
  "session",
  "login",
  "events",
  "fan_out",
  "ws_register",
  "ws_transmit",
  "ws_unregister",
];

/** Of these the short profile measures the load. */
const largest = ["bill", "get_shop_info", "ws_register", "ws_transmit"];

const variant = { engine: "postgres", network: false } as const;
const kb = (bytes: number) => [bytes / 1_024, "KB"] as const;

// --- Size and load -------------------------------------------------------------------------------------------------

const loads = 3;

async function sizes(bench: Bench): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "orderbell-bench-bundles-"));
  const put = (name: string, code: string) => {
    const path = join(folder, `${name}.js`);
    writeFileSync(path, code);
    const zip = zipSync({ [`functions/${name}.js`]: Buffer.from(code) }, { level: 9 });
    return { path, zip: zip.length, code: code.length };
  };
  try {
    const controls = {
      "empty handler": put("empty", "exports.handler = async () => ({ statusCode: 204 });"),
      "driver only": put("driver", await driverOnly("pg")),
    };
    for (const name of bench.profile === "full" ? functionNames() : largest) {
      const built = await buildFunction(name, variant);
      const contenders = { orderbell: put(name, built.code), ...controls };
      await bench.play({
        case: name,
        contenders: Object.keys(contenders),
        rounds: 1,
        async play(contender): Promise<Measured> {
          const { path, zip, code } = contenders[contender as keyof typeof contenders];
          // The quickest: a busy machine can only make it slower.
          const [quickest = Number.NaN] = ascending(Array.from({ length: loads }, () => loadMs(path)));
          return { zip: kb(zip), code: kb(code), load: [quickest, "ms"] };
        },
      });
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// --- Round trips ---------------------------------------------------------------------------------------------------

type Answer = { readonly status: number; readonly body: unknown };

async function ask(house: AwsHouse, method: string, path: string, token?: string, body?: object): Promise<Answer> {
  const headers = {
    "content-type": "application/json",
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(path === "/bill" ? { "idempotency-key": `bench-${monotonicMs()}` } : {}),
  };
  const init = { method, headers, ...(body === undefined ? {} : { body: JSON.stringify(body) }) };
  const answer = await fetch(`${house.url}${path}`, init);
  const text = await answer.text();
  return { status: answer.status, body: text === "" ? {} : JSON.parse(text) };
}

async function roundTrips(bench: Bench, zips: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const house = await openAwsHouse(zips, true);
  /** Each is done twice: in a new environment, which also connects, and in one that was frozen. */
  const count = async (what: string, work: () => Promise<unknown>, times = 2) => {
    for (let nth = 1; nth <= times; nth++) {
      await house.invocations();
      await work();
      const all = await house.invocations();
      for (const { name, trips } of all) {
        const figure = nth === 1 && times > 1 ? "round trips, first" : "round trips";
        bench.report({
          contender: "orderbell",
          case: `${what}: ${name}`,
          round: 1,
          figure,
          unit: "count",
          value: trips,
        });
      }
      if (all.length === 0) bench.fail(`functions_on_aws: ${what} invoked nothing`);
    }
  };
  const expect = (status: number, wanted: number, what: string) => {
    if (status !== wanted) throw new Error(`${what} was answered ${status}`);
  };
  try {
    const guest = await loginAsGuest(house.machine.app, "127.0.0.1");
    const { token } = guest;
    await count("login", async () => expect((await ask(house, "POST", "/login/guest")).status, 201, "login"));
    await count("menu", async () => expect((await ask(house, "GET", "/get_shop_info?shop=bench")).status, 200, "menu"));
    const orders: string[] = [];
    await count(
      "order",
      async () => {
        const lines = [{ dish: "beef", quantity: 1 }];
        const { status, body } = await ask(house, "POST", "/bill", token, { shop: "bench", lines, service: "pickup" });
        expect(status, 201, "order");
        orders.push((body as { order: { id: string } }).order.id);
      },
      3,
    );
    await count("accept", async () => {
      const { status } = await ask(house, "POST", `/orders/${orders.pop()}/accept`, house.kitchenToken, {});
      expect(status, 200, "accept");
    });
    await count("poll", async () => {
      const { status } = await ask(house, "GET", `/events?stream=user:${guest.session.user}`, token);
      expect(status, 200, "poll");
    });
    await sockets(house, token, guest.session.user, count);
  } finally {
    await house.close();
  }
}

type Count = (what: string, work: () => Promise<unknown>, times?: number) => Promise<void>;

/** Answers go to the stand-in of @connections, not to the socket: a step is over when its function is. */
async function sockets(house: AwsHouse, token: string, user: string, count: Count): Promise<void> {
  const port = house.machine.server.port;
  const open: WebSocket[] = [];
  let protocols: string[] = [];
  await count("ticket", async () => {
    protocols = await ticketFor(token, port);
  });
  await count("upgrade", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/pgws`, protocols);
    await new Promise((resolve, reject) => socket.once("open", resolve).once("error", reject));
    open.push(socket);
    protocols = await ticketFor(token, port);
  });
  for (const type of ["resume", "check"])
    await count(type, async () => {
      const socket = open.at(type === "resume" ? -1 : 0) as WebSocket;
      socket.send(JSON.stringify({ type, n: Math.ceil(monotonicMs()), streams: [{ stream: `user:${user}` }] }));
      await new Promise((resolve) => setTimeout(resolve, 100));
    });
  await count("close", async () => {
    open.pop()?.close();
    await new Promise((resolve) => setTimeout(resolve, 100));
  });
}

// --- Pushes --------------------------------------------------------------------------------------------------------

async function pushes(bench: Bench, zips: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const count = bench.number("posts", { short: 2_000, full: 10_000 });
  await bench.play({
    case: `${count} posts`,
    contenders: ["orderbell", "loop"],
    rounds: bench.number("rounds", { short: 1, full: 1 }),
    play: (contender) => (contender === "loop" ? loop(bench, count) : pushToAll(bench, zips, count)),
  });
}

/** Control: one process, fifty posts at once, nothing is signed, read from a database or sent again. */
async function loop(bench: Bench, count: number): Promise<Measured> {
  const posts = await startPosts();
  try {
    const ids = Array.from({ length: count }, (_, nth) => idOf(nth));
    const server = await bench.start<object>("peers/post_loop", { needsDatabase: false, args: [posts.url, count] });
    const begun = monotonicMs();
    while (posts.taken.size + posts.throttled < count && monotonicMs() - begun < 60_000)
      await new Promise((resolve) => setTimeout(resolve, 20));
    await server.stop();
    const seconds = (posts.lastAt - begun) / 1_000;
    const lost = ids.filter((id) => !posts.taken.has(id)).length;
    return { "all pushed": [seconds, "s"], lost: [lost, "count"], "429": [posts.throttled, "count"] };
  } finally {
    await posts.close();
  }
}

const idOf = (nth: number) => `${String(nth).padStart(15, "A")}=`;
const isReader = (id: string) => /^A+\d+=$/.test(id);

/** A room whose readers are rows, as the functions of sockets would have written them; then one message to it. */
async function pushToAll(bench: Bench, zips: ReadonlyMap<string, Uint8Array>, count: number): Promise<Measured> {
  const house = await openAwsHouse(zips, false);
  try {
    const { app } = house.machine;
    const guest = await loginAsGuest(app, "127.0.0.1");
    const { room, grant } = await createRoom(app, guest.session, 3_600_000, "127.0.0.1");
    const stream = `room:${room}`;
    const at = app.clock.now();
    const readers = await makeGuests(app, count, 0);
    for (let done = 0; done < count; done += 500) {
      const some = readers.slice(done, done + 500).map(({ session }, nth) => ({ session, id: idOf(done + nth) }));
      const rest = { stream, number: 1, active: 1, grant_version: 1, grant_until: at + 3_600_000 };
      await app.db.flight({
        statements: [
          ...insertRows(
            app.db.dialect,
            "connections",
            some.map(({ id, session }) => ({
              id,
              session_id: session,
              gateway: house.posts.url,
              connected_at: at,
              opened_at: at,
            })),
          ),
          ...insertRows(
            app.db.dialect,
            "subscriptions",
            some.map(({ id }) => ({ connection_id: id, ...rest })),
          ),
        ],
      });
    }
    const socket = new WebSocket(
      `ws://127.0.0.1:${house.machine.server.port}/pgws`,
      await ticketFor(guest.token, house.machine.server.port),
    );
    await new Promise((resolve) => socket.once("open", resolve));
    await house.invocations();
    const begun = monotonicMs();
    socket.send(JSON.stringify({ type: "publish", n: 1, stream, grant, id: "m1", data: "x".repeat(100) }));
    // The publisher's own connection is answered here too.
    const taken = () => [...house.posts.taken.keys()].filter(isReader).length;
    while (taken() < count && monotonicMs() - begun < 120_000) await new Promise((resolve) => setTimeout(resolve, 50));
    const seconds = (house.posts.lastAt - begun) / 1_000;
    await house.invocations();
    const lost = count - taken();
    const doubled = [...house.posts.taken].filter(([id, times]) => isReader(id) && times > 1).length;
    if (lost > 0) bench.fail(`functions_on_aws: of ${count} pushes ${lost} lost`);
    socket.terminate();
    return {
      "all pushed": [seconds, "s"],
      lost: [lost, "count"],
      // A post that was not answered in its time is made again; the reader drops what it has.
      doubled: [doubled, "count"],
      "429": [house.posts.throttled, "count"],
    };
  } finally {
    await house.close();
  }
}

export const functionsOnAws: Workload = {
  name: "functions_on_aws",
  says: "Zip and load time of each function; its round trips to the database; pushes to many at 20 ms each, one of 20 answered 429.",
  seconds: { short: 40, full: 60 },
  async run(bench) {
    const parts = bench.list("parts", ["sizes", "trips", "posts"]);
    if (parts.includes("sizes")) await sizes(bench);
    const built = await Promise.all(hot.map((name) => buildFunction(name, variant)));
    const zips = new Map(built.map(({ name, zip }) => [name, zip]));
    if (parts.includes("trips")) await roundTrips(bench, zips);
    if (parts.includes("posts")) await pushes(bench, zips);
  },
};
