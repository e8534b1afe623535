/** Bills on their way and refused ones, for every part of the page; the client says what becomes of them. */
import { useEffect, useState } from "preact/hooks";
import type { ApiError, Bill, OrderView, PendingBill } from "../../clients/index.ts";

export interface Sending {
  /** No answer yet: the cart is not to be touched, and there is nothing to press. */
  pending: PendingBill | undefined;
  refused: { bill: Bill; error: ApiError } | undefined;
}

let pending: readonly PendingBill[] = [];
let refused: Sending["refused"];
/** Taken before anybody heard of it: the client may be there before the page is. */
let unheard: OrderView | undefined;
const hearers = new Set<(order?: OrderView) => void>();

export function tellSending(now: readonly PendingBill[], refusal: Sending["refused"], order?: OrderView): void {
  pending = now;
  refused = refusal;
  if (hearers.size === 0) unheard = order;
  for (const hear of [...hearers]) hear(order);
}

export const forgetRefusal = () => tellSending(pending, undefined);

const sendingAt = (shop: string): Sending => ({
  pending: pending.find(({ bill }) => bill.shop === shop),
  refused: refused?.bill.shop === shop ? refused : undefined,
});

/** @param onOrder a bill was taken */
export function useSending(shop: string, onOrder: (order: OrderView) => void): Sending {
  const [sending, setSending] = useState(() => sendingAt(shop));
  useEffect(() => {
    const hear = (order?: OrderView) => {
      setSending(sendingAt(shop));
      if (order?.shop === shop) onOrder(order);
    };
    hear(unheard);
    unheard = undefined;
    hearers.add(hear);
    return () => void hearers.delete(hear);
  }, [shop]);
  return sending;
}
