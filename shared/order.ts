/** An order: what it is made of, who sees what of it, and what may follow what. Pure. */
import type { Row } from "../db/database.ts";
import { ConfirmAtCounter, Forbidden, OrderChanged, StepNotAllowed } from "./errors.ts";
import type { Line } from "./price.ts";
import type { Action, OrderView, Service, Status } from "./protocol.ts";
import type { Role } from "./session.ts";

/** Nothing follows these; `completed` may be recalled for a while. */
export const endings: ReadonlySet<Status> = new Set(["completed", "rejected", "cancelled", "expired"]);
/** In the kitchen's hands, or waiting to be. */
export const openStatuses: readonly Status[] = ["placed", "accepted", "cooking", "ready", "delivering"];

export interface Order {
  readonly id: string;
  readonly shop: string;
  readonly user: string;
  readonly session: string;
  readonly guest: boolean;
  readonly addressHash: string | null;
  readonly day: string;
  readonly dayNumber: number;
  readonly number: string;
  readonly service: Service;
  readonly tableToken: string | null;
  readonly tableLabel: string | null;
  /** Null when there is none, or after it was removed. */
  readonly delivery: { readonly name: string; readonly phone: string; readonly address: string } | null;
  readonly note: string;
  readonly menuVersion: number;
  readonly itemsFen: number;
  readonly packingFen: number;
  readonly deliveryFen: number;
  readonly totalFen: number;
  readonly status: Status;
  /** Grows by one with every change. */
  readonly version: number;
  readonly payment: "unpaid" | "paid";
  readonly paidAt: number | null;
  readonly reason: string | null;
  readonly placedAt: number;
  readonly acceptedAt: number | null;
  readonly readyAt: number | null;
  readonly completedAt: number | null;
  readonly endedAt: number | null;
  readonly escalateAt: number;
  readonly escalatedAt: number | null;
  readonly expireAt: number;
  readonly updatedAt: number;
  readonly lines: readonly StoredLine[];
}

export interface StoredLine extends Line {
  readonly struck: boolean;
}

// --- Views ---------------------------------------------------------------------------------------------------------

const iso = (at: number) => new Date(at).toISOString();
const isoOrNull = (at: number | null) => (at === null ? null : iso(at));

/**
 * The order as JSON for one kind of reader. `number` comes first, because PostgreSQL draws it inside the flight: see
 * db/orders.ts. A delivery's name, phone and address are for the shop's staff only.
 */
export function orderView(order: Order, reader: "staff" | "customer"): OrderView {
  const staff = reader === "staff";
  return {
    number: order.number,
    id: order.id,
    shop: order.shop,
    day: order.day,
    status: order.status,
    version: order.version,
    payment: order.payment,
    service: order.service,
    table: order.tableLabel,
    ...(staff ? { delivery: order.delivery, guest: order.guest, customer: order.user } : {}),
    lines: order.lines.map(({ line, dish, names, options, station, quantity, unitFen, totalFen, note, struck }) => ({
      line,
      dish,
      names,
      options,
      quantity,
      unitFen,
      totalFen,
      note,
      ...(staff ? { station, struck } : {}),
    })),
    note: order.note,
    itemsFen: order.itemsFen,
    packingFen: order.packingFen,
    deliveryFen: order.deliveryFen,
    totalFen: order.totalFen,
    reason: order.reason,
    placedAt: iso(order.placedAt),
    acceptedAt: isoOrNull(order.acceptedAt),
    readyAt: isoOrNull(order.readyAt),
    completedAt: isoOrNull(order.completedAt),
    endedAt: isoOrNull(order.endedAt),
    ...(staff ? { escalatedAt: isoOrNull(order.escalatedAt) } : {}),
    expireAt: iso(order.expireAt),
    updatedAt: iso(order.updatedAt),
  };
}

// --- Rows ----------------------------------------------------------------------------------------------------------

const nullable = (value: Row[string] | undefined) => (value === null || value === undefined ? null : Number(value));
const nullableText = (value: Row[string] | undefined) => (value === null || value === undefined ? null : String(value));

export function lineOf(row: Row): StoredLine {
  return {
    line: Number(row.line_no),
    dish: String(row.dish_id),
    names: JSON.parse(String(row.names)),
    options: JSON.parse(String(row.options)),
    station: nullableText(row.station),
    quantity: Number(row.quantity),
    unitFen: Number(row.unit_fen),
    totalFen: Number(row.total_fen),
    counted: row.counted === 1,
    note: String(row.note),
    struck: row.struck_at !== null,
  };
}

/** @param lines rows of this order, in any order */
export function orderOf(row: Row, lines: readonly Row[]): Order {
  return {
    id: String(row.id),
    shop: String(row.shop_id),
    user: String(row.user_id),
    session: String(row.session_id),
    guest: row.is_guest === 1,
    addressHash: nullableText(row.address_hash),
    day: String(row.day),
    dayNumber: Number(row.day_number),
    number: String(row.number),
    service: String(row.service) as Service,
    tableToken: nullableText(row.table_token),
    tableLabel: nullableText(row.table_label),
    delivery: row.delivery === null ? null : JSON.parse(String(row.delivery)),
    note: String(row.note),
    menuVersion: Number(row.menu_version),
    itemsFen: Number(row.items_fen),
    packingFen: Number(row.packing_fen),
    deliveryFen: Number(row.delivery_fen),
    totalFen: Number(row.total_fen),
    status: String(row.status) as Status,
    version: Number(row.version),
    payment: String(row.payment) as Order["payment"],
    paidAt: nullable(row.paid_at),
    reason: nullableText(row.reason),
    placedAt: Number(row.placed_at),
    acceptedAt: nullable(row.accepted_at),
    readyAt: nullable(row.ready_at),
    completedAt: nullable(row.completed_at),
    endedAt: nullable(row.ended_at),
    escalateAt: Number(row.escalate_at),
    escalatedAt: nullable(row.escalated_at),
    expireAt: Number(row.expire_at),
    updatedAt: Number(row.updated_at),
    lines: lines.map(lineOf).toSorted((a, b) => a.line - b.line),
  };
}

