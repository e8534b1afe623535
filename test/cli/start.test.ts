/** `npm start` as a process: the first minute as the README describes it, and every way to end. */
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createConnection } from "node:net";
import { join } from "node:path";
import { socketPaths } from "../../cli/admin_socket.ts";
import type { OrderEvent } from "../../shared/protocol.ts";
import { newKey, openSocket, type TestSocket } from "../_house.ts";
import { cleanUp, type Demo, launch, newDemoHome, newHome, orderbell, startDemo } from "./_cli.ts";

let home: string;
let demo: Demo;

beforeAll(async () => {
  home = await newHome();
  demo = await startDemo(home);
});

afterAll(cleanUp);

interface Answered {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test's own assertion is the type check here
  readonly body: any;
}

async function ask(method: string, path: string, token?: string, body?: object, key?: string): Promise<Answered> {
  const response = await fetch(demo.url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text === "" ? undefined : JSON.parse(text) };
}

interface MenuDish {
  readonly id: string;
  readonly options: readonly { id: string; min: number; choices: readonly { id: string; available: boolean }[] }[];
}

/** One portion of the first dish, with what must be chosen. */
function lineOf([dish]: readonly MenuDish[]) {
  if (dish === undefined) throw new Error("the menu is empty");
  const options = dish.options
    .filter(({ min }) => min > 0)
    .map(({ id, min, choices }) => ({
      option: id,
      choices: choices
        .filter(({ available }) => available)
        .slice(0, min)
        .map((choice) => choice.id),
    }));
  return { dish: dish.id, quantity: 1, options };
}

/** What the walk-through leaves for the tests after it. */
const left = {} as {
  shop: string;
  bill: object;
  guest: string;
  staff: string;
  socket: TestSocket;
  order: { id: string; number: string; key: string };
};

const placeOrder = (key = newKey()) => ask("POST", "/bill", left.guest, left.bill, key);
const arrivalOf = (id: string) =>
  left.socket.next(
    "event",
    ({ event, data }) => event === "order.placed" && (data as unknown as OrderEvent).order.id === id,
  );

