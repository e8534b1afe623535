/** The kitchen's page in a real browser, against a whole orderbell: pairing, the shop, the bell, the connection, the device. */
import type { OrderView } from "../../shared/protocol.ts";
import { barriers } from "./_axe.ts";
import type { Page } from "./_browser.ts";
import {
  browser,
  codeFor,
  customer,
  house,
  is,
  order,
  owner,
  pair,
  patience,
  statusOf,
  tablet,
  tablets,
  ticket,
  until,
} from "./_kitchen.ts";

it("is paired by a link whose code leaves the address bar, works once, and can be typed", async () => {
  const [page, second] = [await browser.newPage(tablet), await browser.newPage(tablet)];
  const code = await codeFor();
  await page.goto(`${house.url}/kitchen#pair=${code}`);
  await is(page, "line", "live");
  expect(page.url()).toBe(`${house.url}/kitchen`);
  await page.reload();
  await is(page, "line", "live");

  await second.goto(`${house.url}/kitchen#pair=${code}`);
  await second.getByRole("alert").getByText("配对码不对").waitFor();
  expect(second.url()).toBe(`${house.url}/kitchen`);
  await second.getByLabel("配对码").fill((await codeFor()).toLowerCase());
  await second.keyboard.press("Enter");
  await is(second, "line", "live");
  await Promise.all([page.close(), second.close()]);
});

it("goes back to pairing when the device is revoked", async () => {
  const page = await browser.newPage(tablet);
  await page.goto(`${house.url}/kitchen#pair=${await codeFor("kitchen", "旧平板")}`);
  await is(page, "line", "live");
  const { devices } = (await owner.http("GET", `/shops/${house.shop}/devices`)).body;
  const old = devices.find(({ device }: { device: string }) => device === "旧平板");
  await owner.http("DELETE", `/shops/${house.shop}/devices/${old.id}`);
  await page.getByText("这台设备已和门店断开").waitFor(patience);
  await page.close();
});

it("opens and closes the shop, and asks before it closes", async () => {
  const [page, other] = [await pair(), await pair()];
  const shopSwitch = page.getByRole("switch");
  await shopSwitch.click();
  await page.getByRole("dialog", { name: "现在打烊吗？" }).getByRole("button", { name: "打烊", exact: true }).click();
  await other.locator('.shop-switch[aria-checked="false"]').waitFor();
  expect((await customer.order()).body.code).toBe("SHOP_CLOSED");
  await other.getByRole("switch").click();
  await page.locator('.shop-switch[aria-checked="true"]').waitFor();
  await order();
});

it("rings while an order waits, is silent once somebody has seen it, and for everybody once it is accepted", async () => {
  const [page, other] = [await pair(), await pair()];
  await is(page, "bell", "quiet");
  await page.getByText("声音没有打开").waitFor();
  await page.getByRole("button", { name: "开始值班" }).click();
  await is(page, "sound", "on");
  expect(await page.getByText("声音没有打开").count()).toBe(0);

  const placed = await order({ service: "table", table: house.table });
  await is(page, "bell", "ringing");
  await is(other, "bell", "ringing");
  await page.getByRole("status").getByText(`新订单 ${placed.number}，5 号桌，共 1 份`).waitFor();
  // It is a state: it rings again and again, not once.
  const rung = async () => Number(await page.locator(".kitchen").getAttribute("data-rung"));
  await until(rung, (times) => times >= 3);

  await page.getByRole("button", { name: "先静音" }).click();
  await is(page, "bell", "touched");
  await is(other, "bell", "ringing");
  const silent = await rung();
  await other.getByRole("button", { name: `接单 ${placed.number}` }).click();
  await is(page, "bell", "quiet");
  await is(other, "bell", "quiet");
  expect(await rung()).toBe(silent);
  expect(await statusOf(placed)).toBe("accepted");
});

