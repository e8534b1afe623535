/** Stores orders with locks, on every engine: lock, read, decide one order after the other, write the accepted ones. */
import { ConstraintFailed, type Row } from "../../db/database.ts";
import { keyOf } from "../../db/key_of.ts";
import {
  dropKeys,
  type IdempotencyKey,
  insertKeys,
  insertOrders,
  type OrderRows,
  readKeys,
  readStored,
  readTakenNumbers,
  readWaiting,
  takeKeys,
  type Waiting,
} from "../../db/orders.ts";
import { readSessions } from "../../db/sessions.ts";
import {
  countShopDays,
  type DishDayKey,
  lockDishDays,
  readDishDaysOf,
  readScreens,
  readShopDays,
  readShopsOf,
  type ShopDay,
  setDishDays,
  setShopDays,
} from "../../db/shops.ts";
import type { App } from "../app.ts";
import { pickupNumber } from "../day.ts";
import { KeyReused, KitchenOffline, ShopClosed, SoldOut, TooManyUnaccepted } from "../errors.ts";
import { limitsOf } from "../menu.ts";
import { recallMs } from "../order_states.ts";
import { verifyClaim } from "../sessions/session.ts";
import { change, type NewEvent, type StoredEvent } from "../streams/change.ts";
import type { Order } from "./order.ts";
import { rowsOf } from "./order_rows.ts";
import { nothing, type Outcome, type PricedOrder, placedEvent, readersOf, type StoreResult } from "./priced_order.ts";

const ok = (value: StoreResult): Outcome => ({ status: "fulfilled", value });

/**
 * Refusals are outcomes, not failures.
 * @param keysAreNew nearly all are: then they are inserted, and neither they nor their orders are looked up. If one is not, the
 *   insert fails, and all is done again with a look
 */
export async function storeWithLocks(
  app: App,
  batch: readonly PricedOrder[],
  keysAreNew = !app.db.dialect.functions,
): Promise<Outcome[]> {
  try {
    return await lockDecideWrite(app, batch, keysAreNew);
  } catch (error) {
    if (error instanceof NothingToStore) return error.outcomes;
    if (keysAreNew && error instanceof ConstraintFailed) return storeWithLocks(app, batch, false);
    if (!(error instanceof Unverified)) throw error;
    const { rejected } = error;
    const others = batch.filter((priced) => !rejected.has(priced));
    const stored = others.length === 0 ? [] : await storeWithLocks(app, others, keysAreNew);
    const outcomes = new Map(others.map((priced, at) => [priced, stored[at] as Outcome]));
    return batch.map((priced) => rejected.get(priced) ?? (outcomes.get(priced) as Outcome));
  }
}

/** Every order of the batch was refused: the flight is rolled back, and nothing is changed. */
class NothingToStore extends Error {
  readonly outcomes: Outcome[];
  constructor(outcomes: Outcome[]) {
    super("every order was refused");
    this.outcomes = outcomes;
  }
}

/**
 * Sessions that are not what their tokens claim. Locking has made rows in their names, and a forged token must leave none: the
 * flight is rolled back, and the other orders are stored without these.
 */
class Unverified extends Error {
  readonly rejected: ReadonlyMap<PricedOrder, Outcome>;
  constructor(rejected: ReadonlyMap<PricedOrder, Outcome>) {
    super("sessions were refused");
    this.rejected = rejected;
  }
}

