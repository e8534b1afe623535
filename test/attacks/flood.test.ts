/** Floods of strangers on every route in turn; meanwhile orders are taken, the kitchen gets them, and its list is answered. */
import { connect, type Socket } from "node:net";
import { WebSocket } from "ws";
import { anyEngine } from "../_engines.ts";
import { newKey, type Person, type TestSocket } from "../_house.ts";
import { until } from "../_until.ts";
import {
  type Business,
  channelEnvironment,
  connect as connectTunnel,
  openBusiness,
  openTunnel,
  pin,
  pushTo,
  speak,
  tunnelFor,
} from "../wafer/_channel.ts";
import { openScene, operations, rightRequest, type Scene, send } from "./_scene.ts";

/** Far above what fits: a handful runs, a few wait. */
const bounds = { concurrency: 10, queue: 8, polls: 8, overloadDelayMs: 20, receivingPerNetwork: 20, receiving: 60 };
const crowd = 24;

let scene: Scene;
let socket: TestSocket;
let guest: Person;
beforeAll(async () => {
  const environment = { GUEST_SESSIONS_PER_HOUR: "100000", COALESCE_MS: "0", ...channelEnvironment };
  scene = await openScene(anyEngine, { limits: bounds, mayFail: true, environment });
  const { kitchen, house } = scene;
  guest = await house.guest();
  socket = await kitchen.connect();
  await socket.resume({ stream: `shop:${house.shop}` });
});
afterAll(() => scene.close());

/** What the shop must be able to do whatever else goes on. Nothing is tried twice. */
async function shopIsOpen(): Promise<void> {
  const { customer, other, kitchen, house } = scene;
  const placed = await Promise.all([customer.order(), other.order()]);
  expect(placed.map(({ status }) => status)).toEqual([201, 201]);
  const ids = placed.map(({ body }) => body.order.id as string);
  for (const id of ids)
    await socket.next("event", ({ event, data }) => event === "order.placed" && JSON.stringify(data).includes(id));
  const list = await kitchen.http("GET", `/shops/${house.shop}/orders?status=placed`);
  expect([list.status, ids.filter((id) => !list.text.includes(id))]).toEqual([200, []]);
  const steps = await Promise.all(ids.map((id) => kitchen.http("POST", `/orders/${id}/reject`, { body: {} })));
  expect(steps.map(({ status }) => status)).toEqual([200, 200]);
}

/** A tablet that comes back in the middle of it. */
async function kitchenReturns(): Promise<void> {
  const again = await scene.kitchen.connect();
  expect((await again.resume({ stream: `shop:${scene.house.shop}` })).type).toBe("resumed");
  again.close();
}

const forged = () => `obs_${"0".repeat(52)}${newKey()}${newKey()}`;
const overloads = () =>
  scene.house.lines.flatMap((line) => /"event":"overload","compartment":"([^"]+)"/.exec(line)?.[1] ?? []);

/** All at once; the answers to the flood itself are counted. */
async function flood(
  one: (k: number) => Promise<number>,
  meanwhile?: () => Promise<void>,
): Promise<Map<number, number>> {
  const statuses = new Map<number, number>();
  const all = Array.from({ length: crowd }, (_, k) =>
    one(k).then((is) => statuses.set(is, (statuses.get(is) ?? 0) + 1)),
  );
  await shopIsOpen();
  if (meanwhile !== undefined) await meanwhile();
  await Promise.all(all);
  return statuses;
}

it.each(operations.map((to) => [to.key, to] as const))(
  "a flood of %s without a session leaves the shop working",
  async (key, to) => {
    const polls = key === "GET /events" ? { wait: "1" } : {};
    await flood(async (k) => {
      const right = rightRequest(scene, to);
      // Half of them claim to be staff.
      const token = k % 2 === 0 && right.token !== undefined ? forged() : undefined;
      const { status } = await send(scene, to, { ...right, query: { ...right.query, ...polls }, token });
      return status;
    });
  },
);

it("the floods of routes were refused as strangers', and the log says so once for each", () => {
  const told = overloads();
  expect(told).toContain("strangers: events");
  expect(told.length).toBeGreaterThan(5);
  expect(told).toEqual([...new Set(told)]);
  expect(told.filter((name) => !name.startsWith("strangers: "))).toEqual([]);
});

it("a flood of handshakes with unknown tickets leaves the shop working", async () => {
  const statuses = await flood(
    () =>
      new Promise((resolve) => {
        const handshake = new WebSocket(`${scene.house.url.replace("http", "ws")}/pgws`, [
          "orderbell.v1",
          `ticket.${newKey()}`,
        ]);
        handshake.once("unexpected-response", (_, { statusCode = 0 }) => {
          handshake.once("error", () => {});
          handshake.terminate();
          resolve(statusCode);
        });
      }),
    kitchenReturns,
  );
  expect([...statuses.keys()].filter((status) => ![401, 429, 503].includes(status))).toEqual([]);
});

