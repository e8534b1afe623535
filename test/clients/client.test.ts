/** The client on Node against a whole server: sessions, bills, watches. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiRequest } from "../../clients/api.ts";
import { ApiError, type Bill, type Client, makeClient, memoryStore, type OrderView } from "../../clients/index.ts";
import { createClient, fileStore, nodePlatform } from "../../clients/node.ts";
import type { Platform, Request, Response, Store } from "../../clients/platform.ts";
import { newPairingCode } from "../../shared/sessions/login.ts";
import { openShop } from "../../shared/shop/open_shop.ts";
import { anyEngine } from "../_engines.ts";
import { type House, oneBowl, openHouse } from "../_house.ts";
import { until } from "../_until.ts";

let house: House;
const open: Client[] = [];

beforeAll(async () => {
  house = await openHouse(anyEngine);
});
afterEach(() => {
  for (const client of open.splice(0)) client.close();
});
afterAll(() => house.close());

const bowl = (): Bill => ({ shop: house.shop, ...oneBowl, service: "pickup" });

function clientOf(options: { store?: Store; guest?: boolean; name?: string } = {}): Client {
  const client = createClient({ url: house.url, ...options });
  open.push(client);
  return client;
}

/** A client whose requests are recorded. */
function clientThrough(
  road: (request: Request, go: () => Promise<Response>) => Promise<Response>,
  store?: Store,
): Client {
  const platform = nodePlatform(store);
  const request: Platform["request"] = (wanted) => road(wanted, () => platform.request(wanted));
  const begin = async (): Promise<ApiRequest> => ({ method: "POST", path: "/login/guest" });
  const client = makeClient({ ...platform, request }, { url: house.url, begin });
  open.push(client);
  return client;
}

async function kitchen(store?: Store): Promise<Client> {
  const client = clientOf({ guest: false, name: "kitchen", ...(store === undefined ? {} : { store }) });
  const { code } = await newPairingCode(house.app, { shop: house.shop, role: "owner", device: "tablet", by: null });
  await client.pair(code);
  return client;
}

const refusal = async (work: Promise<unknown>): Promise<ApiError> => {
  const error = await work.then(
    () => undefined,
    (refused) => refused,
  );
  expect(error).toBeInstanceOf(ApiError);
  return error;
};

describe("the session", () => {
  it("begins by itself as a guest's, and is kept", async () => {
    const store = memoryStore();
    const first = clientOf({ store });
    const heard: unknown[] = [];
    first.onSession((session) => heard.push(session?.id));
    expect(first.session()).toBeUndefined();
    await first.orders();
    const session = first.session();
    expect(session).toMatchObject({
      kind: "guest",
      token: expect.stringMatching(/^obg_/),
      user: { id: expect.any(String) },
    });
    expect(heard).toEqual([session?.id]);
    expect(await clientOf({ store }).signIn()).toEqual(session);
  });

  it("begins once for all who ask at the same moment, in one client and in two of one store", async () => {
    const store = memoryStore();
    const [one, two] = [clientOf({ store }), clientOf({ store })];
    await Promise.all([one.orders(), one.orders(), one.signIn(), two.orders(), two.signIn()]);
    expect(one.session()).toEqual(two.session());
    expect((await one.signIn()).id).toBe((await two.signIn()).id);
  });

  it("is replaced when a guest's has ended, and the request goes through", async () => {
    const client = clientOf();
    const { token, user } = await client.signIn();
    await house.http("DELETE", "/session", { token });
    await expect(client.orders()).resolves.toMatchObject({ orders: [] });
    expect(client.session()?.user.id).not.toBe(user.id);
  });

  it("of staff is not begun by itself, and is gone when it has ended", async () => {
    const stranger = clientOf({ guest: false });
    expect(await refusal(stranger.signIn())).toMatchObject({ code: "SESSION_MISSING", status: 401 });
    expect(await refusal(stranger.orders())).toMatchObject({ code: "SESSION_MISSING", status: 401 });
    expect(await refusal(stranger.pair("K7QM-2XPA-9TRW"))).toMatchObject({ code: "PAIRING_CODE_INVALID" });
    const client = await kitchen();
    expect(client.session()).toMatchObject({ kind: "staff", shop: house.shop, role: "owner", device: "tablet" });
    await house.http("DELETE", "/session", { token: client.session()?.token });
    expect(await refusal(client.orders({ shop: house.shop }))).toMatchObject({ code: "SESSION_ENDED" });
    expect(client.session()).toBeUndefined();
  });

  it("ends by signing out, and no guest comes in its place until somebody signs in", async () => {
    const client = clientOf();
    const { token } = await client.signIn();
    await client.signOut();
    expect((await house.http("GET", "/session", { token })).body.code).toBe("SESSION_ENDED");
    expect(await refusal(client.orders())).toMatchObject({ code: "SESSION_MISSING" });
    expect(await refusal(client.submit(bowl()))).toMatchObject({ code: "SESSION_MISSING" });
    expect(client.session()).toBeUndefined();
    await client.signIn();
    await expect(client.orders()).resolves.toMatchObject({ orders: [] });
  });

  it("lives beside another one under another name in the same store", async () => {
    const store = memoryStore();
    const guest = clientOf({ store });
    await guest.signIn();
    const staff = await kitchen(store);
    expect(guest.session()?.kind).toBe("guest");
    expect(staff.session()?.kind).toBe("staff");
  });
});

