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
} from "../../db/orders.ts";
import { readSessions } from "../../db/sessions.ts";
import {
  lockDishDays,
  lockShopDays,
  readDishDaysOf,
  readScreens,
  readShopDays,
  readShopsOf,
  setDishDay,
  setShopDay,
} from "../../db/shops.ts";
import type { Statement } from "../../db/sql.ts";
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
const zip = <A, B>(a: readonly A[], b: readonly B[]) => a.map((one, at) => [one, b[at] as B] as const);

/** Sessions are verified before locking: locking inserts rows, and a forged token must not. */
export async function storeWithLocks(app: App, batch: readonly PricedOrder[]): Promise<Outcome[]> {
  const [rows] = await app.db.read([readSessions(batch.map(({ claim }) => claim.session))]);
  const sessions = new Map(rows.map((row) => [row.id, row]));
  const rejected = new Map<PricedOrder, Outcome>();
  for (const priced of batch) {
    try {
      verifyClaim(priced.claim, sessions.get(priced.claim.session), app.clock.now());
    } catch (reason) {
      rejected.set(priced, { status: "rejected", reason });
    }
  }
  const verified = batch.filter((priced) => !rejected.has(priced));
  const outcomes = new Map(zip(verified, verified.length === 0 ? [] : await storeUnderLocks(app, verified)));
  return batch.map((priced) => rejected.get(priced) ?? (outcomes.get(priced) as Outcome));
}

/** Every order of the batch was refused: the flight is rolled back, and nothing is changed. */
class NothingToStore extends Error {
  readonly outcomes: Outcome[];
  constructor(outcomes: Outcome[]) {
    super("every order was refused");
    this.outcomes = outcomes;
  }
}

async function storeUnderLocks(app: App, batch: readonly PricedOrder[]): Promise<Outcome[]> {
  try {
    return await lockDecideWrite(app, batch);
  } catch (error) {
    if (error instanceof NothingToStore) return error.outcomes;
    throw error;
  }
}

/** Locks, reads, decides one order after the other, and writes the accepted ones. Refusals are outcomes, not failures. */
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
      readWaiting(
        batch.map(({ order }) => ({
          shop: order.shop,
          session: order.session,
          table: order.tableToken,
          addressHash: order.addressHash,
          widerHash: order.widerHash,
        })),
      ),
    ],
    decide: (_, reads) => decideAll(batch, reads as LockedRows, now),
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
    const outcomes: Outcome[] = [];
    const writes: Statement[] = [];
    const stored: OrderRows[] = [];
    const newEvents: NewEvent[] = [];
    const refused: IdempotencyKey[] = [];
    list.forEach((priced, nth) => {
      try {
        const written = decide(priced, nth, state, at);
        outcomes.push(ok(written));
        if (written.kind === "menuMoved") refused.push(priced.key);
        if (written.kind !== "placed") return;
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
    });
    if (stored.length === 0) throw new NothingToStore(outcomes);
    for (const { shop, dish, day, ranOut } of state.changedDishes.values()) {
      const values = state.dishDays.get(keyOf(shop, dish, day)) as DishDay;
      writes.push(setDishDay(shop, dish, day, values));
      if (ranOut)
        newEvents.push({
          stream: `shop:${shop}`,
          type: "dish.changed",
          data: { dish, left: 0, soldOut: values.soldOut },
        });
    }
    for (const { shop, day } of days) {
      const orders = state.shopDays.get(keyOf(shop, day));
      if (orders !== undefined) writes.push(setShopDay(shop, day, orders));
    }
    return {
      writes: [...dropKeys(refused), ...writes, ...insertOrders(dialect, stored)],
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
  waiting: Row[],
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
  readonly waiting: ReadonlyMap<number, Row>;
  readonly dishDays: Map<string, DishDay>;
  readonly shopDays: Map<string, number>;
  /** Numbers of a day that orders of other days still hold. */
  readonly takenNumbers: ReadonlySet<string>;
  readonly changedDishes: Map<string, { shop: string; dish: string; day: string; ranOut: boolean }>;
  /** Orders stored by this batch, by what limits count. */
  readonly added: Map<string, number>;
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
  waiting,
]: LockedRows): State {
  return {
    keys: new Map(keys.map((row) => [keyOf(row.owner_id, row.idem_key), row])),
    stored: new Set(stored.map(({ id }) => String(id))),
    sessions: new Map(sessions.map((row) => [String(row.id), row])),
    shops: new Map(shops.map((row) => [String(row.id), row])),
    live: new Set(screens.map(({ shop_id }) => String(shop_id))),
    waiting: new Map(waiting.map((row) => [Number(row.nth), row])),
    dishDays: new Map(
      dishDays.map((row) => [
        keyOf(row.shop_id, row.dish_id, row.day),
        { stock: row.stock === null ? null : Number(row.stock), sold: Number(row.sold), soldOut: row.sold_out === 1 },
      ]),
    ),
    shopDays: new Map(shopDays.map((row) => [keyOf(row.shop_id, row.day), Number(row.orders)])),
    takenNumbers: new Set(takenNumbers.map((row) => keyOf(row.shop_id, row.day, row.day_number))),
    changedDishes: new Map(),
    added: new Map(),
  };
}

