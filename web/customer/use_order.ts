/** One order with its history, kept up to date. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { ApiError, OrderView, Step } from "../../clients/browser.ts";
import { client } from "./client.ts";

export type OrderWithHistory = OrderView & { history?: Step[] };

export interface UseOrder {
  /** Undefined until it is loaded. */
  order: OrderView | undefined;
  history: readonly Step[];
  /** There is no such order, or it is not this customer's. */
  unknown: boolean;
  /** Takes the order from the server's answer. */
  put(order: OrderWithHistory): void;
}

/**
 * @param live the order from the stream, if it is among the newest
 * @param round the list's round: each whole list may belong to another history, in which a higher version is not newer
 */
export function useOrder(id: string, live: OrderView | undefined, round: number): UseOrder {
  const [fetched, setFetched] = useState<OrderWithHistory>();
  const [unknown, setUnknown] = useState(false);

  // The history is not in the stream: it is fetched for each version.
  const lastRound = useRef(round);
  useEffect(() => {
    let over = false;
    const anew = lastRound.current !== round;
    lastRound.current = round;
    let timer: ReturnType<typeof setTimeout>;
    const load = () =>
      client.order(id).then(
        (answer) =>
          over || setFetched((now) => (!anew && now !== undefined && now.version > answer.version ? now : answer)),
        (error: ApiError) => {
          if (over) return;
          if (error.status >= 400 && error.status < 500 && error.status !== 429) setUnknown(true);
          else timer = setTimeout(load, 2_000);
        },
      );
    void load();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [id, live?.version, round]);

  const order = live !== undefined && live.version > (fetched?.version ?? 0) ? live : fetched;
  return { order, history: fetched?.history ?? [], unknown, put: setFetched };
}