/** Locks, reads, decides one order after the other, and writes the accepted ones. @throws NothingToStore, Unverified */
async function lockDecideWrite(app: App, batch: readonly PricedOrder[], keysAreNew: boolean): Promise<Outcome[]> {
  const { dialect } = app.db;
  const now = app.clock.now();
  const keys = batch.map(({ key }) => key);
  const days = daysOf(batch);
  const asked = readsOf(app, batch, days, keysAreNew, now);
  const { result, events, subscribers } = await change(app, {
    locks: [
      ...(keysAreNew ? insertKeys(dialect, keys) : takeKeys(dialect, keys)),
      ...lockDishDays(dialect, countedDishesOf(batch)),
      ...countShopDays(dialect, days),
    ],
    streams: batch.flatMap(({ order }) => readersOf(order).map(([stream]) => stream)),
    reads: Object.values(asked).flat(),
    decide: (_, rows) => decideAll(app, batch, stateOf(lockedRows(asked, rows), days), now),
    repeatable: true,
  });
  // Events of no single order, such as a dish that ran out, are delivered with the first.
  const first = result.find((outcome) => outcome.status === "fulfilled" && outcome.value.kind === "placed");
  const byOrder = new Map<string | undefined, StoredEvent[]>();
  for (const event of events) {
    const own = byOrder.get(event.about);
    if (own === undefined) byOrder.set(event.about, [event]);
    else own.push(event);
  }
  return result.map((outcome) => {
    if (outcome.status === "rejected" || outcome.value.kind !== "placed") return outcome;
    const own = byOrder.get(outcome.value.order.id) ?? [];
    const ofNone = outcome === first ? (byOrder.get(undefined) ?? []) : [];
    return ok({ ...outcome.value, changed: { events: [...own, ...ofNone], subscribers } });
  });
}

/** The days of the batch, each with the number of its orders. */
function daysOf(batch: readonly PricedOrder[]): ShopDay[] {
  const days = new Map<string, ShopDay>();
  for (const { order } of batch) {
    const name = keyOf(order.shop, order.day);
    days.set(name, { shop: order.shop, day: order.day, orders: (days.get(name)?.orders ?? 0) + 1 });
  }
  return [...days.values()];
}

function countedDishesOf(batch: readonly PricedOrder[]) {
  const dishes = new Map<string, DishDayKey & { stock: number | null }>();
  for (const { order, shop } of batch)
    for (const { dish, counted } of order.lines)
      if (counted)
        dishes.set(keyOf(shop.id, dish, order.day), {
          shop_id: shop.id,
          dish_id: dish,
          day: order.day,
          stock: shop.dishes.get(dish)?.dailyStock ?? null,
        });
  return [...dishes.values()];
}

/** Statements that read under the locks, by what they read. */
function readsOf(
  { config, db }: App,
  batch: readonly PricedOrder[],
  days: readonly ShopDay[],
  keysAreNew: boolean,
  now: number,
) {
  const shops = [...new Map(batch.map(({ shop }) => [shop.id, shop])).values()];
  const withScreen = shops.filter(({ settings }) => settings.refuseWhenOffline).map(({ id }) => id);
  return {
    keys: keysAreNew ? [] : [readKeys(batch.map(({ key }) => key))],
    stored: keysAreNew ? [] : [readStored(batch.map(({ order }) => order.id))],
    sessions: [readSessions([...new Set(batch.map(({ claim }) => claim.session))])],
    shops: [readShopsOf(shops.map(({ id }) => id))],
    dishDays: [readDishDaysOf(days)],
    shopDays: [readShopDays(days)],
    takenNumbers: readTakenNumbers(db.dialect, days, now - recallMs),
    screens: withScreen.length === 0 ? [] : [readScreens(withScreen, now, config.screenMs)],
    waiting: readWaiting(batch.flatMap(limitsOn)),
  };
}

type Reads = ReturnType<typeof readsOf>;
type LockedRows = { readonly [K in keyof Reads]: readonly Row[] };

/** The rows of each group of statements. */
function lockedRows(asked: Reads, rows: readonly (readonly Row[])[]): LockedRows {
  let at = 0;
  const groups = Object.entries(asked).map(([name, { length }]) => {
    const own = rows.slice(at, at + length).flat();
    at += length;
    return [name, own];
  });
  return Object.fromEntries(groups);
}

