/** What a screen offers for an order, by role; the table of docs/protocol.md. Pure; the server decides again. */
import type { Action, OrderView, Role, ShopBrief } from "../../clients/types.ts";

/** Roles that may do what not every role may. */
const counter: readonly Role[] = ["owner", "cashier"];

/** Only owner or cashier accept this one. */
export const waitsForCounter = (order: OrderView, role: Role, guests: ShopBrief["guests"]): boolean =>
  order.status === "placed" && guests === "counter" && order.guest === true && !counter.includes(role);

/** The one tap that takes the order on; undefined when this role has none. */
export function nextStep(order: OrderView, role: Role, guests: ShopBrief["guests"]): Action | undefined {
  if (waitsForCounter(order, role, guests)) return undefined;
  const delivery = order.service === "delivery";
  switch (order.status) {
    case "placed":
      return "accept";
    case "accepted":
      return "cook";
    case "cooking":
      return "ready";
    case "ready":
      return delivery ? "deliver" : "complete";
    case "delivering":
      return "complete";
    default:
      return undefined;
  }
}

/** What else may be done, in the order of how often it is. */
export function otherSteps(order: OrderView, role: Role): Action[] {
  const { status } = order;
  const atCounter = counter.includes(role);
  const open = ["placed", "accepted", "cooking", "ready", "delivering"].includes(status);
  return [
    ...(status === "accepted" ? (["ready"] as const) : []),
    ...(status === "ready" ? (["recall"] as const) : []),
    ...(atCounter && open && order.payment === "unpaid" ? (["paid"] as const) : []),
    ...(status === "placed" ? (["reject"] as const) : []),
    ...(atCounter && ["accepted", "cooking", "ready"].includes(status) ? (["cancel"] as const) : []),
  ];
}

/** Steps that take a ticket from under the cook's eyes wait a moment for an undo; the others go at once. */
export const waitsForUndo = (action: Action): boolean =>
  action === "ready" || action === "deliver" || action === "complete";

/** What stands on the stove's side of the counter. */
export const inQueue = ({ status }: OrderView): boolean =>
  status === "placed" || status === "accepted" || status === "cooking";

/** Recall of the completed, as the server has it. */
export const recallMs = 30 * 60_000;
