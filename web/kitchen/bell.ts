/** Bell: decides whether it rings by the current orders, not by events. Pure. */
import type { OrderView } from "../../clients/types.ts";

/** `louder`: an order waits too long for acceptance. `touched`: all waiting orders were seen on this screen. */
export type Bell = "quiet" | "touched" | "ringing" | "louder";

/** The end of the silence on this screen, by order. */
export type Touched = ReadonlyMap<string, { until: number; escalated: boolean }>;

/** An order that was seen but not accepted rings again after a minute. */
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
