/** The columns of an order in its three tables, each with both directions: how it is read from a row and written to one. */
import type { Row } from "../../db/database.ts";
import type { NewRow } from "../../db/dialect.ts";
import type { OrderRows } from "../../db/orders.ts";
import type { Value } from "../../db/sql.ts";
import type { Actor } from "../order_states.ts";
import type { OrderEvent } from "../protocol.ts";
import type { Order, StoredLine } from "./order.ts";

type Cell = Row[string] | undefined;

interface Column<T> {
  readonly name: string;
  read(cell: Cell): T;
  write(value: T): Value;
}

type Columns<T> = { readonly [K in keyof T]-?: Column<T[K]> };

const isNone = (cell: Cell): cell is null | undefined => cell === null || cell === undefined;
const text = <T extends string = string>(name: string): Column<T> => ({
  name,
  read: (cell) => String(cell) as T,
  write: (value) => value,
});
const integer = (name: string): Column<number> => ({ name, read: Number, write: (value) => value });
const flag = (name: string): Column<boolean> => ({ name, read: (cell) => cell === 1, write: (value) => value });
const json = <T>(name: string): Column<T> => ({
  name,
  read: (cell) => JSON.parse(String(cell)),
  write: (value) => JSON.stringify(value),
});
const nullable = <T>({ name, read, write }: Column<T>): Column<T | null> => ({
  name,
  read: (cell) => (isNone(cell) ? null : read(cell)),
  write: (value) => (value === null ? null : write(value)),
});
/** An empty list is stored as NULL. */
const list = <T>(name: string): Column<readonly T[]> => ({
  name,
  read: (cell) => (isNone(cell) ? [] : JSON.parse(String(cell))),
  write: (value) => (value.length === 0 ? null : JSON.stringify(value)),
});

const orderColumns: Columns<Omit<Order, "lines">> = {
  id: text("id"),
  shop: text("shop_id"),
  user: text("user_id"),
  session: text("session_id"),
  guest: flag("is_guest"),
  addressHash: nullable(text("address_hash")),
  widerHash: nullable(text("wider_hash")),
  day: text("day"),
  dayNumber: integer("day_number"),
  number: text("number"),
  service: text("service"),
  tableToken: nullable(text("table_token")),
  tableLabel: nullable(text("table_label")),
  delivery: nullable(json("delivery")),
  note: text("note"),
  menuVersion: integer("menu_version"),
  itemsFen: integer("items_fen"),
  packingFen: integer("packing_fen"),
  deliveryFen: integer("delivery_fen"),
  totalFen: integer("total_fen"),
  status: text("status"),
  version: integer("version"),
  payment: text("payment"),
  paidAt: nullable(integer("paid_at")),
  reason: nullable(text("reason")),
  placedAt: integer("placed_at"),
  acceptedAt: nullable(integer("accepted_at")),
  readyAt: nullable(integer("ready_at")),
  completedAt: nullable(integer("completed_at")),
  endedAt: nullable(integer("ended_at")),
  escalateAt: integer("escalate_at"),
  escalatedAt: nullable(integer("escalated_at")),
  expireAt: integer("expire_at"),
  updatedAt: integer("updated_at"),
  stationsDone: list("stations_done"),
};

const lineColumns: Columns<Omit<StoredLine, "struck">> = {
  line: integer("line_no"),
  dish: text("dish_id"),
  names: json("names"),
  options: json("options"),
  station: nullable(text("station")),
  quantity: integer("quantity"),
  unitFen: integer("unit_fen"),
  totalFen: integer("total_fen"),
  counted: flag("counted"),
  note: text("note"),
};

function fromRow<T>(columns: Columns<T>, row: Row): T {
  const values: Partial<T> = {};
  for (const field in columns) values[field] = columns[field].read(row[columns[field].name]);
  return values as T;
}

/** Only fields that have a column are written. */
function toRow<T>(columns: Columns<T>, values: Partial<T>): NewRow {
  const row: Record<string, Value> = {};
  for (const field in columns) {
    const value = values[field];
    if (value !== undefined) row[columns[field].name] = columns[field].write(value);
  }
  return row;
}

/** @param lines rows of this order, in any order */
export function orderOf(row: Row, lines: readonly Row[]): Order {
  return { ...fromRow(orderColumns, row), lines: lines.map(lineOf).toSorted((a, b) => a.line - b.line) };
}

function lineOf(row: Row): StoredLine {
  return { ...fromRow(lineColumns, row), struck: row.struck_at !== null };
}

/** Columns of `orders` for the fields that are given. */
export function orderRow(fields: Partial<Omit<Order, "lines">>): NewRow {
  return toRow(orderColumns, fields);
}

/** A new order as rows of its three tables. */
export function rowsOf(order: Order): OrderRows {
  const placed = { action: "place", by: "customer", session: order.session, reason: null, at: order.placedAt } as const;
  return {
    order: orderRow(order),
    lines: order.lines.map((line) => ({ order_id: order.id, ...toRow(lineColumns, line) })),
    history: historyRow(order, null, placed),
  };
}

/** An action on an order, and who took it. */
export interface Mark {
  readonly action: OrderEvent["action"];
  readonly by: Actor;
  readonly session: string | null;
  readonly reason: string | null;
  readonly at: number;
}

/** @param before null when the order is new */
export function historyRow(after: Order, before: Order | null, { action, by, session, reason, at }: Mark): NewRow {
  return {
    order_id: after.id,
    version: after.version,
    action,
    from_status: before?.status ?? null,
    to_status: after.status,
    actor: by,
    session_id: session,
    reason,
    at,
  };
}
