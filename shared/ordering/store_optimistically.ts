/** Stores the usual order on PostgreSQL in one call: by the state this process holds, which is checked there under the locks. */
import { ConstraintFailed, GuardFailed } from "../../db/database.ts";
import type { NewRow } from "../../db/dialect.ts";
import { keyOf } from "../../db/key_of.ts";
import {
  type DrawnNumbers,
  drawnBy,
  type EventPlan,
  notAsExpected,
  type OptimisticPlan,
  type OrderPlan,
  placeOrders,
  withNumber,
} from "../../db/orders.ts";
import type { App } from "../app.ts";
import { pickupNumber } from "../day.ts";
import { limitsOf } from "../menu.ts";
import { recallMs } from "../order_states.ts";
import type { StoredEvent } from "../streams/change.ts";
import { rowsOf } from "./order_rows.ts";
import { type Outcome, type PricedOrder, readersOf } from "./priced_order.ts";

/** @returns undefined when an assumption was wrong: then nothing was stored */
export async function storeOptimistically(app: App, batch: readonly PricedOrder[]): Promise<Outcome[] | undefined> {
  if (!app.db.dialect.functions) return undefined;
  const plan = planOf(app, batch);
  try {
    const { rows, after } = await app.db.flight({
      statements: [placeOrders(plan)],
      after: app.gateway.subscribers(plan.heads.map(({ name }) => name)),
      repeatable: true,
    });
    const drawn = drawnBy(rows[0]?.[0]);
    return batch.map(({ order }, at) => {
      const { dayAt, dayBack, events } = plan.orders[at] as OrderPlan;
      const dayNumber = (drawn.totals[dayAt - 1] as number) - dayBack;
      const placed = { ...order, dayNumber, number: pickupNumber(dayNumber) };
      const stored = events.map((event) => storedEvent(event, drawn, placed, plan.now));
      return {
        status: "fulfilled",
        value: { kind: "placed", order: placed, changed: { events: stored, subscribers: after } },
      };
    });
  } catch (error) {
    const unusual =
      (error instanceof GuardFailed && error.guard === notAsExpected) ||
      // The key is there already, or fewer portions are left than asked.
      error instanceof ConstraintFailed;
    if (unusual) return undefined;
    throw error;
  }
}

function storedEvent(
  { stream, headAt, headBack, tag, prev, text }: EventPlan,
  { epochs, seqs, prevs }: DrawnNumbers,
  { id, number }: PricedOrder["order"],
  at: number,
): StoredEvent {
  return {
    stream,
    epoch: epochs[headAt - 1] as string,
    seq: (seqs[headAt - 1] as number) - headBack,
    tag,
    prev: prev ?? (prevs[headAt - 1] as string),
    type: "order.placed",
    data: withNumber(text, number),
    at,
    about: id,
  };
}

function planOf(app: App, batch: readonly PricedOrder[]): OptimisticPlan {
  const now = app.clock.now();
  const dishes = new Map<string, NewRow & { sold: number }>();
  const stock = new Map<string, NewRow>();
  const days = new Map<string, { shop_id: string; day: string; orders: number }>();
  const heads = new Map<string, { name: string; epoch: string; seq: number; tag: string }>();
  const shops = new Map<string, NewRow>();
  const limits = new Map<string, NewRow>();
  for (const { order, shop } of batch) {
    const { day, lines } = order;
    for (const { dish, quantity, counted } of lines) {
      const name = keyOf(shop.id, dish, day);
      stock.set(name, { shop: shop.id, dish, day });
      if (!counted) continue;
      const dailyStock = shop.dishes.get(dish)?.dailyStock ?? null;
      const sold = (dishes.get(name)?.sold ?? 0) + quantity;
      dishes.set(name, { shop_id: shop.id, dish_id: dish, day, stock: dailyStock, sold });
    }
    const name = dayOf(order);
    days.set(name, { shop_id: shop.id, day, orders: (days.get(name)?.orders ?? 0) + 1 });
    for (const [stream] of readersOf(order))
      heads.set(stream, { name: stream, epoch: app.random.tag(), seq: (heads.get(stream)?.seq ?? 0) + 1, tag: "" });
    shops.set(keyOf(shop.id, shop.version, shop.versionAt), {
      shop: shop.id,
      menu_version: shop.version,
      menu_at: shop.versionAt,
      needs_screen: shop.settings.refuseWhenOffline,
    });
    addLimits(limits, order, shop);
  }
  const dayPlaces = placesOf(days, ({ orders }) => orders);
  const headPlaces = placesOf(heads, ({ seq }) => seq);
  const orders = batch.map(({ order, texts }): OrderPlan => {
    const dayPlace = dayPlaces.get(dayOf(order)) as Place;
    dayPlace.left -= 1;
    const events = readersOf(order).map(([stream, reader]): EventPlan => {
      const [head, place] = [heads.get(stream), headPlaces.get(stream)] as [{ tag: string }, Place];
      place.left -= 1;
      const prev = head.tag === "" ? null : head.tag;
      head.tag = app.random.tag();
      return { stream, headAt: place.at, headBack: place.left, tag: head.tag, prev, text: texts[reader] };
    });
    return { rows: rowsOf(order), dayAt: dayPlace.at, dayBack: dayPlace.left, events };
  });
  return {
    keys: batch.map(({ key }) => key),
    dishes: sortedRows(dishes),
    days: sortedRows(days),
    heads: sortedRows(heads),
    claims: batch.map(({ claim: { session, user, hash, kind } }) => ({ session, owner: user, token_hash: hash, kind })),
    shops: [...shops.values()],
    stock: [...stock.values()],
    limits: [...limits.values()],
    orders,
    now,
    screensSince: now - app.config.screenMs,
    endedSince: now - recallMs,
  };
}

const dayOf = ({ shop, day }: PricedOrder["order"]) => keyOf(shop, day);

/** A row's place among the sorted ones, from 1 as in SQL, and how many of its orders or events are still to come. */
interface Place {
  readonly at: number;
  left: number;
}

const sortedNames = (rows: ReadonlyMap<string, unknown>) => [...rows.keys()].sort();
const sortedRows = <R>(rows: ReadonlyMap<string, R>) => sortedNames(rows).map((name) => rows.get(name) as R);
const placesOf = <R>(rows: ReadonlyMap<string, R>, count: (row: R) => number): Map<string, Place> =>
  new Map(sortedNames(rows).map((name, at) => [name, { at: at + 1, left: count(rows.get(name) as R) }]));

/** A row for each limit that the order counts against: how many may wait already, so that with the batch's it is not exceeded. */
function addLimits(rows: Map<string, NewRow>, order: PricedOrder["order"], shop: PricedOrder["shop"]): void {
  const limits = limitsOf(shop.settings);
  const add = (limit: number | null, column?: string, value?: string | null) => {
    if (limit === null || value === null) return;
    const name = keyOf(shop.id, column, value);
    const before = Number(rows.get(name)?.allowed ?? limit);
    rows.set(name, {
      shop: shop.id,
      ...(column === undefined ? {} : { [column]: value as string }),
      allowed: before - 1,
    });
  };
  add(limits.perSession, "session", order.session);
  add(limits.perTable, "table_token", order.tableToken);
  add(limits.perAddress, "address_hash", order.addressHash);
  add(limits.perWider, "wider_hash", order.widerHash);
  add(limits.perShop);
}