function decideAll({ db }: App, batch: readonly PricedOrder[], state: State, now: number) {
  verifyAll(batch, state.sessions, now);
  const outcomes: Outcome[] = [];
  const stored: OrderRows[] = [];
  const events: NewEvent[] = [];
  const refused: IdempotencyKey[] = [];
  for (const priced of batch) {
    try {
      const written = decide(priced, state);
      outcomes.push(ok(written));
      if (written.kind === "menuMoved") refused.push(priced.key);
      if (written.kind !== "placed") continue;
      const { order } = written;
      stored.push(rowsOf(order));
      for (const [stream, reader] of readersOf(order))
        events.push({ stream, type: "order.placed", data: placedEvent(order, reader), about: order.id });
    } catch (reason) {
      outcomes.push({ status: "rejected", reason });
      if (!(reason instanceof KeyReused)) refused.push(priced.key);
    }
  }
  if (stored.length === 0) throw new NothingToStore(outcomes);
  const changedDishes = [...state.changedDishes.values()].map(({ shop, dish, day, ranOut }) => {
    const { stock, sold, soldOut } = state.dishDays.get(keyOf(shop, dish, day)) as DishDay;
    if (ranOut) events.push({ stream: `shop:${shop}`, type: "dish.changed", data: { dish, left: 0, soldOut } });
    return { shop_id: shop, dish_id: dish, day, stock, sold, sold_out: soldOut };
  });
  return {
    writes: [
      ...dropKeys(refused),
      ...setDishDays(db.dialect, changedDishes),
      ...setShopDays(db.dialect, miscounted(state)),
      ...insertOrders(db.dialect, stored),
    ],
    events,
    result: outcomes,
  };
}

/** Days that were counted up by another number than their orders took, because some were refused or a number was not free. */
const miscounted = ({ shopDays }: State): ShopDay[] =>
  [...shopDays.values()].filter(({ counted, orders }) => counted !== orders);

interface CountedDay extends ShopDay {
  /** The counter as the lock left it. */
  readonly counted: number;
}

interface DishDay {
  stock: number | null;
  sold: number;
  soldOut: boolean;
}

/** The rows as they change while one order after the other is decided. */
interface State {
  readonly keys: ReadonlyMap<string, Row>;
  /** Orders of this batch that are stored already: an earlier try was committed, and its answer was lost. */
  readonly stored: ReadonlySet<string>;
  readonly sessions: ReadonlyMap<string, Row>;
  readonly shops: ReadonlyMap<string, Row>;
  readonly live: ReadonlySet<string>;
  /** Unaccepted orders, by what limits count: those that were there, and those of this batch. */
  readonly waiting: Map<string, number>;
  readonly dishDays: Map<string, DishDay>;
  /** `orders` goes up with each order that is decided. */
  readonly shopDays: Map<string, CountedDay>;
  /** Numbers of a day that orders of other days still hold. */
  readonly takenNumbers: ReadonlySet<string>;
  readonly changedDishes: Map<string, { shop: string; dish: string; day: string; ranOut: boolean }>;
}

function stateOf(rows: LockedRows, days: readonly ShopDay[]): State {
  const { keys, stored, sessions, shops, dishDays, shopDays, takenNumbers, screens, waiting } = rows;
  const counters = new Map(shopDays.map((row) => [keyOf(row.shop_id, row.day), Number(row.orders)]));
  return {
    keys: new Map(keys.map((row) => [keyOf(row.owner_id, row.idem_key), row])),
    stored: new Set(stored.map(({ id }) => String(id))),
    sessions: new Map(sessions.map((row) => [String(row.id), row])),
    shops: new Map(shops.map((row) => [String(row.id), row])),
    live: new Set(screens.map(({ shop_id }) => String(shop_id))),
    waiting: new Map(waiting.map((row) => [keyOf(row.kind, row.shop_id, row.value), Number(row.orders)])),
    dishDays: new Map(
      dishDays.map((row) => [
        keyOf(row.shop_id, row.dish_id, row.day),
        { stock: row.stock === null ? null : Number(row.stock), sold: Number(row.sold), soldOut: row.sold_out === 1 },
      ]),
    ),
    shopDays: new Map(
      days.map(({ shop, day, orders }) => {
        const counted = counters.get(keyOf(shop, day)) ?? orders;
        return [keyOf(shop, day), { shop, day, counted, orders: counted - orders }];
      }),
    ),
    takenNumbers: new Set(takenNumbers.map((row) => keyOf(row.shop_id, row.day, row.day_number))),
    changedDishes: new Map(),
  };
}