it("switches a dish off, counts its portions, and is seen on the other tablet", async () => {
  const [page, other] = [await pair(), await pair()];
  await page.getByRole("navigation").getByRole("button", { name: /沽清/ }).click();
  await page.getByRole("switch", { name: "茉莉花茶: 在售" }).click();
  await page.locator('[data-dish="tea"].gone').waitFor();
  expect((await customer.order({ lines: [{ dish: "tea", quantity: 1 }] })).body.code).toBe("SOLD_OUT");
  await other.locator("nav .count").getByText("1").waitFor();

  const bun = page.locator('[data-dish="bun"]');
  await bun.getByText("剩 50 份").waitFor();
  await bun.getByRole("button", { name: "减一份 肉包" }).click();
  await bun.getByText("剩 49 份").waitFor();
  await bun.getByRole("button", { name: /肉包 还剩几份/ }).click();
  await bun.getByRole("textbox").fill("2");
  await page.keyboard.press("Enter");
  await bun.getByText("剩 2 份").waitFor();
  expect((await customer.order({ lines: [{ dish: "bun", quantity: 3 }] })).body).toMatchObject({
    code: "SOLD_OUT",
    left: 2,
  });
  // What is sold meanwhile is seen while the list is open.
  await order({ lines: [{ dish: "bun", quantity: 2 }] });
  await bun.getByText("剩 0 份").waitFor();
  await page.getByRole("switch", { name: "茉莉花茶: 在售" }).click();
  await page.locator('[data-dish="tea"]:not(.gone)').waitFor();
});

it("offers each role what it may do, and no more", async () => {
  const [kitchen, cashier] = [await pair("kitchen"), await pair("cashier")];
  const placed = await order();
  await kitchen.getByRole("button", { name: `接单 ${placed.number}` }).click();
  const offered = async (page: Page) => {
    await ticket(page, placed, "accepted")
      .getByRole("button", { name: /更多操作/ })
      .click();
    return page.getByRole("dialog").locator(".actions button").allTextContents();
  };
  expect(await offered(kitchen)).toEqual(["直接做好", "打印小票"]);
  expect(await offered(cashier)).toEqual(["直接做好", "收款 ¥29", "取消订单", "打印小票"]);
  await cashier.getByRole("button", { name: "收款 ¥29" }).click();
  await ticket(cashier, placed, "accepted").getByText("¥29 已付").waitFor();
});

it("leaves guests' orders to the counter where the shop wants it", async () => {
  const { settings } = (await owner.http("GET", `/shops/${house.shop}/menu`)).body;
  const set = (guests: string) =>
    owner.http("PUT", `/shops/${house.shop}/settings`, { body: { settings: { ...settings, guests } } });
  await set("counter");
  try {
    const [kitchen, cashier] = [await pair("kitchen"), await pair("cashier")];
    const placed = await order();
    await ticket(kitchen, placed, "placed").getByText("等收银台接单").waitFor();
    expect(await kitchen.getByRole("button", { name: `接单 ${placed.number}` }).count()).toBe(0);
    await cashier.getByRole("button", { name: `接单 ${placed.number}` }).click();
    await ticket(kitchen, placed, "accepted").waitFor();
  } finally {
    await set("take");
  }
});

it("shows a delivery's phone and address, options and notes", async () => {
  const page = await pair();
  const placed = await order({
    service: "delivery",
    delivery: { name: "王小明", phone: "13900001234", address: "测试路 1 号" },
    lines: [{ dish: "beef", quantity: 1, options: [{ option: "spice", choices: ["hot"] }], note: "不要葱" }],
    note: "到了打电话",
  });
  const seen = ticket(page, placed, "placed");
  for (const text of [
    "外送",
    "测试路 1 号",
    "王小明 13900001234",
    "红烧牛肉面",
    "特辣",
    "不要葱",
    "到了打电话",
    "0 分钟",
  ])
    await seen.getByText(text).waitFor();
});

it("is louder for what nobody accepts, also where it was silenced", async () => {
  const page = await pair();
  const placed = await order();
  await page.getByRole("button", { name: "先静音" }).click();
  await is(page, "bell", "touched");
  house.clock.forward(181_000);
  await is(page, "bell", "louder");
  await page.locator(`[data-order="${placed.number}"][data-escalated="true"]`).getByText("一直没人接单").waitFor();
});

it("shows what came while it was away, and rings", async () => {
  const page = await pair();
  await page.goto("about:blank");
  const placed = await order();
  await page.goto(`${house.url}/kitchen`);
  await ticket(page, placed, "placed").waitFor(patience);
  await is(page, "bell", "ringing");
});

