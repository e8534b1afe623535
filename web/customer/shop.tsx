/** One shop: menu, sheet of a dish, cart, checkout; what they share is held here. */
import { useEffect, useState } from "preact/hooks";
import type { OrderView } from "../../clients/types.ts";
import { toast } from "../shared/toast.tsx";
import { add, type Left, mend, troubles } from "./cart.ts";
import { CartSheet } from "./cart_sheet.tsx";
import { setCart, useCart } from "./carts.ts";
import type { Desk } from "./desk.ts";
import { Menu } from "./menu.tsx";
import { Empty } from "./page.tsx";
import { goInstead, leave, type Place } from "./place.ts";
import { forgetRefusal, useSending } from "./sending.ts";
import { say, words } from "./speak.ts";
import type { Rest } from "./use_rest.ts";
import { useShop } from "./use_shop.ts";

const nothingLeft: Left = new Map();
/** Refusals that show that the menu here is not the menu there. */
const outdated = ["PRICE_CHANGED", "SOLD_OUT", "DISH_UNAVAILABLE", "OPTIONS_INVALID", "SHOP_CLOSED", "KITCHEN_OFFLINE"];

export interface ShopProps {
  id: string;
  place: Place;
  rest: Rest | undefined;
  /** Orders that are not over. */
  active: OrderView[];
}

export function Shop({ id, place, rest, active }: ShopProps) {
  const { info, tableLost, unknown, slow, refresh } = useShop(id, rest);
  const cart = useCart(id);
  const [left, setLeft] = useState(nothingLeft);
  const sending = useSending(id, (order) => goInstead(`order=${order.id}`));
  const code = sending.refused?.error.code;

  useEffect(() => {
    if (code !== undefined && outdated.includes(code)) refresh();
    const { dish, left: few } = sending.refused?.error.extra ?? {};
    if (code === "SOLD_OUT" && typeof few === "number") setLeft(new Map([[String(dish), few]]));
  }, [sending.refused]);

  // What came back is not sold out any more.
  useEffect(() => setLeft(nothingLeft), [info?.soldOut.join()]);

  if (unknown)
    return (
      <main class="single">
        <Empty title={words.shopUnknown}>
          <a class="button primary" href={location.pathname}>
            {words.allShops}
          </a>
        </Empty>
      </main>
    );
  if (info === undefined) return <Waiting slow={slow} />;

  const { shop } = info;
  const desk: Desk = {
    info,
    cart,
    sending,
    change: (next) => sending.pending === undefined && setCart(id, next),
    put(line) {
      if (sending.pending !== undefined) return;
      setCart(id, add(cart, line));
    },
    found: troubles(cart.lines, info, left),
    mend() {
      setCart(id, mend(cart, info, left));
      setLeft(nothingLeft);
      forgetRefusal();
    },
    shut: !shop.open
      ? words.closedNow
      : shop.guests === "refuse"
        ? words.guestsRefused
        : !shop.live && shop.needsKitchen
          ? words.kitchenOffline
          : undefined,
  };
  if (place.name === "checkout") return rest === undefined ? <Waiting /> : <rest.Checkout desk={desk} />;
  const dish = place.name === "dish" ? info.menu.dishes.find((one) => one.id === place.id) : undefined;
  return (
    <>
      <Menu desk={desk} tableLost={tableLost} active={active} rest={rest} />
      {dish !== undefined && rest !== undefined && (
        <rest.DishSheet
          key={dish.id}
          dish={dish}
          soldOut={info.soldOut.includes(dish.id)}
          onClose={leave}
          onAdd={(line) => {
            desk.put(line);
            toast(words.added(say(dish.names)));
            leave();
          }}
        />
      )}
      {place.name === "cart" && <CartSheet desk={desk} onClose={leave} onCheckout={() => goInstead("checkout")} />}
    </>
  );
}

/** What it will look like, until it is there. */
export function Waiting({ slow = false }: { slow?: boolean }) {
  return (
    <main class="skeleton" aria-busy="true">
      <h1 class="unseen">{words.loading}</h1>
      <div role="status">{slow && <p class="banner warn">{words.noAnswer}</p>}</div>
      <div class="waiting" />
      {[1, 2, 3, 4, 5].map((at) => (
        <div key={at} class="waiting" />
      ))}
    </main>
  );
}
