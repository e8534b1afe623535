/** Takes a step of an order: locked, decided by the state machine, written with its history and its events. */
import type { Row } from "../../db/database.ts";
import type { NewRow } from "../../db/dialect.ts";
import {
  insertHistory,
  lockOrders,
  lockStockOf,
  readDue,
  readHistoryAfter,
  readWhose,
  strikeLine,
  updateOrder,
} from "../../db/orders.ts";
import { readManySessions, readSession } from "../../db/sessions.ts";
import { addSold, readSettings } from "../../db/shops.ts";
import type { Statement } from "../../db/sql.ts";
import type { App, OrderOwners } from "../app.ts";
import { fulfilled } from "../batch.ts";
import { byHalves } from "../by_halves.ts";
import { AppError, Forbidden, InvalidInput, OrderUnknown, SessionEnded } from "../errors.ts";
import type { Settings } from "../menu.ts";
import { type Action, type Actor, failedStatuses, kitchenOnlyActions, steps } from "../order_states.ts";
import type { OrderEvent } from "../protocol.ts";
import { aliveOf, type Session } from "../sessions/session.ts";
import { mayRead } from "../streams/authority.ts";
import { type Changed, change, type NewEvent } from "../streams/change.ts";
import { deliver } from "../streams/deliver.ts";
import { expire, givesBack, type Order, type OrderChange, orderView, step } from "./order.ts";
import { historyRow, type Mark, orderOf, orderRow } from "./order_rows.ts";

export interface StepRequest {
  readonly order: string;
  readonly action: Action;
  readonly version?: number | undefined;
  readonly reason?: string | undefined;
  /** Only this station's part: see `step` in order.ts. */
  readonly station?: string | null | undefined;
}

/**
 * Takes a step for a session, and pushes it. Repeated, it finds the step taken and gives the same state back.
 * @throws OrderUnknown, Forbidden, ConfirmAtCounter, OrderChanged, StepNotAllowed, InvalidInput
 */
export async function takeStep(app: App, session: Session, asked: StepRequest): Promise<Order> {
  // A repeated recall would go back twice: with the version it is recognized.
  if (asked.action === "recall" && asked.version === undefined)
    throw new InvalidInput("version", "is missing; recall needs it");
  // What gives portions back locks stock, by itself: several would lock it in another order than orders do.
  const alone = mayGiveBack(asked.action) ? asked.order : undefined;
  const taken = await app.batches.add(stepBatch, app, { session, asked }, alone);
  await taken.delivered;
  return taken.order;
}

interface Item {
  readonly session: Session;
  readonly asked: StepRequest;
}

/** A commit's pushes are one piece of work for all its steps. */
interface Taken {
  readonly order: Order;
  readonly delivered: Promise<void>;
}

type Settled<T> = PromiseSettledResult<T>;

/** Takes steps of several orders in one transaction; of several steps of one order the first, then the others in a batch behind it. */
async function stepBatch(app: App, items: readonly Item[]): Promise<Settled<Taken>[]> {
  const firsts = new Map<string, Item>();
  for (const item of items) if (!firsts.has(item.asked.order)) firsts.set(item.asked.order, item);
  const outcomes = new Map<Item, Settled<Taken>>();
  const take = async (some: readonly Item[], run: typeof stepBatch) => {
    const settled = await run(app, some);
    for (const [at, item] of some.entries()) outcomes.set(item, settled[at] as Settled<Taken>);
  };
  await take([...firsts.values()], (_, some) => byHalves(some, (part) => takeTogether(app, part)));
  const later = items.filter((item) => !outcomes.has(item));
  if (later.length > 0) await take(later, stepBatch);
  return items.map((item) => outcomes.get(item) as Settled<Taken>);
}

/** @param items each of another order */
async function takeTogether(app: App, items: readonly Item[]): Promise<Settled<Taken>[]> {
  const now = app.clock.now();
  const whose = await whoseOrders(
    app,
    items.map(({ asked }) => asked.order),
  );
  const known = items.filter(({ asked }) => whose.has(asked.order));
  const settled = known.length === 0 ? [] : await store(app, known, whose, now);
  const taken = new Map(known.map((item, at) => [item, settled[at] as Settled<Taken>]));
  return items.map((item) => taken.get(item) ?? { status: "rejected", reason: new OrderUnknown(item.asked.order) });
}