it("npm start prints what it is, and its addresses", async () => {
  expect(demo.out()).toMatch(/does not survive a power cut, a stand-in for WeChat/);
  expect(demo.out()).toContain(home);
  expect(demo.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  for (const line of [
    `order      ${demo.url}/?shop=lanzhou-noodles`,
    `kitchen    ${demo.url}/kitchen#pair=`,
    `api        ${demo.url}/get_shop_info?shop=lanzhou-noodles`,
    `examples   ${demo.url}/examples`,
    `socket     ${demo.url.replace("http", "ws")}/pgws`,
  ])
    expect(demo.out()).toContain(line);
  expect(demo.err()).toBe("");
  const [, api = ""] = /api +(\S+)/.exec(demo.out()) ?? [];
  expect((await fetch(api)).status).toBe(200);
});

it("npm start takes an order over HTTP and pushes it to a socket", async () => {
  const guest = await ask("POST", "/login/guest");
  left.guest = guest.body.session.token;
  const { shops } = (await ask("GET", "/get_shop_info")).body;
  expect(shops.map(({ id }: { id: string }) => id).toSorted()).toEqual(["lanzhou-noodles", "osmanthus-tea"]);
  left.shop = "lanzhou-noodles";
  const info = (await ask("GET", `/get_shop_info?shop=${left.shop}`)).body;
  left.bill = { shop: left.shop, lines: [lineOf(info.menu.dishes)], service: "pickup" };

  const staff = await ask("POST", "/login/staff", undefined, { pairingCode: demo.pairingCode });
  expect(staff.body.session).toMatchObject({ kind: "staff", shop: left.shop, role: "owner" });
  left.staff = staff.body.session.token;
  // The printed link works once.
  expect((await ask("POST", "/login/staff", undefined, { pairingCode: demo.pairingCode })).status).toBe(401);

  const { position } = (await ask("GET", `/shops/${left.shop}/orders`, left.staff)).body;
  const { ticket } = (await ask("POST", "/session/ticket", left.staff)).body;
  const [, address = ""] = /socket +(\S+)/.exec(demo.out()) ?? [];
  left.socket = await openSocket(address, ["orderbell.v1", `ticket.${ticket}`]);
  expect(left.socket.socket.protocol).toBe("orderbell.v1");
  const resumed = await left.socket.resume({ stream: `shop:${left.shop}`, ...position });
  expect(resumed.type).toBe("resumed");

  const key = newKey();
  const { status, body } = await placeOrder(key);
  expect(status).toBe(201);
  left.order = { id: body.order.id, number: body.order.number, key };
  const { data } = await arrivalOf(left.order.id);
  expect(data).toMatchObject({ action: "place", order: { number: left.order.number, status: "placed" } });
});

it("a second npm start on the same folder is refused, and the first goes on", async () => {
  const second = await orderbell(["start", "--port", "0"], { environment: { ORDERBELL_HOME: home } });
  expect(second.code).toBe(2);
  expect(second.out).toBe("");
  expect(second.err).toMatch(new RegExp(`is in use by process ${demo.pid}; stop it first`));
  expect(second.err.split("\n")).toHaveLength(2);
  const { status, body } = await placeOrder();
  expect(status).toBe(201);
  await arrivalOf(body.order.id);
  // The command line still finds the first.
  const list = await orderbell(["shop", "list"], { environment: { ORDERBELL_HOME: home } });
  expect(list).toMatchObject({ code: 0, err: "" });
  expect(JSON.parse(list.out).shops).toHaveLength(2);
});

it("npm start names a port that is taken in one line, and ends", async () => {
  const other = await orderbell(["start", "--port", new URL(demo.url).port], {
    environment: { ORDERBELL_HOME: await newDemoHome() },
  });
  expect(other.code).toBe(1);
  expect(other.err).toMatch(/^another program listens at 127\.0\.0\.1:\d+ \(EADDRINUSE\); try --port \d+\n$/);
  expect(other.err.split("\n")).toHaveLength(2);
});

it("npm start names what is wrong with its environment in one line, and ends", async () => {
  const wrong = await orderbell(["start", "--port", "0"], {
    environment: { ORDERBELL_HOME: await newDemoHome(), LOG_LEVEL: "chatty" },
  });
  expect(wrong).toEqual({
    code: 2,
    out: "",
    err: "environment variable LOG_LEVEL must be one of debug, info, warn, error, silent\n",
  });
});

it("npm start survives malformed input on its command socket", async () => {
  const socket = createConnection(socketPaths(home)[0] ?? "");
  const answers: string[] = [];
  socket.setEncoding("utf8").on("data", (text: string) => answers.push(text));
  await once(socket, "connect");
  socket.write('nonsense\nnull\n{"command":"constructor","args":{}}\n{"command":"shop.list","args":{}}\n');
  while (answers.join("").split("\n").length < 5) await once(socket, "data");
  socket.destroy();
  // Answers come as they are ready, so they are recognised by their content.
  const said = answers
    .join("")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).error?.code ?? "ok");
  expect(said.toSorted()).toEqual(["INVALID_INPUT", "MALFORMED", "MALFORMED", "ok"]);
  expect((await ask("GET", "/get_shop_info")).status).toBe(200);
});

/** The listening addresses of a process, from Linux's /proc: `127.0.0.1:port`. */
function listeningOf(pid: number): string[] {
  const mine = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1] ?? [];
      } catch {
        return [];
      }
    }),
  );
  return ["tcp", "tcp6"].flatMap((table) =>
    readFileSync(`/proc/${pid}/net/${table}`, "utf8")
      .split("\n")
      .slice(1)
      .map((line) => line.trim().split(/\s+/))
      .filter((cells) => cells[3] === "0A" && mine.has(cells[9] ?? ""))
      .map((cells) => {
        const [address = "", port = ""] = (cells[1] ?? "").split(":");
        const four = address.length === 8 ? Buffer.from(address, "hex").reverse().join(".") : address;
        return `${four}:${Number.parseInt(port, 16)}`;
      }),
  );
}