describe("a client", () => {
  it.each([undefined, "", "null", "ws://127.0.0.1:9201", "127.0.0.1:9201", "https://"])(
    "refuses the url %p in one sentence",
    (url) => {
      expect(() => createClient({ url: url as string })).toThrow(new TypeError(`url is not http(s)://: ${url}`));
    },
  );

  it("takes a url with slashes at its end", async () => {
    const client = createClient({ url: `${house.url}//` });
    open.push(client);
    expect((await client.shops()).map(({ id }) => id)).toContain(house.shop);
  });

  it("logs requests, states and lost sockets, from when it is told to until it is told not to, and no secret", async () => {
    const client = clientOf();
    const lines: [what: string, about: unknown][] = [];
    const { token } = await client.signIn();
    client.setLogger((...line) => lines.push(line as [string, unknown]));
    client.watch("orders", { onChange() {} });
    const order = await client.submit({ ...bowl(), note: "for Mrs. Lin" });
    await until(() => client.state() === "live", "live");
    client.setLogger();
    const { length } = lines;
    await client.order(order.id);
    expect(lines).toHaveLength(length);
    expect(lines).toContainEqual(["POST /bill", { status: 201, requestId: expect.any(String), cause: undefined }]);
    expect(lines).toContainEqual(["state", "live"]);
    const all = JSON.stringify(lines);
    for (const secret of [token, "Bearer", "obt_", "Mrs. Lin"]) expect(all).not.toContain(secret);
    client.setLogger(() => {
      throw new Error("a logger's own fault");
    });
    expect((await client.order(order.id)).id).toBe(order.id);
  });

  it("names the cause of a missing answer, such as a closed port", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    await new Promise((closed) => server.close(closed));
    const client = createClient({ url: `http://127.0.0.1:${port}`, guest: false });
    open.push(client);
    const error = await refusal(client.shops());
    expect(error).toMatchObject({
      code: "NO_ANSWER",
      message: expect.stringMatching(/^GET \/get_shop_info: .*ECONNREFUSED/),
    });
    expect(error.cause).toMatchObject({ code: "ECONNREFUSED" });
  });
});

