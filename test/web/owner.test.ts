/** The owner's page in a real Chromium against a whole server. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import { encode } from "uqr";
import { servePages } from "../../cli/serve_pages.ts";
import type { Role } from "../../shared/order_states.ts";
import { newPairingCode } from "../../shared/sessions/login.ts";
import { moved, movedDish } from "../../web/owner/arrange.ts";
import { merge } from "../../web/owner/merge.ts";
import type { Dish } from "../../web/owner/types.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse, type Person, testMenu } from "../_house.ts";
import { barriers } from "./_axe.ts";
import { hasBrowser, type OpenBrowser, openBrowser, type Page, type PageOptions, setTextSize } from "./_browser.ts";
import { type BuiltPages, buildPages } from "./_pages.ts";
import { saysTheSame, translate } from "./_translator.ts";

const here = hasBrowser();
const real = here ? it : it.skip;
const wide = { width: 1280, height: 900 } as const;
const phone = { width: 390, height: 844, touch: true } as const;

let built: BuiltPages;
let folder: string;
let house: House;
/** Another owner of the same shop. */
let partner: Person;
let opened: OpenBrowser;
let page: Page;
const faults: string[] = [];

beforeAll(async () => {
  if (!here) return;
  built = buildPages("owner");
  folder = await mkdtemp(join(tmpdir(), "orderbell-pictures-"));
  house = await openHouse(anyEngine, { files: servePages(built.folder), pictures: folder });
  partner = await house.staff("owner");
  opened = await openBrowser();
}, 120_000);

afterAll(async () => {
  await opened?.close();
  await house?.close();
  built?.remove();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

afterEach(() => expect(faults.splice(0)).toEqual([]));

const codeFor = async (role: Role, device = "店主手机") =>
  (await newPairingCode(house.app, { shop: house.shop, role, device, by: null })).code;

/** A page whose every error is a fault of the test. */
async function newPage(options: PageOptions): Promise<Page> {
  const made = await opened.newPage(options);
  made.on("pageerror", (error) => faults.push(error.message));
  made.on("console", (line) => {
    if (/content security policy/i.test(line.text())) faults.push(line.text());
  });
  return made;
}

async function signedIn(options: PageOptions = wide): Promise<Page> {
  const made = await newPage(options);
  await made.clock.install();
  await made.goto(`${house.url}/owner#pair=${await codeFor("owner")}`);
  await made.getByRole("navigation").waitFor();
  return made;
}

const button = (name: string | RegExp, on = page) => on.getByRole("button", { name });
/** For an element that may have just moved: it ignores taps for 400 ms of the page's time. */
const tap = async (name: string) => {
  await button(name).waitFor();
  await page.clock.fastForward(400);
  await button(name).click();
};
const room = async (name: string, on = page) => {
  await on.getByRole("navigation").getByRole("link", { name }).click();
  await on.getByRole("heading", { level: 1, name }).waitFor();
};
const said = (text: string) => page.getByRole("status").filter({ hasText: text }).first().waitFor();
const info = async () => (await house.http("GET", `/get_shop_info?shop=${house.shop}`)).body;
const dishOf = async (id: string) => (await info()).menu.dishes.find((dish: { id: string }) => dish.id === id);

/** Asks until it is so; the test's own limit ends it. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
}

/** A picture of noise, which cannot be packed small. */
function noise(width: number, height: number): Buffer {
  let state = 1;
  const rows = Buffer.alloc((width * 3 + 1) * height, 0);
  for (let at = 0; at < rows.length; at++) {
    // Xorshift.
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    if (at % (width * 3 + 1) !== 0) rows[at] = state;
  }
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const parts = [chunk("IHDR", head), chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))];
  return Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), ...parts]);
}

// --- Coming in -----------------------------------------------------------------------------------------------------

