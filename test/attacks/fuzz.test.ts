/**
 * Random input for every parser of outside data, and random days of a shop against a small model of it.
 *
 * FUZZ_RUNS=1000 runs each property that often, with a random seed; FUZZ_SEED sets one. A failure prints its seed.
 */
import fc from "fast-check";
import { insertRows } from "../../db/dialect.ts";
import { encode, sql, Unencodable } from "../../db/sql.ts";
import { AppError } from "../../shared/errors.ts";
import { numberIn, parseFrame } from "../../shared/frame.ts";
import { parseJson } from "../../shared/json.ts";
import { contradictions, type Menu, type ShopMenu } from "../../shared/menu.ts";
import { type Action, actions, maxLines, type Status, statuses } from "../../shared/order_states.ts";
import { type Bill, bill, priceOf } from "../../shared/ordering/price.ts";
import type { OrderView } from "../../shared/protocol.ts";
import * as shape from "../../shared/shape.ts";
import { oneLine } from "../../shared/text.ts";
import { anyEngine, onEveryDialect } from "../_engines.ts";
import { type House, newKey, oneBowl, openHouse, type Person, testMenu, testSettings } from "../_house.ts";
import { newShop, openScene, operations, rightRequest, type Scene, send } from "./_scene.ts";

const wantedRuns = Number(process.env.FUZZ_RUNS ?? 0);
const seed = Number(process.env.FUZZ_SEED ?? (wantedRuns > 0 ? Date.now() % 2 ** 31 : 20_261_121));
/** @param usual how often in an ordinary run of the tests */
const settings = (usual: number) => ({ numRuns: Math.max(usual, wantedRuns), seed });
jest.setTimeout(120_000 + wantedRuns * 2_000);

/** Any 16-bit units: half characters, NUL, marks of direction and all. */
const anyText = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: "grapheme" }),
  fc.array(fc.nat(0xffff), { maxLength: 40 }).map((units) => String.fromCharCode(...units)),
  fc.constantFrom("\uD800", "\uDC00x", "\u0000", "'; DROP TABLE orders; --", "\\", "%_", "\u2028", "__proto__"),
);
const anyJson = fc.oneof(fc.jsonValue(), fc.jsonValue({ stringUnit: "binary", maxDepth: 6 }));

/** A result, or one of our errors: whatever else is thrown is a failure. */
function ours<T>(work: () => T): T | AppError {
  try {
    return work();
  } catch (error) {
    if (error instanceof AppError && error.status >= 400 && error.status < 500) return error;
    throw error;
  }
}

describe("an input parser", () => {
  it("takes any text for JSON, a frame or a number without failing", () => {
    fc.assert(
      fc.property(
        fc.oneof(
          anyText,
          anyJson.map((value) => JSON.stringify(value)),
        ),
        (input) => {
          ours(() => parseJson(input));
          ours(() => parseFrame(input));
          expect([undefined, "number"]).toContain(numberIn(input) === undefined ? undefined : typeof numberIn(input));
        },
      ),
      settings(2_000),
    );
  });

  const stream = fc.constantFrom("menu:a", "shop:noodle-house", "room:01M7Y5YCX0DV05B7NH4DVY729V", "user:x");
  const n = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
  const position = { epoch: fc.constant("r4gWAL_O"), seq: fc.nat(), tag: fc.constant("1kFZFjhA") };
  const ask = fc.oneof(fc.record({ stream }), fc.record({ stream, ...position }));
  const asks = fc.array(ask, { minLength: 1, maxLength: 20 });
  const good: fc.Arbitrary<object> = fc.oneof(
    fc.record({ type: fc.constantFrom("resume", "check"), n, streams: asks }),
    fc.record({ type: fc.constant("leave"), n, streams: fc.array(stream, { minLength: 1, maxLength: 20 }) }),
    fc.record({ type: fc.constant("publish"), n, stream, id: fc.constant("m1"), data: anyJson }),
    fc.record({ type: fc.constant("auth"), n, token: fc.string({ maxLength: 50 }) }),
  );
  /** Half of them with something else in place of one member, or beside them. */
  const frameish = fc
    .tuple(
      good,
      fc.boolean(),
      fc.constantFrom("type", "n", "streams", "id", "data", "token", "x"),
      fc.oneof(anyText, anyJson),
    )
    .map(([frame, spoil, name, other]) => (spoil ? { ...frame, [name]: other } : frame));

  it("returns a frame as it was sent, or refuses it", () => {
    const outcomes = { taken: 0, refused: 0 };
    const property = fc.property(frameish, (frame) => {
      const read = ours(() => parseFrame(JSON.stringify(frame)));
      outcomes[read instanceof AppError ? "refused" : "taken"] += 1;
      if (!(read instanceof AppError)) expect(read).toEqual(JSON.parse(JSON.stringify(frame)));
    });
    fc.assert(property, settings(2_000));
    expect(Math.min(outcomes.taken, outcomes.refused)).toBeGreaterThan(200);
  });

  it("lets no text through that a screen or a database could fail on", () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 60 }), (input, max) => {
        const read = ours(() => shape.parse(shape.text(max), input));
        if (read instanceof AppError) return;
        expect(read).toBe(oneLine(input));
        expect(encode(read)).toBe(read);
        expect([...read].length).toBeLessThanOrEqual(max);
        expect(read).not.toMatch(/[\p{Cc}\p{Cs}\u202A-\u202E\u2066-\u2069\u2028\u2029]/u);
        expect(shape.parse(shape.text(max), read)).toBe(read);
      }),
      settings(2_000),
    );
  });

  it("encodes a text as it is, and refuses what no wire can carry", () => {
    fc.assert(
      fc.property(anyText, (input) => {
        if (input.isWellFormed() && !input.includes("\0")) expect(encode(input)).toBe(input);
        else expect(() => encode(input)).toThrow(Unencodable);
      }),
      settings(2_000),
    );
  });
});