describe("a store on disk", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "orderbell-store-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("keeps session and bills for the next process, readable by its user only", async () => {
    const path = join(folder, "of/kitchen");
    const first = clientOf({ store: fileStore(path) });
    const session = await first.signIn();
    expect(clientOf({ store: fileStore(path) }).session()).toEqual(session);
    expect((await stat(path)).mode & 0o777).toBe(0o700);
    const [file = ""] = await readdir(path);
    expect((await stat(join(path, file))).mode & 0o777).toBe(0o600);
    expect(fileStore(path).names()).toEqual(["orderbell.session"]);
    await first.signOut();
    expect([fileStore(path).names(), fileStore(path).get("orderbell.session")]).toEqual([[], undefined]);
  });

  it("is shared by several processes: a value is whole at each moment, and none is lost", async () => {
    const values = [1, 2, 3].map((digit) => String(digit).repeat(200_000));
    const script = `import { fileStore } from ${JSON.stringify(join(__dirname, "../../clients/node.ts"))};
      const [folder, value] = [process.argv[2], process.argv[3][0].repeat(200_000)];
      const store = fileStore(folder);
      for (let k = 0; k < 40; k++) { store.set("shared/\u8336", value); store.set(value[0] + "." + k, "x"); }`;
    const file = join(folder, "writer.mts");
    await writeFile(file, script);
    const writers = values.map((value) =>
      spawn(process.execPath, ["--import", "tsx", file, join(folder, "shared"), value.slice(0, 1)], {
        stdio: "inherit",
      }),
    );
    const ended = Promise.all(writers.map((writer) => once(writer, "exit")));
    const store = fileStore(join(folder, "shared"));
    const seen = new Set<string | undefined>();
    let isOver = false;
    void ended.then(() => {
      isOver = true;
    });
    while (!isOver) {
      seen.add(store.get("shared/茶"));
      await new Promise(setImmediate);
    }
    expect((await ended).map(([code]) => code)).toEqual([0, 0, 0]);
    seen.add(store.get("shared/茶"));
    expect([...seen].filter((one) => one !== undefined && !values.includes(one))).toEqual([]);
    expect(store.names()).toHaveLength(1 + 3 * 40);
    expect((await readdir(join(folder, "shared"))).filter((name) => name.endsWith(".new"))).toEqual([]);
  });
});

