/** State of bills that are being sent or were refused, for every part of the page; updated by the client. */
import { useEffect, useState } from "preact/hooks";
import type { ApiError, Bill, OrderView, PendingBill } from "../../clients/index.ts";

export interface Sending {
  /** No answer yet: the cart and the button are disabled. */
  pending: PendingBill | undefined;
  refused: { bill: Bill; error: ApiError } | undefined;
}

let pending: readonly PendingBill[] = [];
let refused: Sending["refused"];
/** An order that was taken before the page listened: the client may be ready before the page. */
let undelivered: OrderView | undefined;
const listeners = new Set<(order?: OrderView) => void>();

export function setBills(now: readonly PendingBill[], rejected: Sending["refused"], order?: OrderView): void {
  pending = now;
  refused = rejected;
  if (listeners.size === 0) undelivered = order;
  for (const listener of [...listeners]) listener(order);
}

export const clearRefused = () => setBills(pending, undefined);

const sendingAt = (shop: string): Sending => ({
  pending: pending.find(({ bill }) => bill.shop === shop),
  refused: refused?.bill.shop === shop ? refused : undefined,
});

/** @param onOrder called when a bill was taken */
export function useSending(shop: string, onOrder: (order: OrderView) => void): Sending {
  const [sending, setSending] = useState(() => sendingAt(shop));
  useEffect(() => {
    const listener = (order?: OrderView) => {
      setSending(sendingAt(shop));
      if (order?.shop === shop) onOrder(order);
    };
    listener(undelivered);
    undelivered = undefined;
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, [shop]);
  return sending;
}
