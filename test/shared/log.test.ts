/** The log: which lines are written, what they never contain, and how to follow one order. */
import { readFileSync } from "node:fs";
import { http, message } from "../../apigateway/entry.ts";
import { readRoutes } from "../../apigateway/local/routes.ts";
import type { App } from "../../shared/app.ts";
import { type LogLevel, logLevels } from "../../shared/config.ts";
import { Overloaded } from "../../shared/errors.ts";
import { makeLog } from "../../shared/log.ts";
import { pathClass } from "../../shared/path_class.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";
import { until } from "../_until.ts";

const at = Date.UTC(2026, 10, 21, 10);

function written(level: LogLevel, work: (log: ReturnType<typeof makeLog>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  work(
    makeLog(
      level,
      () => at,
      (line) => lines.push(line),
    ),
  );
  for (const line of lines) expect(line).toMatch(/^[^\n]+\n$/);
  return lines.map((line) => JSON.parse(line));
}

const everything = (log: ReturnType<typeof makeLog>) => {
  log.debug("one");
  log.info("two");
  log.warn("three");
  log.error("four");
};

describe("the log level", () => {
  it.each(logLevels.map((level, n) => [level, ["debug", "info", "warn", "error"].slice(n)] as const))(
    "%s writes %j",
    (level, expected) => {
      expect(written(level, everything).map((line) => line.level)).toEqual(expected);
    },
  );
});

describe("a log line", () => {
  it("is one JSON object with time, level, event and fields", () => {
    expect(
      written("info", (log) => log.info("request", { status: 201, order: "x", gone: undefined, none: null })),
    ).toEqual([
      { at: "2026-11-21T10:00:00.000Z", level: "info", event: "request", status: 201, order: "x", none: null },
    ]);
  });

  it("stays one line whatever a field holds", () => {
    const [line] = written("info", (log) => log.info("request", { route: 'GET /\n{"level":"error"}\u2028' }));
    expect(line).toMatchObject({ level: "info", route: 'GET /\n{"level":"error"}\u2028' });
  });

  it("reduces an error to its class, code and place, since messages quote what they failed on", () => {
    const cause = Object.assign(new RangeError("13900001234"), { code: "E_CAUSE" });
    const error = Object.assign(new TypeError("could not store 王小明, 测试路 1 号", { cause }), {
      code: "23505",
      detail: "Key (phone)=(13900001234)",
      config: { headers: { authorization: "Bearer not-to-be-printed" } },
    });
    const [line] = written("info", (log) => log.error("background", { shop: "noodle-house" }, error));
    expect(line).toMatchObject({
      level: "error",
      shop: "noodle-house",
      error: "TypeError",
      code: "23505",
      cause: "RangeError E_CAUSE",
      where: expect.stringContaining("log.test.ts"),
    });
    expect(JSON.stringify(line)).not.toMatch(/王小明|测试路|13900001234|not-to-be-printed/);
  });

  it("reduces an error whose message has lines that look like places", () => {
    const error = new Error("refused\nHost: 13900001234\nat home");
    const [line] = written("info", (log) => log.error("background", {}, error));
    expect(JSON.stringify(line)).not.toMatch(/13900001234|at home/);
  });

  it.each(["王小明 13900001234", { token: "not-to-be-printed" }, undefined, null, 5])(
    "says only the type of %p when it is thrown",
    (thrown) => {
      const [line] = written("info", (log) => log.error("background", {}, thrown));
      expect(JSON.stringify(line)).not.toMatch(/王小明|13900001234|not-to-be-printed/);
      expect(line?.error).toBe(thrown === undefined ? undefined : typeof thrown);
    },
  );
});

it("an answer from 500 on is an error in the log, for requests and for sockets", async () => {
  const lines: string[] = [];
  const log = makeLog("error", Date.now, (line) => lines.push(line));
  const app = { log, clock: { now: Date.now } } as unknown as App;
  const fail = async () => Promise.reject(new Overloaded());
  const context = { requestId: "r", http: { method: "GET" } };
  await http({ "GET /x": fail })(app)({ routeKey: "GET /x", headers: {}, requestContext: context } as never);
  await message(fail)(app)({ requestContext: { connectionId: "c" }, body: "{}" } as never);
  expect(lines.map((line) => JSON.parse(line)).filter(({ event }) => event !== "failure")).toMatchObject([
    { level: "error", event: "request", status: 503, code: "OVERLOADED" },
    { level: "error", event: "message", connection: "c", code: "OVERLOADED" },
  ]);
});

it("the class of a path knows every word of our own paths", () => {
  const routes = readRoutes(readFileSync(new URL("../../serverless.yml", import.meta.url), "utf8"));
  const own = routes.http.flatMap(({ segments }) => segments).filter((segment) => !segment.startsWith("{"));
  expect(own.length).toBeGreaterThan(100);
  expect([...new Set(own)].filter((segment) => pathClass(`/${segment}`) !== `/${segment}`)).toEqual([]);
});

describe("an order in the log", () => {
  let house: House;
  let kitchen: Person;
  let customer: Person;
  beforeAll(async () => {
    house = await openHouse(anyEngine);
    [kitchen, customer] = [await house.staff("kitchen"), await house.guest()];
  });
  afterAll(() => house.close());

  const logged = () => house.lines.map((line) => JSON.parse(line));

  it("is followed by its id from the request to the pushes and on to the kitchen's steps", async () => {
    const [screen, phone] = [await kitchen.connect(), await customer.connect()];
    await screen.resume({ stream: `shop:${house.shop}` });
    await phone.resume({ stream: `user:${customer.user}` });
    const other = await house.guest();
    const [mine, theirs] = await Promise.all([customer.order(), other.order()]);
    const ids = [mine.body.order.id, theirs.body.order.id];
    const rung = await Promise.all(
      ids.map((id) => screen.next("event", ({ data }) => JSON.stringify(data).includes(id))),
    );
    await phone.next("event", ({ event }) => event === "order.placed");

    for (const [nth, id] of ids.entries()) {
      const about = logged().filter((line) => line.order === id || line.about === id);
      const [request, ...more] = about.filter(({ event }) => event === "request");
      expect(more).toEqual([]);
      expect(request).toMatchObject({ route: "POST /bill", status: 201, order: id, shop: house.shop });
      expect(typeof request.requestId).toBe("string");
      const pushes = about.filter(({ event }) => event === "push");
      const owner = [customer, other][nth] as Person;
      expect(pushes.map(({ stream }) => stream).toSorted()).toEqual([`shop:${house.shop}`, `user:${owner.user}`]);
      for (const { readers, lagMs } of pushes) expect(lagMs).toEqual(readers === 0 ? undefined : expect.any(Number));
      // The number in the log is that of the screen.
      const frame = rung.find(({ data }) => JSON.stringify(data).includes(id));
      expect(pushes.find(({ stream }) => stream.startsWith("shop:"))).toMatchObject({
        seq: frame?.seq,
        type: "order.placed",
        about: id,
        readers: 1,
        sent: 1,
        gone: 0,
      });
      // The other customer's list has no reader.
      const reached = nth === 0 ? { readers: 1, sent: 1, gone: 0 } : { readers: 0, sent: 0, gone: 0 };
      expect(pushes.find(({ stream }) => stream.startsWith("user:"))).toMatchObject(reached);
    }

    const id = ids[0] as string;
    expect((await kitchen.http("POST", `/orders/${id}/accept`, { body: {} })).status).toBe(200);
    await phone.next("event", ({ event }) => event === "order.changed");
    const step = logged().filter((line) => line.order === id || line.about === id);
    expect(step).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ event: "request", route: "POST /orders/{id}/{action}", session: kitchen.session }),
        expect.objectContaining({ event: "push", type: "order.changed", stream: `user:${customer.user}` }),
      ]),
    );

    // The board, and a connection that a push found closed.
    const board = await house.guest().then((guest) => guest.connect());
    await board.resume({ stream: `board:${house.shop}` });
    const dead = [...house.server.connections.all()].find(({ streams }) => streams.has(`shop:${house.shop}`));
    Object.defineProperty(dead?.socket, "readyState", { value: 3, configurable: true });
    expect((await kitchen.http("POST", `/orders/${id}/ready`, { body: {} })).status).toBe(200);
    const { seq } = await board.next("event", ({ data }) => JSON.stringify(data).includes("ready"));
    const pushed = () => logged().filter(({ event }) => event === "push");
    expect(pushed()).toContainEqual(
      expect.objectContaining({ stream: `board:${house.shop}`, seq, readers: 1, sent: 1 }),
    );
    expect(pushed().findLast(({ stream }) => stream === `shop:${house.shop}`)).toMatchObject({
      type: "order.changed",
      about: id,
      readers: 1,
      sent: 0,
      gone: 1,
    });
    expect(logged()).toContainEqual(
      expect.objectContaining({ event: "gone", connection: dead?.id, session: kitchen.session }),
    );
    Reflect.deleteProperty(dead?.socket ?? {}, "readyState");
    board.close();
    screen.close();
    phone.close();
  });

  it("has the reader's comings and goings beside it, and no line for a heartbeat", async () => {
    const screen = await kitchen.connect();
    const { connection, ...opened } = logged().findLast(({ event }) => event === "open");
    expect(opened).toMatchObject({ level: "info", session: kitchen.session, device: kitchen.session });
    // A heartbeat: a check that finds nothing.
    const phone = await customer.connect();
    const mine = { stream: `user:${customer.user}` };
    const begun = await phone.resume(mine);
    if (begun.type !== "resumed") throw new Error(begun.type);
    const { epoch, seq, tag } = begun;
    await phone.resume({ ...mine, epoch, seq, tag });
    const resumed = logged().findLast(({ event }) => event === "resume");
    expect(resumed).toMatchObject({ session: customer.session, from: seq, seq, events: 0 });
    const linesOfPhone = () => logged().filter((line) => line.connection === resumed.connection);
    await until(
      () => linesOfPhone().filter(({ event }) => event === "message").length === 2,
      "the lines of both frames",
    );
    const since = linesOfPhone().length;
    const n = phone.say({ type: "check", streams: [{ ...mine, epoch, seq, tag }] });
    await phone.next("checked", (message) => message.n === n);
    const beat = () => linesOfPhone().slice(since);
    await until(() => beat().length === 2, "a heartbeat in the log");
    expect(beat().map(({ level, event }) => [level, event])).toEqual([
      ["debug", "check"],
      ["debug", "message"],
    ]);
    phone.close();
    // A poll: from where to where, and which screen.
    const query = new URLSearchParams({ ...mine, epoch, after: "0", tag: "" });
    const { body } = await customer.http("GET", `/events?${query}`);
    expect(logged().findLast(({ route }) => route === "GET /events")).toMatchObject({
      ...{ session: customer.session, stream: mine.stream, from: 0, seq: body.seq, events: body.events.length },
    });
    await kitchen.http("GET", `/events?stream=shop:${house.shop}`);
    expect(logged().findLast(({ route }) => route === "GET /events")).toMatchObject({ device: kitchen.session });
    screen.close();
    await until(() => logged().some((line) => line.event === "close" && line.connection === connection), "a close");
    expect(logged().find((line) => line.event === "close" && line.connection === connection)).toMatchObject({
      ...{ level: "info", session: kitchen.session, device: kitchen.session, openMs: expect.any(Number) },
    });
  });

  it.each([
    ["/app/bill", "/*/bill"],
    ["//login/guest", "//login/guest"],
    ["/wp-login.php?user=13900001234", "/*.php"],
    ["/orders/13900001234/王小明", "/orders/*/*"],
    ["/a/b/c/d/e/f/g/h/i/j", "/*/*/*/*/*/*/*/*/…"],
  ])("tells the class of a path that there is not: of %s", async (path, expected) => {
    expect((await house.http("GET", path)).status).toBe(404);
    const line = logged().findLast(({ event }) => event === "request");
    expect(line).toMatchObject({ level: "info", code: "ROUTE_UNKNOWN", path: expected });
    expect(JSON.stringify(line)).not.toMatch(/13900001234|wp-login|王|%E7/);
  });

  it("is answered with the id of its log line", async () => {
    const answer = await customer.http("GET", "/session");
    const requestId = answer.headers.get("x-request-id");
    expect(logged().filter((line) => line.requestId === requestId)).toMatchObject([
      { event: "request", route: "GET /session", status: 200, session: customer.session },
    ]);
  });

  it("has nothing personal and no secret beside it", async () => {
    const ticket = await customer.ticket();
    const placed = await customer.order({
      service: "delivery",
      delivery: { name: "王小明", phone: "13900001234", address: "测试路 1 号" },
      note: "门口的铃坏了",
    });
    expect(placed.status).toBe(201);
    // Refused, and still nothing of it is printed.
    const refused = await customer.order({
      service: "delivery",
      delivery: { name: "王小明", phone: "13900001234", address: "测试路 1 号", floor: "五楼" },
    });
    expect(refused.status).toBe(400);
    const text = house.lines.join("");
    expect(text).toContain(placed.body.order.id);
    for (const secret of ["王小明", "13900001234", "测试路", "门口的铃", "五楼", customer.token, kitchen.token, ticket])
      expect(text).not.toContain(secret);
  });
});
