/** Statements on `orders`, `order_lines`, `order_history` and `idempotency_keys`. */
import { among, anyOf, type Dialect, insertRows, jsonOf, type NewRow, padded, recordset } from "./dialect.ts";
import { keyOf } from "./key_of.ts";
import { absent, join, raw, type Sql, type Statement, sql } from "./sql.ts";
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

export function readWhose(id: string): Sql {
  return sql`SELECT shop_id, user_id FROM orders WHERE id = ${id}`;
}

/** The order row, locked, and its lines. */
export function lockOrder(id: string): [Sql, Sql] {
  return [
    sql`SELECT * FROM orders WHERE id = ${id} FOR UPDATE`,
    sql`SELECT * FROM order_lines WHERE order_id = ${id} ORDER BY line_no`,
  ];
}

/** Locks the stock that an order took from, before the streams: what is given back is written behind their locks. */
export function lockStockOf(order: string): Sql {
  return sql`SELECT d.dish_id FROM dish_days d JOIN orders o ON o.shop_id = d.shop_id AND o.day = d.day
    WHERE o.id = ${order} AND d.dish_id IN (SELECT dish_id FROM order_lines WHERE order_id = ${order} AND counted = 1)
    ORDER BY d.dish_id FOR UPDATE`;
}

export function readHistory(order: string): Sql {
  return sql`SELECT version, action, from_status, to_status, actor, reason, at FROM order_history WHERE order_id = ${order} ORDER BY version`;
}

export function readHistoryAfter(order: string, version: number): Sql {
  return sql`SELECT action FROM order_history WHERE order_id = ${order} AND version > ${version} ORDER BY version`;
}

/** The newest orders of a kind with their lines, as two statements that see the same rows when read in one snapshot. */
function newestWithLines(where: Sql, limit: number) {
  const chosen = sql`(SELECT id FROM orders WHERE ${where} ORDER BY id DESC LIMIT ${limit}) chosen`;
  return {
    orders: sql`SELECT o.* FROM orders o JOIN ${chosen} ON chosen.id = o.id ORDER BY o.id DESC`,
    lines: sql`SELECT l.* FROM order_lines l JOIN ${chosen} ON chosen.id = l.order_id ORDER BY l.order_id, l.line_no`,
    chosen,
  };
}

export interface OrderFilter {
  readonly statuses: readonly string[];
  readonly day?: string | undefined;
  /** Ids are sortable by time; only orders older than this one. */
  readonly before?: string | undefined;
}

export function readOrdersOfShop(shop: string, { statuses, day, before }: OrderFilter, limit: number): [Sql, Sql] {
  const parts = [sql`shop_id = ${shop}`, among(sql`status`, statuses)];
  if (day !== undefined) parts.push(sql`day = ${day}`);
  if (before !== undefined) parts.push(sql`id < ${before}`);
  const { orders, lines } = newestWithLines(join(parts, " AND "), limit);
  return [orders, lines];
}

export function readOrdersOfUser(user: string, before: string | undefined, limit: number): [Sql, Sql] {
  const where = before === undefined ? sql`user_id = ${user}` : sql`user_id = ${user} AND id < ${before}`;
  const { orders, lines } = newestWithLines(where, limit);
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
  const { orders, lines, chosen } = newestWithLines(join(parts, " AND "), limit);
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
  return sql`SELECT number, status FROM orders WHERE ${among(sql`status`, statuses)} AND shop_id = ${shop}
    AND service = 'pickup' AND placed_at >= ${since} AND (status <> 'ready' OR ready_at >= ${readySince}) ORDER BY id LIMIT ${limit}`;
}

/** Shops with an order that became ready between the two and was not collected. */
export function readUncollected(from: number, to: number): Sql {
  return sql`SELECT DISTINCT shop_id AS id FROM orders WHERE status = 'ready' AND ready_at >= ${from} AND ready_at < ${to}`;
}

/** Placed orders that are due to become louder, or to expire. */
export function readDue(now: number, limit: number): Sql {
  return sql`SELECT id, shop_id, user_id FROM orders WHERE status = 'placed'
    AND (expire_at <= ${now} OR (escalate_at <= ${now} AND escalated_at IS NULL)) ORDER BY id LIMIT ${limit}`;
}