describe("submit", () => {
  it("after close is refused, and nothing is stored", async () => {
    const store = memoryStore();
    const client = clientOf({ store });
    client.close();
    expect(client.state()).toBe("closed");
    expect(await refusal(client.submit(bowl()))).toMatchObject({ code: "CLOSED" });
    expect(store.names()).toEqual([]);
  });

  it("places an order, and shows it while it is on its way", async () => {
    const client = clientOf();
    const answers: unknown[] = [];
    client.onPending(({ bill }, answer) => answers.push([bill.shop, (answer as OrderView).status]));
    const answer = client.submit(bowl());
    expect(client.pending()).toMatchObject([{ bill: { shop: house.shop } }]);
    const order = await answer;
    expect(order).toMatchObject({ status: "placed", totalFen: 2_900 });
    expect(client.pending()).toEqual([]);
    expect(answers).toEqual([[house.shop, "placed"]]);
    expect(await client.order(order.id)).toMatchObject({ id: order.id, history: [{ action: "place" }] });
  });

  it("makes one order when answers are lost, and keeps the bill in the store meanwhile", async () => {
    let losses = 3;
    let kept: string[] = [];
    const store = memoryStore();
    const client = clientThrough(async ({ url }, go) => {
      if (url.endsWith("/bill")) kept = store.names().filter((name) => name.startsWith("orderbell.bill."));
      const answer = await go();
      if (url.endsWith("/bill") && losses-- > 0) throw new Error("lost");
      return answer;
    }, store);
    const order = await client.submit(bowl());
    expect(kept).toHaveLength(1);
    expect((await client.orders()).orders.map(({ id }) => id)).toEqual([order.id]);
  });

  it("goes on after a reload with the same key", async () => {
    const store = memoryStore();
    let reached = 0;
    const first = clientThrough(async ({ url }, go) => {
      const answer = await go();
      if (!url.endsWith("/bill")) return answer;
      reached += 1;
      throw new Error("the page is gone");
    }, store);
    const error = refusal(first.submit(bowl()));
    await until(() => reached > 0, "the bill was sent");
    first.close();
    // The caller gets the error, and the bill stays.
    expect(await error).toMatchObject({ name: "ApiError", code: "CLOSED" });
    expect(store.names().filter((name) => name.startsWith("orderbell.bill."))).toHaveLength(1);
    const second = clientOf({ store });
    const answers: (OrderView | ApiError)[] = [];
    second.onPending((_, answer) => answers.push(answer));
    expect(second.pending()).toHaveLength(1);
    await until(() => answers.length > 0, "the answer");
    expect((await second.orders()).orders).toEqual([answers[0]]);
    expect(second.pending()).toEqual([]);
  });

  it("rejects with what the server refuses, and forgets the bill", async () => {
    const client = clientOf();
    const error = await refusal(client.submit({ ...bowl(), expectedTotalFen: 1 }));
    expect(error).toMatchObject({ code: "PRICE_CHANGED", status: 409, extra: { totalFen: 2_900 } });
    expect(client.pending()).toEqual([]);
  });

  it("goes through when the kept session has ended before", async () => {
    const client = clientOf();
    await house.http("DELETE", "/session", { token: (await client.signIn()).token });
    expect(await client.submit(bowl())).toMatchObject({ status: "placed" });
  });

  it("is given up when its guest's session ended before anybody knew whether it arrived", async () => {
    let lost = false;
    const client = clientThrough(async ({ url }, go) => {
      const answer = await go();
      if (!url.endsWith("/bill") || lost) return answer;
      lost = true;
      await house.http("DELETE", "/session", { token: client.session()?.token });
      throw new Error("lost");
    });
    // Under the new guest it would be a second order.
    expect(await refusal(client.submit(bowl()))).toMatchObject({ code: "SESSION_ENDED", status: 401 });
    expect((await client.orders()).orders).toEqual([]);
  });

  it("is refused at once, with the time to wait, while this network has too many new guests", async () => {
    const body = '{"code":"TOO_MANY_SESSIONS","detail":"too many guests from this address"}';
    const client = clientThrough(async ({ url }, go) =>
      url.endsWith("/login/guest") ? { status: 429, headers: { "retry-after": "300" }, body } : go(),
    );
    const refused = await refusal(client.submit(bowl()));
    expect(client.pending()).toEqual([]);
    expect(refused).toMatchObject({ code: "TOO_MANY_SESSIONS", retryAfterMs: 300_000 });
  });

  it("gives up a bill that has waited for a quarter of an hour, and never sends it then", async () => {
    const store = memoryStore();
    store.set(
      "orderbell.bill.old",
      JSON.stringify({ key: "old", bill: bowl(), at: Date.now() - 16 * 60_000, user: "u" }),
    );
    const client = clientOf({ store });
    const answers: unknown[] = [];
    client.onPending((_, answer) => answers.push(answer));
    await until(() => answers.length > 0, "the answer");
    expect(answers).toMatchObject([{ code: "NO_ANSWER" }]);
    expect((await client.orders()).orders).toEqual([]);
  });
});

describe("a step", () => {
  it("is repeated when its answer was lost", async () => {
    const order = await clientOf().submit(bowl());
    const store = memoryStore();
    const staff = await kitchen(store);
    let losses = 2;
    const platform = nodePlatform(store);
    const lossy = makeClient(
      {
        ...platform,
        async request(wanted) {
          const answer = await platform.request(wanted);
          if (wanted.url.endsWith("/accept") && losses-- > 0) throw new Error("lost");
          return answer;
        },
      },
      { url: house.url, name: "kitchen" },
    );
    open.push(lossy);
    expect(lossy.session()).toEqual(staff.session());
    const accepted = await lossy.step(order, "accept");
    expect(accepted).toMatchObject({ status: "accepted", version: 2 });
    expect(await refusal(lossy.step(order, "reject", { reason: "卖完了" }))).toMatchObject({ status: 409 });
    expect(losses).toBeLessThan(0);
  });
});

