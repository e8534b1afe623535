/** Errors shown to the kitchen, the last three: until somebody closes them, or they do not matter any more. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import type { OrderView } from "../../clients/types.ts";
import { finalStatuses } from "../../shared/order_states.ts";

export interface Trouble {
  id: number;
  text: string;
  /** The order as it was: a newer version answers the trouble. */
  order: OrderView | undefined;
  /** It came from the network, and is over some time after that is back. */
  network: boolean;
}

export interface Troubles {
  troubles: readonly Trouble[];
  report(text: string, about?: { order?: OrderView; network?: boolean }): void;
  dismiss(trouble: number): void;
}

/** Long enough to be read after the connection is back. */
const readMs = 10_000;

/** @param connected whether steps can be sent */
export function useTroubles(orders: readonly OrderView[] | undefined, connected: boolean): Troubles {
  const [troubles, setTroubles] = useState<readonly Trouble[]>([]);
  const lastId = useRef(0);
  const report = useCallback<Troubles["report"]>((text, { order, network = false } = {}) => {
    lastId.current += 1;
    const trouble = { id: lastId.current, text, order, network };
    setTroubles((now) => [...now.filter((other) => other.text !== text), trouble].slice(-3));
  }, []);
  const dismiss = (trouble: number) => setTroubles((now) => now.filter(({ id }) => id !== trouble));

  useEffect(() => {
    const isOver = ({ order }: Trouble) => {
      if (order === undefined) return false;
      const now = orders?.find(({ id }) => id === order.id);
      // What had ended before is in no list, whether its recall failed or not.
      return now === undefined ? !finalStatuses.includes(order.status) : now.version !== order.version;
    };
    if (orders !== undefined && troubles.some(isOver)) setTroubles(troubles.filter((one) => !isOver(one)));
  }, [orders, troubles]);

  useEffect(() => {
    if (!connected || !troubles.some(({ network }) => network)) return;
    const timer = setTimeout(() => setTroubles((now) => now.filter(({ network }) => !network)), readMs);
    return () => clearTimeout(timer);
  }, [connected, troubles]);
  return { troubles, report, dismiss };
}
