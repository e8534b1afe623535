/** An order: its fields, its views for staff and customer, and the steps between its states. Pure. */
import { iso } from "../day.ts";
import { ConfirmAtCounter, Forbidden, InvalidInput, OrderChanged, StepNotAllowed } from "../errors.ts";
import {
  type Action,
  type Actor,
  acceptanceRecallMs,
  actors,
  finalStatuses,
  recallMs,
  type Service,
  type Status,
  steps,
} from "../order_states.ts";
import type { LineView, OrderView } from "../protocol.ts";
import type { Line } from "./price.ts";

export interface Order {
  readonly id: string;
  readonly shop: string;
  readonly user: string;
  readonly session: string;
  readonly guest: boolean;
  readonly addressHash: string | null;
  /** The /48 around an IPv6 address. */
  readonly widerHash: string | null;
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
  /** Stations that have made their part while the order is not ready yet, in the order in which they finished. */
  readonly stationsDone: readonly StationDone[];
  readonly lines: readonly StoredLine[];
}

export interface StationDone {
  /** Null for the lines without a station. */
  readonly station: string | null;
  readonly at: number;
}

export interface StoredLine extends Line {
  readonly struck: boolean;
}

// --- Views ---------------------------------------------------------------------------------------------------------

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const isoOrNull = (at: number | null) => (at === null ? null : iso(at));

/**
 * The order as JSON for one kind of reader. A delivery's name, phone and address are for the shop's staff and for the customer
 * who gave them.
 */
export function orderView(order: Order, reader: "staff" | "customer"): OrderView {
  const isStaff = reader === "staff";
  const view: Writable<OrderView> = {
    number: order.number,
    id: order.id,
    shop: order.shop,
    day: order.day,
    status: order.status,
    version: order.version,
    payment: order.payment,
    service: order.service,
    table: order.tableLabel,
    delivery: order.delivery,
    lines: order.lines.map(isStaff ? staffLine : lineView),
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
    expireAt: iso(order.expireAt),
    updatedAt: iso(order.updatedAt),
  };
  if (!isStaff) return view;
  // Set one by one: a copy of so many fields is a slow object, and its JSON takes 18 µs instead of 3.
  view.guest = order.guest;
  view.customer = order.user;
  view.escalatedAt = isoOrNull(order.escalatedAt);
  view.stationsDone = stationNames(order.stationsDone);
  return view;
}

const lineView = ({ line, dish, names, options, quantity, unitFen, totalFen, note }: StoredLine) => ({
  line,
  dish,
  names,
  options,
  quantity,
  unitFen,
  totalFen,
  note,
});

function staffLine(line: StoredLine): LineView {
  const view: Writable<LineView> = lineView(line);
  view.station = line.station;
  view.struck = line.struck;
  return view;
}

const stationNames = (done: readonly StationDone[]) => done.map(({ station }) => station);

// --- Steps ---------------------------------------------------------------------------------------------------------

export interface StepInput {
  readonly action: Action;
  readonly by: Actor;
  readonly at: number;
  /** The version that the page showed. It tells a repeated request from a concurrent one. */
  readonly version: number | undefined;
  readonly reason: string | null;
  /** Only this station's lines, for `ready` and `recall`; null for the lines without a station, undefined for the whole order. */
  readonly station?: string | null | undefined;
  /** Whether guests' orders wait for the counter. */
  readonly guestsAtCounter: boolean;
}

/** The change of a row that a step makes. */
export type OrderChange = Pick<Order, "status" | "payment"> & Partial<Order>;

/**
 * Decides a step. Undefined when it was taken already.
 * @param taken the first action after `input.version` that the caller was notified of, from the history
 * @throws Forbidden, ConfirmAtCounter, OrderChanged, StepNotAllowed, InvalidInput
 */
export function step(order: Order, input: StepInput, taken: string | undefined): OrderChange | undefined {
  const { action, by, at, version, station } = input;
  if (!actors[action].includes(by)) throw new Forbidden(`"${action}" is not for "${by}"`);
  if (station !== undefined) return stepOfStation(order, input, station);
  if (version !== undefined && version !== order.version) {
    if (taken === action) return undefined;
    throw new OrderChanged(order.version);
  }
  if (action === "paid") return pay(order, at);
  if (action === "recall") return recall(order, at);
  const { from, to } = steps[action];
  if (order.status === to) return undefined;
  const customerTooLate = by === "customer" && order.status !== "placed";
  const wrongService =
    (action === "deliver" && order.service !== "delivery") ||
    (action === "complete" && (order.service === "delivery") !== (order.status === "delivering"));
  if (!from.includes(order.status) || customerTooLate || wrongService) throw new StepNotAllowed(action, order.status);
  if (action === "accept" && order.guest && input.guestsAtCounter && (by === "kitchen" || by === "key"))
    throw new ConfirmAtCounter(order.id);
  return {
    status: to,
    payment: order.payment,
    reason: input.reason ?? order.reason,
    ...(to === "accepted" ? { acceptedAt: at } : {}),
    ...(to === "ready" ? { readyAt: at } : {}),
    ...(to === "completed" ? { completedAt: at } : {}),
    ...(finalStatuses.includes(to) ? { endedAt: at } : {}),
  };
}