const pick = (from: object, names: readonly string[]) =>
  Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));

// --- Prices ----------------------------------------------------------------------------------------------------------

describe("a price", () => {
  const name = { zh: "菜" };
  const amount = fc.oneof(
    fc.integer({ min: 0, max: 5_000 }),
    fc.integer({ min: 0, max: shape.maxFen }),
    fc.constant(shape.maxFen),
  );
  const surcharge = fc.oneof(
    fc.integer({ min: -200, max: 2_000 }),
    fc.integer({ min: -shape.maxFen, max: shape.maxFen }),
  );
  const small = fc.record({
    priceFen: fc.integer({ min: 0, max: 5_000 }),
    packingFen: fc.nat(500),
    choices: fc.array(fc.integer({ min: -200, max: 2_000 }), { minLength: 1, maxLength: 5 }),
  });
  const dish = fc.record({
    priceFen: amount,
    packingFen: amount,
    choices: fc.array(surcharge, { minLength: 1, maxLength: 5 }),
  });
  const line = fc.record({ dish: fc.nat(3), quantity: fc.integer({ min: 1, max: 99 }), chosen: fc.nat(31) });

  it("is the sum of its parts, not below zero and not above what an order may cost, however dear the menu", () => {
    let priced = 0;
    const property = fc.property(
      fc.oneof(...[small, dish].map((one) => fc.array(one, { minLength: 4, maxLength: 4 }))),
      fc.oneof(fc.array(line, { minLength: 1, maxLength: 3 }), fc.array(line, { minLength: 1, maxLength: maxLines })),
      fc.constantFrom("pickup", "delivery"),
      (dishes, lines, service) => {
        const menu: Menu = {
          categories: [{ id: "c", names: name }],
          dishes: dishes.map(({ priceFen, packingFen, choices }, at) => ({
            id: `d${at}`,
            category: "c",
            names: name,
            // Below zero no menu lets it fall: what all choices together may take off is added.
            priceFen: Math.min(shape.maxFen, priceFen - choices.reduce((sum, one) => sum + Math.min(0, one), 0)),
            packingFen,
            dailyStock: null,
            available: true,
            options: [
              {
                id: "o",
                names: name,
                min: 0,
                max: choices.length,
                choices: choices.map((one, nth) => ({ id: `c${nth}`, names: name, priceFen: one, available: true })),
              },
            ],
          })),
        };
        fc.pre(contradictions(menu).length === 0);
        const delivery = { name: "王小明", phone: "13900001234", address: "测试路 1 号" };
        const asked: Bill = shape.parse(bill, {
          shop: "s",
          service,
          ...(service === "delivery" ? { delivery } : {}),
          lines: lines.map(({ dish: nth, quantity, chosen }) => ({
            dish: `d${nth}`,
            quantity,
            options: [
              {
                option: "o",
                choices: (menu.dishes[nth]?.options[0]?.choices ?? [])
                  .filter((_, at) => (chosen >> at) & 1)
                  .map(({ id }) => id),
              },
            ],
          })),
        });
        const shop = {
          settings: testSettings(),
          dishes: new Map(menu.dishes.map((one) => [one.id, one])),
          tables: new Map(),
        };
        const price = ours(() => priceOf(asked, shop as unknown as ShopMenu));
        if (price instanceof AppError) {
          expect(["ORDER_TOO_LARGE", "BELOW_MINIMUM"]).toContain(price.code);
          return;
        }
        priced += 1;
        for (const one of price.lines) {
          expect(one.unitFen).toBeGreaterThanOrEqual(0);
          expect(one.totalFen).toBe(one.unitFen * one.quantity);
        }
        expect(price.itemsFen).toBe(price.lines.reduce((sum, { totalFen }) => sum + totalFen, 0));
        expect(price.totalFen).toBe(price.itemsFen + price.packingFen + price.deliveryFen);
        expect(Number.isSafeInteger(price.totalFen) && price.totalFen >= 0 && price.totalFen <= shape.maxFen).toBe(
          true,
        );
      },
    );
    fc.assert(property, settings(1_000));
    expect(priced).toBeGreaterThan(200);
  });
});

