/** The log: which lines are written, what they never contain, and how to follow one order. */
import { type LogLevel, logLevels } from "../../shared/config.ts";
import { makeLog } from "../../shared/log.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";

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
