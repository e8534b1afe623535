/** The pickup board in a real browser: numbers, what is new, and nothing private. */
import type { OrderView } from "../../shared/protocol.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";
import { barriers } from "./_axe.ts";
import { type OpenBrowser, openBrowser, type Page, passUntil } from "./_browser.ts";
import { type BuiltPages, buildPages } from "./_pages.ts";
import { saysTheSame, translate } from "./_translator.ts";

const longTimeout = { timeout: 30_000 };

let pages: BuiltPages;
let browser: OpenBrowser;
let house: House;
let staff: Person;
let customer: Person;
let page: Page;

beforeAll(async () => {
  pages = buildPages("board");
  [browser, house] = await Promise.all([openBrowser(), openHouse(anyEngine, { files: pages.files, mayFail: true })]);
  [staff, customer] = [await house.staff("cashier"), await house.guest()];
});
afterAll(async () => {
  await browser?.close();
  await house?.close();
  pages?.remove();
});
beforeEach(async () => {
  page = await browser.newPage({ width: 1180, height: 820 });
  await page.clock.install();
  await page.goto(`${house.url}/board?shop=${house.shop}`);
  await page.getByRole("heading", { name: "面馆" }).waitFor(longTimeout);
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

it("the board shows a number as being made, then as ready, new and with a chime, until it is fetched", async () => {
  const placed = await order();
  const other = await order();
  await step(other, "accept");
  await preparing().getByText(other.number).waitFor(longTimeout);
  // What nobody has accepted is nobody's yet.
  expect(await page.getByText(placed.number).count()).toBe(0);

  await step(other, "ready");
  await ready().locator('[data-fresh="true"]').getByText(other.number).waitFor(longTimeout);
  await page.locator('.board[data-chimes="1"]').waitFor();
  await page.getByText(`${other.number} 号请取餐`).waitFor({ state: "attached" });
  expect(await preparing().getByText(other.number).count()).toBe(0);

  await step(other, "complete");
  await page.getByText(other.number, { exact: true }).waitFor({ state: "detached", ...longTimeout });
});

it("the board takes what was ready before it looked for no news", async () => {
  const placed = await order();
  await step(placed, "accept");
  await step(placed, "ready");
  await ready().getByText(placed.number).waitFor(longTimeout);
  await page.reload();
  await ready().locator('[data-fresh="false"]').getByText(placed.number).waitFor(longTimeout);
  expect(await page.locator(".board").getAttribute("data-chimes")).toBe("0");
});

it("the board calls those who come to fetch, and nobody whose order is brought", async () => {
  const delivery = { name: "王小明", phone: "13900001234", address: "测试路 1 号" };
  const lines = [{ dish: "tea", quantity: 3 }];
  const brought = [
    await order({ lines, service: "table", table: house.table }),
    await order({ lines, service: "delivery", delivery }),
  ];
  const fetched = await order({ lines });
  for (const placed of [...brought, fetched]) {
    await step(placed, "accept");
    await step(placed, "ready");
  }
  await ready().getByText(fetched.number).waitFor(longTimeout);
  for (const { number } of brought) expect(await page.getByText(number, { exact: true }).count()).toBe(0);
  const { board } = (await house.http("GET", `/shops/${house.shop}/board`)).body;
  expect(board).toEqual({ preparing: [], ready: [fetched.number] });
});

it("the board shows nothing private, and is sent nothing private", async () => {
  const heard: string[] = [];
  page.on("response", async (response) => heard.push(await response.text().catch(() => "")));
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => heard.push(String(payload))));
  await page.reload();
  await page.getByRole("heading", { name: "面馆" }).waitFor(longTimeout);
  const delivery = { name: "王小明", phone: "13900001234", address: "测试路 1 号" };
  const brought = await order({ service: "delivery", delivery, note: "不要葱" });
  const placed = await order({ note: "不要葱" });
  for (const one of [brought, placed]) await step(one, "accept");
  await preparing().getByText(placed.number).waitFor(longTimeout);
  const seen = await page.locator("body").innerText();
  expect(heard.join("\n")).toContain(placed.number);
  for (const secret of [...Object.values(delivery), "不要葱", placed.id, brought.id, "红烧牛肉面"])
    expect(seen).not.toContain(secret);
  // The menu is public and names dishes; the order's own words are not.
  for (const secret of [...Object.values(delivery), "不要葱", placed.id, brought.id])
    expect(heard.join("\n")).not.toContain(secret);
});

it("the board says that its numbers are old when the connection is lost, and recovers", async () => {
  const placed = await order();
  await step(placed, "accept");
  await preparing().getByText(placed.number).waitFor(longTimeout);
  await house.stop();
  await passUntil(page, page.getByRole("alert").getByText("连接断开"));
  await house.restart();
  await step(placed, "ready");
  await passUntil(page, ready().getByText(placed.number));
  await page.getByRole("alert").getByText("连接断开").waitFor({ state: "detached", timeout: 60_000 });
}, 150_000);

it("the board shows the truth while the browser translates it", async () => {
  const twin = await page.context().newPage();
  await twin.goto(page.url());
  await translate(page);
  const [one, two] = [await order(), await order()];
  for (const [placed, action] of [
    [one, "accept"],
    [two, "accept"],
    [one, "ready"],
    [two, "ready"],
    [one, "complete"],
  ] as const) {
    await step(placed, action);
    await saysTheSame(page, twin, "main");
  }
  await ready().getByText(two.number).first().waitFor(longTimeout);
});

it("the board says when the shop is closed, and speaks the other language", async () => {
  const owner = await house.staff("owner");
  await owner.http("PUT", `/shops/${house.shop}/open`, { body: { open: false } });
  await page.getByText("已打烊").waitFor(longTimeout);
  await owner.http("PUT", `/shops/${house.shop}/open`, { body: { open: true } });
  await page.getByText("已打烊").waitFor({ state: "detached", ...longTimeout });
  await page.getByRole("button", { name: "Switch to English" }).click();
  await page.getByRole("heading", { name: "Noodle house" }).waitFor(longTimeout);
});

it("the board lets a screen without an address choose its shop, and knows an unknown one", async () => {
  await page.goto(`${house.url}/board`);
  await page.getByRole("link", { name: "面馆" }).click();
  await page.getByRole("heading", { name: "面馆" }).waitFor(longTimeout);
  await page.goto(`${house.url}/board?shop=nowhere`);
  await page.getByText("没有找到这家店").waitFor(longTimeout);
});

it("the board has nothing serious that axe finds, empty and full", async () => {
  await ready().getByText("做好了会显示在这里").waitFor(longTimeout);
  expect(await barriers(page)).toEqual([]);
  const orders = [await order(), await order()];
  for (const placed of orders) await step(placed, "accept");
  await preparing()
    .getByText((orders[0] as OrderView).number)
    .waitFor(longTimeout);
  await step(orders[1] as OrderView, "ready");
  await ready().locator('[data-fresh="true"]').waitFor(longTimeout);
  expect(await barriers(page)).toEqual([]);
});
