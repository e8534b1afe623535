/** The customer's page in a real Chromium against a whole server: what people do, and what goes wrong meanwhile. */
import fc from "fast-check";
import type { Route } from "playwright-core";
import { maxFirstBytes, pageSize } from "../../scripts/check_page_size.ts";
import { AppError } from "../../shared/errors.ts";
import { type Bill, priceOf } from "../../shared/ordering/price.ts";
import { editMenu } from "../../shared/shop/edit_menu.ts";
import {
  billLines,
  type Cart,
  type CartLine,
  fixCart,
  isOrderable,
  shownFen,
  totalOf,
  troubles,
  unitFen,
} from "../../web/customer/cart.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse, type Person, type TestSocket, testMenu, testSettings } from "../_house.ts";
import { barriers } from "./_axe.ts";
import {
  hasBrowser,
  type OpenBrowser,
  openBrowser,
  type Page,
  type PageOptions,
  passUntil,
  setTextSize,
} from "./_browser.ts";
import { type BuiltPages, buildPages } from "./_pages.ts";
import { saysTheSame, translate } from "./_translator.ts";

const phone = { width: 390, height: 844, touch: true } as const;
const real = hasBrowser() ? it : it.skip;

// What the functions below that run in the page use of it; the rest of this file runs in Node.
interface PageElement {
  textContent: string;
  getAttribute(name: string): string | null;
  closest(selector: string): PageElement | null;
}
declare const document: { title: string; body: PageElement; activeElement: PageElement };
declare const location: { hash: string };

let pages: BuiltPages;
let house: House;
let kitchen: Person;
let screen: TestSocket;
let opened: OpenBrowser | undefined;
const faults: string[] = [];

beforeAll(async () => {
  if (!hasBrowser()) return;
  pages = buildPages("index");
  house = await openHouse(anyEngine, {
    files: pages.files,
    settings: { refuseWhenOffline: false },
  });
  kitchen = await house.staff("owner");
  screen = await kitchen.connect();
  await screen.resume({ stream: `shop:${house.shop}` });
  opened = await openBrowser();
}, 120_000);

afterAll(async () => {
  await opened?.close();
  screen?.close();
  await house?.close();
  pages?.remove();
});

// What a test has changed is as before for the next one.
afterEach(async () => {
  if (opened === undefined) return;
  for (const context of opened.browser.contexts()) await context.close();
  await editMenu(house.app, { actor: null, shop: house.shop, action: "menu.import", edit: () => ({ menu: testMenu }) });
  await kitchen.http("PUT", `/shops/${house.shop}/open`, { body: { open: true } });
  expect(faults.splice(0)).toEqual([]);
});

/** A page whose every error is a fault of the test. */
async function newPage(options: PageOptions = phone): Promise<Page> {
  const page = await (opened as OpenBrowser).newPage(options);
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (line) => {
    if (/content security policy/i.test(line.text())) faults.push(line.text());
  });
  return page;
}

