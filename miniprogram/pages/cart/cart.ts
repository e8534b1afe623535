/** Cart page, which also places the order: lines, service, total, and errors. */
import type { ApiError, Bill, Service, ShopInfo } from "../../lib/orderbell";
import { looksLikePhone, maxNote } from "../../lib/orderbell";
import type { PricedLine } from "../../shop/cart";
import { billLines, limit, mend, price, setQuantity } from "../../shop/cart";
import { choicesOf } from "../../shop/choose";
import { countOf, fill, nameIn, tooMany, yuan } from "../../shop/format";
import type { Address } from "../../shop/ordering";
import { errorTextOf } from "../../shop/ordering";
import { confirm, consent, leave, onLeave, ordering, toast } from "../../shop/page";
import type { Language, Words } from "../../shop/words";
import { dictionaries } from "../../shop/words";

const noAddress: Address = { name: "", phone: "", address: "" };

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

/** The action that an error offers to the customer. */
type Fix = { kind: "reload" } | { kind: "limit"; dish: string; left: number } | null;

Component({
  data: {
    t: dictionaries.zh,
    shown: false,
    failure: "",
    closed: "",
    troubled: false,
    errorText: "",
    fix: null as Fix,
    services: [] as { id: Service; name: string }[],
    service: "" as Service | "",
    scanFirst: false,
    address: noAddress,
    lines: [] as ReturnType<typeof lineView>[],
    note: "",
    /** The note's length, shown near its limit. */
    counted: "",
    /** The phone's storage does not work. */
    forgets: false,
    items: "",
    packing: "",
    delivery: "",
    total: "",
    totalFen: 0,
    /** The reason why it cannot be ordered yet. */
    why: "",
    sending: false,
    /** The customer is asked for consent. */
    asking: false,
  },
  methods: {
    onLoad() {
      const { menu, onCart, onSubmitting, address } = ordering();
      this.setData({ address: address() ?? noAddress });
      onLeave(
        this,
        menu.subscribe(
          () => this.draw(),
          (error) => this.setData({ failure: errorTextOf(error, ordering().words()) }),
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
        forgets: ordering().forgets(),
      });
    },
    serve(tap: { currentTarget: { dataset: Record<string, string> } }) {
      this.setData({ service: tap.currentTarget.dataset.service as Service, errorText: "", fix: null });
      this.draw();
    },
    count(change: { currentTarget: { dataset: Record<string, string> }; detail: { value: number } }) {
      const { cart, setCart } = ordering();
      if (this.data.sending) return;
      setCart(setQuantity(cart(), change.currentTarget.dataset.key ?? "", change.detail.value));
    },
    writeNote({ detail }: { detail: { value: string } }) {
      this.setData({ note: detail.value, counted: countOf(detail.value, maxNote, this.data.t) });
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
      this.setData({ errorText: "", fix: null });
      if (info !== undefined) setCart(mend(cart(), info));
    },
    fix() {
      const { cart, setCart, menu } = ordering();
      const { fix } = this.data;
      this.setData({ errorText: "", fix: null });
      if (fix?.kind === "limit") setCart(limit(cart(), fix.dish, fix.left));
      if (fix?.kind === "reload") menu.restart();
    },
    async submit() {
      const place = ordering();
      const { service, address, note, t, totalFen, troubled, why, asking } = this.data;
      // Read from the outbox, not from the page's data: a second tap may come before the page is rendered.
      if (service === "" || troubled || why !== "" || asking || place.submitting()) return;
      if (tooMany(note, maxNote) > 0) return toast(countOf(note, maxNote, t));
      const written = { name: address.name.trim(), phone: address.phone.trim(), address: address.address.trim() };
      if (service === "delivery") {
        if (Object.values(written).includes("")) return toast(t.addressLacking);
        if (!looksLikePhone(written.phone)) return toast(t.phoneWrong);
        this.setData({ asking: true });
        const agreed = await consent();
        this.setData({ asking: false });
        if (!agreed) return toast(t.consentLacking);
        place.setAddress(written);
      }
      const table = place.table();
      const all = { shop: place.shop, lines: billLines(place.cart()), note: note.trim(), expectedTotalFen: totalFen };
      const bill: Bill =
        service === "delivery"
          ? { ...all, service, delivery: written }
          : service === "table" && table !== null
            ? { ...all, service, table: table.token }
            : { ...all, service: "pickup" };
      this.setData({ errorText: "", fix: null });
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
            errorText: fill(left > 0 ? t.fewLeft : t.soldOutDish, named),
            fix: { kind: "limit", dish, left },
          });
        case "PRICE_CHANGED":
          // The new menu comes by the watch, or by this call.
          menu.restart();
          return this.setData({ errorText: fill(t.priceChanged, { total: yuan(totalFen) }), fix: null });
        case "DISH_UNAVAILABLE":
        case "OPTIONS_INVALID":
          return this.setData({ errorText: errorTextOf(error, t), fix: { kind: "reload" } });
        case "NO_ANSWER":
          return this.setData({ errorText: t.unsureOrder, fix: null });
        default:
          return this.setData({ errorText: errorTextOf(error, t), fix: null });
      }
    },
    toMenu() {
      wx.switchTab({ url: "/pages/menu/menu" });
    },
  },
});
