/** The kitchen's page in a real browser, against a whole server: pairing, the shop, the bell, the connection, the device. */
import { sql } from "../../db/sql.ts";
import type { OrderView } from "../../shared/protocol.ts";
import { barriers } from "./_axe.ts";
import { type Page, passUntil } from "./_browser.ts";
import {
  browser,
  codeFor,
  customer,
  house,
  is,
  longTimeout,
  order,
  owner,
  pair,
  pass,
  statusOf,
  tablet,
  tablets,
  tap,
  ticket,
  until,
} from "./_kitchen.ts";

it("the kitchen page is paired by a link whose code leaves the address bar, works once, and can be typed", async () => {
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

it("the kitchen page goes back to pairing when the device is revoked", async () => {
  const page = await browser.newPage(tablet);
  await page.goto(`${house.url}/kitchen#pair=${await codeFor("kitchen", "旧平板")}`);
  await is(page, "line", "live");
  const { devices } = (await owner.http("GET", `/shops/${house.shop}/devices`)).body;
  const old = devices.find(({ device }: { device: string }) => device === "旧平板");
  await owner.http("DELETE", `/shops/${house.shop}/devices/${old.id}`);
  await page.getByText("这台设备已和门店断开").waitFor(longTimeout);
  await page.close();
});

it("the kitchen page opens and closes the shop, and asks before it closes", async () => {
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

it("the kitchen page rings while an order waits, is silent once seen, and for all once it is accepted", async () => {
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
  // A state, not an event: it rings again and again.
  const rung = async () => Number(await page.locator(".kitchen").getAttribute("data-rung"));
  await until(rung, (times) => times >= 1);
  for (const times of [2, 3]) {
    await pass(page, 2_600);
    await until(rung, (now) => now >= times);
  }

  await page.getByRole("button", { name: "先静音" }).click();
  await is(page, "bell", "touched");
  await is(other, "bell", "ringing");
  const silent = await rung();
  await tap(other, `接单 ${placed.number}`);
  await is(page, "bell", "quiet");
  await is(other, "bell", "quiet");
  expect(await rung()).toBe(silent);
  expect(await statusOf(placed)).toBe("accepted");
});

it("the kitchen page switches a dish off, counts its portions, and is seen on the other tablet", async () => {
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
  // Sales show while the list is open.
  await order({ lines: [{ dish: "bun", quantity: 2 }] });
  await bun.getByText("剩 0 份").waitFor();
  await page.getByRole("switch", { name: "茉莉花茶: 在售" }).click();
  await page.locator('[data-dish="tea"]:not(.gone)').waitFor();
});

it("the kitchen page offers each role what it may do, and no more", async () => {
  const [kitchen, cashier] = [await pair("kitchen"), await pair("cashier")];
  const placed = await order();
  await tap(kitchen, `接单 ${placed.number}`);
  const offered = async (page: Page) => {
    await ticket(page, placed, "accepted").waitFor();
    await tap(page, `订单 ${placed.number} 的更多操作`);
    const actions = page.getByRole("dialog").locator(".actions button");
    // Reading all texts does not wait for any.
    await actions.first().waitFor();
    return actions.allTextContents();
  };
  expect(await offered(kitchen)).toEqual(["直接做好", "退回待接单", "打印小票"]);
  expect(await offered(cashier)).toEqual(["直接做好", "退回待接单", "收款 ¥29", "取消订单", "打印小票"]);
  await cashier.getByRole("button", { name: "收款 ¥29" }).click();
  await ticket(cashier, placed, "accepted").getByText("¥29 已付").waitFor();
});

it("the kitchen page leaves guests' orders to the counter where the shop wants it", async () => {
  const { settings } = (await owner.http("GET", `/shops/${house.shop}/menu`)).body;
  const set = (guests: string) =>
    owner.http("PUT", `/shops/${house.shop}/settings`, { body: { settings: { ...settings, guests } } });
  await set("counter");
  try {
    const [kitchen, cashier] = [await pair("kitchen"), await pair("cashier")];
    const placed = await order();
    await ticket(kitchen, placed, "placed").getByText("等收银台接单").waitFor();
    expect(await kitchen.getByRole("button", { name: `接单 ${placed.number}` }).count()).toBe(0);
    await tap(cashier, `接单 ${placed.number}`);
    await ticket(kitchen, placed, "accepted").waitFor();
  } finally {
    await set("take");
  }
});

it("the kitchen page shows a delivery's phone and address, options and notes", async () => {
  const page = await pair();
  const placed = await order({
    service: "delivery",
    delivery: { name: "王小明", phone: "13900001234", address: "测试路 1 号" },
    lines: [{ dish: "beef", quantity: 1, options: [{ option: "spice", choices: ["hot"] }], note: "不要葱" }],
    note: "到了打电话",
  });
  const seen = ticket(page, placed, "placed");
  for (const text of ["外送", "测试路 1 号", "红烧牛肉面", "特辣", "不要葱", "到了打电话", "0 分钟"])
    await seen.getByText(text).waitFor();
  // A cook sees one line of the address, and the rest by a tap.
  expect(await seen.getByText("王小明 13900001234").isVisible()).toBe(false);
  await seen.getByText("测试路 1 号").click();
  await seen.getByText("王小明 13900001234").waitFor();
});

it("the kitchen page shows eight tickets and ten ready orders on a tablet, also where one order is long", async () => {
  const page = await pair();
  const lines = [
    { dish: "beef", quantity: 1, options: [{ option: "spice", choices: ["hot"] }] },
    { dish: "tea", quantity: 2 },
  ];
  const done = await Promise.all(Array.from({ length: 10 }, () => order({ lines: [{ dish: "tea", quantity: 1 }] })));
  for (const { id } of done)
    for (const action of ["accept", "ready"]) await owner.http("POST", `/orders/${id}/${action}`, { body: {} });
  for (let nth = 0; nth < 8; nth++) {
    const { id } = await order({
      lines: nth === 1 ? [...lines, ...lines.map((line) => ({ ...line, note: "快" }))] : lines,
    });
    await owner.http("POST", `/orders/${id}/accept`, { body: {} });
  }
  await until(
    () => page.locator('.tickets [data-status="accepted"]').count(),
    (count) => count === 8,
  );
  await until(
    () => page.locator(".pass [data-order]").count(),
    (count) => count === 10,
  );
  const fits = (selector: string) =>
    page.evaluate<number>(
      `[...document.querySelectorAll("${selector}")].filter((one) => one.getBoundingClientRect().bottom <= innerHeight).length`,
    );
  expect([await fits(".tickets .ticket header"), await fits(".pass .ready-card")]).toEqual([8, 10]);
});

it("the kitchen page is louder for what nobody accepts, also where it was silenced", async () => {
  const page = await pair();
  const placed = await order();
  await tap(page, "先静音");
  await is(page, "bell", "touched");
  house.clock.forward(181_000);
  await is(page, "bell", "louder");
  await page.locator(`[data-order="${placed.number}"][data-escalated="true"]`).getByText("一直没人接单").waitFor();
});

it("the kitchen page shows what came while it was away, and rings", async () => {
  const page = await pair();
  await page.goto("about:blank");
  const placed = await order();
  await page.goto(`${house.url}/kitchen`);
  await ticket(page, placed, "placed").waitFor(longTimeout);
  await is(page, "bell", "ringing");
});

it("the kitchen page says loudly that the connection is lost, refuses steps meanwhile, and recovers", async () => {
  const page = await pair();
  const placed = await order();
  await ticket(page, placed, "placed").waitFor();
  await house.stop();
  await passUntil(page, page.locator('.kitchen[data-line="lost"]'));
  await page.getByRole("alert").getByText("连接断开，收不到新订单").waitFor();
  await page
    .getByRole("alert")
    .getByText(/最后更新 \d\d:\d\d:\d\d/)
    .waitFor();
  await tap(page, `接单 ${placed.number}`);
  await page.getByRole("alert").getByText("现在没有连接，这一步没有执行").waitFor();

  await house.restart();
  const later = await order();
  await passUntil(page, ticket(page, later, "placed"));
  await is(page, "line", "live");
  expect(await statusOf(placed)).toBe("placed");
  await tap(page, `接单 ${placed.number}`);
  await ticket(page, placed, "accepted").waitFor();
  // The order is another one by now, and the connection is back.
  await passUntil(page, page.locator(".kitchen:not(:has(.trouble-line))"));
});

it("the kitchen page marks an order as slow when this device says so", async () => {
  const page = await pair();
  await order();
  await page.getByRole("navigation").getByRole("button", { name: "设置" }).click();
  await page.getByRole("button", { name: "15–30" }).click();
  await page.getByRole("button", { name: "大", exact: true }).click();
  // Some frames later: without motion everything still changes by a transition, of no length.
  await page.evaluate(`(async () => {
    while (getComputedStyle(document.documentElement).fontSize !== "20px") await new Promise(requestAnimationFrame);
  })()`);
  await page.keyboard.press("Escape");
  // Less than ten minutes: then the page asks the server for its time again. Another test may have put the server's clock forward.
  await page.clock.fastForward(9 * 60_000);
  await page
    .locator('.age[data-age="fresh"]')
    .getByText(/[5-9] 分钟/)
    .waitFor();
  await page.evaluate(`localStorage.removeItem("orderbell:kitchen.ages")`);
  await page.clock.fastForward(5_000);
  await page.locator('.age[data-age="slow"]').waitFor();
});

it("the kitchen page goes offline and online at the moment the browser does", async () => {
  const page = await pair();
  const placed = await order();
  await ticket(page, placed, "placed").waitFor();
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  // Some frames after the browser's own event, and not after any time of ours.
  await page.evaluate(`void (window.told = new Promise((resolve) => addEventListener("offline", async () => {
    for (let frame = 0; frame < 4; frame++) await new Promise(requestAnimationFrame);
    resolve(document.querySelector(".kitchen").dataset.line);
  })))`);
  await page.context().setOffline(true);
  expect(await page.evaluate("window.told")).toBe("lost");
  await tap(page, `接单 ${placed.number}`);
  await page.getByRole("alert").getByText("现在没有连接，这一步没有执行").waitFor();
  expect(asked.filter((path) => path.startsWith("/orders/"))).toEqual([]);
  const missed = await order();
  await page.context().setOffline(false);
  await is(page, "line", "live");
  await ticket(page, missed, "placed").waitFor();
  expect(await statusOf(placed)).toBe("placed");
});

it("the kitchen page keeps ages, bell and heartbeat when the clock is set or the tab is hidden", async () => {
  const page = await browser.newPage(tablet);
  await page.addInitScript(`
    window.clockMs = 0;
    window.passedMs = 0;
    window.hiddenTab = false;
    const { Date: Real, performance: real } = window;
    window.Date = class extends Real {
      constructor(...all) { all.length > 0 ? super(...all) : super(Real.now() + clockMs); }
      static now() { return Real.now() + clockMs + passedMs; }
    };
    const now = real.now.bind(real);
    real.now = () => now() + passedMs;
    // As a browser does to a page that was hidden for five minutes.
    for (const name of ["setTimeout", "setInterval"]) {
      const set = window[name].bind(window);
      window[name] = (work, ms = 0, ...all) => set(work, hiddenTab ? Math.max(ms, 60_000) : ms, ...all);
    }`);
  await page.goto(`${house.url}/kitchen#pair=${await codeFor()}`);
  await is(page, "line", "live");
  for (const hours of [1, -1]) {
    await page.evaluate(`clockMs = ${hours} * 3_600_000`);
    const placed = await order();
    const seen = ticket(page, placed, "placed");
    await seen.getByText("0 分钟").waitFor();
    expect(await seen.locator(".age").getAttribute("data-age")).toBe("fresh");
    await page.getByRole("button", { name: "先静音" }).click();
    await is(page, "bell", "touched");
    // A minute later it rings, whatever the clock says.
    await page.evaluate("clockMs = 0; passedMs += 61_000");
    await is(page, "bell", "ringing");
    await owner.http("POST", `/orders/${placed.id}/accept`, { body: {} });
    await is(page, "bell", "quiet");
  }
  await page.evaluate("clockMs = -3_600_000; hiddenTab = true");
  const heartbeat = async () => {
    const [rows = []] = await house.db.read([sql`SELECT max(seen_at) AS at FROM screens`]);
    return Number(rows[0]?.at);
  };
  for (let beats = 0; beats < 3; beats++) {
    const last = await heartbeat();
    await until(heartbeat, (at) => at > last);
  }
  await page.close();
});

it("the kitchen page takes a step while its socket is being replaced", async () => {
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

it("the kitchen page speaks the other language when asked", async () => {
  const page = await pair();
  await page.getByRole("navigation").getByRole("button", { name: "设置" }).click();
  await page.getByRole("button", { name: "Switch to English" }).click();
  await page.getByRole("switch", { name: "Open. Close the shop" }).waitFor();
  await page.getByRole("heading", { name: "Noodle house" }).waitFor();
  expect(await page.locator("html").getAttribute("lang")).toBe("en-GB");
});

it("the kitchen page prints one receipt and nothing else, which adds up and bears the shop's time", async () => {
  const context = await browser.browser.newContext({
    viewport: tablet,
    locale: "zh-CN",
    timezoneId: "America/New_York",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(longTimeout.timeout);
  await page.goto(`${house.url}/kitchen#pair=${await codeFor("cashier")}`);
  await page.evaluate(`window.print = () => document.documentElement.toggleAttribute("data-printed", true)`);
  const lines = [
    { dish: "beef", quantity: 2, options: [{ option: "spice", choices: ["hot"] }] },
    { dish: "tea", quantity: 1 },
  ];
  const delivery = { name: "王小明", phone: "13900001234", address: "测试路 1 号" };
  const bills = [
    { service: "delivery", delivery, lines },
    { service: "table", table: house.table, lines },
    { service: "pickup", lines },
  ];
  for (const bill of bills) {
    const placed = await order(bill);
    await page.getByRole("button", { name: `订单 ${placed.number} 的更多操作` }).click();
    await page.getByRole("button", { name: "打印小票" }).click();
    await page.locator("html[data-printed]").waitFor();
    await page.evaluate(`document.documentElement.toggleAttribute("data-printed", false)`);
    const receipt = page.locator(".receipt");
    const fen = (amounts: string[]) => amounts.reduce((sum, text) => sum + Math.round(Number(text.slice(1)) * 100), 0);
    expect(await receipt.locator(".number").textContent()).toBe(placed.number);
    expect(fen(await receipt.locator(".sum").allTextContents())).toBe(placed.totalFen);
    expect(fen(await receipt.locator(".total b").allTextContents())).toBe(placed.totalFen);
    const time = new Date(placed.placedAt).toLocaleTimeString("zh-CN", { timeZone: "Asia/Shanghai", hour12: false });
    expect(await receipt.locator(".placed").textContent()).toContain(time);
  }
  await page.emulateMedia({ media: "print" });
  expect(await page.locator(".floor").isVisible()).toBe(false);
  const { width } = (await page.locator(".receipt").boundingBox()) as { width: number };
  // 72 mm at 96 dots per inch.
  expect(Math.round(width)).toBe(272);
  await context.close();
});

it.each(["dark", "light"] as const)("the kitchen page has nothing serious that axe finds, %s", async (theme) => {
  const page = await pair("owner");
  await page.evaluate(`localStorage.setItem("orderbell:kitchen.theme", "${theme}")`);
  const orders = [await order(), await order({ service: "table", table: house.table, note: "快" })];
  await page.reload();
  await is(page, "line", "live");
  await tap(page, `接单 ${orders[0]?.number}`);
  await ticket(page, orders[0] as OrderView, "accepted").waitFor();
  expect(await barriers(page)).toEqual([]);
  // The banners are in a landmark.
  await page.getByRole("region", { name: "提醒" }).locator(".bell").waitFor();
  for (const name of ["合计份数", "沽清", "找回", "设置"]) {
    await page.getByRole("navigation").getByRole("button", { name }).click();
    await page.getByRole("dialog").waitFor();
    expect(await barriers(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  }
  // This tablet has no session from now on.
  tablets.delete("owner");
  await page.evaluate(`localStorage.clear()`);
  await page.reload();
  await page.getByLabel("配对码").waitFor();
  expect(await barriers(page)).toEqual([]);
});
