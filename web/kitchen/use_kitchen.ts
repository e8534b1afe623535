/** The shop's open orders, live, oldest first, and other state from the kitchen's stream. */
import { useCallback, useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { ApiError } from "../../clients/browser.ts";
import type { Notification, OrderView, ShopBrief } from "../../clients/types.ts";
import { finalStatuses } from "../../shared/order_states.ts";
import { client } from "./client.ts";

export interface Live {
  /** Undefined until they are loaded. */
  orders: OrderView[] | undefined;
  shop: ShopBrief | undefined;
  /** The newest order that came since this screen was opened. */
  arrived: OrderView | undefined;
  notices: Notification[];
  /** Grows with each change of the menu or of a dish's stock. */
  menuRound: number;
  /** This screen is no longer allowed to read. */
  over: ApiError | undefined;
  /** Takes an order from the server's answer: its event may come later. */
  put(order: OrderView): void;
  setOpen(open: boolean): void;
  dismiss(notice: string): void;
}

export function useKitchen(shopId: string): Live {
  const [watched, setWatched] = useState<OrderView[]>();
  const [answers, setAnswers] = useState<ReadonlyMap<string, OrderView>>(new Map());
  const [shop, setShop] = useState<ShopBrief>();
  const [arrived, setArrived] = useState<OrderView>();
  const [notices, setNotices] = useState<Notification[]>([]);
  const [menuRound, setMenuRound] = useState(0);
  const [over, setOver] = useState<ApiError>();
  const known = useRef(new Set<string>());

  const setOpen = useCallback((open: boolean) => setShop((now) => now && { ...now, open }), []);

  useEffect(() => {
    const watch = client.watch("orders", {
      shop: shopId,
      onChange(orders, { event, answer }) {
        setWatched(orders);
        const newest = orders.find(({ id, status }) => status === "placed" && !known.current.has(id));
        for (const { id } of orders) known.current.add(id);
        if (answer !== undefined) {
          setShop(answer.shop);
          setMenuRound((round) => round + 1);
          // Answers of another history, such as before a restore, are not newer because of a higher version.
          setAnswers(new Map());
        }
        if (newest !== undefined) setArrived(newest);
        switch (event?.event) {
          case "shop.opened":
          case "shop.closed":
            setOpen(event.data.open);
            break;
          case "menu.changed":
          case "dish.changed":
            setMenuRound((round) => round + 1);
            break;
          case "notification":
            setNotices((now) => [...now, event.data].slice(-3));
            break;
          case "order.placed":
          case "order.changed":
            // Orders reduce the stock, and those that end unmade give it back.
            if (["place", "reject", "cancel", "expire"].includes(event.data.action)) setMenuRound((round) => round + 1);
        }
      },
      onError: setOver,
    });
    return () => watch.close();
  }, [shopId, setOpen]);

  const put = useCallback((order: OrderView) => setAnswers((now) => new Map(now).set(order.id, order)), []);

  const orders = useMemo(
    () =>
      watched
        ?.map((order) => newer(order, answers.get(order.id)))
        .filter(({ status }) => !finalStatuses.includes(status))
        .reverse(),
    [watched, answers],
  );
  const dismiss = (notice: string) => setNotices((now) => now.filter(({ id }) => id !== notice));
  return { orders, shop, arrived, notices, menuRound, over, put, setOpen, dismiss };
}

const newer = (one: OrderView, other: OrderView | undefined): OrderView =>
  other !== undefined && other.version > one.version ? other : one;
