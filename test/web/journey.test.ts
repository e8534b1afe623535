/**
 * The whole journey in two browsers at once, phone and tablet: open the shop, choose, order, ring, accept, ready. Over plain http
 * from a host that is not this machine's own name, so without a secure context, as in a shop's Wi-Fi.
 */
import { newPairingCode } from "../../shared/sessions/login.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { hasBrowser, type OpenBrowser, openBrowser, type Page } from "./_browser.ts";
import { type BuiltPages, buildPages } from "./_pages.ts";

const real = hasBrowser() ? it : it.skip;

let pages: BuiltPages;
let house: House;
let opened: OpenBrowser[] = [];
let phone: Page;
let tablet: Page;
let origin: string;

beforeAll(async () => {
  if (!hasBrowser()) return;
  pages = buildPages("index", "kitchen");
  house = await openHouse(anyEngine, { files: pages.files, mayFail: true });
  origin = house.url.replace("127.0.0.1", "shop.test");
  opened = await Promise.all([openBrowser(), openBrowser()]);
  const [left, right] = opened as [OpenBrowser, OpenBrowser];
  phone = await left.newPage({ width: 390, height: 844, touch: true });
  tablet = await right.newPage({ width: 1180, height: 820 });
});

afterAll(async () => {
  await Promise.all(opened.map((browser) => browser.close()));
  await house?.close();
  pages?.remove();
});

const onPhone = (name: string | RegExp) => phone.getByRole("button", { name }).filter({ visible: true });
const ticket = (number: string) => tablet.getByRole("article").filter({ hasText: number });
const bell = (state: string) => tablet.locator(`[data-bell="${state}"]`).waitFor();

/** From the menu to the order's page. @returns its number */
async function order(): Promise<string> {
  const menu = `${origin}/?shop=${house.shop}&table=${house.table}`;
  // A page that shows an order is left, not loaded anew: that would show the order again, in case it was not seen.
  await (phone.url().startsWith(menu) ? phone.evaluate(`location.hash = ""`) : phone.goto(menu));
  await onPhone("加一份 茉莉花茶").click();
  await onPhone("去结算").click();
  await onPhone(/^提交订单/).click();
  const number = phone.locator(".number");
  await number.waitFor();
  return (await number.innerText()).trim();
}

async function step(number: string, button: string | RegExp, said: string): Promise<void> {
  await ticket(number).getByRole("button", { name: button }).first().click();
  await phone.locator(".status", { hasText: said }).waitFor({ timeout: 60_000 });
}

real("an order rings at the tablet and is followed on the phone", async () => {
  const { code } = await newPairingCode(house.app, { shop: house.shop, role: "kitchen", device: "平板", by: null });
  await tablet.goto(`${origin}/kitchen#pair=${code}`);
  expect(await tablet.evaluate("isSecureContext")).toBe(false);
  await tablet.getByRole("button", { name: "开始值班" }).first().click();
  await tablet.locator('[data-line="live"]').waitFor();

  const number = await order();
  expect(number).toBe("A001");
  await ticket(number).waitFor();
  await bell("ringing");
  await step(number, /接单/, "已接单");
  await bell("quiet");
  await step(number, /开始做/, "制作中");
  await step(number, /做好了/, "已做好");
});

real("an order is followed on after the gateway went away and came back", async () => {
  const number = await order();
  await ticket(number).waitFor();
  await house.restart();
  // A tap into the dead line is refused plainly, and the order stays; one taps again.
  const accepted = phone.locator(".status", { hasText: "已接单" });
  const refused = tablet.getByText(/现在没有连接，这一步没有执行|没有发出去/);
  for (;;) {
    await ticket(number).getByRole("button", { name: /接单/ }).click();
    await Promise.any([accepted.waitFor(), refused.waitFor()]);
    if (!(await refused.isVisible())) break;
    await tablet.getByRole("button", { name: "关闭" }).click();
  }
  await accepted.waitFor({ timeout: 60_000 });
  // An order of the time after it rings as well.
  const next = await order();
  expect(next).not.toBe(number);
  await ticket(next).waitFor();
  await bell("ringing");
});