/** The one step back. Repeated without a version it would go back twice, so the routes require one. */
function recall(order: Order, at: number): OrderChange {
  const { status, payment, stationsDone, placedAt } = order;
  const isWithin = (since: number | null, ms: number) => since !== null && at - since <= ms;
  if (status === "ready") return { status: "cooking", payment, readyAt: null, stationsDone: doneBeforeReady(order) };
  if (status === "completed" && isWithin(order.completedAt, recallMs))
    return { status: "ready", payment, completedAt: null, endedAt: null };
  // What a station has made cannot be unmade.
  if (stationsDone.length > 0) throw new StepNotAllowed("recall", status);
  if (status === "cooking") return { status: "accepted", payment };
  if (status === "accepted" && isWithin(order.acceptedAt, acceptanceRecallMs))
    return {
      status: "placed",
      payment,
      acceptedAt: null,
      // Its waiting times begin again: with the old ones it would expire at once.
      escalateAt: at + order.escalateAt - placedAt,
      escalatedAt: null,
      expireAt: at + order.expireAt - placedAt,
    };
  throw new StepNotAllowed("recall", status);
}

/** Without the station whose part was the last: that one is taken back together with `ready`. */
const doneBeforeReady = ({ stationsDone, readyAt }: Order) =>
  stationsDone.at(-1)?.at === readyAt ? stationsDone.slice(0, -1) : stationsDone;

/** Stations of the order that have not made their part; one whose lines are all struck out has nothing left to make. */
export function openStations({ lines, stationsDone }: Pick<Order, "lines" | "stationsDone">): Set<string | null> {
  const open = new Set(lines.filter(({ struck }) => !struck).map(({ station }) => station));
  for (const { station } of stationsDone) open.delete(station);
  return open;
}

/** One station's part of `ready`, or of taking it back. The order is ready when the last station is. */
function stepOfStation(order: Order, input: StepInput, station: string | null): OrderChange | undefined {
  const { action, at, version } = input;
  const { status, payment, stationsDone } = order;
  if (action !== "ready" && action !== "recall") throw new InvalidInput("station", "goes with ready and recall only");
  if (!order.lines.some((line) => line.station === station))
    throw new InvalidInput("station", `order "${order.id}" has nothing for ${station ?? "no station"}`);
  const isDone = status === "ready" || stationsDone.some((done) => done.station === station);
  // Unlike for a step of the whole order, the state alone shows that this one was taken.
  if (version !== undefined && version !== order.version && isDone !== (action === "ready"))
    throw new OrderChanged(order.version);
  if (!["accepted", "cooking", "ready"].includes(status)) throw new StepNotAllowed(action, status);
  if (isDone === (action === "ready")) return undefined;
  if (action === "ready") {
    const after = { ...order, stationsDone: [...stationsDone, { station, at }] };
    const ready = openStations(after).size === 0;
    return {
      status: ready ? "ready" : status,
      payment,
      stationsDone: after.stationsDone,
      ...(ready && { readyAt: at }),
    };
  }
  const others = stationsDone.filter((done) => done.station !== station);
  if (status !== "ready") return { status, payment, stationsDone: others };
  // Ready as a whole: what the others have made stays made.
  const open = openStations({ ...order, stationsDone: [...others, { station, at }] });
  const made = [...open].map((one) => ({ station: one, at }));
  return { status: "cooking", payment, readyAt: null, stationsDone: [...others, ...made] };
}

function pay(order: Order, at: number): OrderChange | undefined {
  if (order.payment === "paid") return undefined;
  if (finalStatuses.includes(order.status) && order.status !== "completed")
    throw new StepNotAllowed("paid", order.status);
  return { status: order.status, payment: "paid", paidAt: at };
}

/** The order was not accepted in time. Undefined when it was. */
export function expire(order: Order, at: number): OrderChange | undefined {
  if (order.status !== "placed" || at < order.expireAt) return undefined;
  return { status: "expired", payment: order.payment, endedAt: at };
}

/** Whether its portions return to the stock: only while nothing was cooked. */
export function givesBack(from: Status, to: Status): boolean {
  return (from === "placed" || from === "accepted") && finalStatuses.includes(to) && to !== "completed";
}