real("the owner's page lets an owner in by the link, once, and nobody else", async () => {
  const kitchen = await newPage(phone);
  await kitchen.goto(`${house.url}/owner#pair=${await codeFor("kitchen")}`);
  await kitchen.getByRole("heading", { name: "这台设备不是店主身份" }).waitFor();
  expect(await barriers(kitchen)).toEqual([]);
  await kitchen.getByLabel("配对码").fill("AAAA-BBBB-CCCC");
  // A way on for those who work in the kitchen.
  expect(await kitchen.getByRole("link", { name: "打开后厨页面" }).getAttribute("href")).toBe("/kitchen");
  await button("登录", kitchen).click();
  await kitchen.getByText("配对码不对").waitFor();
  // Typed as people type it.
  await kitchen.getByLabel("配对码").fill(` ${(await codeFor("owner")).toLowerCase()} `);
  await button("登录", kitchen).click();
  await kitchen.getByRole("navigation").waitFor();
  await kitchen.close();

  page = await signedIn();
  // A code in the address would be in the history, and in every screenshot.
  expect(page.url()).not.toContain("pair");
  await page.reload();
  await page.getByText("这一天还没有订单").waitFor();
});

real("the owner's page shows the day: takings, hours, best sellers, and the same as a table and a file", async () => {
  const guest = await house.guest();
  const place = async (quantity: number) => {
    const lines = [
      { dish: "tea", quantity: 1 },
      { dish: "bun", quantity },
    ];
    return (await guest.order({ lines, service: "pickup" })).body.order.id as string;
  };
  const late = await place(9);
  house.clock.forward(16 * 60_000);
  await until(async () => (await guest.http("GET", `/orders/${late}`)).body.order.status === "expired");
  const [first, second, third] = [await place(3), await place(5), await place(1)];
  await partner.http("POST", `/orders/${first}/paid`);
  await partner.http("POST", `/orders/${second}/accept`);
  await partner.http("POST", `/orders/${third}/reject`, { body: { reason: "忙" } });
  await page.reload();

  const tiles = page.locator(".tiles");
  // What nobody accepted is apart: it is the shop's own loss.
  await page.getByText("1 单超时没人接（¥53），已自动拒绝。").waitFor();
  // 8 + 15 and 8 + 25 yuan; the rejected one does not count.
  await tiles.getByText("¥56", { exact: true }).waitFor();
  expect(await tiles.innerText()).toMatch(
    /营业额\s+¥56[\s\S]*订单\s+2\s+另有 1 单[\s\S]*单均\s+¥28[\s\S]*¥23\s+待收 ¥33/,
  );
  expect(await page.getByRole("img", { name: /共 2 单，\d\d:00 最忙/ }).count()).toBe(1);
  expect(await page.locator(".bars li").allInnerTexts()).toEqual([
    expect.stringMatching(/^肉包\s+8/),
    expect.stringMatching(/^茉莉花茶\s+2/),
  ]);
  await page.getByText("看明细数字").last().click();
  expect(await page.getByRole("row", { name: "肉包 8 ¥40" }).count()).toBe(1);

  const [file] = await Promise.all([page.waitForEvent("download"), button("导出表格").click()]);
  const { day } = (await partner.http("GET", `/shops/${house.shop}/report`)).body;
  expect(file.suggestedFilename()).toBe(`${house.shop}-${day}.csv`);
  expect(await readFile(await file.path(), "utf8")).toContain(`${day},bun,肉包,,8,4000,40.00`);
  expect(await barriers(page)).toEqual([]);

  await button("前一天").click();
  await page.getByText("这一天还没有订单").waitFor();
  await button("今天").click();
  await tiles.waitFor();
});

// --- The menu ------------------------------------------------------------------------------------------------------

const dialog = () => page.getByRole("dialog");
const openDish = async (name: string) => {
  await button(new RegExp(`^${name}`)).click();
  await dialog().waitFor();
};
const saveDish = async () => {
  await button("保存").click();
  await dialog().waitFor({ state: "detached" });
};

