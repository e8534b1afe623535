/** Orders page: the customer's own, newest first, live; older ones on request. */
import type { ApiError, OrderView } from "../../lib/orderbell";
import type { OrderCard } from "../../shop/order_view";
import { cardOf } from "../../shop/order_view";
import { errorTextOf } from "../../shop/ordering";
import { leave, nameTabs, onLeave, ordering, toast } from "../../shop/page";
import { dictionaries } from "../../shop/words";

/** The size of the page that the watch begins with. */
const pageSize = 100;

Component({
  data: {
    t: dictionaries.zh,
    shown: false,
    failure: "",
    weak: "",
    out: false,
    orders: [] as OrderCard[],
    /** Older orders, fetched beyond the watch. */
    old: [] as OrderCard[],
    more: false,
    end: false,
  },
  methods: {
    onLoad() {
      const { orders, client } = ordering();
      onLeave(
        this,
        orders.subscribe(
          (all) => this.draw(all),
          (error) => this.fail(error),
        ),
        client.onState(() => this.drawState()),
      );
    },
    onShow() {
      nameTabs();
      const { orders, words } = ordering();
      wx.setNavigationBarTitle({ title: words().orders });
      this.setData({ t: words() });
      this.drawState();
      const all = orders.now();
      if (all !== undefined) this.draw(all);
    },
    onUnload() {
      leave(this);
    },
    drawState() {
      const state = ordering().client.state();
      this.setData({ weak: state === "offline" || state === "polling" ? ordering().words().state[state] : "" });
    },
    fail(error: ApiError) {
      this.setData({
        failure: errorTextOf(error, ordering().words()),
        out: ordering().out(),
        shown: false,
        old: [],
        end: false,
      });
    },
    draw(all: OrderView[]) {
      const [t, language] = [ordering().words(), ordering().language()];
      const cards = all.map((order) => cardOf(order, t, language));
      const old = this.data.old.filter(({ id }) => !all.some((order) => order.id === id));
      const more = !this.data.end && cards.length + old.length >= pageSize;
      this.setData({ t, shown: true, failure: "", orders: [...cards, ...old], old, more });
    },
    async again() {
      const place = ordering();
      this.setData({ failure: "" });
      if (!place.out()) return place.orders.restart();
      await place.signIn().catch((error: ApiError) => this.fail(error));
    },
    async older() {
      const { client, orders, words, language, shop } = ordering();
      const last = this.data.orders[this.data.orders.length - 1];
      if (last === undefined) return;
      try {
        const page = await client.orders({ before: last.id });
        const mine = page.orders.filter((order) => order.shop === shop);
        const old = [...this.data.old, ...mine.map((order) => cardOf(order, words(), language()))];
        this.setData({ old, end: !page.more });
        this.draw(orders.now() ?? []);
      } catch (error) {
        toast(errorTextOf(error as ApiError, words()));
      }
    },
    toOrder(tap: { currentTarget: { dataset: Record<string, string> } }) {
      wx.navigateTo({ url: `/pages/order/order?id=${tap.currentTarget.dataset.id}` });
    },
    toMenu() {
      wx.switchTab({ url: "/pages/menu/menu" });
    },
  },
});
