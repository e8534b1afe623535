/** Statements on `orders`, `order_lines`, `order_history` and `idempotency_keys`. */
import type { Row } from "./database.ts";
import { among, anyOf, type Dialect, insertRows, jsonOf, type NewRow, powersOfTwo } from "./dialect.ts";
import { keyOf } from "./key_of.ts";
import { join, raw, type Sql, type Statement, sql } from "./sql.ts";
import { sortedBy } from "./streams.ts";

// --- Idempotency keys ----------------------------------------------------------------------------------------------

export interface IdempotencyKey {
  readonly owner_id: string;
  readonly idem_key: string;
  readonly body_hash: string;
  /** What the request makes, if it is the first under this key. */
  readonly result_id: string;
  readonly created_at: number;
}

const inOrder = (keys: readonly IdempotencyKey[]): IdempotencyKey[] =>
  sortedBy(keys, ({ owner_id, idem_key }) => keyOf(owner_id, idem_key));

/** Takes the keys, waiting for a transaction that is just taking the same ones; keys taken before stay as they are. */
export function takeKeys(dialect: Dialect, keys: readonly IdempotencyKey[]): Statement[] {
  const tail = sql`${dialect.onConflict(["owner_id", "idem_key"])} created_at = idempotency_keys.created_at`;
  return insertRows(dialect, "idempotency_keys", inOrder(keys).map(keyRow), tail);
}

/** Takes keys that nobody has taken. A unique constraint fails if one is taken. */
export function insertKeys(dialect: Dialect, keys: readonly IdempotencyKey[]): Statement[] {
  return insertRows(dialect, "idempotency_keys", inOrder(keys).map(keyRow));
}

const keyRow = ({ owner_id, idem_key, body_hash, result_id, created_at }: IdempotencyKey): NewRow => ({
  owner_id,
  idem_key,
  body_hash,
  result_id,
  created_at,
});

export function readKeys(keys: readonly Pick<IdempotencyKey, "owner_id" | "idem_key">[]): Sql {
  const each = keys.map(({ owner_id, idem_key }) => sql`(owner_id = ${owner_id} AND idem_key = ${idem_key})`);
  return sql`SELECT owner_id, idem_key, body_hash, result_id, created_at FROM idempotency_keys WHERE ${anyOf(each)}`;
}

/** Releases the keys of refused requests; a key that an earlier request took stays. */
export function dropKeys(keys: readonly IdempotencyKey[]): Statement[] {
  if (keys.length === 0) return [];
  const each = keys.map(
    ({ owner_id, idem_key, result_id }) =>
      sql`(owner_id = ${owner_id} AND idem_key = ${idem_key} AND result_id = ${result_id})`,
  );
  return [sql`DELETE FROM idempotency_keys WHERE ${anyOf(each)}`];
}

export function trimKeys(before: number): Sql {
  return sql`DELETE FROM idempotency_keys WHERE created_at < ${before}`;
}

// --- Reading -------------------------------------------------------------------------------------------------------

export function readOrders(ids: readonly string[]): [Sql, Sql] {
  return [
    sql`SELECT * FROM orders WHERE ${among(sql`id`, ids)}`,
    sql`SELECT * FROM order_lines WHERE ${among(sql`order_id`, ids)} ORDER BY order_id, line_no`,
  ];
}

/** Which of these orders are stored. */
export function readStored(ids: readonly string[]): Sql {
  return sql`SELECT id FROM orders WHERE ${among(sql`id`, ids)}`;
}

/** Shop and customer of each order. */
export function readWhose(ids: readonly string[]): Sql {
  return sql`SELECT id, shop_id, user_id FROM orders WHERE ${among(sql`id`, ids)}`;
}

/** The rows of the orders, locked in the order of their ids, and their lines. */
export function lockOrders(ids: readonly string[]): [Sql, Sql] {
  const [, lines] = readOrders(ids);
  return [sql`SELECT * FROM orders WHERE ${among(sql`id`, ids)} ORDER BY id FOR UPDATE`, lines];
}