real("the owner's page changes a price", async () => {
  await room("菜单");
  await openDish("红烧牛肉面");
  await dialog().getByLabel("价格").fill("三十");
  await dialog().getByText("请填金额，如 12.50").waitFor();
  await button("保存").click();
  await dialog().getByRole("alert").waitFor();
  await dialog().getByLabel("价格").fill("29.5");
  expect(await barriers(page)).toEqual([]);
  await saveDish();
  await button(/红烧牛肉面.*¥29\.50/).waitFor();
  // Nothing else of it was touched.
  expect(await dishOf("beef")).toEqual({
    ...(({ available: _, dailyStock: __, station: ___, ...dish }) => dish)(testMenu.dishes[0] as Dish),
    priceFen: 2_950,
  });
});

real("the owner's page asks before what was typed is thrown away", async () => {
  await room("菜单");
  await openDish("红烧牛肉面");
  await page.keyboard.press("Escape");
  await dialog().waitFor({ state: "detached" });

  await openDish("红烧牛肉面");
  await dialog().getByLabel("价格").fill("31");
  await page.keyboard.press("Escape");
  const question = page.getByRole("dialog", { name: "有改动还没保存" });
  await question.getByRole("button", { name: "取消" }).click();
  await question.waitFor({ state: "detached" });
  expect(await dialog().getByLabel("价格").inputValue()).toBe("31");
  await page.keyboard.press("Escape");
  await question.getByRole("button", { name: "放弃改动" }).click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  expect((await dishOf("beef")).priceFen).not.toBe(3_100);
});

