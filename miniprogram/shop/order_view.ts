/** View of an order: texts, colours and steps for the pages. */
import type { OrderView, Status } from "../lib/orderbell";
import { happyPaths } from "../lib/orderbell";
import { clockTime, dayAndTime, nameIn, yuan } from "./format";
import type { Language, Words } from "./words";

/** Colour of a state: in progress, ready, ended, failed. */
export type Tone = "busy" | "ready" | "over" | "bad";

const tones: Record<Status, Tone> = {
  placed: "busy",
  accepted: "busy",
  cooking: "busy",
  ready: "ready",
  delivering: "ready",
  completed: "over",
  rejected: "bad",
  cancelled: "bad",
  expired: "bad",
};

export const stateOf = ({ status, service }: OrderView, t: Words): string =>
  status === "ready" ? t.readyAt[service] : t.status[status];

export interface OrderCard {
  id: string;
  number: string;
  state: string;
  tone: Tone;
  dishes: string;
  at: string;
  total: string;
}

export const cardOf = (order: OrderView, t: Words, language: Language): OrderCard => ({
  id: order.id,
  number: order.number,
  state: stateOf(order, t),
  tone: tones[order.status],
  dishes: order.lines.map(({ names, quantity }) => `${nameIn(names, language)}×${quantity}`).join(t.comma),
  at: dayAndTime(order.placedAt),
  total: yuan(order.totalFen),
});

/** One state of the time line; `at` is empty while it is not reached, or its time is unknown. */
export interface TimeStep {
  id: Status;
  name: string;
  at: string;
  done: boolean;
  now: boolean;
}

/** The time line of an order; one that failed ends with the states it reached. */
export function timeLine(order: OrderView, t: Words): TimeStep[] {
  const times: Partial<Record<Status, string | null>> = {
    placed: order.placedAt,
    accepted: order.acceptedAt,
    ready: order.readyAt,
    completed: order.completedAt,
    [order.status]: order.status === "placed" ? order.placedAt : order.updatedAt,
  };
  const whole = happyPaths[order.service];
  const at = whole.indexOf(order.status);
  const steps =
    at >= 0
      ? whole
      : [...whole.filter((status) => status === "placed" || (status === "accepted" && order.acceptedAt)), order.status];
  const reached = at >= 0 ? at : steps.length - 1;
  return steps.map((id, index) => ({
    id,
    name: id === "placed" ? t.placedStep : id === "ready" ? t.readyAt[order.service] : t.status[id],
    at: index <= reached ? clockTime(times[id]) : "",
    done: index < reached || (index === reached && order.status === "completed"),
    now: index === reached,
  }));
}

/** Usual reasons travel as codes. */
const reasonText = (reason: string, { reasons }: Words): string =>
  Object.entries(reasons).find(([code]) => code === reason)?.[1] ?? reason;

export const detailOf = (order: OrderView, t: Words, language: Language) => ({
  ...cardOf(order, t, language),
  service: order.table === null ? t[order.service] : t.atTable.replace("{label}", order.table),
  steps: timeLine(order, t),
  lines: order.lines.map(({ line, names, options, quantity, totalFen, note }) => ({
    line,
    name: nameIn(names, language),
    options: options.map(({ choiceNames }) => nameIn(choiceNames, language)).join(t.comma),
    quantity,
    total: yuan(totalFen),
    note,
  })),
  note: order.note,
  to: order.delivery ? [order.delivery.name, order.delivery.phone, order.delivery.address] : [],
  packing: order.packingFen > 0 ? yuan(order.packingFen) : "",
  delivery: order.deliveryFen > 0 ? yuan(order.deliveryFen) : "",
  payment: t[order.payment],
  mayCancel: order.status === "placed",
  expires: order.status === "placed" ? t.expiresAt.replace("{time}", clockTime(order.expireAt)) : "",
  reason: order.reason === null || order.reason === "" ? "" : t.reason.replace("{reason}", reasonText(order.reason, t)),
});
