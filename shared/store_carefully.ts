/** The road that every engine knows: lock, look, decide one order after the other, write the good ones. */
import type { Row } from "../db/database.ts";
import {
  dropKeys,
  type IdempotencyKey,
  insertOrders,
  type OrderRows,
  readKeys,
  readStored,
  readWaiting,
  takeKeys,
} from "../db/orders.ts";
import { readSessions } from "../db/sessions.ts";
import {
  lockDishDays,
  lockShopDays,
  readDishDaysOf,
  readScreens,
  readShopDays,
  readShopsOf,
  setDishDay,
  setShopDay,
} from "../db/shops.ts";
import type { Statement } from "../db/sql.ts";
import type { App } from "./app.ts";
import { change, type NewEvent } from "./change.ts";
import { pickupNumber } from "./day.ts";
import { type Draft, nothing, type Outcome, placedEvent, readersOf, rowsOf, type Written } from "./draft.ts";
import { KeyReused, KitchenOffline, ShopClosed, SoldOut, TooManyUnaccepted } from "./errors.ts";
import { limitsOf } from "./menu.ts";
import type { Order } from "./order.ts";
import { confirm } from "./session.ts";

const ok = (value: Written): Outcome => ({ status: "fulfilled", value });
const zip = <A, B>(a: readonly A[], b: readonly B[]) => a.map((one, at) => [one, b[at] as B] as const);

/** Who is not who they claim to be gets no lock: a lock makes rows, and a forged claim must leave nothing behind. */
export async function storeCarefully(app: App, drafts: readonly Draft[]): Promise<Outcome[]> {
  const [rows] = await app.db.read([readSessions(drafts.map(({ claim }) => claim.session))]);
  const sessions = new Map(rows?.map((row) => [row.id, row]));
  const impostors = new Map<Draft, Outcome>();
  for (const draft of drafts) {
    try {
      confirm(draft.claim, sessions.get(draft.claim.session), app.clock.now());
    } catch (reason) {
      impostors.set(draft, { status: "rejected", reason });
    }
  }
  const honest = drafts.filter((draft) => !impostors.has(draft));
  const outcomes = new Map(zip(honest, honest.length === 0 ? [] : await storeUnderLocks(app, honest)));
  return drafts.map((draft) => impostors.get(draft) ?? (outcomes.get(draft) as Outcome));
}

/** Every order of the batch was refused: the flight is taken back, and nothing at all is changed. */
class NothingToStore extends Error {
  readonly outcomes: Outcome[];
  constructor(outcomes: Outcome[]) {
    super("every order was refused");
    this.outcomes = outcomes;
  }
}

async function storeUnderLocks(app: App, drafts: readonly Draft[]): Promise<Outcome[]> {
  try {
    return await lockDecideWrite(app, drafts);
  } catch (error) {
    if (error instanceof NothingToStore) return error.outcomes;
    throw error;
  }
}