/** Locks the stock that an order took from, before the streams: what is given back is written behind their locks. */
export function lockStockOf(order: string): Sql {
  const of = (column: "shop_id" | "day") => sql`(SELECT ${raw(column)} FROM orders WHERE id = ${order})`;
  return sql`SELECT dish_id FROM dish_days WHERE shop_id = ${of("shop_id")} AND day = ${of("day")}
    AND dish_id IN (SELECT dish_id FROM order_lines WHERE order_id = ${order} AND counted = 1) ORDER BY dish_id FOR UPDATE`;
}

/** With the name of the key that took a step, where one did: a key's session has the key's id. */
export function readHistory(order: string): Sql {
  return sql`SELECT h.version, h.action, h.from_status, h.to_status, h.actor, h.reason, h.at, k.name AS key_name FROM order_history h
    LEFT JOIN api_keys k ON k.id = h.session_id WHERE h.order_id = ${order} ORDER BY h.version`;
}

/** What happened to orders behind a version of each; no statement when none is asked for. */
export function readHistoryAfter(asked: readonly { readonly order: string; readonly version: number }[]): Sql[] {
  if (asked.length === 0) return [];
  const behind = asked.map(({ order, version }) => sql`(order_id = ${order} AND version > ${version})`);
  return [sql`SELECT order_id, action FROM order_history WHERE ${anyOf(behind)} ORDER BY order_id, version`];
}

/**
 * The newest orders of a kind with their lines, as two statements that see the same rows when read in one snapshot. Sorted by an
 * expression: by the column alone planners read all orders from the newest on, until enough are found or the oldest is reached.
 */
function newestWithLines(matching: Sql, limit: number) {
  const chosen = sql`(SELECT id FROM ${matching} matching ORDER BY concat(id, '') DESC LIMIT ${limit}) chosen`;
  return {
    orders: sql`SELECT o.* FROM orders o JOIN ${chosen} ON chosen.id = o.id ORDER BY o.id DESC`,
    lines: sql`SELECT l.* FROM order_lines l JOIN ${chosen} ON chosen.id = l.order_id ORDER BY l.order_id, l.line_no`,
    chosen,
  };
}

const ordersWhere = (where: Sql) => sql`(SELECT id FROM orders WHERE ${where})`;

/**
 * Orders of a shop in these states. One SELECT for each: with a list of states PostgreSQL reads all orders of the shop, if almost all
 * were in such states when it planned.
 */
function inStates(columns: Sql, shop: string, statuses: readonly string[], more: Sql): Sql {
  if (statuses.length === 0) return sql`(SELECT ${columns} FROM orders WHERE 1 = 0)`;
  const each = [...new Set(statuses)].map(
    (status) => sql`SELECT ${columns} FROM orders WHERE status = ${status} AND shop_id = ${shop}${more}`,
  );
  return sql`(${join(each, " UNION ALL ")})`;
}

export interface OrderFilter {
  readonly statuses: readonly string[];
  /** All of these are states of open orders. */
  readonly areOpen: boolean;
  readonly day?: string | undefined;
  /** Ids are sortable by time; only orders older than this one. */
  readonly before?: string | undefined;
}

export function readOrdersOfShop(
  shop: string,
  { statuses, areOpen, day, before }: OrderFilter,
  limit: number,
): [Sql, Sql] {
  const ofDay = day === undefined ? sql`` : sql` AND day = ${day}`;
  const open = areOpen ? sql` AND ended_at IS NULL` : sql``;
  const older = before === undefined ? sql`` : sql` AND id < ${before}`;
  const { orders, lines } = newestWithLines(inStates(sql`id`, shop, statuses, sql`${open}${ofDay}${older}`), limit);
  return [orders, lines];
}

export function readOrdersOfUser(user: string, before: string | undefined, limit: number): [Sql, Sql] {
  const where = before === undefined ? sql`user_id = ${user}` : sql`user_id = ${user} AND id < ${before}`;
  const { orders, lines } = newestWithLines(ordersWhere(where), limit);
  return [orders, lines];
}

