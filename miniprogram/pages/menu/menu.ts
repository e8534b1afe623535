/** Menu page: open or closed, sold-out dishes live, the cart at the bottom. A table's code opens it. */
import type { DishView } from "../../components/dish_row/dish_row";
import type { Dish, OrderView, ShopInfo } from "../../lib/orderbell";
import { openStatuses } from "../../lib/orderbell";
import type { CartLine } from "../../shop/cart";
import { addLine, keyOf, price, setQuantity } from "../../shop/cart";
import { fill, nameIn, yuan } from "../../shop/format";
import type { OrderCard } from "../../shop/order_view";
import { cardOf } from "../../shop/order_view";
import { errorTextOf } from "../../shop/ordering";
import { leave, nameTabs, onLeave, ordering, toast } from "../../shop/page";
import { tableOf } from "../../shop/scene";
import type { Language } from "../../shop/words";
import { dictionaries } from "../../shop/words";

interface Section {
  id: string;
  name: string;
  count: number;
  dishes: DishView[];
}

/** Open orders. */

function sectionsOf({ menu, soldOut }: ShopInfo, lines: readonly CartLine[], language: Language): Section[] {
  const { picture } = ordering();
  const counts = new Map<string, number>();
  for (const { dish, quantity } of lines) counts.set(dish, (counts.get(dish) ?? 0) + quantity);
  const view = ({ id, names, description, picture: path, priceFen, options }: Dish): DishView => {
    const name = nameIn(names, language);
    return {
      id,
      name,
      description: nameIn(description, language),
      picture: picture(path),
      letter: Array.from(name)[0] ?? "",
      price: yuan(priceFen),
      soldOut: soldOut.includes(id),
      options: options.length > 0,
      quantity: counts.get(id) ?? 0,
    };
  };
  return menu.categories.flatMap(({ id, names }) => {
    const dishes = menu.dishes.filter(({ category }) => category === id).map(view);
    const count = dishes.reduce((sum, { quantity }) => sum + quantity, 0);
    return dishes.length === 0 ? [] : [{ id, name: nameIn(names, language), count, dishes }];
  });
}

Component({
  data: {
    t: dictionaries.zh,
    language: "zh" as Language,
    shown: false,
    failure: "",
    shopName: "",
    notice: "",
    open: false,
    /** The reason why nothing can be ordered. */
    closed: "",
    /** The reason why the page may be out of date. */
    weak: "",
    table: "",
    current: null as OrderCard | null,
    sections: [] as Section[],
    category: "",
    into: "",
    count: 0,
    total: "",
    pieces: "",
    sending: false,
    dish: null as Dish | null,
    dishSoldOut: false,
  },
  methods: {
    async onLoad(query: Record<string, string | undefined>) {
      const { menu, orders, onCart, onSubmitting, client } = ordering();
      onLeave(
        this,
        menu.subscribe(
          () => this.draw(),
          (error) => this.setData({ failure: errorTextOf(error, ordering().words()) }),
        ),
        // The menu works without the orders too.
        orders.subscribe(
          (all) => this.drawCurrent(all),
          () => {},
        ),
        onCart(() => this.draw()),
        onSubmitting(() => this.draw()),
        client.onState(() => this.draw()),
      );
      const token = tableOf(query);
      if (token !== undefined)
        await ordering()
          .sitDown(token)
          .catch((error) => toast(errorTextOf(error, ordering().words())));
    },
    onShow() {
      nameTabs();
      wx.setNavigationBarTitle({ title: ordering().words().menu });
      this.draw();
      this.drawCurrent(ordering().orders.now() ?? []);
    },
    onUnload() {
      leave(this);
    },
    draw() {
      const { menu, cart, table, submitting, client } = ordering();
      const [t, language, info] = [ordering().words(), ordering().language(), menu.now()];
      this.setData({ t, language });
      if (info === undefined) return;
      const lines = cart();
      const { count, packingFen, totalFen } = price(lines, info, table() === null ? "pickup" : "table");
      const { open, live, needsKitchen, names, notice } = info.shop;
      const sections = sectionsOf(info, lines, language);
      const place = table();
      const state = client.state();
      // The sheet continues with the changed dish, and closes when it has left the menu.
      const dish = info.menu.dishes.find(({ id }) => id === this.data.dish?.id) ?? null;
      this.setData({
        shown: true,
        failure: "",
        shopName: nameIn(names, language),
        notice: nameIn(notice, language),
        open,
        closed: open ? (needsKitchen && !live ? t.kitchenOffline : "") : t.closedNow,
        weak: state === "offline" || state === "polling" ? t.state[state] : "",
        table: place === null ? "" : fill(t.atTable, { label: place.label }),
        sections,
        category: this.data.category || (sections[0]?.id ?? ""),
        count,
        total: yuan(totalFen),
        pieces:
          packingFen === 0
            ? fill(t.pieces, { count })
            : `${fill(t.pieces, { count })} · ${fill(t.including, { extras: `${t.packing} ${yuan(packingFen)}` })}`,
        sending: submitting(),
        dish,
        dishSoldOut: dish !== null && info.soldOut.includes(dish.id),
      });
    },
    drawCurrent(all: OrderView[]) {
      const order = all.find(({ status }) => openStatuses.includes(status));
      const [t, language] = [ordering().words(), ordering().language()];
      this.setData({ current: order === undefined ? null : cardOf(order, t, language) });
    },
    again() {
      this.setData({ failure: "" });
      ordering().menu.restart();
    },
    toCategory(tap: { currentTarget: { dataset: Record<string, string> } }) {
      const category = tap.currentTarget.dataset.category ?? "";
      this.setData({ category, into: `c-${category}` });
    },
    choose({ detail }: { detail: { dish: string } }) {
      const info = ordering().menu.now();
      const dish = info?.menu.dishes.find(({ id }) => id === detail.dish) ?? null;
      this.setData({ dish, dishSoldOut: info?.soldOut.includes(detail.dish) ?? false });
    },
    closeSheet() {
      this.setData({ dish: null });
    },
    add({ detail }: { detail: CartLine }) {
      const { cart, setCart, words } = ordering();
      const before = cart();
      const lines = addLine(before, detail);
      if (lines === before) return toast(words().tooManyLines);
      setCart(lines);
      this.closeSheet();
    },
    /** Dishes without options: one line each. */
    change({ detail }: { detail: { dish: string; value: number } }) {
      const { cart, setCart, menu, words } = ordering();
      const lines = cart();
      const dish = menu.now()?.menu.dishes.find(({ id }) => id === detail.dish);
      if (dish === undefined) return;
      const mine = lines.filter((line) => line.dish === dish.id);
      const there = mine.reduce((sum, { quantity }) => sum + quantity, 0);
      const last = mine[mine.length - 1] ?? {
        dish: dish.id,
        chosen: {},
        note: "",
        quantity: 0,
        seenFen: dish.priceFen,
      };
      const quantity = last.quantity + detail.value - there;
      const next =
        mine.length === 0 ? addLine(lines, { ...last, quantity }) : setQuantity(lines, keyOf(last), quantity);
      if (next === lines) return toast(words().tooManyLines);
      setCart(next);
    },
    toCart() {
      if (this.data.count > 0) wx.navigateTo({ url: "/pages/cart/cart" });
    },
    toOrder() {
      if (this.data.current) wx.navigateTo({ url: `/pages/order/order?id=${this.data.current.id}` });
    },
  },
});
