/**
 * The whole mini-program in a real Chromium, by glass-easel, against the real gateway: a table's code, a dish, an order, the
 * kitchen, the background. The fake wx records every call that a phone would have refused.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axios from "axios";
import { type StandIn, startWechat } from "../../demo/wechat.ts";
import { config } from "../../miniprogram/config.ts";
import { addWechatApp } from "../../shared/sessions/wechat_apps.ts";
import { editMenu } from "../../shared/shop/edit_menu.ts";
import { makeWechat } from "../../shared/wechat.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse, type Person, type TestSocket, testMenu } from "../_house.ts";
import { hasBrowser, type OpenBrowser, openBrowser, type Page } from "../web/_browser.ts";

const app = { appid: "wx1111222233334444", secret: "c0ffee-secret-of-one", name: "one" };
const suite = hasBrowser() ? describe : describe.skip;
/** A busy machine takes its time; what never comes fails by this. */
const timeoutMs = 30_000;

suite("the mini-program on a phone", () => {
  let house: House;
  let standIn: StandIn;
  let chromium: OpenBrowser;
  let folder: string;
  let kitchen: Person;
  let screen: TestSocket;
  let phone: Page;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "orderbell-phone-"));
    standIn = await startWechat({ apps: [app] });
    const types: Record<string, string> = { "/phone.html": "text/html", "/phone.js": "text/javascript" };
    house = await openHouse(anyEngine, {
      pictures: join(folder, "pictures"),
      wechat: makeWechat(axios.create({ baseURL: standIn.url, timeout: 10_000 })),
      files(request, response, otherwise) {
        const { pathname } = new URL(request.url ?? "/", "http://phone");
        const type = types[pathname];
        if (type === undefined) return otherwise();
        response.writeHead(200, { "content-type": type });
        response.end(readFileSync(join(folder, pathname)));
      },
    });
    const script = join(__dirname, "_build_phone.ts");
    const built = spawnSync(process.execPath, ["--import", "tsx", script, folder, house.shop], {
      encoding: "utf8",
      env: { ...process.env, NODE_OPTIONS: "" },
      cwd: join(__dirname, "../.."),
    });
    if (built.status !== 0) throw new Error(`the phone was not built: ${built.stderr}`);
    await addWechatApp(house.app, app);
    const [there, lost] = ["AAAAAAAAAAAAAAAAAAAAAA", "BBBBBBBBBBBBBBBBBBBBBB"].map((id) => `${house.shop}/${id}.webp`);
    mkdirSync(join(folder, "pictures", house.shop), { recursive: true });
    cpSync(join(__dirname, "../../demo/pictures/lanzhou-noodles/apricot.webp"), join(folder, "pictures", there ?? ""));
    const pictures: Record<string, string> = { beef: `/pictures/${there}`, tea: `/pictures/${lost}` };
    const dishes = testMenu.dishes.map((dish) => {
      const picture = pictures[dish.id];
      return picture === undefined ? dish : { ...dish, picture };
    });
    await editMenu(house.app, {
      actor: null,
      shop: house.shop,
      action: "menu.import",
      edit: () => ({ menu: { ...testMenu, dishes } }),
    });
    kitchen = await house.staff("kitchen");
    screen = await kitchen.connect();
    await screen.resume({ stream: `shop:${house.shop}` });
    chromium = await openBrowser();
  });
  afterAll(async () => {
    await chromium?.close();
    screen?.close();
    await house?.close();
    await standIn?.close();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** Starts the app as WeChat does after a table's code was scanned. Without `scene`: from the list of mini-programs. */
  async function start(more: Record<string, string> = {}): Promise<void> {
    const query = new URLSearchParams(more);
    for (let nth = 0; nth < 5; nth++) query.append("code", standIn.newCode("o-customer"));
    await phone.goto(`${house.url}/phone.html?${query}`);
  }
  /** Waits for it, and says what there was instead. */
  async function see(selector: string, text?: string | RegExp): Promise<void> {
    const there = phone.locator(`.wx-page:not([hidden]) ${selector}`, text === undefined ? {} : { hasText: text });
    try {
      await there.first().waitFor({ timeout: timeoutMs });
    } catch {
      const page = await phone.locator(".wx-page:not([hidden])").innerText();
      throw new Error(
        `no ${selector} ${text ?? ""} in: ${page.slice(0, 1_000)}; ${JSON.stringify(await complaints())}`,
      );
    }
  }
  const on = (selector: string, nth = 0) => phone.locator(`.wx-page:not([hidden]) ${selector}`).nth(nth);
  const tab = (nth: number) => phone.locator(".wx-tab").nth(nth).tap();
  const shot = async (name: string) => {
    const shots = process.env.ORDERBELL_SHOTS;
    if (shots !== undefined) await phone.screenshot({ path: join(shots, `${name}.png`) });
  };
  const step = async (id: string, action: string) => {
    expect((await kitchen.http("POST", `/orders/${id}/${action}`)).status).toBe(200);
  };
  const placed = async () => (await kitchen.http("GET", `/shops/${house.shop}/orders`)).body.orders;
  /** What WeChat, or the script itself, would have complained of. */
  const complaints = () => phone.evaluate("[...window.phone.faults, ...window.phone.errors]");

  test("scan → choose → order → accepted → away → ready", async () => {
    phone = await chromium.newPage({ width: 390, height: 844, touch: true });
    // A picture needs no place among the console's domains: it comes from where its address says.
    await phone.route(`${config.url}/**`, async (route) =>
      route.fulfill({ response: await route.fetch({ url: route.request().url().replace(config.url, house.url) }) }),
    );
    await start({ scene: house.table, suspendMs: "3000" });
    await see(".menu-open", "营业中");
    await see(".menu-table", "5 号桌");
    // One dish has its picture, one has lost it, and one never had any.
    const loaded = `[...document.querySelectorAll("img.dish-picture")].filter((one) => one.complete && one.naturalWidth > 0).length`;
    await phone.waitForFunction(`${loaded} === 1 && document.querySelectorAll(".dish-letter").length === 2`);
    await shot("menu");

    // A table's guest chooses by the rules.
    await on(".dish-choose").tap();
    await see(".sheet-name", "红烧牛肉面");
    await on(".sheet-add").tap();
    await see(".sheet-told", "请选择：辣度");
    await on(".choice", 1).tap();
    await on(".choice", 2).tap();
    await on(".sheet-options .field").fill("不要香菜");
    await see(".sheet-total", "¥32.00");
    await shot("sheet");
    await on(".sheet-add").tap();
    await see(".menu-cart-total", "¥32.00");
    await on(".stepper-more").tap();
    await see(".menu-cart-total", "¥37.00");

    // The kitchen runs out of buns while the page is open; the cart says so, and one tap mends it.
    expect(
      (await kitchen.http("PUT", `/shops/${house.shop}/dishes/bun/sold_out`, { body: { soldOut: true } })).status,
    ).toBe(200);
    await see(".dish-sold-out", "今日售罄");
    await on(".menu-check-out").tap();
    await see(".cart-line-trouble", "已售罄");
    await shot("cart-troubles");
    await on(".cart-mend").tap();
    await see(".cart-total", "¥32.00");
    await shot("cart");

    // Twice, faster than the page is drawn.
    await phone.evaluate(`
      const target = document.querySelector(".cart-submit");
      const at = new Touch({ identifier: 1, target, clientX: 1, clientY: 1 });
      for (let taps = 0; taps < 2; taps++) {
        target.dispatchEvent(new TouchEvent("touchstart", { bubbles: true, touches: [at], changedTouches: [at] }));
        target.dispatchEvent(new TouchEvent("touchend", { bubbles: true, touches: [], changedTouches: [at] }));
      }
    `);
    await see(".order-number", /^[A-Z]\d{3}$/);
    await see(".order-state", "等待接单");
    const [order, ...others] = await placed();
    expect(others).toEqual([]);
    expect(order).toMatchObject({ service: "table", table: "5", totalFen: 3_200 });
    expect(order.lines).toMatchObject([{ dish: "beef", quantity: 1, note: "不要香菜" }]);
    await shot("order-placed");

    await step(order.id, "accept");
    await see(".order-state", "已接单");

    // Away: the socket is closed before WeChat does it. What happened meanwhile is there on coming back.
    await phone.evaluate("window.phone.hide()");
    await phone.waitForFunction("window.phone.sockets() === 0", undefined, { timeout: timeoutMs });
    await phone.waitForFunction("window.phone.cut()", undefined, { timeout: timeoutMs });
    await step(order.id, "cook");
    await step(order.id, "ready");
    await phone.evaluate("window.phone.show()");
    await see(".order-state", "已做好，马上端来");
    await shot("order-ready");
    expect(await phone.evaluate("window.phone.sockets()")).toBe(1);
    expect(await phone.evaluate("window.phone.most()")).toBeLessThanOrEqual(10);
    expect(await complaints()).toEqual([]);
  });

  test("an order whose answer was lost, in an app that was closed, is one order and is shown at the next start", async () => {
    const before = (await placed()).length;
    await start();
    await see(".menu-open", "营业中");
    await on(".dish-choose").tap();
    await on(".choice", 0).tap();
    await on(".sheet-add").tap();
    await on(".menu-check-out").tap();
    await see(".cart-total", "¥29.00");
    // It arrives, and the answer is lost; a second try has none either, until the app is closed.
    let tries = 0;
    let arrived = () => {};
    const stored = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    await phone.route("**/bill", async (route) => {
      tries += 1;
      if (tries === 1) await route.fetch();
      await route.abort();
      arrived();
    });
    await on(".cart-submit").tap();
    await see(".cart-submit", "正在提交…");
    await stored;
    await phone.goto("about:blank");
    await phone.unroute("**/bill");
    await start();
    await phone.locator(".wx-toast", { hasText: "下单成功" }).waitFor({ timeout: timeoutMs });
    await see(".menu-cart-count", "购物车是空的");
    expect((await placed()).length).toBe(before + 1);
    await see(".menu-current", /[A-Z]\d{3}/);
    expect(await complaints()).toEqual([]);
  });

  test("my orders, cancel, order again, a closed shop", async () => {
    await tab(1);
    await see(".order-card-state", "等待接单");
    await shot("orders");
    await on(".order-card").tap();
    await on(".order-cancel").tap();
    await phone.locator(".wx-modal-button").nth(1).tap();
    await see(".order-state", "已取消");
    await on(".order-again").tap();
    await see(".cart-line-name", "红烧牛肉面");
    const owner = await house.staff("owner");
    expect((await owner.http("PUT", `/shops/${house.shop}/open`, { body: { open: false } })).status).toBe(200);
    await see(".cart-closed", "本店已打烊");
    await shot("cart-closed");
    expect(await on(".cart-submit").getAttribute("disabled")).not.toBeNull();
    expect((await owner.http("PUT", `/shops/${house.shop}/open`, { body: { open: true } })).status).toBe(200);
    await phone.locator(".wx-page:not([hidden]) .cart-closed").waitFor({ state: "detached", timeout: timeoutMs });

    // A delivery, with an address typed by hand.
    await on(".cart-service", 1).tap();
    for (const [nth, text] of ["王小明", "13900001234", "测试路 1 号"].entries())
      await on(".card .cart-field", nth).fill(text);
    await shot("cart-delivery");
    await on(".cart-submit").tap();
    await see(".order-state", "等待接单");
    const delivered = (await placed()).find(({ service }: { service: string }) => service === "delivery");
    await see(".order-to", "测试路 1 号");
    expect(delivered.delivery).toEqual({ name: "王小明", phone: "13900001234", address: "测试路 1 号" });
    expect(await complaints()).toEqual([]);
  });

  test("the account shows the session, signs out and in, and speaks English", async () => {
    await start();
    await see(".menu-open", "营业中");
    await tab(2);
    await see(".account-user", /微信用户 \w{6}/);
    await see(".account-until", /^\d{4}-\d\d-\d\d \d\d:\d\d$/);
    await see(".account-state", "实时");
    await shot("account");
    await on(".account-sign-out").tap();
    await see(".account-out", "未登录");
    await tab(1);
    await see(".empty-title", "未登录");
    await tab(2);
    await on(".account-sign-in").tap();
    await see(".account-user", /微信用户 \w{6}/);
    await on(".account-language", 1).tap();
    await see(".account-sign-out", "Sign out");
    await tab(0);
    await see(".menu-open", "Open");
    await see(".dish-name", "Braised beef noodles");
    await shot("menu-en");
    await tab(1);
    await see(".order-card-state", "Cancelled");
    await shot("orders-en");
    expect(await complaints()).toEqual([]);
  });
});
