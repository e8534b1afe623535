/** The menu: categories at the side, dishes with pictures, the cart at the bottom or, on a wide page, at the side. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Dish, OrderView } from "../../clients/types.ts";
import { maxQuantity } from "../../shared/order_states.ts";
import { LanguageSwitch } from "../shared/language_switch.tsx";
import { yuan } from "../shared/money.ts";
import { Stepper } from "../shared/stepper.tsx";
import { countOf, setQuantity, unitFen } from "./cart.ts";
import { localName, words } from "./dictionary.ts";
import { Extras } from "./extras.tsx";
import { Icon } from "./icons.tsx";
import { Empty } from "./page.tsx";
import { Picture } from "./picture.tsx";
import { go } from "./route.ts";
import { type ShopView, toCheckout } from "./shop_view.ts";
import { useLayout } from "./use_layout.ts";
import type { Rest } from "./use_rest.ts";

export interface MenuProps {
  view: ShopView;
  tableLost: boolean;
  active: OrderView[];
  rest: Rest | undefined;
}

export function Menu({ view, tableLost, active, rest }: MenuProps) {
  const { info, cart } = view;
  const { shop, menu, table } = info;
  const layout = useLayout();
  const categories = menu.categories
    .map((category) => ({ ...category, dishes: menu.dishes.filter((dish) => dish.category === category.id) }))
    .filter(({ dishes }) => dishes.length > 0);
  const [current, show] = useCurrent(categories.map(({ id }) => id).join());
  const pictures = menu.dishes.some(({ picture }) => picture !== undefined);

  return (
    <div class={`shop ${layout} ${pictures ? "" : "without"}`}>
      <header class="head">
        <div class="row">
          {table === null && (
            <a class="button plain round" href={location.pathname} aria-label={words.allShops}>
              <Icon name="shops" />
            </a>
          )}
          <h1>{localName(shop.names)}</h1>
          <button type="button" class="button plain round" aria-label={words.orders} onClick={() => go("orders")}>
            <Icon name="orders" />
          </button>
          <button type="button" class="button plain round" aria-label={words.account} onClick={() => go("account")}>
            <Icon name="person" />
          </button>
          <LanguageSwitch />
        </div>
        <p class="row facts">
          <span class={shop.open ? "pill good" : "pill"}>{shop.open ? words.open : words.closed}</span>
          {table !== null && <span class="pill accent">{words.table(table.label)}</span>}
          {shop.notice !== null && <span class="quiet">{localName(shop.notice)}</span>}
        </p>
      </header>
      <div class="notes" role="status">
        {view.closedReason !== undefined && <p class="banner warn">{view.closedReason}</p>}
        {view.closedReason === undefined && !shop.live && <p class="banner">{words.kitchenSlow}</p>}
        {tableLost && <p class="banner warn">{words.tableUnknown}</p>}
      </div>
      <div class="notes">{rest !== undefined && <rest.Connection />}</div>

      <nav class="rail" aria-label={words.categories}>
        <ul>
          {categories.map(({ id, names }) => (
            <li key={id}>
              <button type="button" aria-current={id === current ? "true" : undefined} onClick={() => show(id)}>
                {localName(names)}
              </button>
            </li>
          ))}
        </ul>
      </nav>
      <main class="dishes">
        {categories.length === 0 && <Empty title={words.nothingHere} />}
        {categories.map(({ id, names, dishes }) => (
          <section key={id} id={`category-${id}`} data-category={id} aria-label={localName(names)}>
            <h2>{localName(names)}</h2>
            <ul>
              {dishes.map((dish) => (
                <DishRow key={dish.id} view={view} dish={dish} picture={pictures} />
              ))}
            </ul>
          </section>
        ))}
      </main>
      {layout === "wide" ? (
        <aside class="side" aria-label={words.cart}>
          <h2>{words.cart}</h2>
          {cart.lines.length === 0 ? (
            <Empty title={words.emptyCart} hint={words.emptyCartHint} />
          ) : (
            <>
              <div class="inside">{rest !== undefined && <rest.CartLines view={view} />}</div>
              <button type="button" class="button primary wide" onClick={toCheckout}>
                {words.checkoutTotal(yuan(view.total.totalFen))}
              </button>
            </>
          )}
          {rest !== undefined && <rest.ActiveOrders orders={active} />}
        </aside>
      ) : (
        <div class="lower">
          {rest !== undefined && <rest.ActiveOrders orders={active} />}
          {cart.lines.length > 0 && (
            <div class="cartbar">
              <button type="button" class="open" onClick={() => go("cart")} aria-label={words.cart}>
                <span class="sign">
                  <Icon name="cart" size={26} />
                  <span class="count">{countOf(cart.lines)}</span>
                </span>
                <strong>{yuan(view.total.totalFen)}</strong>
                <Extras total={view.total} />
              </button>
              <button type="button" class="button primary" onClick={toCheckout}>
                {words.checkout}
              </button>
            </div>
          )}
        </div>
      )}
    </div>
  );
}

function DishRow({ view, dish, picture }: { view: ShopView; dish: Dish; picture: boolean }) {
  const { cart, info } = view;
  const soldOut = info.soldOut.includes(dish.id);
  const name = localName(dish.names);
  const lines = cart.lines.map((line, at) => ({ ...line, at })).filter((line) => line.dish === dish.id);
  const count = countOf(lines);
  const plain = dish.options.length === 0;
  const cheapest = dish.priceFen;
  // A dish without choices and note has at most one line in the cart.
  const only = lines.find(({ note }) => note === "");
  return (
    <li class={soldOut ? "dish over" : "dish"}>
      {/* The whole row opens the dish: the name's button covers it. */}
      {picture && <Picture of={dish.picture} name={name} size={88} />}
      <div class="about">
        <h3>
          <button type="button" class="name" onClick={() => go(`dish=${dish.id}`)}>
            {name}
          </button>
        </h3>
        {dish.description !== undefined && <p class="quiet two">{localName(dish.description)}</p>}
        <div class="row foot">
          <span class="price">{yuan(cheapest)}</span>
          <span class="grow" />
          {soldOut ? (
            <span class="pill">{words.soldOut}</span>
          ) : plain ? (
            <Stepper
              quantity={only?.quantity ?? 0}
              of={name}
              words={words}
              max={maxQuantity}
              onChange={(quantity) =>
                only === undefined
                  ? view.put({ dish: dish.id, quantity, options: [], note: "", seenFen: unitFen(dish, []) ?? 0 })
                  : view.change(setQuantity(cart, only.at, quantity))
              }
            />
          ) : (
            <button
              type="button"
              class="button soft small"
              onClick={() => go(`dish=${dish.id}`)}
              aria-label={`${words.choose} ${name}`}
            >
              {words.choose}
              {count > 0 && <span class="count">{count}</span>}
            </button>
          )}
        </div>
      </div>
    </li>
  );
}