// --- What may follow what ------------------------------------------------------------------------------------------

/** Who takes a step: staff by role, the customer whose order it is, or the clock. */
export type Actor = Role | "customer" | "system";

/** action → from which states it leads where, and who may take it. */
const steps: Readonly<Record<Exclude<Action, "paid" | "recall">, Step>> = {
  accept: { from: ["placed"], to: "accepted", by: ["owner", "cashier", "kitchen"] },
  cook: { from: ["accepted"], to: "cooking", by: ["owner", "cashier", "kitchen"] },
  ready: { from: ["accepted", "cooking"], to: "ready", by: ["owner", "cashier", "kitchen"] },
  deliver: { from: ["ready"], to: "delivering", by: ["owner", "cashier", "kitchen"] },
  complete: { from: ["ready", "delivering"], to: "completed", by: ["owner", "cashier", "kitchen"] },
  reject: { from: ["placed"], to: "rejected", by: ["owner", "cashier", "kitchen"] },
  cancel: { from: ["placed", "accepted", "cooking", "ready"], to: "cancelled", by: ["owner", "cashier", "customer"] },
};

interface Step {
  readonly from: readonly Status[];
  readonly to: Status;
  readonly by: readonly Actor[];
}

/** Who may take each step: the table of docs/protocol.md. */
export const actors: Readonly<Record<Action, readonly Actor[]>> = {
  ...(Object.fromEntries(Object.entries(steps).map(([action, { by }]) => [action, by])) as Record<
    keyof typeof steps,
    readonly Actor[]
  >),
  recall: ["owner", "cashier", "kitchen"],
  paid: ["owner", "cashier"],
};

export const recallMs = 30 * 60_000;

export interface Asked {
  readonly action: Action;
  readonly by: Actor;
  readonly at: number;
  /** The version that the page showed. With it, a repeat is known for a repeat, and a race for a race. */
  readonly version: number | undefined;
  readonly reason: string | null;
  /** Whether guests' orders wait for the counter. */
  readonly guestsAtCounter: boolean;
}

/** The change of a row that a step makes; undefined when the order is there already. */
export type Change = Pick<Order, "status" | "payment"> & Partial<Order>;

/**
 * Takes a step, or finds that it was taken.
 * @param taken the action that made version `asked.version + 1`, from the history
 * @throws Forbidden, ConfirmAtCounter, OrderChanged, StepNotAllowed
 */
export function step(order: Order, asked: Asked, taken: string | undefined): Change | undefined {
  const { action, by, at, version } = asked;
  if (!actors[action].includes(by)) throw new Forbidden(`"${action}" is not for "${by}"`);
  if (version !== undefined && version !== order.version) {
    if (taken === action) return undefined;
    throw new OrderChanged(order.version);
  }
  if (action === "paid") return pay(order, at);
  if (action === "recall") return recall(order, at);
  const { from, to } = steps[action];
  if (order.status === to) return undefined;
  const customerTooLate = by === "customer" && order.status !== "placed";
  const wrongRoad =
    (action === "deliver" && order.service !== "delivery") ||
    (action === "complete" && (order.service === "delivery") !== (order.status === "delivering"));
  if (!from.includes(order.status) || customerTooLate || wrongRoad) throw new StepNotAllowed(action, order.status);
  if (action === "accept" && order.guest && asked.guestsAtCounter && by === "kitchen")
    throw new ConfirmAtCounter(order.id);
  return {
    status: to,
    payment: order.payment,
    reason: asked.reason ?? order.reason,
    ...(to === "accepted" ? { acceptedAt: at } : {}),
    ...(to === "ready" ? { readyAt: at } : {}),
    ...(to === "completed" ? { completedAt: at } : {}),
    ...(endings.has(to) ? { endedAt: at } : {}),
  };
}

/** The one step back. Repeated without a version it would go back twice, so the routes ask for one. */
function recall(order: Order, at: number): Change {
  if (order.status === "ready") return { status: "cooking", payment: order.payment, readyAt: null };
  const late = order.completedAt === null || at - order.completedAt > recallMs;
  if (order.status !== "completed" || late) throw new StepNotAllowed("recall", order.status);
  return { status: "ready", payment: order.payment, completedAt: null, endedAt: null };
}

function pay(order: Order, at: number): Change | undefined {
  if (order.payment === "paid") return undefined;
  if (endings.has(order.status) && order.status !== "completed") throw new StepNotAllowed("paid", order.status);
  return { status: order.status, payment: "paid", paidAt: at };
}

/** Nobody accepted in time. Undefined when somebody did after all. */
export function expire(order: Order, at: number): Change | undefined {
  if (order.status !== "placed" || at < order.expireAt) return undefined;
  return { status: "expired", payment: order.payment, endedAt: at };
}

/** Whether what was taken from the stock goes back: only while nothing was cooked. */
export function givesBack(from: Status, to: Status): boolean {
  return (from === "placed" || from === "accepted") && endings.has(to) && to !== "completed";
}
