/**
 * `npm run screenshots`: pictures of every page in both languages, into dist/screenshots; with `-- --readme` the pictures of
 * the README, and an animation of an order from the phone to the kitchen, into docs/pictures.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readCollections } from "../cli/collections_file.ts";
import { demoKeys } from "../cli/demo_keys.ts";
import { startMachine } from "../cli/machine.ts";
import { readPurposes } from "../cli/purposes_file.ts";
import { servePages } from "../cli/serve_pages.ts";
import { migrate } from "../db/migrate.ts";
import { openPglite } from "../db/pglite.ts";
import { createDemoShops } from "../demo/shops.ts";
import { readConfig } from "../shared/config.ts";
import { newPairingCode } from "../shared/sessions/login.ts";
import { openBrowser, type Page, type PageOptions } from "../test/web/_browser.ts";
import { buildPages } from "./build_pages.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folder = join(root, "dist/screenshots");
const forReadme = join(root, "docs/pictures");
const phone = { width: 390, height: 844, touch: true };
const tablet = { width: 1180, height: 820 };
const shop = "lanzhou-noodles";
const languages = ["zh", "en"] as const;

const home = mkdtempSync(join(tmpdir(), "orderbell-screenshots-"));
const built = join(home, "web");
await buildPages(built);
const db = await openPglite({ directory: home });
await migrate(db);
const machine = await startMachine({
  config: {
    ...readConfig({ ...demoKeys(home), DATABASE_URL: `pglite:${home}`, COLLECTION_ADMINS: shop }),
    collections: readCollections({}),
    purposes: readPurposes({}),
  },
  db,
  write: () => {},
  host: "127.0.0.1",
  port: 0,
  files: servePages(built),
  pictures: join(home, "pictures"),
});
const url = `http://127.0.0.1:${machine.server.port}`;
const { made } = await createDemoShops(machine.app, join(home, "pictures"));
const table = made.find(({ id }) => id === shop)?.tables[4]?.token ?? "";
const chromium = await openBrowser();

// --- Over HTTP ------------------------------------------------------------------------------------------------------

async function ask(method: string, path: string, token?: string, body?: unknown, key?: string) {
  const answer = await fetch(url + path, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(key === undefined ? {} : { "idempotency-key": key }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? undefined : JSON.parse(await answer.text());
}

const pairing = async (role: "owner" | "kitchen") =>
  (await newPairingCode(machine.app, { shop, role, device: role, by: null })).code;
const staff = (await ask("POST", "/login/staff", undefined, { pairingCode: await pairing("owner") })).session.token;

const guests = await Promise.all(
  Array.from({ length: 6 }, async () => (await ask("POST", "/login/guest")).session.token as string),
);
let placed = 0;
async function place(bill: object, ...actions: string[]): Promise<void> {
  const guest = guests[placed++ % guests.length];
  const { order } = await ask("POST", "/bill", guest, { shop, note: "", ...bill }, `screenshot-${placed}`);
  for (const action of actions) await ask("POST", `/orders/${order.id}/${action}`, staff, {});
}

const line = (dish: string, quantity = 1, note = "") => ({ dish, quantity, options: [], note });
const bowl = (quantity: number, note = "") => ({
  dish: "beef_noodles",
  quantity,
  options: menuChoices,
  note,
});
const { menu } = await ask("GET", `/get_shop_info?shop=${shop}`);
const menuChoices = menu.dishes
  .find(({ id }: { id: string }) => id === "beef_noodles")
  .options.filter(({ min }: { min: number }) => min > 0)
  .map(({ id, choices }: { id: string; choices: { id: string }[] }) => ({ option: id, choices: [choices[0]?.id] }));
const delivery = { name: "王小明", phone: "13900001234", address: "测试路 12 号 3 单元 602 室" };

async function morning(): Promise<void> {
  await place({ service: "table", table, lines: [bowl(2), line("cucumber")] }, "accept", "cook", "ready", "complete");
  await place({ service: "pickup", lines: [line("potato_beef_rice"), line("egg", 2)] }, "accept", "cook", "ready");
  await place({ service: "table", table, lines: [bowl(1, "不要香菜"), line("wood_ear")] }, "accept", "cook");
  await place(
    { service: "delivery", delivery, lines: [line("sliced_beef"), line("flatbread", 4)], note: "不要敲门" },
    "accept",
  );
}

/** Comments as examples/danmaku/ has them, for the owner's page. */
async function comments(): Promise<void> {
  for (const [nth, text] of ["前方高能", "哈哈哈哈", "这碗面看饿了", "第一次看"].entries()) {
    const data = { film: "sunrise", text, at: 1_200 * nth, likes: nth * 3 };
    await ask("POST", "/web", guests[nth], { action: "database.addDocument", collectionName: "comments", data });
  }
}

