/** Pages by route: the list of shops, a shop with its menu, an order, the orders, the account. */
import { useEffect } from "preact/hooks";
import { setTitle } from "../shared/title.ts";
import { clearToasts, Toasts } from "../shared/toast.tsx";
import { Chooser } from "./chooser.tsx";
import { words } from "./dictionary.ts";
import { shopId } from "./first_request.ts";
import { useRoute } from "./route.ts";
import { Shop, Waiting } from "./shop.tsx";
import { isOver, useOrders } from "./use_orders.ts";
import { useRest } from "./use_rest.ts";

export function App() {
  const route = useRoute();
  const alone = ["order", "orders", "account"].includes(route.name);
  const rest = useRest(route.name !== "menu");
  const mine = useOrders(rest);
  // The title of a background tab shows that an order is ready.
  const ready = mine.orders?.find(({ status }) => status === "ready");
  useEffect(() => {
    setTitle({ urgent: ready === undefined ? "" : `${ready.number} ${words.status.ready}` });
  }, [ready?.number]);
  const page = alone || route.name === "checkout" ? route.name : "menu";
  useEffect(clearToasts, [page]);
  return (
    <>
      {alone ? (
        rest === undefined ? (
          <Waiting />
        ) : route.name === "order" ? (
          <rest.OrderPage
            key={route.id}
            id={route.id}
            live={mine.orders?.find(({ id }) => id === route.id)}
            round={mine.round}
          />
        ) : route.name === "orders" ? (
          <rest.Orders mine={mine} />
        ) : (
          <rest.Account />
        )
      ) : shopId === undefined ? (
        <Chooser />
      ) : (
        <Shop id={shopId} route={route} rest={rest} active={mine.orders?.filter((order) => !isOver(order)) ?? []} />
      )}
      <Toasts />
    </>
  );
}