async function store(app: App, items: readonly Item[], whose: Whose, now: number): Promise<Settled<Taken>[]> {
  const { dialect } = app.db;
  const ids = items.map(({ asked }) => asked.order).sort();
  const alone = items.filter(({ asked }) => mayGiveBack(asked.action));
  const shops = [...new Set([...whose.values()].map(({ shop }) => shop))];
  const sessionIds = [...new Set(items.map(({ session }) => session.id))];
  const versions = items.flatMap(({ asked: { order, version } }) => (version === undefined ? [] : { order, version }));
  const changed = await change(app, {
    locks: [...lockOrders(ids), ...alone.map(({ asked }) => lockStockOf(asked.order))],
    streams: [...whose.values()].flatMap(({ shop, user }) => streamsOf(shop, user)),
    reads: [readManySessions(dialect, sessionIds), readSettings(dialect, shops), ...readHistoryAfter(versions)],
    decide([orders = [], lines = []], [sessionRows = [], shopRows = [], history = []]) {
      const rows = new Map(orders.map((row) => [row.id, row]));
      const sessions = new Map(sessionRows.map((row) => [row.id, row]));
      const settings = new Map(shopRows.map((row) => [row.id, row.settings]));
      const changes: OrderWrites[] = [];
      const result = items.map((item): Settled<Order> => {
        const { order: id, version } = item.asked;
        try {
          requireAlive(sessions.get(item.session.id), now);
          const own = lines.filter(({ order_id }) => order_id === id);
          const order = ownOrder(rows.get(id), own, id, item.session);
          const since = version === undefined ? [] : history.filter(({ order_id }) => order_id === id);
          const { guests } = JSON.parse(String(settings.get(order.shop))) as Settings;
          const one = decideStep(item, order, since, guests === "counter", now);
          if (one !== undefined) changes.push(one);
          return fulfilled(one?.after ?? order);
        } catch (reason) {
          if (!(reason instanceof AppError)) throw reason;
          return { status: "rejected", reason };
        }
      });
      return { ...allOf(app, changes), result };
    },
    repeatable: true,
  });
  const delivered = deliver(app, changed);
  return changed.result.map((one) => (one.status === "rejected" ? one : fulfilled({ order: one.value, delivered })));
}

/** @param history what happened after the asked version @returns undefined when the step was taken already */
function decideStep(
  { session, asked: { action, version, station, ...asked } }: Item,
  order: Order,
  history: readonly Row[],
  guestsAtCounter: boolean,
  now: number,
): OrderWrites | undefined {
  const by = actorOf(session);
  const reason = asked.reason ?? null;
  const since = history.map((row) => String(row.action)).filter((one) => isVisibleTo(by, one));
  // Customers do not see versions of the kitchen's own marks: for them the order is still the one that was shown.
  const isSame = version !== undefined && version < order.version && since.length === 0;
  const request = { action, by, at: now, version: isSame ? order.version : version, reason, station, guestsAtCounter };
  const outcome = step(order, request, since[0]);
  if (outcome === undefined) return undefined;
  const mark = { by, session: session.id, at: now };
  if (station !== undefined && outcome.status === order.status)
    return written(order, outcome, { ...mark, action: stationAction(action), reason: station });
  return written(order, outcome, { ...mark, action, reason });
}

/** Steps after which portions may return to the stock. */
const mayGiveBack = (action: Action) =>
  action in steps && failedStatuses.includes(steps[action as keyof typeof steps].to);

/** @throws SessionEnded, SessionExpired */
function requireAlive(row: Row | undefined, now: number): void {
  if (row === undefined) throw new SessionEnded();
  aliveOf(row, now);
}

/** Customers are not notified of escalations, nor of the parts of single stations. */
const isVisibleTo = (by: Actor, action: string) => by !== "customer" || !kitchenOnlyActions.has(action);

/** The action of a step of one station, when the order's status stays the same. */
const stationAction = (action: Action) => (action === "ready" ? "station" : "unstation");

/** Strikes a line out, or takes that back: a mark of the cook, stored so that every screen of the kitchen shows it. */
export async function strike(app: App, session: Session, id: string, line: number, struck: boolean): Promise<Order> {
  const now = app.clock.now();
  const { shop } = await whoseOrder(app, id);
  const changed = await change(app, {
    locks: lockOrders([id]),
    streams: [`shop:${shop}`],
    reads: [readSession(session.id)],
    decide([rows, lines], [sessions]) {
      requireAlive(sessions?.[0], now);
      const order = ownOrder(rows?.[0], lines, id, session);
      if (session.kind !== "staff") throw new Forbidden("striking lines is for staff");
      const old = order.lines.find((one) => one.line === line);
      if (old === undefined) throw new InvalidInput("line", `order "${id}" has no line ${line}`);
      if (old.struck === struck) return { result: order };
      const version = order.version + 1;
      const after: Order = {
        ...order,
        version,
        updatedAt: now,
        lines: order.lines.map((one) => (one.line === line ? { ...one, struck } : one)),
      };
      const action = struck ? "strike" : "unstrike";
      const mark = { action, by: actorOf(session), session: session.id, reason: String(line), at: now } as const;
      return {
        ...allOf(app, [
          {
            writes: [
              strikeLine(id, line, struck ? now : null, struck ? session.id : null),
              updateOrder(id, orderRow({ version, updatedAt: now })),
            ],
            history: historyRow(after, order, mark),
            events: [eventFor("shop", after, action)],
            after,
          },
        ]),
        result: after,
      };
    },
    repeatable: true,
  });
  return delivered(app, changed);
}

