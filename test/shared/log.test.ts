/** The log: which lines are written, what never stands in one, and how one order is followed through them. */
import { type LogLevel, logLevels } from "../../shared/config.ts";
import { makeLog } from "../../shared/log.ts";
import { engines } from "../_engines.ts";
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

describe("levels", () => {
  it.each(logLevels.map((level, n) => [level, ["debug", "info", "warn", "error"].slice(n)] as const))(
    "%s writes %j",
    (level, expected) => {
      expect(written(level, everything).map((line) => line.level)).toEqual(expected);
    },
  );
});

describe("a line", () => {
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

describe("an order", () => {
  let house: House;
  let kitchen: Person;
  let customer: Person;
  beforeAll(async () => {
    house = await openHouse(engines[0] as (typeof engines)[number]);
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
      // The number in the log is the one that the screen was shown.
      const frame = rung.find(({ data }) => JSON.stringify(data).includes(id));
      expect(pushes.find(({ stream }) => stream.startsWith("shop:"))).toMatchObject({
        seq: frame?.seq,
        type: "order.placed",
        about: id,
      });
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
    screen.close();
    phone.close();
  });

  it("gives an answer the id of its line", async () => {
    const answer = await customer.http("GET", "/session");
    const requestId = answer.headers.get("x-request-id");
    expect(logged().filter((line) => line.requestId === requestId)).toMatchObject([
      { event: "request", route: "GET /session", status: 200, session: customer.session },
    ]);
  });

  it("leaves nothing personal and no secret in the log", async () => {
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