it("says loudly that the connection is lost, refuses steps meanwhile, and comes back by itself", async () => {
  const page = await pair();
  const placed = await order();
  await ticket(page, placed, "placed").waitFor();
  await house.stop();
  await is(page, "line", "lost");
  await page.getByRole("alert").getByText("连接断开，收不到新订单").waitFor();
  await page
    .getByRole("alert")
    .getByText(/最后更新 \d\d:\d\d:\d\d/)
    .waitFor();
  await page.getByRole("button", { name: `接单 ${placed.number}` }).click();
  await page.getByRole("alert").getByText("现在没有连接，这一步没有执行").waitFor();

  await house.restart();
  const later = await order();
  await ticket(page, later, "placed").waitFor(patience);
  await is(page, "line", "live");
  expect(await statusOf(placed)).toBe("placed");
  await page.getByRole("button", { name: `接单 ${placed.number}` }).click();
  await ticket(page, placed, "accepted").waitFor();
});

it("takes a step while its socket is being replaced", async () => {
  const page = await browser.newPage(tablet);
  await page.addInitScript(`window.sockets = [];
    window.WebSocket = class extends WebSocket { constructor(...all) { super(...all); sockets.push(this); } };`);
  await page.goto(`${house.url}/kitchen#pair=${await codeFor()}`);
  await is(page, "line", "live");
  const placed = await order();
  await ticket(page, placed, "placed").waitFor();
  // Within the page: the tap comes in the very moment in which there is no socket.
  await page.evaluate(`(async () => {
    const [socket] = sockets;
    socket.close();
    await new Promise((resolve) => socket.addEventListener("close", resolve));
    document.querySelector('.ticket[data-status="placed"] .go').click();
  })()`);
  await ticket(page, placed, "accepted").waitFor();
  expect(await page.getByText("没有执行").count()).toBe(0);
  await is(page, "line", "live");
  await page.close();
});

it("speaks the other language when asked", async () => {
  const page = await pair();
  await page.getByRole("navigation").getByRole("button", { name: "设置" }).click();
  await page.getByRole("button", { name: "Switch to English" }).click();
  await page.getByRole("switch", { name: "Open. Close the shop" }).waitFor();
  await page.getByRole("heading", { name: "Noodle house" }).waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("en");
});

it("prints one receipt and nothing else", async () => {
  const page = await pair("cashier");
  await page.evaluate(`window.print = () => document.documentElement.setAttribute("data-printed", "")`);
  const placed = await order();
  await page.getByRole("button", { name: `订单 ${placed.number} 的更多操作` }).click();
  await page.getByRole("button", { name: "打印小票" }).click();
  await page.locator("html[data-printed]").waitFor();
  await page.emulateMedia({ media: "print" });
  expect(await page.locator(".receipt").innerText()).toContain(placed.number);
  expect(await page.locator(".floor").isVisible()).toBe(false);
  const { width } = (await page.locator(".receipt").boundingBox()) as { width: number };
  // 72 mm at 96 dots per inch.
  expect(Math.round(width)).toBe(272);
});

it.each(["dark", "light"] as const)("has nothing serious that axe finds, %s", async (theme) => {
  const page = await pair("owner");
  await page.evaluate(`localStorage.setItem("orderbell:kitchen.theme", "${theme}")`);
  const orders = [await order(), await order({ service: "table", table: house.table, note: "快" })];
  await page.reload();
  await is(page, "line", "live");
  await page.getByRole("button", { name: `接单 ${orders[0]?.number}` }).click();
  await ticket(page, orders[0] as OrderView, "accepted").waitFor();
  expect(await barriers(page)).toEqual([]);
  for (const name of ["合计份数", "沽清", "找回", "设置"]) {
    await page.getByRole("navigation").getByRole("button", { name }).click();
    await page.getByRole("dialog").waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  }
  // This tablet is nobody's from now on.
  tablets.delete("owner");
  await page.evaluate(`localStorage.clear()`);
  await page.reload();
  await page.getByLabel("配对码").waitFor();
  expect(await barriers(page)).toEqual([]);
});