/** Escalates waiting orders, and expires those that waited too long. Returns how many were due. */
export async function escalateAndExpire(app: App): Promise<number> {
  const [due] = await app.db.read([readDue(app.clock.now(), 200)]);
  for (const row of due) {
    const changed = await change(app, {
      locks: [...lockOrders([String(row.id)]), lockStockOf(String(row.id))],
      streams: streamsOf(String(row.shop_id), String(row.user_id)),
      decide([rows, lines]) {
        const now = app.clock.now();
        const order = rows?.[0] === undefined ? undefined : orderOf(rows[0], lines ?? []);
        if (order === undefined || order.status !== "placed") return { result: undefined };
        const mark = { by: "system" as const, session: null, reason: null, at: now };
        const expired = expire(order, now);
        const isDue = order.escalatedAt === null && now >= order.escalateAt;
        if (expired === undefined && !isDue) return { result: undefined };
        const escalated = { status: order.status, payment: order.payment, escalatedAt: now };
        const due =
          expired === undefined
            ? written(order, escalated, { ...mark, action: "escalate" })
            : written(order, expired, { ...mark, action: "expire" });
        return { ...allOf(app, [due]), result: due.after };
      },
      repeatable: true,
    });
    const order = changed.result;
    if (order !== undefined)
      app.log.warn(order.status === "expired" ? "order.expired" : "order.escalated", {
        order: order.id,
        shop: order.shop,
      });
    await deliver(app, changed);
  }
  return due.length;
}

// --- Shared by the three -------------------------------------------------------------------------------------------

type Whose = ReadonlyMap<string, OrderOwners>;

/** The streams must be named before an order is locked. Read once for each order. */
async function whoseOrders({ db, orderOwners }: App, ids: readonly string[]): Promise<Whose> {
  const unknown = ids.filter((id) => orderOwners.get(id) === undefined);
  const [rows] = unknown.length === 0 ? [[]] : await db.read([readWhose(unknown)]);
  for (const row of rows) orderOwners.set(String(row.id), { shop: String(row.shop_id), user: String(row.user_id) });
  return new Map(
    ids.flatMap((id) => {
      const owners = orderOwners.get(id);
      return owners === undefined ? [] : [[id, owners]];
    }),
  );
}

async function whoseOrder(app: App, id: string): Promise<OrderOwners> {
  const whose = (await whoseOrders(app, [id])).get(id);
  if (whose === undefined) throw new OrderUnknown(id);
  return whose;
}

const streamsOf = (shop: string, user: string) => [`shop:${shop}`, `user:${user}`];

/** The order, if the session may read it; for others it does not exist. @throws OrderUnknown */
function ownOrder(row: Row | undefined, lines: readonly Row[] | undefined, id: string, session: Session): Order {
  if (row === undefined || !mayRead(row, session)) throw new OrderUnknown(id);
  return orderOf(row, lines ?? []);
}

const actorOf = ({ kind, role }: Session): Actor => (kind === "key" ? "key" : (role ?? "customer"));

/** What a change of one order writes, and the order after it. */
interface OrderWrites {
  readonly writes: readonly Statement[];
  readonly history: NewRow;
  readonly events: readonly NewEvent[];
  readonly after: Order;
}

const allOf = (app: App, changes: readonly OrderWrites[]) => ({
  writes: [
    ...changes.flatMap(({ writes }) => writes),
    ...insertHistory(
      app.db.dialect,
      changes.map(({ history }) => history),
    ),
  ],
  events: changes.flatMap(({ events }) => events),
});

function written(order: Order, outcome: OrderChange, mark: Mark): OrderWrites {
  const changes = { ...outcome, version: order.version + 1, updatedAt: mark.at };
  const after: Order = { ...order, ...changes };
  const untouched = order.stationsDone.length === 0;
  const back = untouched && givesBack(order.status, after.status) ? stockBack(after) : [];
  const shown = isVisibleTo("customer", mark.action) ? (["shop", "user"] as const) : (["shop"] as const);
  return {
    writes: [...back, updateOrder(order.id, orderRow(changes))],
    history: historyRow(after, order, mark),
    events: shown.map((kind) => eventFor(kind, after, mark.action)),
    after,
  };
}

/** Portions go back to the day they were taken from, dishes in one order. */
function stockBack(order: Order): Statement[] {
  const counted = order.lines.filter((line) => line.counted).toSorted((a, b) => (a.dish < b.dish ? -1 : 1));
  return counted.map(({ dish, quantity }) => addSold(order.shop, dish, order.day, -quantity));
}

function eventFor(kind: "shop" | "user", order: Order, action: OrderEvent["action"]): NewEvent {
  const data: OrderEvent = { action, order: orderView(order, kind === "shop" ? "staff" : "customer") };
  return {
    stream: kind === "shop" ? `shop:${order.shop}` : `user:${order.user}`,
    type: action === "escalate" ? "order.escalated" : "order.changed",
    data,
    about: order.id,
  };
}

async function delivered(app: App, changed: Changed<Order>): Promise<Order> {
  await deliver(app, changed);
  return changed.result;
}
