/** The cart, and the order made of it: how it is eaten, what it costs, what stands in its way. */
import type { ApiError, Bill, Service, ShopInfo } from "../../lib/orderbell";
import type { PricedLine } from "../../shop/cart";
import { billLines, limit, mend, price, setQuantity } from "../../shop/cart";
import { choicesOf } from "../../shop/choose";
import type { Address } from "../../shop/ordering";
import { tellError } from "../../shop/ordering";
import { confirm, consent, leave, ordering, say, until } from "../../shop/page";
import { fill, nameIn, yuan } from "../../shop/show";
import type { Language, Words } from "../../shop/words";
import { dictionaries } from "../../shop/words";

const noAddress: Address = { name: "", phone: "", address: "" };
/** The API's own rule. */
const phonePattern = /^\+?\d[\d -]{4,18}\d$/;

function lineView(line: PricedLine, t: Words, language: Language) {
  const { key, dish, known, chosen, quantity, note, totalFen, trouble, seenFen } = line;
  const troubles = {
    soldOut: t.lineSoldOut,
    gone: t.lineGone,
    changed: t.lineChanged,
    price: fill(t.linePrice, { was: yuan(seenFen) }),
  };
  const taken = (known?.options ?? []).flatMap((option) =>
    option.choices.filter(({ id }) => choicesOf(chosen, option).includes(id)),
  );
  return {
    key,
    name: known === undefined ? dish : nameIn(known.names, language),
    options: taken.map(({ names }) => nameIn(names, language)).join(t.comma),
    quantity,
    note,
    total: yuan(totalFen),
    trouble: trouble === undefined ? "" : troubles[trouble],
  };
}

function servicesOf({ shop: { services } }: ShopInfo, t: Words): { id: Service; name: string }[] {
  const table = ordering().table();
  const at = table === null ? [] : [{ id: "table" as const, name: fill(t.atTable, { label: table.label }) }];
  return [
    ...(services.table ? at : []),
    ...(services.pickup ? [{ id: "pickup" as const, name: t.pickup }] : []),
    ...(services.delivery === null ? [] : [{ id: "delivery" as const, name: t.delivery }]),
  ];
}

/** What a refusal asks of the customer, beside reading it. */
type Cure = { kind: "reload" } | { kind: "limit"; dish: string; left: number } | null;