/** Locks, reads, decides one order after the other, and writes the good ones. Refusals are outcomes, not failures. */
async function lockDecideWrite(app: App, drafts: readonly Draft[]): Promise<Outcome[]> {
  const { dialect } = app.db;
  const now = app.clock.now();
  const days = [...new Map(drafts.map(({ order: { shop, day } }) => [`${shop}\n${day}`, { shop, day }])).values()];
  const shops = [...new Set(drafts.map(({ shop }) => shop.id))];
  const dishes = drafts.flatMap(({ order, shop }) =>
    order.lines
      .filter(({ counted }) => counted)
      .map(({ dish }) => ({
        shop_id: shop.id,
        dish_id: dish,
        day: order.day,
        stock: shop.dishes.get(dish)?.dailyStock ?? null,
      })),
  );
  const distinct = [
    ...new Map(dishes.map((dish) => [JSON.stringify([dish.shop_id, dish.dish_id, dish.day]), dish])).values(),
  ];
  const { result, events, audience } = await change(app, {
    locks: [
      ...takeKeys(
        dialect,
        drafts.map(({ key }) => key),
      ),
      ...lockDishDays(dialect, distinct),
      ...lockShopDays(dialect, days),
    ],
    streams: drafts.flatMap(({ order }) => readersOf(order).map(([stream]) => stream)),
    reads: [
      readKeys(drafts.map(({ key }) => key)),
      readStored(drafts.map(({ order }) => order.id)),
      readSessions(drafts.map(({ claim }) => claim.session)),
      readShopsOf(shops),
      readDishDaysOf(days),
      readShopDays(days),
      readScreens(shops, now - app.config.screenMs),
      readWaiting(
        drafts.map(({ order }) => ({
          shop: order.shop,
          session: order.session,
          table: order.tableToken,
          addressHash: order.addressHash,
        })),
      ),
    ],
    decide: (_, reads) => decideAll(drafts, reads as Facts, now),
    repeatable: true,
  });
  // What belongs to no single order, as a dish that ran out, goes with the first.
  const first = result.find((outcome) => outcome.status === "fulfilled" && outcome.value.kind === "placed");
  return result.map((outcome) => {
    if (outcome.status === "rejected" || outcome.value.kind !== "placed") return outcome;
    const { order } = outcome.value;
    const own = events.filter(({ about }) => about === order.id || (about === undefined && outcome === first));
    return ok({ ...outcome.value, changed: { events: own, audience } });
  });

  function decideAll(list: readonly Draft[], facts: Facts, at: number) {
    const state = stateOf(facts);
    const outcomes: Outcome[] = [];
    const writes: Statement[] = [];
    const stored: OrderRows[] = [];
    const newEvents: NewEvent[] = [];
    const refused: IdempotencyKey[] = [];
    list.forEach((draft, nth) => {
      try {
        const written = decide(draft, nth, state, at);
        outcomes.push(ok(written));
        if (written.kind === "menuMoved") refused.push(draft.key);
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
        if (!(reason instanceof KeyReused)) refused.push(draft.key);
      }
    });
    if (stored.length === 0) throw new NothingToStore(outcomes);
    for (const { shop, dish, day, ranOut } of state.changedDishes.values()) {
      const values = state.dishDays.get(`${shop}\n${dish}\n${day}`) as DishDay;
      writes.push(setDishDay(shop, dish, day, values));
      if (ranOut)
        newEvents.push({
          stream: `shop:${shop}`,
          type: "dish.changed",
          data: { dish, left: 0, soldOut: values.soldOut },
        });
    }
    for (const { shop, day } of days) {
      const orders = state.shopDays.get(`${shop}\n${day}`);
      if (orders !== undefined) writes.push(setShopDay(shop, day, orders));
    }
    return {
      writes: [...dropKeys(refused), ...writes, ...insertOrders(dialect, stored)],
      events: newEvents,
      result: outcomes,
    };
  }
}

/** What the careful road read, in the order of its `reads`. */
type Facts = [
  keys: Row[],
  stored: Row[],
  sessions: Row[],
  shops: Row[],
  dishDays: Row[],
  shopDays: Row[],
  screens: Row[],
  waiting: Row[],
];

interface DishDay {
  stock: number | null;
  sold: number;
  soldOut: boolean;
}

/** The facts as they change while one order after the other is decided. */
interface State {
  readonly keys: ReadonlyMap<string, Row>;
  /** Orders of this batch that are stored already: an earlier try landed, and its answer was lost. */
  readonly stored: ReadonlySet<string>;
  readonly sessions: ReadonlyMap<string, Row>;
  readonly shops: ReadonlyMap<string, Row>;
  readonly live: ReadonlySet<string>;
  readonly waiting: ReadonlyMap<number, Row>;
  readonly dishDays: Map<string, DishDay>;
  readonly shopDays: Map<string, number>;
  readonly changedDishes: Map<string, { shop: string; dish: string; day: string; ranOut: boolean }>;
  /** Orders stored by this batch, by what limits count. */
  readonly added: Map<string, number>;
}

