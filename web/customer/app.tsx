/** Which page is shown: shops to choose from, a shop with its menu, an order, the orders, the account. */
import { useEffect } from "preact/hooks";
import { Toasts } from "../shared/toast.tsx";
import { Chooser } from "./chooser.tsx";
import { shopId } from "./first.ts";
import { usePlace } from "./place.ts";
import { Shop, Waiting } from "./shop.tsx";
import { words } from "./speak.ts";
import { isOver, useOrders } from "./use_orders.ts";
import { useRest } from "./use_rest.ts";

export function App() {
  const place = usePlace();
  const alone = ["order", "orders", "account"].includes(place.name);
  const rest = useRest(place.name !== "menu");
  const mine = useOrders(rest);
  // A tab in the background tells by its name that there is something to fetch.
  const ready = mine.orders?.find(({ status }) => status === "ready");
  useEffect(() => {
    document.title = ready === undefined ? words.title : `${ready.number} ${words.status.ready} · ${words.title}`;
  }, [ready?.number]);
  return (
    <>
      {alone ? (
        rest === undefined ? (
          <Waiting />
        ) : place.name === "order" ? (
          <rest.OrderPage key={place.id} id={place.id} live={mine.orders?.find(({ id }) => id === place.id)} />
        ) : place.name === "orders" ? (
          <rest.Orders mine={mine} />
        ) : (
          <rest.Account />
        )
      ) : shopId === undefined ? (
        <Chooser />
      ) : (
        <Shop id={shopId} place={place} rest={rest} active={mine.orders?.filter((order) => !isOver(order)) ?? []} />
      )}
      <Toasts />
    </>
  );
}