const onLinux = process.platform === "linux" ? it : it.skip;

onLinux("npm start listens on this machine only", () => {
  const listening = listeningOf(demo.pid);
  expect(listening).toContain(`127.0.0.1:${new URL(demo.url).port}`);
  expect(listening.filter((address) => !address.startsWith("127.0.0.1:"))).toEqual([]);
});

it("npm start has everything again after kill -9, and nothing twice", async () => {
  const before = await ask("GET", `/orders/${left.order.id}`, left.guest);
  const shops = (await ask("GET", "/get_shop_info")).body.shops;
  const tables = (await ask("GET", `/shops/${left.shop}/tables`, left.staff)).body;
  expect(await demo.kill("SIGKILL")).toBeNull();
  expect(existsSync(join(home, "lock"))).toBe(true);

  demo = await startDemo(home, ["--port", "0", "--lan"]);
  expect((await ask("GET", `/orders/${left.order.id}`, left.guest)).body).toEqual(before.body);
  const again = await placeOrder(left.order.key);
  expect(again.status).toBe(200);
  expect(again.body.order.id).toBe(left.order.id);
  const ids = (list: { id: string }[]) => list.map(({ id }) => id).toSorted();
  expect(ids((await ask("GET", "/get_shop_info")).body.shops)).toEqual(ids(shops));
  expect((await ask("GET", `/shops/${left.shop}/tables`, left.staff)).body).toEqual(tables);
  // Sockets of the process that was killed are gone from the list, too.
  const list = await orderbell(["connections", "list"], { environment: { ORDERBELL_HOME: home } });
  expect(JSON.parse(list.out)).toEqual({ connections: [] });
});

onLinux("npm start --lan listens for the LAN and says where; the stand-in for WeChat stays local", () => {
  const listening = listeningOf(demo.pid);
  const open = listening.filter((address) => !address.startsWith("127.0.0.1:"));
  expect(open).toEqual([`0.0.0.0:${new URL(demo.url).port}`]);
  expect(listening.length).toBeGreaterThan(1);
});

it("npm start stops on request: sockets are told, the folder is released", async () => {
  const { ticket } = (await ask("POST", "/session/ticket", left.staff)).body;
  const socket = await openSocket(`${demo.url.replace("http", "ws")}/pgws`, ["orderbell.v1", `ticket.${ticket}`]);
  await socket.resume({ stream: `shop:${left.shop}` });
  demo.child.kill("SIGTERM");
  expect(await socket.next("error")).toMatchObject({ code: "STOPPING", retry: true });
  expect(await socket.closed).toBe(1012);
  expect(await demo.ended).toBe(0);
  expect(demo.err()).toBe("");
  expect(existsSync(join(home, "lock"))).toBe(false);
  expect(socketPaths(home)).toEqual([]);
  await expect(fetch(demo.url)).rejects.toThrow();
});

it("a later npm start knows the order of the one before", async () => {
  demo = await startDemo(home);
  expect((await ask("GET", `/orders/${left.order.id}`, left.guest)).body.order.id).toBe(left.order.id);
  // Ctrl-C is as good.
  expect(await demo.kill("SIGINT")).toBe(0);
});

it("npm start prints its usage when it is called wrongly", async () => {
  const run = launch(["start", "--wan"], { environment: { ORDERBELL_HOME: home } });
  expect(await run.ended).toBe(2);
  expect(run.err()).toContain("(Did you mean --lan?)\nusage: orderbell start [--port <port>] [--lan] [--tls]\n");
});
