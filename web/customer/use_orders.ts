/** One's own orders, live, newest first. */
import { useEffect, useState } from "preact/hooks";
import type { Notification, OrderView } from "../../clients/types.ts";
import { toast } from "../shared/toast.tsx";
import type { client } from "./client.ts";

export interface MyOrders {
  /** Undefined until they are known. */
  orders: OrderView[] | undefined;
  /** There are older ones. */
  more: boolean;
  notifications: Notification[];
}

const none: MyOrders = { orders: undefined, more: false, notifications: [] };
export function useOrders(rest: { client: typeof client } | undefined): MyOrders {
  const [mine, setMine] = useState(none);
  useEffect(() => {
    if (rest === undefined) return;
    const watch = rest.client.watch("orders", {
      onChange(orders, { answer, event }) {
        const told = event?.event === "notification" ? (event.data as Notification) : undefined;
        if (told !== undefined) toast(`${told.title} ${told.body}`);
        setMine((now) => ({
          orders,
          more: answer?.more ?? now.more,
          notifications:
            answer?.notifications ?? (told === undefined ? now.notifications : [told, ...now.notifications]),
        }));
      },
      onError: () => setMine({ ...none, orders: [] }),
    });
    // Whoever signs in next does not see these.
    const forget = rest.client.onSession((session) => session === undefined && setMine({ ...none, orders: [] }));
    return () => {
      forget();
      watch.close();
    };
  }, [rest]);
  return mine;
}

const ended = ["completed", "rejected", "cancelled", "expired"];
export const isOver = ({ status }: OrderView): boolean => ended.includes(status);
