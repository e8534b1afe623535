/** One shop: menu, sheet of a dish, cart, checkout, and the state that they share. */
import { useEffect, useState } from "preact/hooks";
import type { OrderView } from "../../clients/types.ts";
import { Dialog } from "../shared/dialog.tsx";
import { setTitle } from "../shared/title.ts";
import { toast } from "../shared/toast.tsx";
import { add, fixCart, isOrderable, type Left, replaceLine, totalOf, troubles } from "./cart.ts";
import { setCart, useCart } from "./carts.ts";
import { localName, words } from "./dictionary.ts";
import { Menu } from "./menu.tsx";
import { Empty } from "./page.tsx";
import { Placeholders } from "./placeholders.tsx";
import { goBack, type Route, redirect } from "./route.ts";
import { clearRefused, useSending } from "./sending.ts";
import { defaultService, type ShopView } from "./shop_view.ts";
import { useLayout } from "./use_layout.ts";
import type { Rest } from "./use_rest.ts";
import { useShop } from "./use_shop.ts";

const nothingLeft: Left = new Map();
/** Errors that mean that the page's menu is not the server's. */
const outdated = ["PRICE_CHANGED", "SOLD_OUT", "DISH_UNAVAILABLE", "OPTIONS_INVALID", "SHOP_CLOSED", "KITCHEN_OFFLINE"];

export interface ShopProps {
  id: string;
  route: Route;
  rest: Rest | undefined;
  /** Open orders. */
  active: OrderView[];
}

export function Shop({ id, route, rest, active }: ShopProps) {
  const { info, tableLost, unknown, slow, refresh } = useShop(id, rest);
  const cart = useCart(id);
  const [left, setLeft] = useState(nothingLeft);
  const sending = useSending(id, (order) => redirect(`order=${order.id}`));
  const code = sending.refused?.error.code;

  useEffect(() => {
    if (code !== undefined && outdated.includes(code)) refresh();
    const { dish, left: few } = sending.refused?.error.extra ?? {};
    if (code === "SOLD_OUT" && typeof few === "number") setLeft(new Map([[String(dish), few]]));
  }, [sending.refused]);

  const layout = useLayout();
  useEffect(() => setTitle({ shop: localName(info?.shop.names) }), [info?.shop]);

  // A dish that is available again is not sold out any more.
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
  const found = troubles(cart.lines, info, left);
  const orderable = cart.lines.filter((_, at) => isOrderable(found[at]));
  const view: ShopView = {
    info,
    cart,
    sending,
    change: (next) => sending.pending === undefined && setCart(id, next),
    put(line) {
      if (sending.pending !== undefined) return;
      setCart(id, add(cart, line));
    },
    troubles: found,
    orderable,
    total: totalOf(orderable, info.menu, defaultService(info), shop.services.delivery),
    fixCart() {
      setCart(id, fixCart(cart, info, left));
      setLeft(nothingLeft);
      clearRefused();
    },
    closedReason: !shop.open
      ? words.closedNow
      : shop.guests === "refuse"
        ? words.guestsRefused
        : !shop.live && shop.needsKitchen
          ? words.kitchenOffline
          : undefined,
  };
  if (route.name === "checkout") return rest === undefined ? <Waiting /> : <rest.Checkout view={view} />;
  const line = route.name === "line" ? cart.lines[Number(route.id)] : undefined;
  const wanted = route.name === "dish" ? route.id : line?.dish;
  const dish = info.menu.dishes.find(({ id }) => id === wanted);
  const showsCart = route.name === "cart" || (line !== undefined && layout !== "wide");
  return (
    <>
      <Menu view={view} tableLost={tableLost} active={active} rest={rest} />
      {rest === undefined && (showsCart || dish !== undefined) && (
        <Dialog title={localName(dish?.names) || words.cart} closeLabel={words.close} onClose={goBack}>
          <Placeholders />
        </Dialog>
      )}
      {showsCart && rest !== undefined && (
        <rest.CartSheet view={view} onClose={goBack} onCheckout={() => redirect("checkout")} />
      )}
      {dish !== undefined && rest !== undefined && (
        <rest.DishSheet
          key={route.id}
          dish={dish}
          soldOut={info.soldOut.includes(dish.id)}
          line={line}
          onClose={goBack}
          onAdd={(chosen) => {
            if (line !== undefined) view.change(replaceLine(cart, Number(route.id), chosen));
            else {
              view.put(chosen);
              toast(words.added(localName(dish.names)));
            }
            goBack();
          }}
        />
      )}
    </>
  );
}

/** Placeholders until the menu is loaded. */
export function Waiting({ slow = false }: { slow?: boolean }) {
  return (
    <main>
      <h1 class="unseen">{words.loading}</h1>
      <div role="status">{slow && <p class="banner warn">{words.noAnswer}</p>}</div>
      <Placeholders />
    </main>
  );
}