function stateOf([keys, stored, sessions, shops, dishDays, shopDays, screens, waiting]: Facts): State {
  return {
    keys: new Map(keys.map((row) => [`${row.owner_id}\n${row.idem_key}`, row])),
    stored: new Set(stored.map(({ id }) => String(id))),
    sessions: new Map(sessions.map((row) => [String(row.id), row])),
    shops: new Map(shops.map((row) => [String(row.id), row])),
    live: new Set(screens.map(({ shop_id }) => String(shop_id))),
    waiting: new Map(waiting.map((row) => [Number(row.nth), row])),
    dishDays: new Map(
      dishDays.map((row) => [
        `${row.shop_id}\n${row.dish_id}\n${row.day}`,
        { stock: row.stock === null ? null : Number(row.stock), sold: Number(row.sold), soldOut: row.sold_out === 1 },
      ]),
    ),
    shopDays: new Map(shopDays.map((row) => [`${row.shop_id}\n${row.day}`, Number(row.orders)])),
    changedDishes: new Map(),
    added: new Map(),
  };
}

/** Decides one order by the state, and moves the state on. @throws the refusal */
function decide({ order, claim, shop, key }: Draft, nth: number, state: State, now: number): Written {
  const taken = state.keys.get(`${key.owner_id}\n${key.idem_key}`);
  confirm(claim, state.sessions.get(claim.session), now);
  if (state.stored.has(order.id)) return { kind: "stored", id: order.id };
  if (taken !== undefined && taken.result_id !== key.result_id) {
    if (taken.body_hash !== key.body_hash) throw new KeyReused();
    return { kind: "stored", id: String(taken.result_id) };
  }
  const row = state.shops.get(shop.id);
  if (row?.menu_version !== shop.version) return { kind: "menuMoved" };
  if (row.is_open !== 1) throw new ShopClosed(shop.id);
  if (shop.settings.refuseWhenOffline && !state.live.has(shop.id)) throw new KitchenOffline(shop.id);
  refuseTooMany({ order, shop }, state.waiting.get(nth), state.added);
  takeStock(order, state);
  const dayName = `${order.shop}\n${order.day}`;
  const dayNumber = (state.shopDays.get(dayName) ?? 0) + 1;
  state.shopDays.set(dayName, dayNumber);
  for (const name of countedAs(order)) state.added.set(name, (state.added.get(name) ?? 0) + 1);
  return { kind: "placed", order: { ...order, dayNumber, number: pickupNumber(dayNumber) }, changed: nothing };
}

/** Names under which an order counts against the limits. */
const countedAs = ({ shop, session, tableToken, addressHash }: Order) =>
  [
    `session ${shop} ${session}`,
    `table ${shop} ${tableToken}`,
    `address ${shop} ${addressHash}`,
    `shop ${shop}`,
  ] as const;

function refuseTooMany(
  { order, shop }: Pick<Draft, "order" | "shop">,
  row: Row | undefined,
  added: ReadonlyMap<string, number>,
): void {
  const limits = limitsOf(shop.settings);
  const [ofSession, ofTable, ofAddress, ofShop] = countedAs(order);
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
  refuse("address", limits.perAddress, row?.of_address, ofAddress);
  refuse("shop", limits.perShop, row?.of_shop, ofShop);
}

/** All portions of the order or none. @throws SoldOut */
function takeStock(order: Order, { dishDays, changedDishes }: State): void {
  const wanted = new Map<string, number>();
  for (const { dish, quantity, counted } of order.lines) {
    const name = `${order.shop}\n${dish}\n${order.day}`;
    const today = dishDays.get(name);
    if (today?.soldOut) throw new SoldOut(dish, 0);
    if (!counted) continue;
    const total = (wanted.get(dish) ?? 0) + quantity;
    wanted.set(dish, total);
    const left = today?.stock === null || today === undefined ? Number.POSITIVE_INFINITY : today.stock - today.sold;
    if (left < total) throw new SoldOut(dish, left);
  }
  for (const [dish, quantity] of wanted) {
    const name = `${order.shop}\n${dish}\n${order.day}`;
    const today = dishDays.get(name);
    if (today === undefined) continue;
    today.sold += quantity;
    changedDishes.set(name, { shop: order.shop, dish, day: order.day, ranOut: today.sold === today.stock });
  }
}