/** @throws Unverified */
function verifyAll(batch: readonly PricedOrder[], sessions: State["sessions"], now: number): void {
  const rejected = new Map<PricedOrder, Outcome>();
  for (const priced of batch) {
    try {
      verifyClaim(priced.claim, sessions.get(priced.claim.session), now);
    } catch (reason) {
      rejected.set(priced, { status: "rejected", reason });
    }
  }
  if (rejected.size > 0) throw new Unverified(rejected);
}

/** Decides one order by the state, and updates the state. @throws the reason of its refusal */
function decide(priced: PricedOrder, state: State): StoreResult {
  const { order, shop, key } = priced;
  const taken = state.keys.get(keyOf(key.owner_id, key.idem_key));
  if (state.stored.has(order.id)) return { kind: "stored", id: order.id };
  if (taken !== undefined && taken.result_id !== key.result_id) {
    if (taken.body_hash !== key.body_hash) throw new KeyReused();
    return { kind: "stored", id: String(taken.result_id) };
  }
  const row = state.shops.get(shop.id);
  if (row?.menu_version !== shop.version || row.menu_at !== shop.versionAt) return { kind: "menuMoved" };
  if (row.is_open !== 1) throw new ShopClosed(shop.id);
  if (shop.settings.refuseWhenOffline && !state.live.has(shop.id)) throw new KitchenOffline(shop.id);
  const limits = limitsOn(priced);
  refuseTooMany(limits, state.waiting);
  takeStock(order, state);
  const dayName = keyOf(order.shop, order.day);
  const today = state.shopDays.get(dayName) as CountedDay;
  let dayNumber = today.orders + 1;
  while (state.takenNumbers.has(keyOf(order.shop, order.day, dayNumber))) dayNumber += 1;
  state.shopDays.set(dayName, { ...today, orders: dayNumber });
  for (const { name } of limits) state.waiting.set(name, (state.waiting.get(name) ?? 0) + 1);
  return { kind: "placed", order: { ...order, dayNumber, number: pickupNumber(dayNumber) }, changed: nothing };
}

interface Limit extends Waiting {
  readonly limit: number;
  readonly name: string;
}

/** The limits that an order counts against. */
function limitsOn({ order, shop }: PricedOrder): Limit[] {
  const limits = limitsOf(shop.settings);
  const { session, tableToken, addressHash, widerHash } = order;
  const on = (of: Waiting["of"], limit: number | null, value: string | null): Limit[] =>
    limit === null || value === null ? [] : [{ of, shop: shop.id, value, limit, name: keyOf(of, shop.id, value) }];
  return [
    ...on("session", limits.perSession, session),
    ...on("table", limits.perTable, tableToken),
    ...on("address", limits.perAddress, addressHash),
    ...on("wider", limits.perWider, widerHash),
    ...on("shop", limits.perShop, shop.id),
  ];
}

function refuseTooMany(limits: readonly Limit[], waiting: ReadonlyMap<string, number>): void {
  for (const { of, limit, name } of limits)
    if ((waiting.get(name) ?? 0) >= limit) throw new TooManyUnaccepted(of === "wider" ? "address" : of, limit);
}

/** All portions of the order or none. @throws SoldOut */
function takeStock(order: Order, { dishDays, changedDishes }: State): void {
  const wanted = new Map<string, number>();
  for (const { dish, quantity, counted } of order.lines) {
    const name = keyOf(order.shop, dish, order.day);
    const today = dishDays.get(name);
    if (today?.soldOut) throw new SoldOut(dish, 0);
    if (!counted) continue;
    const total = (wanted.get(dish) ?? 0) + quantity;
    wanted.set(dish, total);
    const left = today?.stock === null || today === undefined ? Number.POSITIVE_INFINITY : today.stock - today.sold;
    if (left < total) throw new SoldOut(dish, left);
  }
  for (const [dish, quantity] of wanted) {
    const name = keyOf(order.shop, dish, order.day);
    const today = dishDays.get(name);
    if (today === undefined) continue;
    today.sold += quantity;
    changedDishes.set(name, { shop: order.shop, dish, day: order.day, ranOut: today.sold === today.stock });
  }
}