/** Decides one order by the state, and updates the state. @throws the reason of its refusal */
function decide({ order, claim, shop, key }: PricedOrder, nth: number, state: State, now: number): StoreResult {
  const taken = state.keys.get(keyOf(key.owner_id, key.idem_key));
  verifyClaim(claim, state.sessions.get(claim.session), now);
  if (state.stored.has(order.id)) return { kind: "stored", id: order.id };
  if (taken !== undefined && taken.result_id !== key.result_id) {
    if (taken.body_hash !== key.body_hash) throw new KeyReused();
    return { kind: "stored", id: String(taken.result_id) };
  }
  const row = state.shops.get(shop.id);
  if (row?.menu_version !== shop.version || row.menu_at !== shop.versionAt) return { kind: "menuMoved" };
  if (row.is_open !== 1) throw new ShopClosed(shop.id);
  if (shop.settings.refuseWhenOffline && !state.live.has(shop.id)) throw new KitchenOffline(shop.id);
  refuseTooMany({ order, shop }, state.waiting.get(nth), state.added);
  takeStock(order, state);
  const dayName = keyOf(order.shop, order.day);
  let dayNumber = (state.shopDays.get(dayName) ?? 0) + 1;
  while (state.takenNumbers.has(keyOf(order.shop, order.day, dayNumber))) dayNumber += 1;
  state.shopDays.set(dayName, dayNumber);
  for (const name of countedAs(order)) state.added.set(name, (state.added.get(name) ?? 0) + 1);
  return { kind: "placed", order: { ...order, dayNumber, number: pickupNumber(dayNumber) }, changed: nothing };
}

/** Names under which an order counts against the limits. */
const countedAs = ({ shop, session, tableToken, addressHash, widerHash }: Order) =>
  [
    `session ${shop} ${session}`,
    `table ${shop} ${tableToken}`,
    `address ${shop} ${addressHash}`,
    `wider ${shop} ${widerHash}`,
    `shop ${shop}`,
  ] as const;

function refuseTooMany(
  { order, shop }: Pick<PricedOrder, "order" | "shop">,
  row: Row | undefined,
  added: ReadonlyMap<string, number>,
): void {
  const limits = limitsOf(shop.settings);
  const [ofSession, ofTable, ofAddress, ofWider, ofShop] = countedAs(order);
  const refuse = (
    of: "session" | "table" | "address" | "shop",
    limit: number | null,
    before: unknown,
    name: string,
  ) => {
    if (limit !== null && Number(before ?? 0) + (added.get(name) ?? 0) >= limit) throw new TooManyUnaccepted(of, limit);
  };
  refuse("session", limits.perSession, row?.of_session, ofSession);
  if (order.tableToken !== null) refuse("table", limits.perTable, row?.of_table, ofTable);
  if (order.addressHash !== null) refuse("address", limits.perAddress, row?.of_address, ofAddress);
  if (order.widerHash !== null) refuse("address", limits.perWider, row?.of_wider, ofWider);
  refuse("shop", limits.perShop, row?.of_shop, ofShop);
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