async function openMenu(query = "", options?: PageOptions): Promise<Page> {
  const page = await newPage(options);
  await page.goto(`${house.url}/?shop=${house.shop}${query}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.getByText("红烧牛肉面").or(page.getByText("Braised beef noodles")).first().waitFor();
  return page;
}

const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name }).filter({ visible: true });
const tea = (page: Page) => button(page, "加一份 茉莉花茶");

async function teaToCheckout(page: Page): Promise<void> {
  await tea(page).click();
  await button(page, "去结算").click();
  await page.getByRole("heading", { name: "确认订单" }).waitFor();
}

/** In the page: the accessible name of the focused element. */
function focused(): string {
  const element = document.activeElement;
  if (element === document.body) return "";
  return element.getAttribute("aria-label") ?? element.closest("label")?.textContent ?? element.textContent;
}

/** The id of the order that the page shows, once it shows one. What the page says instead is in the failure. */
async function orderOf(page: Page): Promise<string> {
  await page
    .waitForFunction(() => location.hash.startsWith("#order="))
    .catch(async (error) => {
      throw new Error(
        `${error}; ${await page.evaluate("location.href + JSON.stringify(localStorage) + document.body.innerText")}`,
      );
    });
  return String(await page.evaluate("location.hash.slice(7)"));
}
const step = (id: string, action: string) => kitchen.http("POST", `/orders/${id}/${action}`, { body: {} });
const stored = async (): Promise<string[]> =>
  (await kitchen.http("GET", `/shops/${house.shop}/orders`)).body.orders.map(({ id }: { id: string }) => id);

describe("the customer's page", () => {
  real("takes an order from the table to the hand, live, and remembers it", async () => {
    const page = await openMenu(`&table=${house.table}`);
    await button(page, "选规格 红烧牛肉面").click();
    const sheet = page.getByRole("dialog", { name: "红烧牛肉面" });
    // The rules are said, and kept.
    await sheet.getByRole("button", { name: "请选择辣度" }).click();
    await expect(page.evaluate("document.activeElement.tagName")).resolves.toBe("INPUT");
    await sheet.getByRole("radio", { name: /特辣/ }).check();
    await sheet.getByRole("checkbox", { name: /卤蛋/ }).check();
    await sheet.getByRole("button", { name: "加入购物车 ¥32" }).click();
    await sheet.waitFor({ state: "detached" });
    await tea(page).click();
    await page.reload();

    await button(page, "购物车").click();
    const cart = page.getByRole("dialog", { name: /购物车/ });
    await cart.getByText("特辣 · 卤蛋").waitFor();
    await cart.getByRole("button", { name: "去结算 ¥40" }).click();
    await page.getByLabel("整单备注").fill("少放盐");
    await button(page, "提交订单 ¥40").click();

    const id = await orderOf(page);
    const { order } = (await kitchen.http("GET", `/orders/${id}`)).body;
    expect(order).toMatchObject({ service: "table", table: "5", totalFen: 4_000, note: "少放盐" });
    await page.locator(".number").getByText(order.number).waitFor();
    // It is brought, so it is no number for the counter.
    await page.locator(".ticket").getByText("订单号").waitFor();
    await page.locator(".ticket").getByText("5 号桌").waitFor();
    for (const [action, said] of [
      ["accept", "已接单"],
      ["cook", "制作中"],
      ["ready", "已做好"],
    ] as const) {
      await step(id, action);
      await page.locator(".ticket .status").getByText(said).waitFor();
    }
    await page.getByText("马上送到您的桌上").waitFor();
    await page.waitForFunction((number) => document.title.startsWith(number), order.number);
    await step(id, "complete");
    await page.locator(".ticket .status").getByText("已完成").waitFor();

    await button(page, "我的订单").click();
    await page.getByText("面馆").waitFor();
    await button(page, "再来一单").click();
    await page.getByRole("dialog").getByText("特辣 · 卤蛋").waitFor();
    await page.goBack();
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });

  real("shows true amounts and states while the browser translates it", async () => {
    const page = await openMenu();
    await page.clock.install();
    const twin = await page.context().newPage();
    const same = (selector?: string) => saysTheSame(page, twin, selector);
    await twin.goto(`${house.url}/?shop=${house.shop}`);
    await translate(page);
    for (let count = 1; count <= 4; count++) await tea(page).click();
    await button(page, "加一份 肉包").click();
    await same();
    await button(page, "减一份 茉莉花茶").click();
    await kitchen.http("PUT", `/shops/${house.shop}/dishes/bun/sold_out`, { body: { soldOut: true } });
    await page.locator(".dish").filter({ hasText: "已售罄" }).waitFor();
    await same();
    await button(page, "选规格 红烧牛肉面").click();
    const sheet = page.getByRole("dialog");
    await sheet.getByRole("radio", { name: /特辣/ }).check();
    await sheet.getByRole("button", { name: "加入购物车" }).filter({ hasText: "¥29" }).click();
    await sheet.waitFor({ state: "detached" });
    await button(page, "购物车").click();
    await sheet.getByRole("button", { name: "一键更新" }).click();
    await sheet
      .getByRole("button", { name: /去结算/ })
      .filter({ hasText: "¥54" })
      .click();
    await twin.goto(`${house.url}/?shop=${house.shop}#checkout`);
    await page.getByRole("radio", { name: "外送" }).check();
    await twin.getByRole("radio", { name: "外送" }).check();
    // The cart's message is gone: the other tab got none.
    await page.clock.fastForward(3_500);
    await same();
    await page.getByRole("radio", { name: "自取" }).check();
    await button(page, /提交订单/)
      .filter({ hasText: "¥54" })
      .click();
    const id = await orderOf(page);
    await twin.goto(`${house.url}/?shop=${house.shop}#order=${id}`);
    for (const [action, said] of [
      ["accept", "已接单"],
      ["cook", "制作中"],
      ["ready", "已做好"],
    ] as const) {
      await step(id, action);
      await page.locator(".ticket .status").getByText(said).waitFor();
      await same();
    }
    await kitchen.http("PUT", `/shops/${house.shop}/dishes/bun/sold_out`, { body: { soldOut: false } });
  });

  real("that throws while rendering says so, asks no more, and recovers by a tap", async () => {
    const page = await openMenu();
    await teaToCheckout(page);
    await button(page, "提交订单 ¥8").click();
    const id = await orderOf(page);
    await page.locator(".number").waitFor();
    let asked = 0;
    page.on("request", () => {
      asked += 1;
    });
    // As on a phone that lacks a feature: rendering a time throws.
    await page.evaluate(`window.whole = Intl.DateTimeFormat;
      Intl.DateTimeFormat = function () { throw new Error("not on this phone"); };`);
    await step(id, "accept");
    await page.getByRole("alert").getByText("页面出了点问题").waitFor();
    const after = asked;
    await page.waitForTimeout(1_500);
    expect(asked - after).toBeLessThanOrEqual(2);
    await page.evaluate("Intl.DateTimeFormat = window.whole");
    await button(page, "重试").click();
    await page.locator(".ticket .status").getByText("已接单").waitFor();
    expect(faults.splice(0).every((fault) => fault === "not on this phone")).toBe(true);
  });

  real("cuts no note, however it came: it says how much is too much, and orders nothing until it fits", async () => {
    const page = await openMenu();
    await button(page, "选规格 红烧牛肉面").click();
    const sheet = page.getByRole("dialog");
    await sheet.getByRole("radio", { name: /微辣/ }).check();
    await sheet.getByLabel("备注").fill("葱".repeat(101));
    await sheet.getByText("最多 100 字，超出 1 字").waitFor();
    await sheet.getByRole("button", { name: "加入购物车" }).click();
    expect(await page.evaluate(focused)).toContain("备注");
    await sheet.getByLabel("备注").fill("葱".repeat(100));
    await sheet.getByText("已写 100 字，最多 100 字").waitFor();
    await sheet.getByRole("button", { name: "加入购物车" }).click();
    await sheet.waitFor({ state: "detached" });
    await button(page, "去结算").click();
    const note = page.getByLabel("整单备注");
    const allergy = `${"过敏：花生、芝麻、".repeat(25)}𠮷`;
    await note.fill(allergy);
    await page.getByText("最多 200 字，超出 26 字").waitFor();
    expect(await note.inputValue()).toBe(allergy);
    const before = await stored();
    await button(page, /提交订单/).click();
    expect(await page.evaluate(focused)).toContain("整单备注");
    const fits = `${"过敏：花生、芝麻、".repeat(22)}𠮷𠮷`;
    await note.fill(fits);
    await page.getByText("已写 200 字，最多 200 字").waitFor();
    expect(await barriers(page)).toEqual([]);
    expect(await stored()).toEqual(before);
    await button(page, /提交订单/).click();
    const id = await orderOf(page);
    const { order } = (await kitchen.http("GET", `/orders/${id}`)).body;
    expect([order.note, order.lines[0].note]).toEqual([fits, "葱".repeat(100)]);
  });

  real("orders although the browser stores nothing, and says so", async () => {
    const page = await newPage();
    await page.addInitScript(
      `Storage.prototype.setItem = () => { throw new DOMException("full", "QuotaExceededError"); }`,
    );
    await page.goto(`${house.url}/?shop=${house.shop}`);
    await teaToCheckout(page);
    await page.getByText("这个浏览器不能保存内容").waitFor();
    await button(page, "提交订单 ¥8").click();
    await orderOf(page);
    await page.locator(".number").waitFor();
  });

  real("names the field that was refused, and what was ordered stays in the cart", async () => {
    const page = await openMenu();
    await teaToCheckout(page);
    await page.getByLabel("整单备注").fill("少冰");
    await page.route("**/bill", (route) => {
      const bill = route.request().postDataJSON();
      return route.continue({ postData: JSON.stringify({ ...bill, note: "冰".repeat(201) }) });
    });
    await button(page, "提交订单 ¥8").click();
    await page.getByText("没有下单，请检查：整单备注").waitFor();
    await page.unroute("**/bill");
    await button(page, "提交订单 ¥8").click();
    await orderOf(page);
  });

  real("makes one order of a double tap", async () => {
    const page = await openMenu();
    await teaToCheckout(page);
    const before = await stored();
    await button(page, /提交订单/).evaluate((element: { click(): void }) => {
      element.click();
      element.click();
      setTimeout(() => element.click());
    });
    const id = await orderOf(page);
    expect((await stored()).filter((other) => !before.includes(other))).toEqual([id]);
  });

  real.each([
    ["while the answer is awaited", false],
    // The browser lets the held request go on: its answer comes to a page that is being left.
    ["in the moment of the answer", true],
  ])("shows the one order after a reload %s", async (_, late) => {
    const page = await openMenu();
    await teaToCheckout(page);
    const before = await stored();
    let arrived: (() => void) | undefined;
    const there = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await page.route("**/bill", async (route) => {
      if (arrived === undefined) return route.continue();
      await route.fetch();
      arrived();
      arrived = undefined;
      // This first answer is lost on its way.
      return undefined;
    });
    await button(page, /提交订单/).click();
    await there;
    await page.getByText("不会重复下单").waitFor();
    if (late) await page.unroute("**/bill");
    await page.reload();
    const id = await orderOf(page);
    expect((await stored()).filter((other) => !before.includes(other))).toEqual([id]);
    await button(page, "返回").click();
    await tea(page).waitFor();
    expect(await page.evaluate('Object.keys(localStorage).filter((name) => name.includes("cart"))')).toEqual([]);
  });

  real("goes on when the network comes back", async () => {
    const page = await openMenu();
    await teaToCheckout(page);
    await page.context().setOffline(true);
    await button(page, /提交订单/).click();
    await page.getByText("不会重复下单").waitFor();
    await page.context().setOffline(false);
    await orderOf(page);
  });

  real("says sold out while the menu is open, and mends the cart by one tap", async () => {
    const page = await openMenu();
    await tea(page).click();
    await button(page, "加一份 肉包").click();
    const row = page.locator(".dish").filter({ hasText: "茉莉花茶" });
    await kitchen.http("PUT", `/shops/${house.shop}/dishes/tea/sold_out`, { body: { soldOut: true } });
    await row.getByText("已售罄").waitFor();
    await button(page, "购物车").click();
    const cart = page.getByRole("dialog", { name: /购物车/ });
    await cart.getByText("购物车里有几样有变动").waitFor();
    await cart.getByRole("button", { name: "一键更新" }).click();
    await cart.getByRole("button", { name: "去结算 ¥5" }).click();
    await button(page, "提交订单 ¥5").waitFor();
    await kitchen.http("PUT", `/shops/${house.shop}/dishes/tea/sold_out`, { body: { soldOut: false } });
    await button(page, "返回").click();
    await tea(page).waitFor();
  });

  real("lowers a quantity when only a few are left", async () => {
    const page = await openMenu();
    await button(page, "加一份 肉包").click();
    const meanwhile = async (route: Route) => {
      await kitchen.http("POST", `/shops/${house.shop}/dishes/bun/stock`, { body: { delta: -49 } });
      await route.continue();
    };
    await page.route("**/bill", meanwhile, { times: 1 });
    await button(page, "加一份 肉包").click();
    await button(page, "去结算").click();
    await button(page, "提交订单 ¥10").click();
    await page.getByText("只剩 1 份").waitFor();
    await page.locator(".below").getByRole("button", { name: "一键更新" }).click();
    await button(page, "提交订单 ¥5").click();
    await orderOf(page);
    await kitchen.http("POST", `/shops/${house.shop}/dishes/bun/stock`, { body: { delta: 49 } });
  });

  real("shows a changed price and takes it by one tap", async () => {
    const page = await openMenu();
    await teaToCheckout(page);
    const dishes = testMenu.dishes.map((dish) => (dish.id === "tea" ? { ...dish, priceFen: 950 } : dish));
    const meanwhile = async (route: Route) => {
      await editMenu(house.app, {
        actor: null,
        shop: house.shop,
        action: "menu.import",
        edit: () => ({ menu: { ...testMenu, dishes } }),
      });
      await route.continue();
    };
    await page.route("**/bill", meanwhile, { times: 1 });
    await button(page, "提交订单 ¥8").click();
    await page.getByText("合计由 ¥8 变为 ¥9.50").waitFor();
    await button(page, "按 ¥9.50 下单").click();
    const id = await orderOf(page);
    expect((await kitchen.http("GET", `/orders/${id}`)).body.order.totalFen).toBe(950);
  });

  real(
    "says whose orders wait, and when a network has room for new guests, and never that the order is being sent",
    async () => {
      const page = await openMenu();
      await teaToCheckout(page);
      const refuse = (pattern: string, code: string, more: object, retryAfterSec: number) =>
        page.route(
          pattern,
          (route) =>
            route.fulfill({
              status: 429,
              headers: { "content-type": "application/problem+json", "retry-after": String(retryAfterSec) },
              body: JSON.stringify({ status: 429, code, detail: "", ...more }),
            }),
          { times: 1 },
        );
      for (const [of, said] of [
        ["session", "您有订单还在等商家接单"],
        ["table", "这一桌有订单还在等商家接单"],
        ["address", "同一网络有很多订单在等商家接单"],
        ["shop", "商家正忙"],
      ] as const) {
        await refuse("**/bill", "TOO_MANY_UNACCEPTED", { of, limit: 1 }, 60);
        await button(page, "提交订单 ¥8").click();
        await page.getByText(said).waitFor();
      }
      await page.evaluate('localStorage.removeItem("orderbell.session")');
      await refuse("**/login/guest", "TOO_MANY_SESSIONS", {}, 300);
      await button(page, "提交订单 ¥8").click();
      await page.getByText(/同一网络的新访客太多.*请在 \d\d:\d\d 后再试/).waitFor();
      expect(await page.getByText("不会重复下单").count()).toBe(0);
    },
  );

  real("says that the shop has closed, keeps the cart, and takes orders when it opens again", async () => {
    const page = await openMenu();
    await teaToCheckout(page);
    await kitchen.http("PUT", `/shops/${house.shop}/open`, { body: { open: false } });
    await page.getByText("本店已打烊").waitFor();
    await expect(button(page, /提交订单/).isDisabled()).resolves.toBe(true);
    await kitchen.http("PUT", `/shops/${house.shop}/open`, { body: { open: true } });
    await page.getByText("本店已打烊").waitFor({ state: "detached" });
    await button(page, "提交订单 ¥8").click();
    await orderOf(page);
  });

  real("delivers to an address that stays on the phone, and cancels while that is allowed", async () => {
    const page = await openMenu();
    await teaToCheckout(page);
    await page.getByRole("radio", { name: "外送" }).check();
    await page.getByText("还差 ¥12 起送").waitFor();
    for (let count = 2; count <= 3; count++) await button(page, "加一份 茉莉花茶").click();
    await button(page, "提交订单 ¥29").click();
    await page.getByText("请填写联系人").waitFor();
    await page.getByLabel("联系人").fill("王小明");
    await page.getByLabel("手机号").fill("13900001234");
    await page.getByLabel("送餐地址").fill("测试路 8 号");
    await button(page, "提交订单 ¥29").click();
    const id = await orderOf(page);
    await button(page, "取消订单").click();
    await page.getByRole("dialog").getByRole("button", { name: "取消订单" }).click();
    await page.locator(".ticket .status").getByText("已取消").waitFor();
    expect((await kitchen.http("GET", `/orders/${id}`)).body.order.status).toBe("cancelled");

    await page.goto(`${house.url}/?shop=${house.shop}#account`);
    await page.getByText("测试路 8 号").waitFor();
    await button(page, "退出登录").click();
    await page.getByRole("dialog").getByRole("button", { name: "退出登录" }).click();
    await page.getByText("您已退出").waitFor();
    await button(page, "我的订单").click();
    await page.getByText("还没有订单").waitFor();
  });

  real("says plainly that a shop or a table is unknown, and goes on without the table", async () => {
    const page = await newPage();
    await page.goto(`${house.url}/?shop=nowhere`);
    await page.getByText("没有找到这家店").waitFor();
    await page.goto(`${house.url}/?shop=${house.shop}&table=AAAAAAAAAAAA`);
    await page.getByText("桌码已失效").waitFor();
    await tea(page).waitFor();
    // A server with one shop opens it by itself.
    await page.goto(house.url);
    await page.waitForURL(/shop=noodle-house/);
  });

  real("opens a dish by its whole row, with what is usual chosen, and changes it in the cart", async () => {
    const [beef, ...others] = testMenu.dishes;
    if (beef === undefined) throw new Error("there is no beef");
    const options = beef.options.map((option) => ({
      ...option,
      choices: option.choices.map((choice) => (choice.id === "mild" ? { ...choice, default: true } : choice)),
    }));
    const menu = { ...testMenu, dishes: [{ ...beef, options }, ...others] };
    await editMenu(house.app, { actor: null, shop: house.shop, action: "menu.import", edit: () => ({ menu }) });
    const page = await openMenu();
    const row = page.locator(".dish").filter({ hasText: "红烧牛肉面" });
    // On its left edge: no word, and no button of its own.
    await row.click({ position: { x: 4, y: 12 } });
    const sheet = page.getByRole("dialog", { name: "红烧牛肉面" });
    expect(await sheet.getByRole("radio", { name: "微辣" }).isChecked()).toBe(true);
    await sheet.getByRole("button", { name: "加入购物车 ¥28" }).click();
    await sheet.waitFor({ state: "detached" });

    await button(page, "购物车").click();
    await button(page, "修改 红烧牛肉面").click();
    await sheet.getByRole("radio", { name: /特辣/ }).check();
    await sheet.getByLabel("备注").fill("少油");
    await sheet.getByRole("button", { name: "保存 ¥29" }).click();
    await sheet.waitFor({ state: "detached" });
    const cart = page.getByRole("dialog", { name: "购物车 · 共 1 份" });
    await cart.getByText("特辣").waitFor();
    await cart.getByText("备注：少油").waitFor();
    // The line was drawn anew, and has the focus again.
    await page.waitForFunction(() => document.activeElement.getAttribute("aria-label") === "修改 红烧牛肉面");
    await cart.getByRole("button", { name: "清空" }).click();
    await page.getByRole("dialog", { name: "购物车" }).getByText("购物车是空的").waitFor();
    await button(page, "撤销").click();
    await cart.getByText("备注：少油").waitFor();
  });

  real("keeps the focus where a number comes and goes", async () => {
    const page = await openMenu("", { width: 390, height: 844 });
    await tea(page).focus();
    await page.keyboard.press("Enter");
    await button(page, "减一份 茉莉花茶").waitFor();
    expect(await page.evaluate(focused)).toBe("加一份 茉莉花茶");
    await button(page, "减一份 茉莉花茶").focus();
    await page.keyboard.press("Enter");
    await button(page, "减一份 茉莉花茶").waitFor({ state: "detached" });
    expect(await page.evaluate(focused)).toBe("加一份 茉莉花茶");
  });

  real("shows the category that is read among many, says whose it is, and has an icon", async () => {
    const names = (zh: string) => ({ zh });
    const categories = Array.from({ length: 30 }, (_, nth) => ({ id: `c${nth}`, names: names(`分类${nth}`) }));
    const dishes = categories.map(({ id }, nth) => ({
      ...(testMenu.dishes[2] as (typeof testMenu.dishes)[number]),
      id: `d${nth}`,
      category: id,
      names: names(nth === 0 ? "红烧牛肉面" : `菜${nth}`),
    }));
    const menu = { categories, dishes };
    await editMenu(house.app, { actor: null, shop: house.shop, action: "menu.import", edit: () => ({ menu }) });
    const page = await openMenu();
    await page
      .locator("[data-category=c29]")
      .evaluate((section: { scrollIntoView(): void }) => section.scrollIntoView());
    await page.evaluate(`(async () => {
      for (;;) {
        const current = document.querySelector(".rail [aria-current]");
        const [rail, mine] = [current.closest(".rail"), current].map((one) => one.getBoundingClientRect());
        const isShown = mine.bottom <= Math.min(rail.bottom, innerHeight) && mine.top >= rail.top;
        if (/^分类2\\d$/.test(current.textContent) && isShown) return;
        await new Promise(requestAnimationFrame);
      }
    })()`);
    expect(await page.evaluate(() => document.title)).toBe("面馆 · 点单");
    const icon = String(await page.evaluate('document.querySelector("link[rel=icon]").href'));
    expect((await fetch(icon)).headers.get("content-type")).toBe("image/svg+xml");
    const colours = await page.evaluate('[...document.querySelectorAll("meta[name=theme-color]")].length');
    expect(colours).toBe(2);
  });

  real(
    "opens the sheet of a dish at once, though its part of the page is slow, and takes messages off other pages",
    async () => {
      const page = await newPage();
      let go = () => {};
      const late = new Promise<void>((resolve) => {
        go = resolve;
      });
      await page.route("**/assets/rest-*.js", async (route) => {
        await late;
        await route.continue();
      });
      await page.goto(`${house.url}/?shop=${house.shop}`);
      await button(page, "选规格 红烧牛肉面").click();
      const sheet = page.getByRole("dialog", { name: "红烧牛肉面" });
      await sheet.locator("[aria-busy=true]").waitFor();
      go();
      await sheet.getByRole("radio", { name: /微辣/ }).check();
      await sheet.getByRole("button", { name: "加入购物车" }).click();
      await page.getByText("红烧牛肉面 已加入购物车").waitFor();
      await button(page, "去结算").click();
      await page.getByRole("heading", { name: "确认订单" }).waitFor();
      expect(await page.locator(".toasts p").count()).toBe(0);
    },
  );

  real("speaks the other language after one tap, and goes on doing so", async () => {
    const page = await openMenu();
    await button(page, "Switch to English").click();
    await page.getByRole("heading", { name: "Noodle house" }).waitFor();
    await page.reload();
    await button(page, "Choose Braised beef noodles").waitFor();
    await expect(page.evaluate("document.documentElement.lang")).resolves.toBe("en-GB");
    const other = await openMenu("", { ...phone, language: "en" });
    await button(other, "切换到中文").click();
    await button(other, "选规格 红烧牛肉面").waitFor();
  });

  real("is used with the keyboard alone", async () => {
    const page = await openMenu("", { width: 390, height: 844 });
    /** Tab until this has the focus; each stop is seen to be one. */
    async function tabTo(name: string): Promise<void> {
      for (let stops = 0; stops < 60; stops++) {
        await page.keyboard.press("Tab");
        const here = await page.evaluate(focused);
        if (here.includes(name)) return;
      }
      throw new Error(`"${name}" is not reached with Tab`);
    }
    await tabTo("选规格 红烧牛肉面");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    // The focus is back where it was.
    await page.waitForFunction(() => document.activeElement.getAttribute("aria-label") === "选规格 红烧牛肉面");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await tabTo("微辣");
    await page.keyboard.press("Space");
    await tabTo("加入购物车");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await tabTo("去结算");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "确认订单" }).waitFor();
    await tabTo("提交订单 ¥29");
    await page.keyboard.press("Enter");
    await orderOf(page);
  });

  real("fits 320 px, and 390 px with text twice as large, in both schemes, and axe finds nothing serious", async () => {
    const page = await openMenu("", { width: 320, height: 640, language: "en" });
    const wrong: string[] = [];
    const overflow = async (what: string) => {
      const over = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      if (Number(over) > 0) wrong.push(`${what} is ${over} px too wide`);
    };
    async function look(what: string): Promise<void> {
      await overflow(what);
      wrong.push(...(await barriers(page)).map((one) => `${what}: ${one}`));
      await page.emulateMedia({ colorScheme: "dark" });
      wrong.push(...(await barriers(page, { runOnly: ["color-contrast"] })).map((one) => `${what}, dark: ${one}`));
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize({ width: 390, height: 640 });
      await setTextSize(page, 200);
      await overflow(`${what} in large text`);
      const small = await page.evaluate<string[]>(`[...document.querySelectorAll("button, a, .chip, .service")]
        .filter((one) => one.checkVisibility() && !one.matches(".name, .plainly") && one.getBoundingClientRect().height < 70)
        .map((one) => one.outerHTML.slice(0, 80))`);
      wrong.push(...small.map((one) => `${what} in large text: small ${one}`));
      await setTextSize(page, 100);
      await page.setViewportSize({ width: 320, height: 640 });
    }
    await button(page, "One more: Jasmine tea").click();
    await button(page, "One more: 肉包").click();
    await kitchen.http("PUT", `/shops/${house.shop}/dishes/bun/sold_out`, { body: { soldOut: true } });
    await page.locator(".dish.over").waitFor();
    await look("menu");
    await button(page, "Choose Braised beef noodles").click();
    await page.getByRole("radio", { name: "mild" }).check();
    await look("sheet");
    await page.getByRole("dialog").getByRole("button", { name: "Add to cart" }).click();
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await button(page, "Cart").click();
    await page.getByRole("dialog").getByText("Sold out").waitFor();
    await look("cart");
    await page.getByRole("dialog").getByRole("button", { name: "Update cart" }).click();
    await kitchen.http("PUT", `/shops/${house.shop}/dishes/bun/sold_out`, { body: { soldOut: false } });
    await page.getByRole("dialog").getByRole("button", { name: "Check out" }).click();
    await page.getByRole("radio", { name: "Delivery" }).check();
    await button(page, "Place order").click();
    await page.getByText("Please tell us a name").waitFor();
    await look("checkout");
    await page.getByRole("radio", { name: "Pick up" }).check();
    await button(page, "Place order").click();
    await orderOf(page);
    await page.locator(".number").waitFor();
    await look("order");
    await page.goto(`${house.url}/?shop=${house.shop}#orders`);
    await page.locator(".orders li").waitFor();
    await look("orders");
    await page.goto(`${house.url}/?shop=${house.shop}#account`);
    await button(page, "Sign out").waitFor();
    await look("account");
    await kitchen.http("PUT", `/shops/${house.shop}/open`, { body: { open: false } });
    await page.goto(`${house.url}/?shop=${house.shop}`);
    await page.getByText("We are closed").waitFor();
    await look("closed shop");
    expect(wrong).toEqual([]);
  });

  real("loads whole although a part of it was lost on the way, with the cart as it was", async () => {
    for (const part of ["words.zh", "rest"]) {
      const page = await openMenu();
      await page.clock.install();
      await tea(page).click();
      let lost = 0;
      const lose = (route: Route) => {
        lost += 1;
        return route.abort();
      };
      await page.route(`**/assets/${part}-*.js`, lose, { times: 1 });
      // Not a reload: that is what the page does itself.
      await page.goto("about:blank");
      await page.goto(`${house.url}/?shop=${house.shop}`);
      // It asks again after two seconds.
      await passUntil(page, button(page, "去结算"), 2_000);
      await button(page, "去结算").click();
      await passUntil(page, page.getByRole("heading", { name: "确认订单" }), 2_000);
      expect([part, lost]).toEqual([part, 1]);
      await page.close();
    }
  });

  real("shows the first dish without a session", async () => {
    const page = await newPage();
    const asked: string[] = [];
    page.on("request", (request) => {
      const { pathname } = new URL(request.url());
      if (!pathname.startsWith("/assets/")) asked.push(pathname);
    });
    await page.route("**/login/guest", () => {});
    await page.goto(`${house.url}/?shop=${house.shop}`);
    await tea(page).waitFor();
    expect(asked.slice(0, 2)).toEqual(["/", "/get_shop_info"]);
  });

  it("is within its size limit", () => expect(pageSize().firstBytes).toBeLessThanOrEqual(maxFirstBytes));
});