// --- Routes ----------------------------------------------------------------------------------------------------------

describe("a route", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(anyEngine);
  });
  afterAll(() => scene.close());

  const quantity = fc.oneof(fc.integer({ min: -2, max: 101 }), fc.double(), fc.constantFrom(null, "1"));
  const option = fc.record({
    option: fc.constantFrom("spice", "extra", "__proto__"),
    choices: fc.array(fc.constantFrom("mild", "hot", "egg", "tofu", "x"), { maxLength: 3 }),
  });
  const line = fc.record(
    {
      dish: fc.constantFrom("beef", "bun", "tea", "off", "x"),
      quantity,
      options: fc.array(option, { maxLength: 3 }),
      note: anyText,
    },
    { requiredKeys: ["dish", "quantity"] },
  );
  const goodLine = fc.record({ dish: fc.constantFrom("tea", "bun"), quantity: fc.integer({ min: 1, max: 3 }) });
  const billish = fc.record(
    {
      shop: fc.constantFrom("noodle-house", "next-door", "nowhere"),
      service: fc.constantFrom("pickup", "table", "delivery"),
      lines: fc.oneof(fc.array(goodLine, { minLength: 1, maxLength: 4 }), fc.array(line, { maxLength: 42 })),
      note: anyText,
      expectedTotalFen: fc.oneof(fc.integer(), fc.double()),
      delivery: fc.record({ name: anyText, phone: fc.constantFrom("13900001234", "x"), address: anyText }),
    },
    { requiredKeys: ["shop", "service", "lines"] },
  );

  const goodBill = fc.record({
    shop: fc.constant("noodle-house"),
    service: fc.constant("pickup"),
    lines: fc.array(fc.record({ dish: fc.constant("tea"), quantity: fc.integer({ min: 1, max: 99 }) }), {
      minLength: 1,
      maxLength: 4,
    }),
    note: fc.string({ unit: "grapheme", maxLength: 50 }),
  });

  it("POST /bill answers any bill with an order that adds up, or with a clear refusal", async () => {
    let placed = 0;
    const property = fc.asyncProperty(fc.oneof(billish, billish, goodBill, anyJson), async (body) => {
      const headers = { "idempotency-key": newKey() };
      const answer = await scene.customer.http("POST", "/bill", { body, headers });
      if (answer.status === 201) {
        placed += 1;
        const order = answer.body.order as OrderView;
        expect(order.itemsFen).toBe(order.lines.reduce((sum, { totalFen }) => sum + totalFen, 0));
        expect(order.totalFen).toBe(order.itemsFen + order.packingFen + order.deliveryFen);
        expect(order.lines.every(({ quantity: count }) => Number.isInteger(count) && count > 0)).toBe(true);
      } else expect([answer.status >= 400 && answer.status < 500, typeof answer.body.code]).toEqual([true, "string"]);
    });
    await fc.assert(property, settings(300));
    expect(placed).toBeGreaterThan(10);
  });

  it.each(["application/json", "application/x-www-form-urlencoded"])(
    "answers any %s with no error of ours",
    async (type) => {
      const routes = operations.filter(({ body, key }) => type in body && key !== "POST /login/guest");
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 200 }),
        anyText.map((one) => Buffer.from(one)),
        anyJson.map((one) => Buffer.from(JSON.stringify(one))),
      );
      const property = fc.asyncProperty(fc.constantFrom(...routes), bytes, async (to, raw) => {
        const { body: _, ...right } = rightRequest(scene, to);
        const { status } = await send(scene, to, { ...right, raw: Uint8Array.from(raw) });
        expect([to.key, status < 500]).toEqual([to.key, true]);
      });
      await fc.assert(property, settings(300));
    },
  );
});