it("a flood of a guest's messages to a room, and of resumes, leaves the shop working", async () => {
  const { room, grant } = (await guest.http("POST", "/rooms")).body;
  const sockets = await Promise.all(Array.from({ length: 5 }, () => guest.connect()));
  await flood(async (k) => {
    const one = sockets[k % sockets.length] as TestSocket;
    const stream = `room:${room.id ?? room}`;
    one.say({ type: "publish", stream, id: newKey(), grant, data: "x".repeat(1_000) });
    one.say({ type: "resume", streams: [{ stream, grant }, { stream: `menu:${scene.house.shop}` }] });
    return 0;
  });
  for (const one of sockets) one.close();
});

const dial = () =>
  new Promise<Socket>((resolve, reject) => {
    const one = connect(Number(new URL(scene.house.url).port), "127.0.0.1", () => resolve(one)).once("error", reject);
  });

it.each([
  ["say nothing", ""],
  ["do not come to the end of their headers", "GET /session HTTP/1.1\r\nHost: a\r\nX-Slow: "],
  ["do not come to the end of their body", "POST /bill HTTP/1.1\r\nHost: a\r\nContent-Length: 9000\r\n\r\n{"],
])("a flood of connections that %s: the oldest give way", async (_, text) => {
  const held = await Promise.all(Array.from({ length: 200 }, dial));
  const closed = held.map((one) => new Promise((resolve) => one.on("error", () => {}).once("close", resolve)));
  for (const one of held) one.write(text);
  await shopIsOpen();
  await kitchenReturns();
  await Promise.all(closed.slice(0, 200 - bounds.receiving));
  for (const one of held) one.destroy();
});

it("a flood of polls that hang up leaves none waiting", async () => {
  const { house } = scene;
  const request = `GET /events?stream=menu:${house.shop}&wait=20 HTTP/1.1\r\nHost: a\r\n\r\n`;
  for (let round = 0; round < 3; round++) {
    const held = await Promise.all(Array.from({ length: crowd }, dial));
    for (const one of held) {
      one.on("error", () => {}).write(request);
      // Refused: those of the round before have not quite left.
      one.on("data", () => one.write(request));
    }
    while (house.app.headWatcher.size === 0) await house.clock.sleep(5);
    for (const one of held) one.destroy();
    await shopIsOpen();
    while (house.app.headWatcher.size > 0) await house.clock.sleep(5);
  }
});

describe("tunnels", () => {
  let business: Business;
  let hanging: Business;
  beforeAll(async () => {
    [business, hanging] = [await openBusiness(), await openBusiness()];
    for (const one of [business, hanging]) await pin(scene.house, one);
    hanging.onCall = () => "hang";
  });
  afterAll(async () => {
    await hanging.close();
    await business.close();
  });

  const socketsAre = (count: number) =>
    until(
      () => scene.house.server.connections.size === count,
      `${count} sockets`,
      () => scene.house.server.connections.size,
    );

  it("that nobody gave out, asked for by a crowd, leave the shop working and no socket open", async () => {
    const before = scene.house.server.connections.size;
    const statuses = await flood(
      () =>
        new Promise((resolve) => {
          const address = `/pgws?tunnelId=${crypto.randomUUID()}&ticket=${newKey()}`;
          const handshake = new WebSocket(scene.house.url.replace("http", "ws") + address);
          handshake.on("error", () => {});
          handshake.once("unexpected-response", (_, { statusCode = 0 }) => {
            handshake.terminate();
            resolve(statusCode);
          });
          handshake.once("open", () => handshake.once("close", () => resolve(101)));
        }),
      kitchenReturns,
    );
    expect([...statuses.keys()].filter((status) => ![101, 429, 503].includes(status))).toEqual([]);
    await socketsAre(before);
  });

  it("whose clients flood a business server that hangs leave the shop and another channel working", async () => {
    const before = scene.house.server.connections.size;
    const loud = await Promise.all(Array.from({ length: 5 }, () => openTunnel(scene.house, hanging)));
    const other = await openTunnel(scene.house, business);
    await flood(
      async (k) => {
        const one = loud[k % loud.length];
        for (let at = 0; at < 30; at++)
          for (const frame of [`message:${speak(at)}`, "ping", "y".repeat(10_000), '{"type":"resume"}'])
            one?.send(frame);
        return 0;
      },
      async () => {
        for (let at = 0; at < 5; at++) {
          other.send(`message:${speak(at)}`);
          await until(
            () => business.callsOf(other.tunnelId).length === at + 2,
            "the other channel's call",
            () => business.callsOf(other.tunnelId),
          );
          expect(await pushTo(scene.house, business, [other.tunnelId], speak(at))).toEqual([]);
          await other.got(`message:${speak(at)}`);
        }
      },
    );
    // One that does not end is cut off.
    const [first] = loud;
    for (let at = 0; at < 600; at++) first?.send(`message:${speak(at)}`);
    await first?.closed;
    await shopIsOpen();
    for (const one of [...loud, other]) one.socket.close();
    await socketsAre(before);
  });

  it("that open and close again and again leave the shop working and no socket open", async () => {
    const before = scene.house.server.connections.size;
    await flood(async () => {
      for (let at = 0; at < 5; at++) {
        const client = await tunnelFor(scene.house, business)
          .then(connectTunnel)
          .catch(() => undefined);
        client?.socket.close();
        await client?.closed;
      }
      return 0;
    }, kitchenReturns);
    await socketsAre(before);
  });
});