/** Orders of one shop or of one user. An absent part does not narrow. */
export interface OrderChoice {
  readonly of: { readonly shop: string } | { readonly user: string };
  readonly ids?: readonly string[] | undefined;
  readonly shops?: readonly string[] | undefined;
  readonly statuses?: readonly string[] | undefined;
  readonly days?: readonly string[] | undefined;
}

/** The newest orders of a choice with their lines, and what a reader who is not told of all steps needs. */
export function readChosenOrders({ of, ids, shops, statuses, days }: OrderChoice, limit: number) {
  const parts = [
    "shop" in of ? sql`shop_id = ${of.shop}` : sql`user_id = ${of.user}`,
    ...(ids === undefined ? [] : [among(sql`id`, ids)]),
    ...(shops === undefined ? [] : [among(sql`shop_id`, shops)]),
    ...(statuses === undefined ? [] : [among(sql`status`, statuses)]),
    ...(days === undefined ? [] : [among(sql`day`, days)]),
  ];
  const { orders, lines, chosen } = newestWithLines(ordersWhere(join(parts, " AND ")), limit);
  return {
    orders,
    lines,
    /** Of each order the last step beside the hidden ones: its version and its time. */
    stepsBeside: (hidden: readonly string[]): Sql =>
      sql`SELECT h.order_id, max(h.version) AS version, max(h.at) AS at FROM order_history h JOIN ${chosen} ON chosen.id = h.order_id
        WHERE NOT (${among(sql`h.action`, hidden)}) GROUP BY h.order_id`,
  };
}

/** Numbers for the board: those of pickup orders. Orders for a table or for delivery are not called up. */
export function readBoard(
  shop: string,
  statuses: readonly string[],
  since: number,
  readySince: number,
  limit: number,
): Sql {
  const more = sql` AND ended_at IS NULL AND service = 'pickup' AND placed_at >= ${since} AND (status <> 'ready' OR ready_at >= ${readySince})`;
  const shown = inStates(sql`id, number, status, placed_at`, shop, statuses, more);
  return sql`SELECT number, status FROM ${shown} shown ORDER BY placed_at, id LIMIT ${limit}`;
}

/** Shops with an order that became ready between the two and was not collected. */
export function readUncollected(from: number, to: number): Sql {
  return sql`SELECT DISTINCT shop_id AS id FROM orders WHERE status = 'ready' AND ready_at >= ${from} AND ready_at < ${to}`;
}

/** Placed orders that are due to become louder, or to expire. Not sorted by id alone: see `newestWithLines`. */
export function readDue(now: number, limit: number): Sql {
  return sql`SELECT id, shop_id, user_id FROM orders WHERE status = 'placed'
    AND (expire_at <= ${now} OR (escalate_at <= ${now} AND escalated_at IS NULL)) ORDER BY placed_at, id LIMIT ${limit}`;
}

/** A row if the user ever ordered at this shop. */
export function hasOrdered(user: string, shop: string): Sql {
  return sql`SELECT id FROM orders WHERE user_id = ${user} AND shop_id = ${shop} LIMIT 1`;
}

/** All orders of a business day, and the lines of those that were not rejected, cancelled or expired. */
export function readReport(shop: string, day: string): [Sql, Sql] {
  return [
    sql`SELECT id, day, number, status, payment, service, table_label, items_fen, packing_fen, delivery_fen, total_fen, placed_at, completed_at
      FROM orders WHERE shop_id = ${shop} AND day = ${day} ORDER BY day_number`,
    sql`SELECT l.dish_id, l.names, l.quantity, l.total_fen FROM order_lines l JOIN orders o ON o.id = l.order_id
      WHERE o.shop_id = ${shop} AND o.day = ${day} AND o.status NOT IN ('rejected', 'cancelled', 'expired') ORDER BY o.day_number, l.line_no`,
  ];
}

/**
 * Numbers that a day's counter had still before it, and that another day's orders hold: open ones, and those that ended after
 * `since` and may be recalled. An order that is counted itself is behind its counter.
 * @param days their counters are counted up already, by so many orders
 */