// --- Engines ---------------------------------------------------------------------------------------------------------

onEveryDialect((engine) => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(engine, { tickMs: 3_600_000, environment: { GUEST_SESSIONS_PER_HOUR: "100000" } });
  });
  afterAll(() => house.close());

  it("returns every text as it was stored, alone and among others", async () => {
    const wellFormed = anyText.map((one) => one.toWellFormed().replaceAll("\0", ""));
    const property = fc.asyncProperty(fc.array(wellFormed, { minLength: 1, maxLength: 20 }), async (texts) => {
      const stream = `user:${newKey()}`;
      const rows = texts.map((data) => ({ id: newKey(), stream, data, at: 1 }));
      const [first, ...others] = rows as [(typeof rows)[0], ...typeof rows];
      await house.db.flight({
        statements: [
          sql`INSERT INTO notifications (id, stream, data, at) VALUES (${first.id}, ${stream}, ${first.data}, ${1})`,
          ...insertRows(house.db.dialect, "notifications", others),
        ],
      });
      const [back = []] = await house.db.read([sql`SELECT id, data FROM notifications WHERE stream = ${stream}`]);
      expect(new Map(back.map((row) => [row.id, row.data]))).toEqual(new Map(rows.map(({ id, data }) => [id, data])));
      const [found = []] = await house.db.read([
        sql`SELECT id FROM notifications WHERE stream = ${stream} AND data = ${first.data}`,
      ]);
      expect(found.map(({ id }) => id)).toContain(first.id);
    });
    await fc.assert(property, settings(100));
  });

  /** A shop of its own, whose model begins with it. */
  async function openDay(): Promise<{ model: Model; real: Real }> {
    const shop = `shop-${newKey().replaceAll(/[^a-z0-9]/gi, "")}`;
    await newShop(house, shop, dayMenu);
    const [customer, owner] = [await house.guest(), await house.staff("owner", shop)];
    const real = { house, shop, customer, owner, ids: [], from: await headOf(house, `shop:${shop}`) };
    return { model: { stock: dailyStock, sold: 0, soldOut: false, orders: [], events: {}, told: 0 }, real };
  }

  it("orders, stock and streams agree with a small model of a shop", async () => {
    const property = fc.asyncProperty(fc.commands(commands, { maxCommands: 60, size: "max" }), async (list) => {
      const day = await openDay();
      await fc.asyncModelRun(() => day, list);
      await agree(day.model, day.real);
    });
    await fc.assert(property, settings(6));
  });

  it("every step from every state agrees with the model, also repeated and too late", async () => {
    const day = await openDay();
    const take = (...asked: ConstructorParameters<typeof Take>) => new Take(...asked).run(day.model, day.real);
    const edges = Object.entries(leads).flatMap(([action, from]) =>
      (Object.keys(from) as Status[]).map((status) => [action as Action, status] as const),
    );
    for (const [at, [action, from]] of edges.entries()) {
      await new Restock(1).run(day.model, day.real);
      const delivery = [action, from].some((one) => one.startsWith("deliver"));
      await new Place(1, delivery, true).run(day.model, day.real);
      for (const step of roads[from] ?? []) await take(at, step, "now", false);
      expect(day.model.orders[at]?.status).toBe(from);
      await take(at, action, "now", false);
      expect(day.model.orders[at]?.status).toBe(leads[action as "accept"][from as "placed"]);
      for (const shown of ["before", "now", "none"] as const) await take(at, action, shown, false);
      await take(at, "cancel", "now", true);
      await take(at, "paid", "none", false);
    }
    await agree(day.model, day.real);
  });
});

