/** Whether the bell rings: a function of what is, not of what came. Pure. */
import type { OrderView } from "../../clients/types.ts";

/** `louder`: nobody accepts it. `touched`: somebody here has seen all that wait. */
export type Bell = "quiet" | "touched" | "ringing" | "louder";

/** By order, until when it is silent here. */
export type Touched = ReadonlyMap<string, { until: number; escalated: boolean }>;

/** Seen is not accepted: after a minute it rings again. */
export const silentMs = 60_000;

/** An order that has become louder since it was touched rings again at once. */
const isSilent = (order: OrderView, touched: Touched, now: number): boolean => {
  const mark = touched.get(order.id);
  return mark !== undefined && mark.until > now && mark.escalated === isEscalated(order);
};

export const isEscalated = ({ status, escalatedAt }: OrderView): boolean =>
  status === "placed" && escalatedAt !== null && escalatedAt !== undefined;

export function bellOf(orders: readonly OrderView[], touched: Touched, now: number): Bell {
  const waiting = orders.filter(({ status }) => status === "placed");
  const loud = waiting.filter((order) => !isSilent(order, touched, now));
  if (loud.some(isEscalated)) return "louder";
  if (loud.length > 0) return "ringing";
  return waiting.length > 0 ? "touched" : "quiet";
}