// --- Pictures -------------------------------------------------------------------------------------------------------

const shots: string[] = [];
async function shoot(page: Page, name: string): Promise<void> {
  await page.evaluate("document.fonts.ready");
  await page.waitForLoadState("networkidle").catch(() => {});
  // Animations have ended.
  await page.evaluate("new Promise((done) => setTimeout(done, 300))");
  writeFileSync(join(folder, `${name}.png`), await page.screenshot());
  shots.push(name);
}

async function open(path: string, options: PageOptions): Promise<Page> {
  const page = await chromium.newPage(options);
  await page.goto(url + path);
  await page.getByRole("heading").first().waitFor();
  return page;
}

/** Chooses the options that the dish requires. */
async function choose(page: Page): Promise<void> {
  for (const group of await page.locator("dialog fieldset").all())
    if ((await group.locator("input[type=radio]").count()) > 0)
      await group.locator("input[type=radio]").first().check();
}

async function customer(language: "zh" | "en", size: PageOptions, name: string): Promise<void> {
  const options = { ...size, language };
  const chooser = await open("/", options);
  await shoot(chooser, `${name}-shops`);
  await chooser.close();
  const closed = await open("/?shop=osmanthus-tea", options);
  await shoot(closed, `${name}-closed`);
  await closed.close();
  const page = await open(`/?shop=${shop}&table=${table}`, options);
  await page.locator("[data-category]").first().waitFor();
  await shoot(page, `${name}-menu`);
  await page.evaluate(`location.hash = "dish=beef_noodles"`);
  await page.getByRole("dialog").waitFor();
  await shoot(page, `${name}-dish`);
  await choose(page);
  await page.locator("dialog .primary").click();
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.evaluate(`location.hash = "checkout"`);
  await shoot(page, `${name}-checkout`);
  await page
    .getByRole("button", { name: language === "zh" ? /提交/ : /order/i })
    .last()
    .click();
  await page.waitForURL(/#order=/);
  await shoot(page, `${name}-order`);
  await page.goto(`${url}/?shop=${shop}#orders`);
  await shoot(page, `${name}-orders`);
  await page.goto(`${url}/?shop=${shop}#account`);
  await shoot(page, `${name}-account`);
  await page.close();
}

async function kitchen(language: "zh" | "en", size: PageOptions, name: string): Promise<void> {
  const options = { ...size, language, dark: true };
  const stranger = await open("/kitchen", options);
  await shoot(stranger, `${name}-pairing`);
  await stranger.close();
  const page = await open(`/kitchen#pair=${await pairing("kitchen")}`, options);
  await shoot(page, `${name}-before`);
  await page
    .getByRole("button", { name: language === "zh" ? /开始/ : /start/i })
    .first()
    .click();
  await page.getByText("A003").first().waitFor();
  await shoot(page, `${name}-orders`);
  await page.close();
}

async function owner(language: "zh" | "en", size: PageOptions, name: string): Promise<void> {
  const page = await open(`/owner#pair=${await pairing("owner")}`, { ...size, language });
  for (const room of ["report", "menu", "tables", "devices", "settings", "collections", "collections/comments"]) {
    await page.evaluate(`location.hash = "${room}"`);
    await shoot(page, `${name}-${room.replace("/", "-")}`);
  }
  await page.locator("button.document").first().click();
  await page.getByRole("dialog").waitFor();
  await shoot(page, `${name}-document`);
  await page.close();
}

try {
  await morning();
  await comments();
  await (process.argv.includes("--readme") ? readme() : everything());
} finally {
  await chromium.close();
  await machine.stop();
  await db.close();
  rmSync(home, { recursive: true, force: true });
}

async function everything(): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  await place({ service: "pickup", lines: [line("tomato_egg_rice"), line("yoghurt")] });
  for (const language of languages) {
    await customer(language, phone, `customer-${language}`);
    await kitchen(language, tablet, `kitchen-${language}`);
    await kitchen(language, { width: 820, height: 1_180 }, `kitchen-upright-${language}`);
    const board = await open(`/board?shop=${shop}`, { width: 1_280, height: 720, language });
    await shoot(board, `board-${language}`);
    await board.close();
    await owner(language, { width: 1_280, height: 900 }, `owner-${language}`);
    await owner(language, phone, `owner-phone-${language}`);
  }
  console.log(`${shots.length} pictures in dist/screenshots`);
}