// --- The model -------------------------------------------------------------------------------------------------------

const dailyStock = 12;
const dayMenu: Menu = {
  categories: testMenu.categories,
  dishes: [{ ...(testMenu.dishes[1] as Menu["dishes"][number]), priceFen: 2_000, dailyStock }],
};

interface ModelOrder {
  status: Status;
  version: number;
  paid: boolean;
  struck: boolean;
  readonly quantity: number;
  readonly delivery: boolean;
  /** The action that made each version. */
  readonly taken: string[];
}

interface Model {
  stock: number;
  sold: number;
  soldOut: boolean;
  readonly orders: ModelOrder[];
  /** Type → how many stand in the shop's stream. */
  readonly events: Record<string, number>;
  /** How many stand in the customer's. */
  told: number;
}

interface Real {
  readonly house: House;
  readonly shop: string;
  readonly customer: Person;
  readonly owner: Person;
  /** In the order of the model's. */
  readonly ids: string[];
  /** Where the shop's stream stood. */
  readonly from: number;
}

type Command = fc.AsyncCommand<Model, Real>;

const headOf = async ({ db }: House, stream: string) =>
  Number((await db.read([sql`SELECT seq FROM streams WHERE name = ${stream}`]))[0]?.[0]?.seq ?? 0);

const happened = (model: Model, type: string) => {
  model.events[type] = (model.events[type] ?? 0) + 1;
};

/** The state after each action from each state, written anew from docs/protocol.md and openapi.yaml. */
const leads: Readonly<Record<Exclude<Action, "paid">, Partial<Record<Status, Status>>>> = {
  accept: { placed: "accepted" },
  cook: { accepted: "cooking" },
  ready: { accepted: "ready", cooking: "ready" },
  deliver: { ready: "delivering" },
  complete: { ready: "completed", delivering: "completed" },
  reject: { placed: "rejected" },
  cancel: { placed: "cancelled", accepted: "cancelled", cooking: "cancelled", ready: "cancelled" },
  recall: { accepted: "placed", cooking: "accepted", ready: "cooking", completed: "ready" },
};
/** The steps to a state. */
const roads: Partial<Record<Status, readonly Action[]>> = {
  accepted: ["accept"],
  cooking: ["accept", "cook"],
  ready: ["accept", "ready"],
  delivering: ["accept", "ready", "deliver"],
  completed: ["accept", "ready", "complete"],
};
const reached = {
  accept: "accepted",
  cook: "cooking",
  ready: "ready",
  deliver: "delivering",
  complete: "completed",
  reject: "rejected",
  cancel: "cancelled",
  recall: "",
};

class Place implements Command {
  readonly quantity: number;
  readonly delivery: boolean;
  readonly twice: boolean;
  constructor(quantity: number, delivery: boolean, twice: boolean) {
    this.quantity = quantity;
    this.delivery = delivery;
    this.twice = twice;
  }
  check = () => true;
  async run(model: Model, { customer, shop, ids }: Real): Promise<void> {
    const { quantity } = this;
    const key = newKey();
    const address = { name: "王小明", phone: "13900001234", address: "测试路 1 号" };
    const asked = {
      ...oneBowl,
      shop,
      lines: [{ dish: "bun", quantity }],
      ...(this.delivery ? { service: "delivery", delivery: address } : {}),
    };
    const answer = await customer.order(asked, key);
    if (model.soldOut || model.sold + quantity > model.stock) {
      expect([answer.status, answer.body.code]).toEqual([409, "SOLD_OUT"]);
      return;
    }
    expect([answer.status, answer.body.order?.version]).toEqual([201, 1]);
    ids.push(answer.body.order.id);
    model.sold += quantity;
    model.told += 1;
    happened(model, "order.placed");
    if (model.sold === model.stock) happened(model, "dish.changed");
    const { delivery } = this;
    model.orders.push({
      status: "placed",
      version: 1,
      paid: false,
      struck: false,
      quantity,
      delivery,
      taken: ["place"],
    });
    if (!this.twice) return;
    const again = await customer.order(asked, key);
    expect([again.status, again.body.order.id]).toEqual([200, answer.body.order.id]);
  }
  toString = () => `place ${this.quantity}${this.delivery ? " for delivery" : ""}${this.twice ? ", twice" : ""}`;
}

type Shown = "none" | "now" | "before";

