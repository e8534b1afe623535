/** One order: its number large, its state live, cancel while it may be, and order it again. */
import type { ApiError, OrderView } from "../../lib/orderbell";
import type { CartLine } from "../../shop/cart";
import { addLine, again } from "../../shop/cart";
import { detailOf } from "../../shop/order_view";
import { tellError } from "../../shop/ordering";
import { confirm, leave, ordering, say, until } from "../../shop/page";
import { fill } from "../../shop/show";
import { dictionaries } from "../../shop/words";

Component({
  data: {
    t: dictionaries.zh,
    id: "",
    order: null as ReturnType<typeof detailOf> | null,
    failure: "",
    weak: "",
    busy: false,
  },
  methods: {
    onLoad({ id = "" }: { id?: string }) {
      this.setData({ id, t: ordering().words() });
      const { orders, menu, client } = ordering();
      until(
        this,
        orders.hear(
          () => this.draw(),
          (error) => this.setData({ failure: tellError(error, ordering().words()) }),
        ),
        // Kept true for "order again".
        menu.hear(() => {}),
        client.onState(() => this.drawState()),
      );
      this.drawState();
    },
    onShow() {
      wx.setNavigationBarTitle({ title: ordering().words().order });
    },
    onUnload() {
      leave(this);
    },
    drawState() {
      const state = ordering().client.state();
      this.setData({ weak: state === "offline" || state === "polling" ? ordering().words().state[state] : "" });
    },
    /** From the list that is kept true; what is older than the list is fetched once. */
    draw() {
      const order = ordering()
        .orders.now()
        ?.find(({ id }) => id === this.data.id);
      if (order !== undefined) this.show(order);
      else if (this.data.order === null) void this.fetch();
    },
    async fetch() {
      try {
        this.show(await ordering().client.order(this.data.id));
      } catch (error) {
        this.setData({ failure: tellError(error as ApiError, ordering().words()) });
      }
    },
    show(order: OrderView) {
      const [t, language] = [ordering().words(), ordering().language()];
      this.setData({ t, order: detailOf(order, t, language), failure: "" });
    },
    again() {
      this.setData({ failure: "" });
      const { orders } = ordering();
      if (orders.now() === undefined) orders.restart();
      else void this.fetch();
    },
    async cancel() {
      const { client, words } = ordering();
      if (this.data.busy || !(await confirm(words().cancelAsk))) return;
      this.setData({ busy: true });
      try {
        this.show(await client.step({ id: this.data.id }, "cancel"));
      } catch (error) {
        const { code } = error as ApiError;
        say(
          code === "STEP_NOT_ALLOWED" || code === "ORDER_CHANGED"
            ? words().tooLate
            : tellError(error as ApiError, words()),
        );
      } finally {
        this.setData({ busy: false });
      }
    },
    async orderAgain() {
      const place = ordering();
      const t = place.words();
      try {
        const [info, order] = await Promise.all([
          place.menu.now() ?? place.client.shop(place.shop),
          place.orders.now()?.find(({ id }) => id === this.data.id) ?? place.client.order(this.data.id),
        ]);
        const { lines, lost } = again(order, info);
        place.setCart(lines.reduce<readonly CartLine[]>(addLine, place.cart()));
        if (lines.length === 0) return say(t.notOnSale);
        say(lost === 0 ? t.orderedAgain : fill(t.orderedAgainPart, { count: lost }));
        wx.navigateTo({ url: "/pages/cart/cart" });
      } catch (error) {
        say(tellError(error as ApiError, t));
      }
    },
  },
});