// --- The cart's own rules, held against the server's ---------------------------------------------------------------

const shopMenu = {
  id: "noodle-house",
  version: 1,
  settings: testSettings(),
  tables: new Map([["t5", "5"]]),
  dishes: new Map(testMenu.dishes.map((dish) => [dish.id, dish])),
} as unknown as Parameters<typeof priceOf>[1];
const seen = {
  version: 1,
  categories: [],
  dishes: testMenu.dishes.filter(({ available }) => available),
} as unknown as Parameters<typeof totalOf>[1];
const terms = { feeFen: 500, minimumFen: 2_000, freeFromFen: 10_000 };

const beef = fc
  .record({
    spice: fc.constantFrom("mild", "hot"),
    extra: fc.subarray(["egg", "tofu"]),
  })
  .map(({ spice, extra }) => [
    { option: "spice", choices: [spice] },
    ...(extra.length === 0 ? [] : [{ option: "extra", choices: extra }]),
  ]);
const line: fc.Arbitrary<CartLine> = fc
  .oneof(
    beef.map((options) => ({ dish: "beef", options })),
    fc.constantFrom("bun", "tea").map((dish) => ({ dish, options: [] })),
  )
  .chain((chosen) => fc.integer({ min: 1, max: 9 }).map((quantity) => ({ ...chosen, quantity, note: "", seenFen: 0 })));