Component({
  data: {
    t: dictionaries.zh,
    shown: false,
    failure: "",
    closed: "",
    troubled: false,
    refusal: "",
    cure: null as Cure,
    services: [] as { id: Service; name: string }[],
    service: "" as Service | "",
    scanFirst: false,
    address: noAddress,
    lines: [] as ReturnType<typeof lineView>[],
    note: "",
    items: "",
    packing: "",
    delivery: "",
    total: "",
    totalFen: 0,
    /** Why it cannot be ordered yet. */
    why: "",
    sending: false,
    /** The customer is asked for consent. */
    asking: false,
  },
  methods: {
    onLoad() {
      const { menu, onCart, onSubmitting, address } = ordering();
      this.setData({ address: address() ?? noAddress });
      until(
        this,
        menu.hear(
          () => this.draw(),
          (error) => this.setData({ failure: tellError(error, ordering().words()) }),
        ),
        onCart(() => this.draw()),
        onSubmitting(() => this.draw()),
      );
    },
    onShow() {
      wx.setNavigationBarTitle({ title: ordering().words().cart });
      this.draw();
    },
    onUnload() {
      leave(this);
    },
    draw() {
      const { menu, cart, submitting } = ordering();
      const [t, language, info] = [ordering().words(), ordering().language(), menu.now()];
      this.setData({ t });
      if (info === undefined) return;
      const services = servicesOf(info, t);
      const wanted = services.find(({ id }) => id === this.data.service) ?? services[0];
      const service = wanted?.id ?? "";
      const priced = price(cart(), info, service === "" ? "pickup" : service);
      const { open, live, needsKitchen } = info.shop;
      const closed = open ? (needsKitchen && !live ? t.kitchenOffline : "") : t.closedNow;
      const minimum = info.shop.services.delivery?.minimumFen ?? 0;
      const fee = priced.deliveryFen > 0 ? yuan(priced.deliveryFen) : t.freeDelivery;
      this.setData({
        shown: true,
        closed,
        troubled: priced.troubled,
        services,
        service,
        scanFirst: info.shop.services.table && ordering().table() === null,
        lines: priced.lines.map((line) => lineView(line, t, language)),
        items: yuan(priced.itemsFen),
        packing: priced.packingFen > 0 ? yuan(priced.packingFen) : "",
        delivery: service === "delivery" ? fee : "",
        total: yuan(priced.totalFen),
        totalFen: priced.totalFen,
        why:
          closed ||
          (service === "" ? t.serviceNotOffered : "") ||
          (service === "delivery" && priced.lackingFen > 0
            ? fill(t.belowMinimum, { minimum: yuan(minimum), lacking: yuan(priced.lackingFen) })
            : ""),
        sending: submitting(),
      });
    },
    serve(tap: { currentTarget: { dataset: Record<string, string> } }) {
      this.setData({ service: tap.currentTarget.dataset.service as Service, refusal: "", cure: null });
      this.draw();
    },
    count(change: { currentTarget: { dataset: Record<string, string> }; detail: { value: number } }) {
      const { cart, setCart } = ordering();
      if (this.data.sending) return;
      setCart(setQuantity(cart(), change.currentTarget.dataset.key ?? "", change.detail.value));
    },
    writeNote({ detail }: { detail: { value: string } }) {
      this.setData({ note: detail.value });
    },
    writeAddress(input: { currentTarget: { dataset: Record<string, string> }; detail: { value: string } }) {
      const field = input.currentTarget.dataset.field ?? "";
      this.setData({ address: { ...this.data.address, [field]: input.detail.value } });
    },
    async empty() {
      if (!this.data.sending && (await confirm(ordering().words().emptyAsk))) ordering().setCart([]);
    },
    mend() {
      const { cart, setCart, menu } = ordering();
      const info = menu.now();
      this.setData({ refusal: "", cure: null });
      if (info !== undefined) setCart(mend(cart(), info));
    },
    cure() {
      const { cart, setCart, menu } = ordering();
      const { cure } = this.data;
      this.setData({ refusal: "", cure: null });
      if (cure?.kind === "limit") setCart(limit(cart(), cure.dish, cure.left));
      if (cure?.kind === "reload") menu.restart();
    },
    async submit() {
      const place = ordering();
      const { service, address, note, t, totalFen, troubled, why, asking } = this.data;
      // Asked of the outbox, not of what is drawn: a second tap may come before the first is drawn.
      if (service === "" || troubled || why !== "" || asking || place.submitting()) return;
      const written = { name: address.name.trim(), phone: address.phone.trim(), address: address.address.trim() };
      if (service === "delivery") {
        if (Object.values(written).includes("")) return say(t.addressLacking);
        if (!phonePattern.test(written.phone)) return say(t.phoneWrong);
        this.setData({ asking: true });
        const agreed = await consent();
        this.setData({ asking: false });
        if (!agreed) return say(t.consentLacking);
        place.setAddress(written);
      }
      const table = place.table();
      const bill: Bill = {
        shop: place.shop,
        lines: billLines(place.cart()),
        service,
        ...(service === "table" && table !== null ? { table: table.token } : {}),
        ...(service === "delivery" ? { delivery: written } : {}),
        note: note.trim(),
        expectedTotalFen: totalFen,
      };
      this.setData({ refusal: "", cure: null });
      try {
        const order = await place.submit(bill);
        wx.redirectTo({ url: `/pages/order/order?id=${order.id}` });
      } catch (error) {
        this.refuse(error as ApiError);
      }
    },
    refuse(error: ApiError) {
      const { menu } = ordering();
      const [t, language] = [ordering().words(), ordering().language()];
      const { dish = "", left = 0, totalFen = 0 } = error.extra as { dish?: string; left?: number; totalFen?: number };
      const names = menu.now()?.menu.dishes.find(({ id }) => id === dish)?.names;
      const named = { dish: nameIn(names, language) || dish, left };
      switch (error.code) {
        case "SOLD_OUT":
          return this.setData({
            refusal: fill(left > 0 ? t.fewLeft : t.soldOutDish, named),
            cure: { kind: "limit", dish, left },
          });
        case "PRICE_CHANGED":
          // The new menu comes by the watch, or by this.
          menu.restart();
          return this.setData({ refusal: fill(t.priceChanged, { total: yuan(totalFen) }), cure: null });
        case "DISH_UNAVAILABLE":
        case "OPTIONS_INVALID":
          return this.setData({ refusal: tellError(error, t), cure: { kind: "reload" } });
        case "NO_ANSWER":
          return this.setData({ refusal: t.unsureOrder, cure: null });
        default:
          return this.setData({ refusal: tellError(error, t), cure: null });
      }
    },
    toMenu() {
      wx.switchTab({ url: "/pages/menu/menu" });
    },
  },
});