// --- The README's ---------------------------------------------------------------------------------------------------

async function readme(): Promise<void> {
  mkdirSync(forReadme, { recursive: true });
  const jpeg = async (page: Page) => {
    await page.waitForLoadState("networkidle").catch(() => {});
    await page.locator(".toasts > *").waitFor({ state: "detached" });
    return page.screenshot({ type: "jpeg", quality: 72 });
  };
  const kitchenPage = await open(`/kitchen#pair=${await pairing("kitchen")}`, {
    ...tablet,
    language: "zh",
    dark: true,
  });
  await kitchenPage.getByRole("button", { name: /开始/ }).first().click();
  await kitchenPage.getByText("A003").first().waitFor();
  const customerPage = await open(`/?shop=${shop}&table=${table}`, { ...phone, language: "zh" });
  await customerPage.locator("[data-category]").first().waitFor();
  await customerPage.locator(".banner").waitFor({ state: "detached" });
  const frames: [Buffer, Buffer][] = [];
  const frame = async () => void frames.push([await jpeg(customerPage), await jpeg(kitchenPage)]);

  await frame();
  await customerPage.evaluate(`location.hash = "dish=beef_noodles"`);
  const sheet = customerPage.getByRole("dialog");
  await sheet.waitFor();
  await choose(customerPage);
  await frame();
  await sheet.locator(".primary").click();
  await sheet.waitFor({ state: "detached" });
  await customerPage.evaluate(`location.hash = "checkout"`);
  await customerPage.getByRole("button", { name: /提交/ }).last().waitFor();
  await frame();
  await customerPage.getByRole("button", { name: /提交/ }).last().click();
  await customerPage.waitForURL(/#order=/);
  const number = await customerPage.locator(".number").innerText();
  const ticket = kitchenPage.getByRole("article").filter({ hasText: number });
  await ticket.waitFor();
  const ringing = frames.length;
  await frame();
  for (const [name, said] of [
    [/接单/, "已接单"],
    [/开始做/, "制作中"],
  ] as const) {
    await ticket.getByRole("button", { name }).first().click();
    await customerPage.getByText(said).first().waitFor();
    await frame();
  }
  writeFileSync(join(forReadme, "order_to_ring.svg"), moving(frames));
  // The menu at the beginning, and the kitchen while it rings.
  writeFileSync(join(forReadme, "customer.jpg"), (frames[0] as [Buffer, Buffer])[0]);
  writeFileSync(join(forReadme, "kitchen.jpg"), (frames[ringing] as [Buffer, Buffer])[1]);
  const board = await open(`/board?shop=${shop}`, { width: 1_180, height: 820, language: "zh" });
  writeFileSync(join(forReadme, "board.jpg"), await jpeg(board));
  console.log("the README's pictures are in docs/pictures");
}

/** Frames of phone and tablet side by side, one after the other: an SVG needs no player and no encoder. */
function moving(frames: readonly (readonly [phone: Buffer, tablet: Buffer])[]): string {
  const stepSec = 2;
  const [width, height] = [phone.width + 24 + tablet.width, phone.height];
  const uri = (image: Buffer) => `data:image/jpeg;base64,${image.toString("base64")}`;
  const share = 100 / frames.length;
  const shown = frames.map(
    ([left, right], at) => `<g class="frame" style="animation-delay:${at * stepSec}s">
<image href="${uri(left)}" width="${phone.width}" height="${phone.height}"/>
<image href="${uri(right)}" x="${phone.width + 24}" y="12" width="${tablet.width}" height="${tablet.height}"/></g>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="An order on its way from the phone to the kitchen">
<style>.frame{opacity:0;animation:show ${frames.length * stepSec}s steps(1) infinite}.frame:first-of-type{opacity:1}@keyframes show{0%{opacity:1}${share.toFixed(3)}%{opacity:0}100%{opacity:0}}
@media (prefers-reduced-motion:reduce){.frame{animation:none}.frame:nth-of-type(4){opacity:1}}</style>
${shown.join("\n")}
</svg>
`;
}