class Take implements Command {
  readonly nth: number;
  readonly action: Action;
  readonly shown: Shown;
  readonly byCustomer: boolean;
  constructor(nth: number, action: Action, shown: Shown, byCustomer: boolean) {
    this.nth = nth;
    this.action = action;
    this.shown = shown;
    this.byCustomer = byCustomer && action === "cancel";
  }
  check = ({ orders }: Readonly<Model>) => orders.length > 0;
  async run(model: Model, { customer, owner, ids }: Real): Promise<void> {
    const at = this.nth % model.orders.length;
    const order = model.orders[at] as ModelOrder;
    const shown = this.shown === "before" && order.version === 1 ? "now" : this.shown;
    const version = order.version - (shown === "before" ? 1 : 0);
    const body = shown === "none" ? {} : { version };
    const who = this.byCustomer ? customer : owner;
    const answer = await who.http("POST", `/orders/${ids[at]}/${this.action}`, { body });
    const outcome = this.take(model, order, shown);
    expect([answer.status, answer.body.code]).toEqual(outcome);
    if (answer.status === 200)
      expect(pick(answer.body.order, ["status", "version"])).toEqual(pick(order, ["status", "version"]));
  }
  /** The model's answer. */
  private take(model: Model, order: ModelOrder, shown: Shown): [number, string | undefined] {
    const { action } = this;
    if (action === "recall" && shown === "none") return [400, "INVALID_INPUT"];
    if (shown === "before") return order.taken.at(-1) === action ? [200, undefined] : [409, "ORDER_CHANGED"];
    if (action === "paid") {
      if (order.paid) return [200, undefined];
      if (["rejected", "cancelled"].includes(order.status)) return [409, "STEP_NOT_ALLOWED"];
      order.paid = true;
      return this.changed(model, order, order.status);
    }
    if (order.status === reached[action]) return [200, undefined];
    const to = leads[action][order.status];
    const wrongRoad =
      (action === "deliver" && !order.delivery) ||
      (action === "complete" && order.delivery !== (order.status === "delivering")) ||
      (this.byCustomer && order.status !== "placed");
    if (to === undefined || wrongRoad) return [409, "STEP_NOT_ALLOWED"];
    if (["placed", "accepted"].includes(order.status) && ["rejected", "cancelled"].includes(to))
      model.sold -= order.quantity;
    return this.changed(model, order, to);
  }
  private changed(model: Model, order: ModelOrder, to: Status): [number, undefined] {
    order.status = to;
    order.version += 1;
    order.taken.push(this.action);
    model.told += 1;
    happened(model, "order.changed");
    return [200, undefined];
  }
  toString = () => `${this.byCustomer ? "customer: " : ""}${this.action} ${this.nth} (version: ${this.shown})`;
}

/** The ordinary step, so that orders come to their end. */
class Next implements Command {
  readonly nth: number;
  constructor(nth: number) {
    this.nth = nth;
  }
  check = ({ orders }: Readonly<Model>) => orders.length > 0;
  async run(model: Model, real: Real): Promise<void> {
    const { status, delivery } = model.orders[this.nth % model.orders.length] as ModelOrder;
    const next: Partial<Record<Status, Action>> = {
      placed: "accept",
      accepted: "cook",
      cooking: "ready",
      ready: delivery ? "deliver" : "complete",
      delivering: "complete",
    };
    await new Take(this.nth, next[status] ?? "recall", "now", false).run(model, real);
  }
  toString = () => `next ${this.nth}`;
}

class Strike implements Command {
  readonly nth: number;
  readonly struck: boolean;
  constructor(nth: number, struck: boolean) {
    this.nth = nth;
    this.struck = struck;
  }
  check = ({ orders }: Readonly<Model>) => orders.length > 0;
  async run(model: Model, { owner, ids }: Real): Promise<void> {
    const { struck } = this;
    const at = this.nth % model.orders.length;
    const order = model.orders[at] as ModelOrder;
    const answer = await owner.http("PUT", `/orders/${ids[at]}/lines/1`, { body: { struck } });
    if (order.struck !== struck) {
      Object.assign(order, { struck, version: order.version + 1 });
      order.taken.push(struck ? "strike" : "unstrike");
      happened(model, "order.changed");
    }
    expect([answer.status, answer.body.order.version]).toEqual([200, order.version]);
  }
  toString = () => `${this.struck ? "strike" : "unstrike"} ${this.nth}`;
}

