/** @jest-environment jsdom */
import type { OrderView } from "../../clients/wechat.ts";
import { type FakeShop, info, openShop, order, refusal, settle } from "./_shop.ts";
import { canSimulate, openSimulator, type Shown, type Simulator } from "./_simulate.ts";

const suite = canSimulate ? describe : describe.skip;
const beefLine = { dish: "beef", chosen: { spice: ["mild"] }, quantity: 1, note: "", seenFen: 2_800 };
const idOf = (nth: number) => `01JD${String(nth).padStart(22, "0")}`;
const teaLine = { dish: "tea", chosen: {}, quantity: 2, note: "", seenFen: 800 };

suite("the mini-program's pages", () => {
  let simulator: Simulator;
  let shop: FakeShop;
  const open: Shown[] = [];
  const page = async (name: string, query: object = {}) => {
    const shown = await simulator.page(name, query);
    open.push(shown);
    return shown;
  };
  const toasts = () => shop.said.filter(({ what }) => what === "toast").map(({ value }) => value);
  const lastWay = () => shop.said.filter(({ what }) => ["to", "instead", "tab"].includes(what)).at(-1);
  const changed = (more: Partial<typeof info.shop>) => ({ ...info, shop: { ...info.shop, ...more } });

  beforeAll(() => {
    simulator = openSimulator();
  });
  beforeEach(() => {
    shop = openShop(simulator);
  });
  afterEach(() => {
    for (const shown of open.splice(0)) shown.close();
    // What a page began ends with it.
    expect(shop.watched).toEqual([]);
  });
  afterAll(() => simulator.close());

  test("every page of app.json is one of these", () => {
    expect(simulator.pages.sort()).toEqual(
      ["account", "cart", "menu", "order", "orders"].map((name) => `pages/${name}/${name}`),
    );
  });

  describe("menu", () => {
    test("shows categories, dishes and prices; a tap on a dish fills the cart, which is kept", async () => {
      const menu = await page("menu");
      expect(menu.text()).toContain("正在加载");
      shop.menu(info);
      expect(menu.find("menu-name")?.textContent).toBe("面馆");
      expect(menu.find("menu-open")?.textContent).toBe("营业中");
      expect(menu.all("dish-name").map((element) => element.textContent)).toEqual(["红烧牛肉面", "茉莉花茶"]);
      expect(menu.find("menu-check-out")?.textContent).toBe("去结算");
      menu.tap("menu-check-out");
      expect(lastWay()).toBeUndefined();

      menu.tap("stepper-more");
      menu.tap("stepper-more");
      menu.tap("stepper-less");
      menu.tap("dish-choose");
      menu.tap("choice", 1);
      menu.tap("sheet-add");
      expect(menu.find("sheet")).toBeUndefined();
      expect(menu.find("menu-cart-total")?.textContent).toBe("¥38.00");
      expect(menu.find("menu-cart-count")?.textContent).toBe("共 2 份 · 含打包费 ¥1.00");
      expect(menu.find("dish-badge")?.textContent).toBe("1");
      menu.tap("menu-check-out");
      expect(lastWay()).toEqual({ what: "to", value: "/pages/cart/cart" });

      // Another start of the app, on the same phone.
      const later = openShop(simulator, shop.kept);
      expect(later.ordering.cart()).toEqual([
        { ...teaLine, quantity: 1 },
        { ...beefLine, chosen: { spice: ["hot"] }, seenFen: 2_900 },
      ]);
    });

    test("a dish sells out, the shop closes and the kitchen goes offline while the page is open", async () => {
      const menu = await page("menu");
      shop.menu(info);
      menu.tap("dish-choose");
      shop.menu({ ...info, soldOut: ["beef"] });
      expect(menu.find("dish-sold-out")?.textContent).toBe("今日售罄");
      expect(menu.find("sheet-add")?.textContent).toBe("今日售罄");
      shop.menu(changed({ live: false }));
      expect(menu.find("menu-closed")?.textContent).toBe("后厨不在线，暂时不能下单");
      shop.menu(changed({ live: false, needsKitchen: false }));
      expect(menu.find("menu-closed")).toBeUndefined();
      shop.menu(changed({ open: false }));
      expect(menu.find("menu-closed")?.textContent).toBe("本店已打烊，暂时不能下单");
      shop.state("offline");
      expect(menu.find("menu-weak")?.textContent).toBe("离线，正在重连");
    });

    test("a table's code is looked up: the scene of a mini-program code, as WeChat encodes it", async () => {
      shop.answers.shop = { ...info, table: { token: "eq7V2iaUt9gIVeJI", label: "5" } };
      const menu = await page("menu", { scene: encodeURIComponent("eq7V2iaUt9gIVeJI") });
      shop.menu(info);
      expect(menu.find("menu-table")?.textContent).toBe("5 号桌");
      expect(shop.ordering.table()).toEqual({ token: "eq7V2iaUt9gIVeJI", label: "5" });
    });

    test("a withdrawn table code is reported, and a malformed one is not looked up", async () => {
      shop.answers.shop = refusal("TABLE_UNKNOWN");
      await page("menu", { scene: "gone" });
      expect(toasts()).toEqual(["桌码已失效，请联系店员"]);
      await page("menu", { scene: "%E0%A4%A" });
      await page("menu", { scene: "a b" });
      expect(toasts()).toHaveLength(1);
    });

    test("without a shop the page says so and tries again; a running order is shown above", async () => {
      const menu = await page("menu");
      shop.menuFails(refusal("SHOP_UNKNOWN"));
      expect(menu.text()).toContain("找不到这家店");
      menu.tap("empty-button");
      shop.menu(info);
      expect(menu.find("menu-name")).toBeDefined();
      shop.orders([{ ...order, status: "ready" }]);
      expect(menu.find("menu-current")?.textContent).toContain("A017");
      expect(menu.find("menu-current-state")?.textContent).toContain("请取餐");
      menu.tap("menu-current");
      expect(lastWay()).toEqual({ what: "to", value: `/pages/order/order?id=${order.id}` });
    });
  });

  describe("cart", () => {
    async function filled(lines: { dish: string; quantity: number }[] = [beefLine, teaLine]) {
      shop.ordering.setCart(lines);
      const cart = await page("cart");
      shop.menu(info);
      return cart;
    }

    test("says that it is empty, and leads to the menu", async () => {
      const cart = await filled([]);
      cart.tap("empty-button");
      expect(lastWay()).toEqual({ what: "tab", value: "/pages/menu/menu" });
    });

    test("orders once, however often one taps, and goes on to the order", async () => {
      const cart = await filled();
      expect(cart.find("cart-total")?.textContent).toBe("¥45.00");
      cart.write("field", "快一点");
      cart.tap("cart-submit");
      cart.tap("cart-submit");
      // A finger that is faster than the page is drawn.
      await cart.instance.submit();
      expect(cart.find("cart-submit")?.textContent).toBe("正在提交…");
      expect(shop.bills).toEqual([
        {
          shop: "noodle-house",
          lines: [
            { dish: "beef", quantity: 1, options: [{ option: "spice", choices: ["mild"] }], note: "" },
            { dish: "tea", quantity: 2, options: [], note: "" },
          ],
          service: "pickup",
          note: "快一点",
          expectedTotalFen: 4_500,
        },
      ]);
      await shop.answer(order);
      expect(lastWay()).toEqual({ what: "instead", value: `/pages/order/order?id=${order.id}` });
      expect(shop.ordering.cart()).toEqual([]);
    });

    test("delivery wants an address, a telephone number and enough dishes, and remembers them on this phone", async () => {
      const cart = await filled([teaLine]);
      cart.tap("cart-service", 1);
      expect(cart.find("cart-why")?.textContent).toBe("满 ¥20.00 起送，还差 ¥4.00");
      cart.tap("cart-submit");
      cart.tap("stepper-more");
      expect(cart.find("cart-why")).toBeUndefined();
      expect(cart.find("cart-total")?.textContent).toBe("¥29.00");
      cart.tap("cart-submit");
      for (const [nth, text] of ["王小明", "1390", "测试路 1 号"].entries()) cart.write("field", text, nth);
      cart.tap("cart-submit");
      expect(toasts()).toEqual(["请填写称呼、电话和地址", "电话号码不对"]);
      expect(shop.bills).toEqual([]);
      cart.write("field", "13900001234", 1);
      // Without consent nothing leaves the phone, and nothing is kept.
      shop.says(false);
      cart.tap("cart-submit");
      await settle();
      expect(toasts().at(-1)).toBe("同意隐私保护指引后才能外送");
      expect([shop.bills, shop.ordering.address()]).toEqual([[], undefined]);
      shop.says(true);
      cart.tap("cart-submit");
      cart.tap("cart-submit");
      await settle();
      expect(shop.bills).toHaveLength(1);
      const delivery = { name: "王小明", phone: "13900001234", address: "测试路 1 号" };
      expect(shop.bills[0]).toMatchObject({ service: "delivery", delivery, expectedTotalFen: 2_900 });
      expect(shop.ordering.address()).toEqual(delivery);
    });

    test("at a table the order names it, and packing costs nothing", async () => {
      shop.answers.shop = { ...info, table: { token: "eq7V2iaUt9gIVeJI", label: "5" } };
      await shop.ordering.sitDown("eq7V2iaUt9gIVeJI");
      const cart = await filled();
      expect(cart.all("cart-service").map((element) => element.textContent)).toEqual(["5 号桌", "自取", "外送"]);
      cart.tap("cart-submit");
      expect(shop.bills[0]).toMatchObject({ service: "table", table: "eq7V2iaUt9gIVeJI", expectedTotalFen: 4_400 });
    });

    test("what has changed on the menu is named line by line, and mended by one tap", async () => {
      const gone = { ...teaLine, dish: "gone" };
      const old = { ...beefLine, chosen: { spice: ["none"] } };
      const cheap = { ...beefLine, seenFen: 2_600 };
      const cart = await filled([gone, old, cheap, teaLine]);
      shop.menu({ ...info, soldOut: ["tea"] });
      const troubles = () => cart.all("cart-line-trouble").map((element) => element.textContent);
      expect(troubles()).toEqual(["已下架", "规格已变", "价格已变，原价 ¥26.00", "已售罄"]);
      cart.tap("cart-submit");
      expect(shop.bills).toEqual([]);
      cart.tap("cart-mend");
      expect(troubles()).toEqual([]);
      expect(shop.ordering.cart()).toEqual([beefLine]);
      cart.tap("cart-submit");
      expect(shop.bills).toHaveLength(1);
    });

    test("a closed shop and an offline kitchen take no orders, and the page says why", async () => {
      const cart = await filled();
      shop.menu(changed({ open: false }));
      expect(cart.find("cart-closed")?.textContent).toBe("本店已打烊，暂时不能下单");
      cart.tap("cart-submit");
      shop.menu(changed({ live: false }));
      expect(cart.find("cart-why")?.textContent).toBe("后厨不在线，暂时不能下单");
      cart.tap("cart-submit");
      await cart.instance.submit();
      expect(shop.bills).toEqual([]);
    });

    test.each([
      ["SOLD_OUT", { dish: "tea", left: 1 }, "“茉莉花茶”只剩 1 份"],
      ["SOLD_OUT", { dish: "tea", left: 0 }, "“茉莉花茶”刚刚售罄"],
      ["PRICE_CHANGED", { totalFen: 4_700 }, "价格有变化，现在合计 ¥47.00，请确认后再提交"],
      ["SHOP_CLOSED", {}, "本店已打烊，暂时不能下单"],
      ["KITCHEN_OFFLINE", {}, "后厨不在线，暂时不能下单"],
      ["DISH_UNAVAILABLE", { dish: "tea" }, "有菜品已下架或规格已变"],
      ["TABLE_UNKNOWN", {}, "桌码已失效，请联系店员"],
      ["TOO_MANY_UNACCEPTED", { of: "session", limit: 3 }, "您有未接的订单，请等店家接单"],
      ["TOO_MANY_UNACCEPTED", { of: "table", limit: 3 }, "这一桌有未接的订单，请等店家接单"],
      ["TOO_MANY_UNACCEPTED", { of: "address", limit: 3 }, "同一网络有很多未接的订单，请一分钟后再试"],
      ["TOO_MANY_UNACCEPTED", { of: "shop", limit: 3 }, "店家正忙，请一分钟后再试"],
      ["TOO_MANY_SESSIONS", {}, "同一网络的新访客太多，请在"],
      ["NO_ANSWER", {}, "一直没有收到回应，请在“订单”里确认是否成功"],
      ["INTERNAL", {}, "出错了（INTERNAL），请重试"],
    ])("the error %s %j is explained, and the cart stays", async (code, extra, said) => {
      const cart = await filled();
      cart.tap("cart-submit");
      await shop.answer(refusal(code, extra));
      shop.menu(info);
      expect(cart.find("cart-error")?.textContent).toContain(said);
      expect(shop.ordering.cart()).toHaveLength(2);
      if (code !== "SOLD_OUT") return;
      cart.tap("cart-mend");
      const left = (extra as { left: number }).left;
      expect(
        shop.ordering
          .cart()
          .filter(({ dish }) => dish === "tea")
          .map(({ quantity }) => quantity),
      ).toEqual(left > 0 ? [left] : []);
    });

    test("a note is counted near its limit and never cut; too long, it is not sent", async () => {
      const cart = await filled();
      cart.instance.writeNote({ detail: { value: "葱".repeat(149) } });
      expect(cart.find("cart-counted")).toBeUndefined();
      cart.instance.writeNote({ detail: { value: "葱".repeat(150) } });
      expect(cart.find("cart-counted")?.textContent).toBe("已写 150 字，最多 200 字");
      cart.instance.writeNote({ detail: { value: "葱".repeat(201) } });
      cart.tap("cart-submit");
      await settle();
      expect([shop.bills, toasts()]).toEqual([[], ["最多 200 字，超出 1 字"]]);
      cart.instance.writeNote({ detail: { value: `${"葱".repeat(199)}𠮷` } });
      cart.tap("cart-submit");
      expect(shop.bills).toMatchObject([{ note: `${"葱".repeat(199)}𠮷` }]);
      await shop.answer(refusal("INVALID_INPUT", { field: "note" }));
      expect(cart.find("cart-error")?.textContent).toContain("没有下单，请检查：整单备注");
    });

    test("a phone without room orders all the same, and says that it keeps nothing", async () => {
      const cart = await filled();
      expect(cart.find("cart-forgets")).toBeUndefined();
      shop.kept.set = () => {
        throw new Error("setStorageSync:fail exceed max size");
      };
      cart.tap("stepper-more");
      expect(cart.find("cart-forgets")?.textContent).toContain("手机存储已满");
      cart.tap("cart-submit");
      expect(shop.bills).toHaveLength(1);
    });

    test("what is put in while the bill is on its way stays in the cart", async () => {
      const cart = await filled([teaLine]);
      cart.tap("cart-submit");
      shop.ordering.setCart([...shop.ordering.cart(), beefLine]);
      await shop.answer(order);
      expect(shop.ordering.cart()).toEqual([beefLine]);
    });

    test("emptying asks first", async () => {
      const cart = await filled();
      shop.says(false);
      cart.tap("cart-empty");
      await settle();
      expect(shop.ordering.cart()).toHaveLength(2);
      shop.says(true);
      cart.tap("cart-empty");
      await settle();
      expect(cart.text()).toContain("购物车是空的");
    });
  });

  describe("order", () => {
    const names = (shown: Shown) =>
      shown.all("step-done").map((element) => element.textContent?.replace(/\d\d:\d\d|\s/g, ""));

    test("shows the number large and its state live; cancel goes when the shop has accepted", async () => {
      const shown = await page("order", { id: order.id });
      shop.orders([order]);
      expect(shown.find("order-number")?.textContent).toBe("A017");
      expect(shown.find("order-state")?.textContent).toBe("等待接单");
      expect(shown.find("order-cancel")).toBeDefined();
      shop.orders([{ ...order, status: "accepted", acceptedAt: order.placedAt, version: 2 }]);
      expect(shown.find("order-state")?.textContent).toBe("已接单");
      expect(shown.find("order-cancel")).toBeUndefined();
      shop.orders([{ ...order, status: "ready", version: 4 }]);
      expect(shown.find("order-state")?.textContent).toBe("请取餐");
      expect(names(shown)).toEqual(["已下单", "已接单", "制作中", "请取餐"]);
      shop.orders([{ ...order, status: "rejected", reason: "面卖完了", version: 5 }]);
      expect(shown.find("order-reason")?.textContent).toBe("原因：面卖完了");
      shop.orders([{ ...order, status: "rejected", reason: "too_busy", version: 6 }]);
      expect(shown.find("order-reason")?.textContent).toBe("原因：太忙，做不过来");
      expect(names(shown)).toEqual(["已下单", "店家拒单"]);
    });

    test("cancels after a question, and says when it is too late", async () => {
      const shown = await page("order", { id: order.id });
      shop.orders([order]);
      shop.says(false);
      shown.tap("order-cancel");
      await settle();
      expect(shop.steps).toEqual([]);
      shop.says(true);
      shop.answers.step = refusal("STEP_NOT_ALLOWED", { orderStatus: "accepted" });
      shown.tap("order-cancel");
      await settle();
      expect(toasts()).toEqual(["店家已接单，不能取消了"]);
      shop.answers.step = { ...order, status: "cancelled", version: 2 };
      shown.tap("order-cancel");
      await settle();
      expect(shop.steps.at(-1)).toEqual({ id: order.id, action: "cancel" });
      expect(shown.find("order-state")?.textContent).toBe("已取消");
    });

    test("orders again what can be had, and says what cannot", async () => {
      const shown = await page("order", { id: order.id });
      shop.menu(info);
      const line = order.lines[0] as OrderView["lines"][number];
      shop.orders([{ ...order, lines: [...order.lines, { ...line, line: 2, dish: "gone" }] }]);
      shown.tap("order-again");
      await settle();
      expect(toasts()).toEqual(["已放进购物车；有 1 种现在点不到"]);
      expect(shop.ordering.cart()).toEqual([
        { dish: "beef", chosen: { spice: ["hot"] }, quantity: 2, note: "不要香菜", seenFen: 2_900 },
      ]);
      expect(lastWay()).toEqual({ what: "to", value: "/pages/cart/cart" });
    });

    test("a delivery says where it goes, as it was sent", async () => {
      const delivery = { name: "王小明", phone: "13900001234", address: "测试路 8 号\n后门" };
      const shown = await page("order", { id: order.id });
      shop.orders([{ ...order, service: "delivery", delivery, deliveryFen: 500, totalFen: 6_500 }]);
      expect(shown.find("order-to")?.textContent).toContain("送餐信息王小明13900001234测试路 8 号");
      shop.orders([{ ...order, service: "delivery", version: 2 }]);
      expect(shown.find("order-to")).toBeUndefined();
    });

    test("an order that the shop's database has lost is reported, and one that has left the list stays", async () => {
      const shown = await page("order", { id: order.id });
      shop.orders([order]);
      shop.answers.order = { ...order, status: "completed" };
      shop.orders([]);
      await settle();
      expect(shown.find("order-state")?.textContent).toBe("已完成");
      shop.orders([order]);
      shop.answers.order = refusal("ORDER_UNKNOWN");
      shop.orders([]);
      await settle();
      expect(shown.find("order-number")).toBeUndefined();
      expect(shown.text()).toContain("找不到这个订单");
    });

    test("an order older than the list is fetched; an unknown one is reported", async () => {
      shop.answers.order = { ...order, status: "completed" };
      const shown = await page("order", { id: order.id });
      shop.orders([]);
      await settle();
      expect(shown.find("order-state")?.textContent).toBe("已完成");
      shop.answers.order = refusal("ORDER_UNKNOWN");
      const other = await page("order", { id: "01JD0000000000000000000099" });
      await settle();
      expect(other.text()).toContain("找不到这个订单");
    });
  });

  describe("orders", () => {
    test("are newest first, change live, and lead to the order", async () => {
      const orders = await page("orders");
      shop.orders([]);
      expect(orders.text()).toContain("还没有订单");
      const next = { ...order, id: idOf(18), number: "A018" };
      shop.orders([next, order, { ...order, id: idOf(19), shop: "another" }]);
      expect(orders.all("order-card-number").map((element) => element.textContent)).toEqual(["A018", "A017"]);
      shop.orders([{ ...next, status: "cooking" }, order]);
      expect(orders.find("order-card-state")?.textContent).toBe("制作中");
      orders.tap("order-card", 1);
      expect(lastWay()).toEqual({ what: "to", value: `/pages/order/order?id=${order.id}` });
    });

    test("older ones come on request", async () => {
      const orders = await page("orders");
      const many = Array.from({ length: 100 }, (_, nth) => ({
        ...order,
        id: idOf(900 - nth),
        number: `B${100 + nth}`,
      }));
      shop.orders(many);
      shop.answers.older = [order];
      orders.tap("orders-older");
      await settle();
      expect(orders.all("order-card-number").at(-1)?.textContent).toBe("A017");
      expect(orders.find("orders-older")).toBeUndefined();
      shop.orders(many);
      expect(orders.all("order-card")).toHaveLength(101);
    });

    test("signed out, they say so and nothing signs in by itself", async () => {
      const orders = await page("orders");
      shop.orders([order]);
      await shop.ordering.signOut();
      expect(orders.text()).toContain("未登录");
      expect(orders.find("order-card")).toBeUndefined();
      expect(shop.watched).toEqual([]);
      orders.tap("empty-button");
      await settle();
      expect(shop.watched).toEqual(["orders"]);
      shop.orders([order]);
      expect(orders.find("order-card")).toBeDefined();
    });

    test("a failure is reported, with a button to retry", async () => {
      const orders = await page("orders");
      shop.ordersFail(refusal("LOGIN_CODE_INVALID"));
      expect(orders.text()).toContain("登录失败，请重试");
      orders.tap("empty-button");
      await settle();
      shop.orders([order]);
      expect(orders.find("order-card")).toBeDefined();
    });
  });

  describe("account", () => {
    test("shows who is signed in and until when; signs out and in", async () => {
      const account = await page("account");
      expect(account.find("account-user")?.textContent).toBe("微信用户 ABCDEF");
      expect(account.find("account-until")?.textContent).toMatch(/^2026-12-2[012] \d\d:\d\d$/);
      expect(account.find("account-state")?.textContent).toBe("实时");
      account.tap("account-sign-out");
      await settle();
      expect(account.find("account-out")?.textContent).toBe("未登录");
      shop.answers.signIn = refusal("LOGIN_BLOCKED");
      account.tap("account-sign-in");
      await settle();
      expect(account.find("account-failure")?.textContent).toBe("登录失败，请重试");
      delete shop.answers.signIn;
      account.tap("account-sign-in");
      await settle();
      expect(account.find("account-user")).toBeDefined();
      expect(account.find("account-failure")).toBeUndefined();
    });

    test("speaks another language at once, also in the tabs, and forgets the address", async () => {
      shop.ordering.setAddress({ name: "王小明", phone: "13900001234", address: "测试路 1 号" });
      const account = await page("account");
      account.tap("account-language", 1);
      expect(account.find("account-sign-out")?.textContent).toBe("Sign out");
      expect(shop.said).toContainEqual({ what: "tab 0", value: "Menu" });
      expect(shop.ordering.language()).toBe("en");
      account.tap("account-guideline");
      expect(shop.said.at(-1)?.what).toBe("guideline");
      account.tap("account-forget");
      expect(shop.ordering.address()).toBeUndefined();
      expect(account.find("account-forget")).toBeUndefined();
      const menu = await page("menu");
      shop.menu(info);
      expect(menu.all("dish-name").map((element) => element.textContent)).toEqual([
        "Braised beef noodles",
        "Jasmine tea",
      ]);
    });
  });

  test("an order sent before the app was closed is reported, and leaves the cart", async () => {
    shop.ordering.setCart([teaLine, beefLine]);
    // The SDK sends it again by itself; the app gets the answer.
    void shop.ordering.client.submit({
      shop: "noodle-house",
      lines: [{ dish: "tea", quantity: 2 }],
      service: "pickup",
    });
    expect(shop.ordering.submitting()).toBe(true);
    await shop.answer(order);
    expect(shop.ordering.submitting()).toBe(false);
    expect(shop.ordering.cart()).toEqual([beefLine]);
  });
});