describe("the cart", () => {
  it("computes what the server computes", () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 6 }),
        fc.constantFrom("table", "pickup", "delivery"),
        (lines, service) => {
          const mine = totalOf(lines, seen, service, terms);
          const asked = { shop: "noodle-house", lines: billLines(lines), service, note: "" } as unknown as Bill;
          if (service === "table") asked.table = "t5";
          for (const one of asked.lines) one.options ??= [];
          let server: ReturnType<typeof priceOf>;
          try {
            server = priceOf(asked, shopMenu);
          } catch (error) {
            expect((error as AppError).code).toBe("BELOW_MINIMUM");
            expect(mine.missingFen).toBeGreaterThan(0);
            return;
          }
          expect(mine).toEqual({
            itemsFen: server.itemsFen,
            packingFen: server.packingFen,
            deliveryFen: server.deliveryFen,
            totalFen: server.totalFen,
            missingFen: 0,
          });
        },
      ),
      { numRuns: 300 },
    );
  });

  it("shows lines that come to the total that it shows, whatever of them cannot be had", () => {
    fc.assert(
      fc.property(
        fc.array(line, { minLength: 1, maxLength: 6 }),
        fc.subarray(["beef", "bun", "tea"]),
        fc.subarray(["beef", "bun", "tea"]),
        fc.constantFrom("table" as const, "pickup" as const, "delivery" as const),
        (lines, soldOut, gone, service) => {
          const menu = { ...seen, dishes: seen.dishes.filter(({ id }) => !gone.includes(id)) };
          const info = { menu, soldOut } as unknown as Parameters<typeof troubles>[1];
          const found = troubles(lines, info, new Map());
          const shown = lines.map((one, at) => shownFen(one, menu, found[at]));
          const total = totalOf(
            lines.filter((_, at) => isOrderable(found[at])),
            menu,
            service,
            terms,
          );
          const sum = shown.reduce<number>((all, fen) => all + (fen ?? 0), 0);
          expect(sum + total.packingFen + total.deliveryFen).toBe(total.totalFen);
          expect(shown.map((fen) => fen !== undefined)).toEqual(
            lines.map(({ dish }) => !soldOut.includes(dish) && !gone.includes(dish)),
          );
        },
      ),
    );
  });

  it("refuses the choices that the server refuses", () => {
    const choices = fc.subarray(["mild", "hot", "boiling"]);
    fc.assert(
      fc.property(choices, fc.subarray(["egg", "tofu", "gold"]), (spice, extra) => {
        const options = [
          { option: "spice", choices: spice },
          { option: "extra", choices: extra },
        ];
        const dish = seen.dishes.find(({ id }) => id === "beef");
        if (dish === undefined) throw new Error("there is no beef");
        const bill = {
          shop: "noodle-house",
          lines: [{ dish: "beef", quantity: 1, options, note: "" }],
          service: "pickup",
          note: "",
        } as unknown as Bill;
        let server: number | undefined;
        try {
          server = priceOf(bill, shopMenu).itemsFen;
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
        }
        expect(unitFen(dish, options)).toBe(server);
      }),
    );
  });

  it("has no problems after correction, and keeps what was valid", () => {
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 6 }),
        fc.subarray(["beef", "bun", "tea"]),
        fc.option(fc.integer({ min: 0, max: 5 }), { nil: undefined }),
        (lines, soldOut, few) => {
          const info = { menu: seen, soldOut } as unknown as Parameters<typeof troubles>[1];
          const left = new Map(few === undefined ? [] : [["bun", few]]);
          const cart: Cart = { lines, note: "" };
          const mended = fixCart(cart, info, left);
          expect(troubles(mended.lines, info, left).filter(Boolean)).toEqual([]);
          const kept = lines.filter(({ dish }) => !soldOut.includes(dish) && dish !== "bun");
          expect(mended.lines.filter(({ dish }) => dish !== "bun").map(({ dish }) => dish)).toEqual(
            kept.map(({ dish }) => dish),
          );
        },
      ),
    );
  });
});