real("the owner's page never cuts what is typed: it counts, says what is too much, and saves nothing", async () => {
  await openDish("红烧牛肉面");
  const name = dialog().getByLabel("菜名 · 中文");
  const before = await dishOf("beef");
  const long = "很".repeat(70);
  await name.fill(long.slice(0, 50));
  await dialog().getByText("50 / 60 字").waitFor();
  await name.fill(long);
  expect(await name.inputValue()).toBe(long);
  await dialog().getByText("最多 60 字，多了 10 字").waitFor();
  await button("保存").click();
  await page.locator("[data-too-long]:focus").waitFor();
  expect(await dishOf("beef")).toEqual(before);
  await button("取消").click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

real("the owner's page adds a dish with a picture, which customers see", async () => {
  await button("添加菜品 · 饮料").click();
  await button("保存").click();
  // What is missing is said, and nothing is lost.
  await dialog().getByText("请填价格").waitFor();
  // Once, for both languages.
  expect(await dialog().getByText("中文名和英文名至少填一个").count()).toBe(1);
  expect(await dialog().locator('input[aria-invalid="true"]').count()).toBe(3);
  await dialog().getByLabel("菜名 · 中文").fill("酸梅汤");
  await dialog().getByLabel("价格").fill("6");
  const upload = dialog().getByLabel("图片", { exact: true });
  await upload.setInputFiles({ name: "evil.png", mimeType: "image/png", buffer: Buffer.from("<svg onload=alert(1)>") });
  await dialog().getByText("只支持 JPG、PNG、WebP 图片").waitFor();
  const small = noise(40, 30);
  await upload.setInputFiles({ name: "plum.png", mimeType: "image/png", buffer: small });
  await button("换一张").waitFor();
  await button("添加一组").click();
  await dialog().getByLabel("名称 · 中文").fill("温度");
  await dialog().getByLabel("选项 · 中文").fill("加冰");
  await dialog().getByLabel("加价").fill("-0.5");
  await dialog().getByRole("switch", { name: "默认选中" }).click();
  await saveDish();

  const { menu } = await info();
  const dish = menu.dishes.find(({ names }: { names: { zh: string } }) => names.zh === "酸梅汤");
  expect(dish).toMatchObject({ category: "drinks", priceFen: 600, packingFen: 0 });
  expect(dish.options).toMatchObject([
    { names: { zh: "温度" }, min: 0, max: 1, choices: [{ names: { zh: "加冰" }, priceFen: -50, default: true }] },
  ]);
  const shown = await fetch(house.url + dish.picture);
  expect(shown.headers.get("content-type")).toBe("image/png");
  expect(Buffer.from(await shown.arrayBuffer())).toEqual(small);
  const image = button(/^酸梅汤/).locator("img");
  await expect(
    image.evaluate((element) => (element as unknown as { naturalWidth: number }).naturalWidth),
  ).resolves.toBe(40);
});

real("the owner's page makes a large photo smaller before it is sent", async () => {
  const large = noise(1_600, 900);
  expect(large.length).toBeGreaterThan(2 * 1_024 * 1_024);
  await openDish("酸梅汤");
  await dialog()
    .getByLabel("图片", { exact: true })
    .setInputFiles({ name: "photo.png", mimeType: "image/png", buffer: large });
  const width = () =>
    dialog()
      .locator(".picture img")
      .evaluate((element) => (element as unknown as { naturalWidth: number }).naturalWidth);
  await until(async () => (await width()) === 1_200);
  await saveDish();
  const { menu } = await info();
  const path = menu.dishes.at(-1).picture;
  const shown = await fetch(house.url + path);
  expect(shown.headers.get("content-type")).toBe("image/jpeg");
  expect(Number(shown.headers.get("content-length"))).toBeLessThan(large.length / 2);
});

real("the owner's page merges what two people changed, and asks where they disagree", async () => {
  const change = async (more: object) => {
    const { menu } = (await partner.http("GET", `/shops/${house.shop}/menu`)).body;
    const tea = { ...menu.dishes.find(({ id }: { id: string }) => id === "tea"), ...more };
    expect((await partner.http("PUT", `/shops/${house.shop}/dishes/tea`, { body: tea })).status).toBe(200);
  };
  await openDish("茉莉花茶");
  await change({ description: { zh: "新茶" } });
  await dialog().getByLabel("价格").fill("9");
  await saveDish();
  await said("已保存，并合并了别人刚才的修改");
  expect(await dishOf("tea")).toMatchObject({ priceFen: 900, description: { zh: "新茶" } });

  await openDish("茉莉花茶");
  await change({ priceFen: 1_100, description: { zh: "明前茶" } });
  await dialog().getByLabel("价格").fill("10");
  await button("保存").click();
  const question = page.getByRole("dialog", { name: "别人也改了这里" });
  await question.waitFor();
  expect(await question.getByRole("row", { name: /价格/ }).innerText()).toMatch(/价格\s+¥10\s+¥11/);
  expect(await barriers(page)).toEqual([]);
  await button("用我的").click();
  await dialog().first().waitFor({ state: "detached" });
  expect(await dishOf("tea")).toMatchObject({ priceFen: 1_000, description: { zh: "明前茶" } });

  await openDish("茉莉花茶");
  await change({ priceFen: 1_200 });
  await dialog().getByLabel("价格").fill("8");
  await button("保存").click();
  await button("用对方的").click();
  await dialog().first().waitFor({ state: "detached" });
  expect(await dishOf("tea")).toMatchObject({ priceFen: 1_200 });
});

real("the owner's page takes dishes off, deletes them, keeps categories in order", async () => {
  await openDish("肉包");
  await dialog().getByRole("switch", { name: "上架" }).click();
  await saveDish();
  expect(await dishOf("bun")).toBeUndefined();
  await button(/^肉包 已下架/).waitFor();

  await openDish("酸梅汤");
  await button("删除菜品").click();
  await page.getByRole("dialog", { name: "删除「酸梅汤」？" }).getByRole("button", { name: "删除菜品" }).click();
  await button(/^酸梅汤/).waitFor({ state: "detached" });

  await button("管理分类").click();
  await button("新分类").click();
  await dialog().getByLabel("分类名称 · 中文").fill("小吃");
  await button("保存").click();
  await tap("上移 小吃");
  await until(async () => {
    const { categories } = (await info()).menu;
    return categories.map(({ names }: { names: { zh: string } }) => names.zh).join() === "面,小吃,饮料";
  });
  expect(await button("删除分类 饮料").isDisabled()).toBe(true);
  await tap("删除分类 小吃");
  await button("删除分类 小吃").waitFor({ state: "detached" });
  await page.keyboard.press("Escape");
  await dialog().waitFor({ state: "detached" });
});

// --- The rest of the house -------------------------------------------------------------------------------------------

real("the owner's page prints one code for each table", async () => {
  await room("点单码");
  await page.getByLabel("桌号").fill("7，8-9");
  await button("添加").click();
  await button("删除 9 号桌").waitFor();
  const { tables } = (await partner.http("GET", `/shops/${house.shop}/tables`)).body;
  expect(tables).toHaveLength(5);
  await page.getByRole("textbox", { name: "点单地址" }).fill("https://noodles.example.com/anything");
  const paths: Record<string, string | null> = {};
  for (const { label } of tables)
    paths[label] = await page
      .getByRole("img", { name: `${label} 号桌的二维码` })
      .locator("path")
      .last()
      .getAttribute("d");
  expect(await page.locator(".sheet .qr").count()).toBe(6);
  // The shop's own, for those who do not sit at a table.
  const asCustomer = page.getByRole("link", { name: "以顾客身份打开" });
  expect(await asCustomer.getAttribute("href")).toBe(`https://noodles.example.com/?shop=${house.shop}`);
  await button("复制链接").click();
  await said("链接已复制");
  for (const { label, token } of tables) {
    const url = `https://noodles.example.com/?shop=${house.shop}&table=${token}`;
    const { data } = encode(url, { ecc: "M", border: 2 });
    const dark = data.flatMap((row, y) => row.map((on, x) => (on ? `M${x} ${y}h1v1h-1z` : ""))).join("");
    expect(paths[label]).toBe(dark);
  }
  expect(await barriers(page)).toEqual([]);

  await page.emulateMedia({ media: "print" });
  expect(await page.getByRole("navigation").isVisible()).toBe(false);
  expect(await page.locator(".sheet .qr").first().isVisible()).toBe(true);
  await page.emulateMedia({ media: "screen" });

  // A tap may fall on what has just moved, which takes none: then one taps again.
  while (!(await dialog().isVisible())) {
    await button("删除 9 号桌")
      .click({ timeout: 2_000 })
      .catch(() => {});
    await page.clock.runFor(500);
  }
  await dialog().getByRole("button", { name: "删除", exact: true }).click();
  await button("删除 9 号桌").waitFor({ state: "detached" });
  expect((await partner.http("GET", `/shops/${house.shop}/tables`)).body.tables).toHaveLength(4);
});

real("the owner's page pairs and revokes devices", async () => {
  await room("设备");
  await button("添加设备").click();
  await dialog().getByRole("radio", { name: /收银/ }).check();
  await dialog().getByLabel("设备名称").fill("吧台");
  await button("生成配对码").click();
  const pairingCode = await dialog().locator("output").innerText();
  expect(await dialog().getByRole("img", { name: "配对二维码" }).count()).toBe(1);
  expect(await barriers(page)).toEqual([]);
  const bar = (await house.http("POST", "/login/staff", { body: { pairingCode } })).body;
  expect(bar.session).toMatchObject({ role: "cashier", device: "吧台" });
  await button("完成").click();
  // Paired, and not connected; this page is.
  const line = (name: string) => page.locator(".devices > li").filter({ hasText: name });
  await line("本机").getByText("在线").waitFor();
  expect(await line("吧台").getByText("在线").count()).toBe(0);
  await tap("停用 吧台");
  await dialog().getByRole("button", { name: "停用", exact: true }).click();
  await button("停用 吧台").waitFor({ state: "detached" });
  expect((await house.http("GET", "/session", { token: bar.session.token })).status).toBe(401);
  // Who made the code stands in the record, also for one who comes later.
  await room("设置");
  await room("设备");
  const record = page.getByRole("region", { name: "操作记录" }).getByRole("listitem");
  expect(await record.first().innerText()).toMatch(/^移除设备\s+店主手机（店主）/);
  expect(await record.nth(1).innerText()).toMatch(/^生成配对码： 吧台\s+店主手机（店主）/);
  expect(await barriers(page)).toEqual([]);
});

real("the owner's page keeps the shop's settings", async () => {
  await room("设置");
  await page.getByLabel("公告 · 中文").fill("今天有饺子");
  await page.getByRole("switch", { name: "到店自取" }).click();
  await page.getByLabel("配送费", { exact: true }).fill("6.5");
  await page.getByLabel("满多少免配送费").fill("");
  await page.getByLabel("每个网络").fill("12");
  await button("放弃改动").click();
  // As it was, whatever was typed.
  for (const [label, value] of Object.entries({ 配送费: "5", 满多少免配送费: "100", 每个网络: "", "公告 · 中文": "" }))
    expect([label, await page.getByLabel(label, { exact: true }).inputValue()]).toEqual([label, value]);
  await page.getByLabel("公告 · 中文").fill("今天有饺子");
  await page.getByRole("switch", { name: "到店自取" }).click();
  await page.getByLabel("配送费", { exact: true }).fill("6.5");
  await page.getByLabel("满多少免配送费").fill("");
  await page.getByLabel("多久没接单就加大提醒").fill("20");
  await page.getByText("要比加大提醒的时间长").waitFor();
  await page.getByLabel("多久没接单就加大提醒").fill("2.5");
  await page.getByRole("radio", { name: /到前台确认后接单/ }).check();
  await page.getByLabel("每张桌").fill("4");
  // Meanwhile somebody else has changed something else.
  const before = (await partner.http("GET", `/shops/${house.shop}/menu`)).body.settings;
  const theirs = { settings: { ...before, refuseWhenOffline: true } };
  await partner.http("PUT", `/shops/${house.shop}/settings`, { body: theirs });
  expect(await barriers(page)).toEqual([]);
  await button("保存").click();
  await said("已保存，并合并了别人刚才的修改");
  const { settings } = (await partner.http("GET", `/shops/${house.shop}/menu`)).body;
  expect(settings).toEqual({
    ...before,
    services: { table: true, pickup: false, delivery: { feeFen: 650, minimumFen: 2_000 } },
    notice: { zh: "今天有饺子" },
    escalateAfterSec: 150,
    refuseWhenOffline: true,
    guests: "counter",
    limits: { ...before.limits, perTable: 4 },
  });
  await until(() => page.getByRole("switch", { name: "后厨离线时停止接单" }).isChecked());
});

real("the owner's page opens and closes the shop, and does not count as a kitchen's screen", async () => {
  const big = page.getByRole("banner").getByRole("switch");
  await big.click();
  await button("打烊").click();
  await page.getByRole("switch", { name: "已打烊" }).waitFor();
  expect((await info()).shop).toMatchObject({ open: false, live: false });
  await big.click();
  await page.getByRole("switch", { name: "营业中" }).waitFor();
  // Whoever else does it: this page hears of it.
  await partner.http("PUT", `/shops/${house.shop}/open`, { body: { open: false } });
  await page.getByRole("switch", { name: "已打烊" }).waitFor();
  await partner.http("PUT", `/shops/${house.shop}/open`, { body: { open: true } });
});

real("the owner's page speaks English, on a phone, without barriers and sideways scrolling", async () => {
  const small = await signedIn({ ...phone, width: 320, language: "en" });
  for (const name of ["Sales", "Menu", "Films", "Codes", "Devices", "Settings"]) {
    await room(name, small);
    await small.locator(".section .card").first().waitFor();
    expect([name, await barriers(small)]).toEqual([name, []]);
    const wider = () => small.evaluate("document.documentElement.scrollWidth - innerWidth");
    expect([name, await wider()]).toEqual([name, 0]);
    await small.emulateMedia({ colorScheme: "dark" });
    expect([name, await barriers(small, { runOnly: ["color-contrast"] })]).toEqual([name, []]);
    await small.emulateMedia({ colorScheme: "light" });
    await small.setViewportSize({ width: 390, height: 844 });
    await setTextSize(small, 200);
    expect([name, "in large text", await wider()]).toEqual([name, "in large text", 0]);
    await setTextSize(small, 100);
    await small.setViewportSize({ width: 320, height: 844 });
  }
  await button("切换到中文", small).click();
  await small.getByRole("heading", { level: 1, name: "设置" }).waitFor();
  await small.close();
});

real("the owner's page shows the truth while the browser translates it", async () => {
  const translated = await signedIn();
  const twin = await translated.context().newPage();
  await twin.goto(`${house.url}/owner`);
  await translate(translated);
  for (const name of ["菜单", "点单码", "设备", "设置", "营业"]) {
    for (const on of [translated, twin]) await room(name, on);
    await saysTheSame(translated, twin, "main");
  }
  for (const open of [false, true]) {
    await partner.http("PUT", `/shops/${house.shop}/open`, { body: { open } });
    await twin
      .getByText(open ? "营业中" : "已打烊")
      .first()
      .waitFor();
    await saysTheSame(translated, twin);
  }
  await translated.close();
});

real("the owner's page is signed out when its device is revoked", async () => {
  await room("设备");
  const { devices } = (await partner.http("GET", `/shops/${house.shop}/devices`)).body;
  for (const { id, device } of devices)
    if (device === "店主手机") await partner.http("DELETE", `/shops/${house.shop}/devices/${id}`);
  await page.reload();
  await page.getByRole("heading", { name: "店主登录" }).waitFor();
});

// --- Without a browser -----------------------------------------------------------------------------------------------

it("the English of all pages is that of Great Britain, with one kind of apostrophe and quotation mark", async () => {
  for (const page of ["customer", "kitchen", "board", "owner"]) {
    const text = await readFile(new URL(`../../web/${page}/words.en.ts`, import.meta.url), "utf8");
    expect([page, text.match(/[’‘“”]/g)]).toEqual([page, null]);
    expect(text).toContain('locale: "en-GB"');
  }
});

describe("merging two edits", () => {
  const base = { a: 1, b: { x: 1, y: 2 }, c: "c" as string | undefined };

  it("takes what one of both changed", () => {
    expect(merge(base, { ...base, a: 2 }, { ...base, c: "d" })).toEqual({
      value: { ...base, a: 2, c: "d" },
      disputed: [],
      theirs: true,
    });
    const { c: _, ...without } = base;
    expect(merge(base, base, without as typeof base).value).toEqual(without);
  });

  it("names what both changed differently, and not what both changed alike", () => {
    expect(merge(base, { ...base, a: 2, c: "e" }, { ...base, a: 3, c: "e" })).toEqual({
      value: { ...base, a: 2, c: "e" },
      disputed: ["a"],
      theirs: false,
    });
  });

  it("does not depend on the order of members", () => {
    expect(merge(base, base, { ...base, b: { y: 2, x: 1 } })).toMatchObject({ disputed: [], theirs: false });
  });
});

it("reordering moves one of a list, and a dish among its own", () => {
  const list = [{ id: "a" }, { id: "b" }, { id: "c" }];
  const ids = (all: { id: string }[]) => all.map(({ id }) => id).join("");
  expect(ids(moved(list, "b", -1))).toBe("bac");
  expect(ids(moved(list, "a", -1))).toBe("abc");
  expect(ids(moved(list, "c", 1))).toBe("abc");
  expect(ids(moved(list, "x", 1))).toBe("abc");
  const dishes = ["n1", "d1", "n2", "d2"].map((id) => ({ id, category: id[0] }) as Dish);
  expect(ids(movedDish({ categories: [], dishes }, "n2", -1).dishes)).toBe("n2d1n1d2");
});