/** Whether the user ever ordered, at this shop or (null) at any. */
export function hasOrdered(user: string, shop: string | null): Sql {
  const at = shop === null ? sql`` : sql` AND shop_id = ${shop}`;
  return sql`SELECT id FROM orders WHERE user_id = ${user}${at} LIMIT 1`;
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
 * Numbers that a day's counter has still before it and that another day's orders hold: open ones, and those that ended after
 * `since` and may be recalled. An order that is counted itself is behind its counter.
 */
export function readTakenNumbers(days: readonly { shop: string; day: string }[], since: number): Sql {
  const taken = (ended: Sql) =>
    join(
      padded(days).map(
        ({ shop, day }) =>
          sql`SELECT o.shop_id, d.day, o.day_number FROM shop_days d JOIN orders o ON o.shop_id = d.shop_id AND o.day_number > d.orders
            AND o.${ended} WHERE d.shop_id = ${shop} AND d.day = ${day}`,
      ),
      " UNION ALL ",
    );
  return sql`${taken(sql`ended_at IS NULL`)} UNION ALL ${taken(sql`ended_at > ${since}`)}`;
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
    return sql`SELECT ${raw(`'${of}'`)} AS kind, shop_id, ${column} AS value, count(*) AS orders FROM orders WHERE status = 'placed'
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

export function insertHistory(dialect: Dialect, row: NewRow): Statement[] {
  return insertRows(dialect, "order_history", [row]);
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

// --- Optimistically, in one trip (PostgreSQL) ------------------------------------------------------------------------

/** The guard of that flight: something is not as the plan expects. Storing with locks then finds the reason. */
export const notAsExpected = "NOT_AS_HELD";

export interface OptimisticPlan {
  readonly keys: readonly IdempotencyKey[];
  /** Counted dishes, the quantities of all orders added up. */
  readonly dishes: readonly { shop_id: string; dish_id: string; day: string; stock: number | null; sold: number }[];
  readonly days: readonly { shop_id: string; day: string; orders: number }[];
  /** seq is how many events this flight adds; tag that of the last. */
  readonly heads: readonly { name: string; epoch: string; seq: number; tag: string; changed_at: number }[];
  /** The assumptions of each order. */
  readonly checks: readonly NewRow[];
  /** day_number is minus the orders of the same shop that follow in this flight. */
  readonly orders: readonly OrderRows[];
  /** seq is minus the events of the same stream that follow; `data` has `numberPlace` for the number of the order `order_id`. */
  readonly events: readonly {
    stream: string;
    seq: number;
    tag: string;
    /** The tag of the same stream's event before it in this flight; of the first only the database knows it. */
    prev: string | null;
    type: string;
    data: string;
    at: number;
    order_id: string;
  }[];
  readonly now: number;
  readonly screensSince: number;
  /** Orders that ended later may be recalled: their numbers are not free. */
  readonly endedSince: number;
}

/**
 * All statements of an order, as one list sent in one trip. The database draws the numbers; the data used to decide
 * (the held menu, the session's claim) is checked behind the locks, and any difference raises an error.
 * Locks in the usual order: keys, dishes, day counters, streams.
 */
export function optimisticFlight(dialect: Dialect, plan: OptimisticPlan): Statement[] {
  const upsert = (table: string, rows: readonly NewRow[], keys: string, sum: string, more = "") =>
    rows.length === 0
      ? []
      : insertRows(
          dialect,
          table,
          rows,
          raw(`ON CONFLICT (${keys}) DO UPDATE SET ${sum} = ${table}.${sum} + excluded.${sum}${more}`),
        );
  const shopDays = sortedBy(plan.days, ({ shop_id, day }) => keyOf(shop_id, day));
  const orders = plan.orders.map(({ order }) => order);
  return [
    ...insertRows(dialect, "idempotency_keys", inOrder(plan.keys).map(keyRow)),
    ...upsert(
      "dish_days",
      sortedBy(plan.dishes, ({ shop_id, dish_id, day }) => keyOf(shop_id, dish_id, day)).map((row) => ({
        ...row,
        sold_out: 0,
      })),
      "shop_id, dish_id, day",
      "sold",
    ),
    ...upsert("shop_days", shopDays, "shop_id, day", "orders"),
    ...upsert(
      "streams",
      sortedBy(plan.heads, ({ name }) => name).map((row) => ({ ...row, source_seq: 0 })),
      "name",
      "seq",
      ", prev = streams.tag, tag = excluded.tag, changed_at = excluded.changed_at",
    ),
    absent(notAsExpected, notAsExpectedCount(plan)),
    sql`INSERT INTO orders (${columnsOf(orders)}) SELECT ${columnsOf(orders, {
      day_number: "d.orders + r.day_number",
      number: pickupNumberSql("(d.orders + r.day_number)"),
    })} FROM ${recordset("orders", orders)} r JOIN shop_days d ON d.shop_id = r.shop_id AND d.day = r.day`,
    absent(notAsExpected, takenNumbersCount(plan)),
    ...insertRows(
      dialect,
      "order_lines",
      plan.orders.flatMap(({ lines }) => lines),
    ),
    ...insertRows(
      dialect,
      "order_history",
      plan.orders.map(({ history }) => history),
    ),
    sql`INSERT INTO events (stream, seq, tag, prev, type, data, at)
      SELECT r.stream, s.seq + r.seq, r.tag, coalesce(r.prev, s.prev), r.type, ${numberFilledIn}, r.at
      FROM json_to_recordset(${jsonOf(plan.events)}::json) AS r(stream text, seq bigint, tag text, prev text, type text, data text, at bigint, order_id text)
      JOIN streams s ON s.name = r.stream JOIN orders o ON o.id = r.order_id
      RETURNING stream, seq, tag, prev, type, data, at`,
    sql`SELECT name, epoch FROM streams WHERE name IN (SELECT name FROM ${recordset("streams", plan.heads)})`,
    sql`SELECT id, number, day_number FROM orders WHERE id IN (SELECT id FROM ${recordset(
      "orders",
      orders.map(({ id = null }) => ({ id })),
    )})`,
  ];
}

/** Numbers just drawn that an order of another day still holds. The lock on the shop's stream keeps two days from drawing at once. */
function takenNumbersCount({ orders, endedSince }: OptimisticPlan): Sql {
  const ids = recordset(
    "orders",
    orders.map(({ order: { id = null } }) => ({ id })),
  );
  const held = (ended: Sql) =>
    sql`EXISTS (SELECT 1 FROM orders o WHERE o.shop_id = n.shop_id AND o.${ended} AND o.day_number = n.day_number AND o.id <> n.id)`;
  return sql`SELECT count(*) FROM orders n WHERE n.id IN (SELECT id FROM ${ids})
    AND (${held(sql`ended_at IS NULL`)} OR ${held(sql`ended_at > ${endedSince}`)})`;
}

/**
 * The placeholder in an event's JSON for its order's number. It is unique: inside of strings JSON escapes quotes, and no
 * other field has this name.
 */
const numberPlace = '"number":""';
const numberFilledIn = raw(`replace(r.data, '${numberPlace}', concat('"number":"', o.number, '"'))`);

/** Orders whose session, shop, menu, stock, screens or limits are not as the plan took them to be. */
function notAsExpectedCount({ checks, now, screensSince }: OptimisticPlan): Sql {
  const waiting = (column: string, limit: string) =>
    raw(`(r.${limit} IS NOT NULL AND r.${limit} < (SELECT count(*) FROM (SELECT 1 FROM orders o WHERE o.status = 'placed'
      AND o.shop_id = r.shop AND o.${column} LIMIT greatest(r.${limit} + 1, 0)) waiting))`);
  return sql`SELECT count(*) FROM json_to_recordset(${jsonOf(checks)}::json) AS r(shop text, menu_version bigint, menu_at bigint, day text, dishes text, session text,
      owner text, token_hash text, kind text, table_token text, address_hash text, wider_hash text, needs_screen smallint,
      per_session bigint, per_table bigint, per_address bigint, per_wider bigint, per_shop bigint)
    WHERE NOT EXISTS (SELECT 1 FROM sessions s WHERE s.id = r.session AND s.user_id = r.owner AND s.token_hash = r.token_hash
        AND s.kind = r.kind AND s.ended_at IS NULL AND s.expires_at > ${now})
      OR NOT EXISTS (SELECT 1 FROM shops h JOIN menus m ON m.shop_id = h.id AND m.version = h.menu_version
        WHERE h.id = r.shop AND h.is_open = 1 AND h.menu_version = r.menu_version AND m.created_at = r.menu_at)
      OR EXISTS (SELECT 1 FROM dish_days d WHERE d.shop_id = r.shop AND d.day = r.day AND (d.sold_out = 1 OR d.sold >= d.stock)
        AND d.dish_id IN (SELECT json_array_elements_text(r.dishes::json)))
      OR (r.needs_screen = 1 AND NOT EXISTS (SELECT 1 FROM screens c WHERE c.shop_id = r.shop AND c.seen_at BETWEEN ${screensSince} AND ${2 * now - screensSince}))
      OR ${waiting("session_id = r.session", "per_session")}
      OR ${waiting("table_token = r.table_token", "per_table")}
      OR ${waiting("address_hash = r.address_hash", "per_address")}
      OR ${waiting("wider_hash = r.wider_hash", "per_wider")}
      OR ${waiting("shop_id = r.shop", "per_shop")}`;
}

/** The columns of the rows, each from `r`, but for those named. */
function columnsOf(rows: readonly NewRow[], instead?: Readonly<Record<string, string>>): Sql {
  const columns = Object.keys(rows[0] ?? {});
  return raw(columns.map((column) => (instead === undefined ? column : (instead[column] ?? `r.${column}`))).join(", "));
}

/** `pickupNumber` of shared/day.ts as an expression of PostgreSQL. */
export function pickupNumberSql(n: string): string {
  const block = `((${n} - 1) / 999)`;
  return `concat(CASE WHEN ${block} < 26 THEN '' ELSE chr(64 + ${block} / 26) END, chr(65 + ${block} % 26), lpad(((${n} - 1) % 999 + 1)::text, 3, '0'))`;
}
