/** The pickup board in a real browser: numbers, what is new, and nothing private. */
import type { OrderView } from "../../shared/protocol.ts";
import { engines } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";
import { barriers } from "./_axe.ts";
import { type OpenBrowser, openBrowser, type Page } from "./_browser.ts";
import { type BuiltPages, buildPages } from "./_pages.ts";

const engine = engines.find(({ name }) => name === "pglite") as (typeof engines)[number];
const patience = { timeout: 30_000 };

let pages: BuiltPages;
let browser: OpenBrowser;
let house: House;
let staff: Person;
let customer: Person;
let page: Page;

beforeAll(async () => {
  pages = buildPages("board");
  [browser, house] = await Promise.all([openBrowser(), openHouse(engine, { files: pages.files, mayFail: true })]);
  [staff, customer] = [await house.staff("cashier"), await house.guest()];
});
afterAll(async () => {
  await browser?.close();
  await house?.close();
  pages?.remove();
});
beforeEach(async () => {
  page = await browser.newPage({ width: 1180, height: 820 });
  await page.goto(`${house.url}/board?shop=${house.shop}`);
  await page.getByRole("heading", { name: "面馆" }).waitFor(patience);
});
afterEach(async () => {
  await page.close();
  const { orders } = (await staff.http("GET", `/shops/${house.shop}/orders`)).body;
  for (const { id, status } of orders as OrderView[])
    await staff.http("POST", `/orders/${id}/${status === "placed" ? "reject" : "cancel"}`, {
      body: { reason: "over" },
    });
});

async function order(bill: object = {}): Promise<OrderView> {
  const answer = await customer.order(bill);
  expect(answer.status).toBe(201);
  return answer.body.order;
}

const step = async ({ id }: OrderView, action: string) =>
  expect((await staff.http("POST", `/orders/${id}/${action}`, { body: {} })).status).toBe(200);

const preparing = () => page.getByRole("region", { name: /制作中/ });
const ready = () => page.getByRole("region", { name: /请取餐/ });

it("shows a number as being made, then as ready, new and with a chime, until it is fetched", async () => {
  const placed = await order();
  const other = await order();
  await step(other, "accept");
  await preparing().getByText(other.number).waitFor(patience);
  // What nobody has accepted is nobody's yet.
  expect(await page.getByText(placed.number).count()).toBe(0);

  await step(other, "ready");
  await ready().locator('[data-fresh="true"]').getByText(other.number).waitFor(patience);
  await page.locator('.board[data-chimes="1"]').waitFor();
  await page.getByText(`${other.number} 号请取餐`).waitFor({ state: "attached" });
  expect(await preparing().getByText(other.number).count()).toBe(0);

  await step(other, "complete");
  await page.getByText(other.number, { exact: true }).waitFor({ state: "detached", ...patience });
});

it("takes what was ready before it looked for no news", async () => {
  const placed = await order();
  await step(placed, "accept");
  await step(placed, "ready");
  await ready().getByText(placed.number).waitFor(patience);
  await page.reload();
  await ready().locator('[data-fresh="false"]').getByText(placed.number).waitFor(patience);
  expect(await page.locator(".board").getAttribute("data-chimes")).toBe("0");
});

it("shows nothing private, and is sent nothing private", async () => {
  const heard: string[] = [];
  page.on("response", async (response) => heard.push(await response.text().catch(() => "")));
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => heard.push(String(payload))));
  await page.reload();
  await page.getByRole("heading", { name: "面馆" }).waitFor(patience);
  const delivery = { name: "王小明", phone: "13900001234", address: "测试路 1 号" };
  const placed = await order({ service: "delivery", delivery, note: "不要葱" });
  await step(placed, "accept");
  await preparing().getByText(placed.number).waitFor(patience);
  const seen = await page.locator("body").innerText();
  expect(heard.join("\n")).toContain(placed.number);
  for (const secret of [...Object.values(delivery), "不要葱", placed.id, "红烧牛肉面"])
    expect(seen).not.toContain(secret);
  // The menu is public and names dishes; the order's own words are not.
  for (const secret of [...Object.values(delivery), "不要葱", placed.id])
    expect(heard.join("\n")).not.toContain(secret);
});

it("says that its numbers are old when the connection is lost, and goes on by itself", async () => {
  const placed = await order();
  await step(placed, "accept");
  await preparing().getByText(placed.number).waitFor(patience);
  await house.stop();
  await page.getByRole("alert").getByText("连接断开").waitFor({ timeout: 60_000 });
  await house.restart();
  await step(placed, "ready");
  await ready().getByText(placed.number).waitFor({ timeout: 60_000 });
  await page.getByRole("alert").getByText("连接断开").waitFor({ state: "detached", timeout: 60_000 });
}, 150_000);

it("says when the shop is closed, and speaks the other language", async () => {
  const owner = await house.staff("owner");
  await owner.http("PUT", `/shops/${house.shop}/open`, { body: { open: false } });
  await page.getByText("已打烊").waitFor(patience);
  await owner.http("PUT", `/shops/${house.shop}/open`, { body: { open: true } });
  await page.getByText("已打烊").waitFor({ state: "detached", ...patience });
  await page.getByRole("button", { name: "Switch to English" }).click();
  await page.getByRole("heading", { name: "Noodle house" }).waitFor(patience);
});

it("lets a screen without an address choose its shop, and knows an unknown one", async () => {
  await page.goto(`${house.url}/board`);
  await page.getByRole("link", { name: "面馆" }).click();
  await page.getByRole("heading", { name: "面馆" }).waitFor(patience);
  await page.goto(`${house.url}/board?shop=nowhere`);
  await page.getByText("没有找到这家店").waitFor(patience);
});

it("has nothing serious that axe finds, empty and full", async () => {
  await ready().getByText("做好了会显示在这里").waitFor(patience);
  expect(await barriers(page)).toEqual([]);
  const orders = [await order(), await order()];
  for (const placed of orders) await step(placed, "accept");
  await preparing()
    .getByText((orders[0] as OrderView).number)
    .waitFor(patience);
  await step(orders[1] as OrderView, "ready");
  await ready().locator('[data-fresh="true"]').waitFor(patience);
  expect(await barriers(page)).toEqual([]);
});
