/** Steps that a screen offers for an order, by role, as in the table of docs/protocol.md. Pure; the server checks them again. */
import type { Action, OrderView, Role, Service, ShopBrief, Status } from "../../clients/types.ts";
import { acceptanceRecallMs, counterRoles, openStatuses, queueStatuses, steps } from "../../shared/order_states.ts";

/** Only the owner or a cashier accepts this order. */
export const waitsForCounter = (order: OrderView, role: Role, guests: ShopBrief["guests"]): boolean =>
  order.status === "placed" && guests === "counter" && order.guest === true && !counterRoles.includes(role);

const nextSteps: Readonly<Record<Status, (service: Service) => Action | undefined>> = {
  placed: () => "accept",
  accepted: () => "cook",
  cooking: () => "ready",
  ready: (service) => (service === "delivery" ? "deliver" : "complete"),
  delivering: () => "complete",
  completed: () => undefined,
  rejected: () => undefined,
  cancelled: () => undefined,
  expired: () => undefined,
};

/** The main step of an order; undefined when this role has none. */
export const nextStep = (order: OrderView, role: Role, guests: ShopBrief["guests"]): Action | undefined =>
  waitsForCounter(order, role, guests) ? undefined : nextSteps[order.status](order.service);

/** Other steps, the most frequent first. */
export function otherSteps(order: OrderView, role: Role, now: number): Action[] {
  const { status } = order;
  const atCounter = counterRoles.includes(role);
  const open = openStatuses.includes(status);
  return [
    ...(status === "accepted" ? (["ready"] as const) : []),
    ...(canRecall(order, now) ? (["recall"] as const) : []),
    ...(atCounter && open && order.payment === "unpaid" ? (["paid"] as const) : []),
    ...(steps.reject.from.includes(status) ? (["reject"] as const) : []),
    ...(atCounter && status !== "placed" && steps.cancel.from.includes(status) ? (["cancel"] as const) : []),
  ];
}

/** The step that undoes the last one, as on the server. */
function canRecall({ status, acceptedAt, stationsDone = [] }: OrderView, now: number): boolean {
  if (status === "ready") return true;
  if (stationsDone.length > 0) return false;
  return status === "cooking" || (status === "accepted" && now - Date.parse(acceptedAt ?? "") < acceptanceRecallMs);
}

/** Steps that are sent at once and can be undone on the ticket for a moment. */
export const canBeTakenBack = (action: Action): boolean => action === "accept" || action === "cook";

/** Steps that remove a ticket from the queue wait a moment for an undo; the others are sent at once. */
export const waitsForUndo = (action: Action): boolean =>
  action === "ready" || action === "deliver" || action === "complete";

/** States of orders in the queue: they are still to be made. */
export const inQueue = ({ status }: OrderView): boolean => queueStatuses.includes(status);
