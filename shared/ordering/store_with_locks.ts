/** Stores orders with locks, on every engine: lock, read, decide one order after the other, write the accepted ones. */
import type { Row } from "../../db/database.ts";
import { keyOf } from "../../db/key_of.ts";
import {
  dropKeys,
  type IdempotencyKey,
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
  lockDishDays,
  lockShopDays,
  readDishDaysOf,
  readScreens,
  readShopDays,
  readShopsOf,
  setDishDays,
  setShopDays,
} from "../../db/shops.ts";
import type { App } from "../app.ts";
import { pickupNumber } from "../day.ts";
import { KeyReused, KitchenOffline, ShopClosed, SoldOut, TooManyUnaccepted } from "../errors.ts";
import { limitsOf } from "../menu.ts";
import { recallMs } from "../order_states.ts";
import { verifyClaim } from "../sessions/session.ts";
import { change, type NewEvent } from "../streams/change.ts";
import type { Order } from "./order.ts";
import { rowsOf } from "./order_rows.ts";
import { nothing, type Outcome, type PricedOrder, placedEvent, readersOf, type StoreResult } from "./priced_order.ts";

const ok = (value: StoreResult): Outcome => ({ status: "fulfilled", value });

/** Refusals are outcomes, not failures. */
export async function storeWithLocks(app: App, batch: readonly PricedOrder[]): Promise<Outcome[]> {
  try {
    return await lockDecideWrite(app, batch);
  } catch (error) {
    if (error instanceof NothingToStore) return error.outcomes;
    if (!(error instanceof Unverified)) throw error;
    const { rejected } = error;
    const others = batch.filter((priced) => !rejected.has(priced));
    const stored = others.length === 0 ? [] : await storeWithLocks(app, others);
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
async function lockDecideWrite(app: App, batch: readonly PricedOrder[]): Promise<Outcome[]> {
  const { dialect } = app.db;
  const now = app.clock.now();
  const days = [...new Map(batch.map(({ order: { shop, day } }) => [keyOf(shop, day), { shop, day }])).values()];
  const shops = [...new Set(batch.map(({ shop }) => shop.id))];
  const dishes = batch.flatMap(({ order, shop }) =>
    order.lines
      .filter(({ counted }) => counted)
      .map(({ dish }) => ({
        shop_id: shop.id,
        dish_id: dish,
        day: order.day,
        stock: shop.dishes.get(dish)?.dailyStock ?? null,
      })),
  );
  const distinct = [...new Map(dishes.map((dish) => [keyOf(dish.shop_id, dish.dish_id, dish.day), dish])).values()];
  const { result, events, subscribers } = await change(app, {
    locks: [
      ...takeKeys(
        dialect,
        batch.map(({ key }) => key),
      ),
      ...lockDishDays(dialect, distinct),
      ...lockShopDays(dialect, days),
    ],
    streams: batch.flatMap(({ order }) => readersOf(order).map(([stream]) => stream)),
    reads: [
      readKeys(batch.map(({ key }) => key)),
      readStored(batch.map(({ order }) => order.id)),
      readSessions(batch.map(({ claim }) => claim.session)),
      readShopsOf(shops),
      readDishDaysOf(days),
      readShopDays(days),
      readTakenNumbers(days, now - recallMs),
      readScreens(shops, now, app.config.screenMs),
      ...readWaiting(batch.flatMap(limitsOn)),
    ],
    decide: (_, reads) => decideAll(batch, reads as unknown as LockedRows, now),
    repeatable: true,
  });
  // Events of no single order, such as a dish that ran out, are delivered with the first.
  const first = result.find((outcome) => outcome.status === "fulfilled" && outcome.value.kind === "placed");
  return result.map((outcome) => {
    if (outcome.status === "rejected" || outcome.value.kind !== "placed") return outcome;
    const { order } = outcome.value;
    const own = events.filter(({ about }) => about === order.id || (about === undefined && outcome === first));
    return ok({ ...outcome.value, changed: { events: own, subscribers } });
  });

  function decideAll(list: readonly PricedOrder[], rows: LockedRows, at: number) {
    const state = stateOf(rows);
    verifyAll(list, state.sessions, at);
    const outcomes: Outcome[] = [];
    const stored: OrderRows[] = [];
    const newEvents: NewEvent[] = [];
    const refused: IdempotencyKey[] = [];
    for (const priced of list) {
      try {
        const written = decide(priced, state);
        outcomes.push(ok(written));
        if (written.kind === "menuMoved") refused.push(priced.key);
        if (written.kind !== "placed") continue;
        stored.push(rowsOf(written.order));
        for (const [stream, reader] of readersOf(written.order))
          newEvents.push({
            stream,
            type: "order.placed",
            data: placedEvent(written.order, reader),
            about: written.order.id,
          });
      } catch (reason) {
        outcomes.push({ status: "rejected", reason });
        if (!(reason instanceof KeyReused)) refused.push(priced.key);
      }
    }
    if (stored.length === 0) throw new NothingToStore(outcomes);
    const changedDishes = [...state.changedDishes.values()].map(({ shop, dish, day, ranOut }) => {
      const { stock, sold, soldOut } = state.dishDays.get(keyOf(shop, dish, day)) as DishDay;
      if (ranOut) newEvents.push({ stream: `shop:${shop}`, type: "dish.changed", data: { dish, left: 0, soldOut } });
      return { shop_id: shop, dish_id: dish, day, stock, sold, sold_out: soldOut };
    });
    const counted = days.map(({ shop, day }) => ({
      shop_id: shop,
      day,
      orders: state.shopDays.get(keyOf(shop, day)) as number,
    }));
    return {
      writes: [
        ...dropKeys(refused),
        ...setDishDays(dialect, changedDishes),
        ...setShopDays(dialect, counted),
        ...insertOrders(dialect, stored),
      ],
      events: newEvents,
      result: outcomes,
    };
  }
}

/** The rows of `reads`, in their order. */
type LockedRows = [
  keys: Row[],
  stored: Row[],
  sessions: Row[],
  shops: Row[],
  dishDays: Row[],
  shopDays: Row[],
  takenNumbers: Row[],
  screens: Row[],
  ...waiting: Row[][],
];

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
  readonly shopDays: Map<string, number>;
  /** Numbers of a day that orders of other days still hold. */
  readonly takenNumbers: ReadonlySet<string>;
  readonly changedDishes: Map<string, { shop: string; dish: string; day: string; ranOut: boolean }>;
}

function stateOf([
  keys,
  stored,
  sessions,
  shops,
  dishDays,
  shopDays,
  takenNumbers,
  screens,
  ...waiting
]: LockedRows): State {
  return {
    keys: new Map(keys.map((row) => [keyOf(row.owner_id, row.idem_key), row])),
    stored: new Set(stored.map(({ id }) => String(id))),
    sessions: new Map(sessions.map((row) => [String(row.id), row])),
    shops: new Map(shops.map((row) => [String(row.id), row])),
    live: new Set(screens.map(({ shop_id }) => String(shop_id))),
    waiting: new Map(waiting.flat().map((row) => [keyOf(row.kind, row.shop_id, row.value), Number(row.orders)])),
    dishDays: new Map(
      dishDays.map((row) => [
        keyOf(row.shop_id, row.dish_id, row.day),
        { stock: row.stock === null ? null : Number(row.stock), sold: Number(row.sold), soldOut: row.sold_out === 1 },
      ]),
    ),
    shopDays: new Map(shopDays.map((row) => [keyOf(row.shop_id, row.day), Number(row.orders)])),
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
  let dayNumber = (state.shopDays.get(dayName) ?? 0) + 1;
  while (state.takenNumbers.has(keyOf(order.shop, order.day, dayNumber))) dayNumber += 1;
  state.shopDays.set(dayName, dayNumber);
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