/** The category in view, and a function that scrolls to one. */
function useCurrent(ids: string): [string | undefined, (id: string) => void] {
  const [current, setCurrent] = useState(ids.split(",")[0]);
  /** While the page scrolls to the chosen category, the sections that pass are ignored. */
  const asked = useRef(0);
  useEffect(() => {
    const seen = new IntersectionObserver(
      (entries) => {
        const here = entries.find(({ isIntersecting }) => isIntersecting)?.target as HTMLElement | undefined;
        if (here !== undefined && Date.now() > asked.current) setCurrent(here.dataset.category);
      },
      { rootMargin: "-20% 0px -75% 0px" },
    );
    for (const section of document.querySelectorAll("[data-category]")) seen.observe(section);
    return () => seen.disconnect();
  }, [ids]);
  // In a long menu the categories scroll on their own.
  useEffect(() => {
    const mine = document.querySelector<HTMLElement>(".rail [aria-current]");
    const rail = mine?.closest("nav");
    // Not `scrollIntoView`, which would scroll the page to where the rail is without being sticky.
    if (mine && rail) rail.scrollTo(mine.offsetLeft - rail.clientWidth / 2, mine.offsetTop - rail.clientHeight / 2);
  }, [current]);
  return [
    current,
    (id) => {
      asked.current = Date.now() + 1_000;
      setCurrent(id);
      document.getElementById(`category-${id}`)?.scrollIntoView({
        behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth",
      });
    },
  ];
}