export function readTakenNumbers(
  { readsEitherRange }: Dialect,
  days: readonly { shop: string; day: string; orders: number }[],
  since: number,
): Sql[] {
  const open = sql`o.ended_at IS NULL`;
  const recent = sql`o.ended_at > ${since}`;
  const held = readsEitherRange ? [sql`(${open} OR ${recent})`] : [open, recent];
  return powersOfTwo(days).map((some) => {
    const each = some.flatMap(({ shop, day, orders }) =>
      held.map(
        (ended) =>
          sql`SELECT o.shop_id, d.day, o.day_number FROM shop_days d JOIN orders o ON o.shop_id = d.shop_id
            AND o.day_number > d.orders - ${orders} AND ${ended} WHERE d.shop_id = ${shop} AND d.day = ${day}`,
      ),
    );
    return join(each, " UNION ALL ");
  });
}

/** What a limit of unaccepted orders counts by. */
export const waitingColumns = {
  session: "session_id",
  table: "table_token",
  address: "address_hash",
  wider: "wider_hash",
  shop: "shop_id",
} as const;

export interface Waiting {
  readonly of: keyof typeof waitingColumns;
  readonly shop: string;
  /** The session, table, address or shop itself. */
  readonly value: string;
}

/** How many orders wait unaccepted, by shop and by what their limits count: nothing is read where there is no limit. */
export function readWaiting(wanted: readonly Waiting[]): Sql[] {
  const kinds = Object.keys(waitingColumns) as Waiting["of"][];
  return kinds.flatMap((of) => {
    const ofKind = wanted.filter((one) => one.of === of);
    if (ofKind.length === 0) return [];
    const column = raw(waitingColumns[of]);
    return sql`SELECT ${raw(`'${of}'`)} AS kind, shop_id, ${column} AS value, count(*) AS orders FROM orders WHERE status = 'placed' AND ended_at IS NULL
      AND ${among(
        sql`shop_id`,
        ofKind.map(({ shop }) => shop),
      )} AND ${among(
        column,
        ofKind.map(({ value }) => value),
      )} GROUP BY shop_id, ${column}`;
  });
}

// --- Writing -------------------------------------------------------------------------------------------------------

export interface OrderRows {
  readonly order: NewRow;
  readonly lines: readonly NewRow[];
  readonly history: NewRow;
}

export function insertOrders(dialect: Dialect, orders: readonly OrderRows[]): Statement[] {
  return [
    ...insertRows(
      dialect,
      "orders",
      orders.map(({ order }) => order),
    ),
    ...insertRows(
      dialect,
      "order_lines",
      orders.flatMap(({ lines }) => lines),
    ),
    ...insertRows(
      dialect,
      "order_history",
      orders.map(({ history }) => history),
    ),
  ];
}

export function updateOrder(id: string, change: NewRow): Sql {
  const sets = Object.entries(change).map(([column, value]) => sql`${raw(column)} = ${value}`);
  return sql`UPDATE orders SET ${join(sets)} WHERE id = ${id}`;
}

export function insertHistory(dialect: Dialect, rows: readonly NewRow[]): Statement[] {
  return insertRows(dialect, "order_history", rows);
}

export function strikeLine(order: string, line: number, at: number | null, by: string | null): Sql {
  return sql`UPDATE order_lines SET struck_at = ${at}, struck_by = ${by} WHERE order_id = ${order} AND line_no = ${line}`;
}

export function forgetDeliveries(before: number): Sql {
  return sql`UPDATE orders SET delivery = NULL WHERE ended_at < ${before} AND delivery IS NOT NULL`;
}

/** Expired orders, with all their rows. */
export function trimExpired(before: number): Sql[] {
  const old = sql`status = 'expired' AND ended_at < ${before}`;
  return [
    sql`DELETE FROM order_lines WHERE order_id IN (SELECT id FROM orders WHERE ${old})`,
    sql`DELETE FROM order_history WHERE order_id IN (SELECT id FROM orders WHERE ${old})`,
    sql`DELETE FROM orders WHERE ${old}`,
  ];
}