class Restock implements Command {
  readonly delta: number;
  constructor(delta: number) {
    this.delta = delta;
  }
  check = () => true;
  async run(model: Model, { owner, shop }: Real): Promise<void> {
    const { delta } = this;
    const answer = await owner.http("POST", `/shops/${shop}/dishes/bun/stock`, { body: { delta } });
    if (model.stock + delta < model.sold) {
      expect([answer.status, answer.body.code]).toEqual([409, "STOCK_BELOW_SOLD"]);
      return;
    }
    model.stock += delta;
    if (delta !== 0) happened(model, "dish.changed");
    expect([answer.status, answer.body.left]).toEqual([200, model.stock - model.sold]);
  }
  toString = () => `stock ${this.delta}`;
}

class SwitchOff implements Command {
  readonly soldOut: boolean;
  constructor(soldOut: boolean) {
    this.soldOut = soldOut;
  }
  check = () => true;
  async run(model: Model, { owner, shop }: Real): Promise<void> {
    const { soldOut } = this;
    const answer = await owner.http("PUT", `/shops/${shop}/dishes/bun/sold_out`, { body: { soldOut } });
    if (model.soldOut !== soldOut) happened(model, "dish.changed");
    model.soldOut = soldOut;
    expect([answer.status, answer.body.soldOut]).toEqual([200, soldOut]);
  }
  toString = () => (this.soldOut ? "sold out" : "on sale");
}

const nth = fc.nat(5);
const place = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.boolean(), fc.boolean()).map((asked) => new Place(...asked));
const take = fc
  .tuple(
    nth,
    fc.constantFrom(...actions, "cancel", "recall", "ready"),
    fc.constantFrom<Shown>("none", "now", "before"),
    fc.boolean(),
  )
  .map((asked) => new Take(...asked));
// Most of a day is placing and taking steps.
const commands: fc.Arbitrary<Command>[] = [
  place,
  place,
  take,
  take,
  ...Array.from({ length: 5 }, () => nth.map((at) => new Next(at))),
  fc.tuple(nth, fc.boolean()).map((asked) => new Strike(...asked)),
  fc.integer({ min: -6, max: 6 }).map((delta) => new Restock(delta)),
  fc.constantFrom(true, false, false).map((soldOut) => new SwitchOff(soldOut)),
];

/** At the end of the day the staff's list, the rows and the streams agree with the model. */
async function agree(model: Model, { house, shop, owner, customer, ids, from }: Real): Promise<void> {
  const { orders } = (await owner.http("GET", `/shops/${shop}/orders?status=${statuses.join(",")}`)).body;
  const seen = new Map((orders as OrderView[]).map((order) => [order.id, order]));
  expect(seen.size).toBe(ids.length);
  expect(
    ids.map((id) => {
      const { status, version, payment, lines } = seen.get(id) as OrderView;
      return [status, version, payment, lines[0]?.struck];
    }),
  ).toEqual(
    model.orders.map(({ status, version, paid, struck }) => [status, version, paid ? "paid" : "unpaid", struck]),
  );
  const { today } = (await owner.http("GET", `/shops/${shop}/menu`)).body;
  const { stock, sold, soldOut } = model;
  expect(sold).toBeLessThanOrEqual(stock);
  expect(today).toMatchObject([{ dish: "bun", stock, sold, left: stock - sold, soldOut }]);
  expect(await eventsOf(house, `shop:${shop}`, from)).toEqual(model.events);
  const told = await eventsOf(house, `user:${customer.user}`, 0);
  expect(Object.values(told).reduce((sum, one) => sum + one, 0)).toBe(model.told);
}

/** The events of a stream behind a number, counted by type. The numbers are without a gap, and end where the head stands. */
async function eventsOf(house: House, stream: string, from: number): Promise<Record<string, number>> {
  const [rows = []] = await house.db.read([
    sql`SELECT seq, type FROM events WHERE stream = ${stream} AND seq > ${from} ORDER BY seq`,
  ]);
  expect(rows.map(({ seq }) => Number(seq))).toEqual(rows.map((_, at) => from + at + 1));
  expect(await headOf(house, stream)).toBe(from + rows.length);
  const counts: Record<string, number> = {};
  for (const { type } of rows) counts[String(type)] = (counts[String(type)] ?? 0) + 1;
  return counts;
}
