/** The customer's own orders, live, newest first. */
import { useEffect, useState } from "preact/hooks";
import type { Notification, OrderView } from "../../clients/types.ts";
import { finalStatuses } from "../../shared/order_states.ts";
import { toast } from "../shared/toast.tsx";
import type { client } from "./client.ts";

export interface MyOrders {
  /** Undefined until they are loaded. */
  orders: OrderView[] | undefined;
  /** There are older ones. */
  more: boolean;
  notifications: Notification[];
  /** The number of whole lists so far. */
  round: number;
}

const none: MyOrders = { orders: undefined, more: false, notifications: [], round: 0 };
export function useOrders(rest: { client: typeof client } | undefined): MyOrders {
  const [mine, setMine] = useState(none);
  useEffect(() => {
    if (rest === undefined) return;
    const watch = rest.client.watch("orders", {
      onChange(orders, { answer, event }) {
        const notification = event?.event === "notification" ? event.data : undefined;
        if (notification !== undefined) toast(`${notification.title} ${notification.body}`);
        setMine((now) => ({
          orders,
          more: answer?.more ?? now.more,
          round: now.round + (answer === undefined ? 0 : 1),
          notifications:
            answer?.notifications ??
            (notification === undefined ? now.notifications : [notification, ...now.notifications]),
        }));
      },
      onError: () => setMine({ ...none, orders: [] }),
    });
    // The next user must not see these.
    const stopListening = rest.client.onSession((session) => session === undefined && setMine({ ...none, orders: [] }));
    return () => {
      stopListening();
      watch.close();
    };
  }, [rest]);
  return mine;
}

export const isOver = ({ status }: OrderView): boolean => finalStatuses.includes(status);