// --- Optimistically, in one call (PostgreSQL) ------------------------------------------------------------------------

/** The guard of that call: something is not as the plan expects. Storing with locks then finds the reason. */
export const notAsExpected = "NOT_AS_HELD";

/** New orders, and what they assume. Days and heads are sorted; a place among them begins at 1, as in SQL. */
export interface OptimisticPlan {
  readonly keys: readonly IdempotencyKey[];
  /** Counted dishes, the quantities of all orders added up. */
  readonly dishes: readonly NewRow[];
  readonly days: readonly { readonly shop_id: string; readonly day: string; readonly orders: number }[];
  /** `seq` is how many events are added, `tag` that of the last. */
  readonly heads: readonly {
    readonly name: string;
    readonly epoch: string;
    readonly seq: number;
    readonly tag: string;
  }[];
  readonly claims: readonly NewRow[];
  readonly shops: readonly NewRow[];
  /** Dishes that must not be sold out, neither before nor by these orders. */
  readonly stock: readonly NewRow[];
  /** How many orders may wait already. */
  readonly limits: readonly NewRow[];
  readonly orders: readonly OrderPlan[];
  readonly now: number;
  readonly screensSince: number;
  /** Orders that ended later may be recalled: their numbers are not free. */
  readonly endedSince: number;
}

export interface OrderPlan {
  readonly rows: OrderRows;
  readonly dayAt: number;
  /** How many orders of the same day follow. */
  readonly dayBack: number;
  readonly events: readonly EventPlan[];
}

export interface EventPlan {
  readonly stream: string;
  readonly headAt: number;
  /** How many events of the same stream follow. */
  readonly headBack: number;
  readonly tag: string;
  /** The tag of the same stream's event before it; of the first only the database knows it. */
  readonly prev: string | null;
  /** Its data, as for an order without a number. */
  readonly text: string;
}

/** The results of the call: of each day the orders so far, of each stream its epoch, last number, and tag before these events. */
export interface DrawnNumbers {
  readonly totals: readonly number[];
  readonly epochs: readonly string[];
  readonly seqs: readonly number[];
  readonly prevs: readonly string[];
}

/**
 * Stores orders with all that belongs to them; the function is made by migration 14. The database draws the numbers; the data used to
 * decide (the held menu, the session's claim) is checked behind the locks, and any difference raises an error.
 * Locks in the usual order: keys, dishes, day counters, streams.
 */
export function placeOrders(plan: OptimisticPlan): Sql {
  const { now, screensSince, endedSince, dishes, days, heads, claims, shops, stock, limits, orders } = plan;
  const events = orders.flatMap(({ dayAt, dayBack, events }) =>
    events.map(({ stream, headAt, headBack, tag, prev }) => ({
      stream,
      head_at: headAt,
      head_back: headBack,
      tag,
      prev,
      day_at: dayAt,
      day_back: dayBack,
    })),
  );
  const tables: (readonly NewRow[])[] = [
    inOrder(plan.keys).map(keyRow),
    dishes,
    days,
    heads,
    claims,
    shops,
    stock,
    limits,
    orders.map(({ rows, dayAt, dayBack }) => ({ ...rows.order, day_at: dayAt, day_back: dayBack })),
    orders.flatMap(({ rows }) => rows.lines),
    events,
  ];
  const texts = orders.flatMap(({ events }) => events.map(({ text }) => text)).join("\n");
  return sql`SELECT orderbell_place_orders(${now}, ${screensSince}, ${endedSince},
    ${join(tables.map((rows) => (rows.length === 0 ? null : jsonOf(rows))))}, ${texts})::text AS drawn`;
}

/** @param row the one that the call returned */
export const drawnBy = (row: Row | undefined): DrawnNumbers => JSON.parse(String(row?.drawn));

/**
 * The data of an order's event with its number. The place for it is unique: inside of strings JSON escapes quotes, and no other field
 * has this name.
 */
export const withNumber = (text: string, number: string): string => text.replace('"number":""', `"number":"${number}"`);