describe("watch", () => {
  it("shows a customer's orders live, in five lines", async () => {
    const customer = clientOf();
    let mine: OrderView[] = [];
    customer.watch("orders", {
      onChange: (orders) => {
        mine = orders;
      },
    });
    const order = await customer.submit(bowl());
    await until(
      () => mine[0]?.id === order.id,
      "my order",
      () => mine,
    );
    await (await kitchen()).step(order, "accept");
    await until(
      () => mine[0]?.status === "accepted",
      "accepted",
      () => mine,
    );
    expect(customer.state()).toBe("live");
  });

  it("shows a kitchen the waiting orders, rings for them, and drops those that have ended", async () => {
    const customer = clientOf();
    const before = await customer.submit(bowl());
    const staff = await kitchen();
    let orders: OrderView[] = [];
    const events: string[] = [];
    let open: boolean | undefined;
    staff.watch("orders", {
      shop: house.shop,
      onChange(all, { event, snapshot, answer }) {
        orders = all;
        events.push(snapshot ? "snapshot" : String(event?.event));
        if (snapshot) open = answer?.shop?.open;
      },
    });
    await until(() => orders.some(({ id }) => id === before.id), "the order of before");
    expect(open).toBe(true);
    await until(() => staff.state() === "live", "live");
    const next = await customer.submit(bowl());
    await until(
      () => orders[0]?.id === next.id,
      "the next order",
      () => orders.map(({ number }) => number),
    );
    expect(events[0]).toBe("snapshot");
    expect(events).toContain("order.placed");
    const accepted = await staff.step(next, "accept");
    await staff.step(await staff.step(accepted, "ready"), "complete");
    await until(() => !orders.some(({ id }) => id === next.id), "the order left");
  });

  it("shows a kitchen more orders than a page holds", async () => {
    const customer = clientOf();
    const ids: string[] = [];
    for (let k = 0; k < 103; k++) ids.push((await customer.submit(bowl())).id);
    let shown = new Set<string>();
    (await kitchen()).watch("orders", {
      shop: house.shop,
      onChange: (orders) => {
        shown = new Set(orders.map(({ id }) => id));
      },
    });
    await until(() => shown.size > 0, "the orders");
    expect(ids.filter((id) => !shown.has(id))).toEqual([]);
  });

  it("keeps a menu current: open, sold out, and the menu itself when its version grows", async () => {
    const client = clientOf();
    const staff = await kitchen();
    let info = await client.shop(house.shop);
    let calls = 0;
    client.watch("menu", {
      shop: house.shop,
      onChange: (now) => {
        info = now;
        calls += 1;
      },
    });
    await until(() => calls > 0 && client.state() === "live", "the menu");
    await staff.ask({ method: "PUT", path: `/shops/${house.shop}/dishes/tea/sold_out`, body: { soldOut: true } });
    await until(() => info.soldOut.includes("tea"), "sold out");
    await openShop(house.app, null, house.shop, false);
    await until(() => !info.shop.open, "closed");
    await openShop(house.app, null, house.shop, true);
    await until(() => info.shop.open, "open");
    const { version } = info.menu;
    await staff.ask({
      method: "PUT",
      path: `/shops/${house.shop}/dishes/tea/price`,
      body: { priceFen: 900 },
      headers: { "if-match": `"${version}"` },
    });
    await until(() => info.menu.dishes.some(({ id, priceFen }) => id === "tea" && priceFen === 900), "the new price");
    expect(info.menu.version).toBeGreaterThan(version);
  });

  it("keeps a board current, and serves two watches of one stream", async () => {
    const staff = await kitchen();
    const order = await clientOf().submit(bowl());
    const boards: string[][] = [[], []];
    const watches = boards.map((_, at) =>
      staff.watch("board", {
        shop: house.shop,
        onChange: ({ preparing }) => {
          boards[at] = preparing;
        },
      }),
    );
    await staff.step(order, "accept");
    await until(() => boards.every((board) => board.includes(order.number)), "the number on both");
    watches[0]?.close();
    const before = boards[0];
    const next = await clientOf().submit(bowl());
    await staff.step(next, "accept");
    await until(() => boards[1]?.includes(next.number) === true, "the next number");
    expect(boards[0]).toBe(before);
  });

  it("reports what is not allowed, and leaves the other watches alone", async () => {
    const client = clientOf();
    const errors: string[] = [];
    let mine = 0;
    client.watch("orders", { shop: house.shop, onChange: () => {}, onError: ({ code }) => errors.push(code) });
    client.watch("menu", { shop: "nowhere", onChange: () => {}, onError: ({ code }) => errors.push(code) });
    client.watch("orders", { onChange: () => (mine += 1) });
    await until(
      () => errors.length === 2 && mine > 0 && client.state() === "live",
      "refused",
      () => [errors, client.state()],
    );
    expect(errors.sort()).toEqual(["FORBIDDEN", "SHOP_UNKNOWN"]);
  });

  it("follows another user's orders when another one signs in", async () => {
    const client = clientOf();
    let mine: OrderView[] = [];
    client.watch("orders", {
      onChange: (orders) => {
        mine = orders;
      },
    });
    await client.submit(bowl());
    await until(() => mine.length === 1, "the first one's order");
    await client.signOut();
    await until(
      () => client.state() === "signed out",
      "signed out",
      () => client.state(),
    );
    await client.signIn();
    await until(
      () => mine.length === 0 && client.state() === "live",
      "nobody's orders",
      () => [mine.length, client.state()],
    );
    const order = await client.submit(bowl());
    await until(() => mine.length === 1 && mine[0]?.id === order.id, "the second one's order");
  });

  it("polls while no socket can be had, says so, and comes back", async () => {
    const platform = nodePlatform();
    let sockets = false;
    const client = makeClient(
      {
        ...platform,
        socket(url, protocols, on) {
          return platform.socket(sockets ? url : url.replace("/pgws", "/no_such_road"), protocols, on);
        },
      },
      { url: house.url, begin: async () => ({ method: "POST", path: "/login/guest" }) },
    );
    open.push(client);
    let mine: OrderView[] = [];
    client.watch("orders", {
      onChange: (orders) => {
        mine = orders;
      },
    });
    await until(
      () => client.state() === "polling",
      "polling",
      () => client.state(),
    );
    const order = await client.submit(bowl());
    await until(() => mine[0]?.id === order.id, "the order");
    expect(client.state()).toBe("polling");
    sockets = true;
    await until(
      () => client.state() === "live",
      "live",
      () => client.state(),
    );
  });

  it("takes a new snapshot after the server came back on another history", async () => {
    const customer = clientOf();
    let snapshots = 0;
    let mine: OrderView[] = [];
    customer.watch("orders", {
      onChange: (orders, { snapshot }) => {
        mine = orders;
        if (snapshot) snapshots += 1;
      },
    });
    const order = await customer.submit(bowl());
    await until(() => mine.length === 1 && customer.state() === "live", "live");
    const user = customer.session()?.user.id;
    const { sql } = await import("../../db/sql.ts");
    await house.db.flight({
      statements: [sql`UPDATE streams SET epoch = ${"another"} WHERE name = ${`user:${user}`}`],
    });
    await until(() => snapshots > 1, "a new snapshot");
    await (await kitchen()).step(order, "accept");
    await until(() => mine[0]?.status === "accepted", "accepted");
  });
});
