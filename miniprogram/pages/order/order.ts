/** Order page: the number, the state live, buttons to cancel while that is allowed and to order again. */
import type { ApiError, OrderView } from "../../lib/orderbell";
import type { CartLine } from "../../shop/cart";
import { addLine, again } from "../../shop/cart";
import { fill } from "../../shop/format";
import { detailOf } from "../../shop/order_view";
import { errorTextOf } from "../../shop/ordering";
import { confirm, leave, onLeave, ordering, toast } from "../../shop/page";
import { dictionaries } from "../../shop/words";

Component({
  data: {
    t: dictionaries.zh,
    id: "",
    order: null as ReturnType<typeof detailOf> | null,
    failure: "",
    weak: "",
    busy: false,
    listed: false,
  },
  methods: {
    onLoad({ id = "" }: { id?: string }) {
      this.setData({ id, t: ordering().words() });
      const { orders, menu, client } = ordering();
      onLeave(
        this,
        orders.subscribe(
          () => this.draw(),
          (error) => this.setData({ failure: errorTextOf(error, ordering().words()) }),
        ),
        // Kept up to date for "order again".
        menu.subscribe(() => {}),
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
    /**
     * Read from the live list; an older order is fetched once. An order that has left the list is too old for it, or the shop's
     * database was restored to a time before it.
     */
    draw() {
      const order = ordering()
        .orders.now()
        ?.find(({ id }) => id === this.data.id);
      const wasListed = this.data.listed;
      this.setData({ listed: order !== undefined });
      if (order !== undefined) this.show(order);
      else if (wasListed || this.data.order === null) void this.fetch();
    },
    async fetch() {
      try {
        this.show(await ordering().client.order(this.data.id));
      } catch (error) {
        const { code } = error as ApiError;
        this.setData({
          failure: errorTextOf(error as ApiError, ordering().words()),
          ...(code === "ORDER_UNKNOWN" ? { order: null } : {}),
        });
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
        toast(
          code === "STEP_NOT_ALLOWED" || code === "ORDER_CHANGED"
            ? words().tooLate
            : errorTextOf(error as ApiError, words()),
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
        if (lines.length === 0) return toast(t.notOnSale);
        toast(lost === 0 ? t.orderedAgain : fill(t.orderedAgainPart, { count: lost }));
        wx.navigateTo({ url: "/pages/cart/cart" });
      } catch (error) {
        toast(errorTextOf(error as ApiError, t));
      }
    },
  },
});
