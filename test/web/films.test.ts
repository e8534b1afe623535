/** Films and pictures on the owner's page, in a real Chromium against a whole server: the bar, lost networks, reloads, cancelling. */
import { mkdir, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newPairingCode } from "../../shared/sessions/login.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";
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

const here = hasBrowser();
const real = here ? it : it.skip;
const wide = { width: 1280, height: 900 } as const;
const phone = { width: 390, height: 844, touch: true } as const;

let built: BuiltPages;
let folder: string;
let house: House;
let partner: Person;
let opened: OpenBrowser;
/** A film of two seconds. */
let film: string;
/** The same, so long that it goes in five parts. */
let large: string;
const partBytes = 16 * 1_024 * 1_024;
const largeBytes = 4 * partBytes + 5_000_000;
const faults: string[] = [];

beforeAll(async () => {
  if (!here) return;
  built = buildPages("owner");
  folder = await mkdtemp(join(tmpdir(), "orderbell-films-"));
  house = await openHouse(anyEngine, { files: built.files });
  partner = await house.staff("owner");
  opened = await openBrowser();
  film = join(folder, "拉面.webm");
  await writeFile(film, await recorded());
  large = join(folder, "long.webm");
  await writeFile(large, await recorded());
  const handle = await open(large, "r+");
  await handle.truncate(largeBytes);
  await handle.close();
}, 120_000);

afterAll(async () => {
  await opened?.close();
  await house?.close();
  built?.remove();
  if (folder !== undefined) await rm(folder, { recursive: true });
});

afterEach(() => expect(faults.splice(0)).toEqual([]));

/** A film of an orange square, recorded by the browser itself: without a length in its header, as recordings are. */
async function recorded(): Promise<Buffer> {
  const page = await opened.newPage(wide);
  const text = await page.evaluate<string>(`(async () => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 320, height: 180 });
    const context = canvas.getContext("2d");
    const recorder = new MediaRecorder(canvas.captureStream(20), { mimeType: "video/webm;codecs=vp8" });
    const chunks = [];
    recorder.ondataavailable = ({ data }) => chunks.push(data);
    const stopped = new Promise((resolve) => (recorder.onstop = resolve));
    recorder.start();
    for (let at = 0; at < 40; at++) {
      context.fillStyle = "#c2410c";
      context.fillRect(0, 0, 320, 180);
      context.fillStyle = "#fff";
      context.fillRect(at * 8, 70, 40, 40);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    recorder.stop();
    await stopped;
    const bytes = new Uint8Array(await new Blob(chunks).arrayBuffer());
    return btoa([...bytes].map((byte) => String.fromCharCode(byte)).join(""));
  })()`);
  await page.close();
  return Buffer.from(text, "base64");
}

async function signedIn(options: PageOptions = wide): Promise<Page> {
  const page = await opened.newPage(options);
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (line) => {
    if (/content security policy/i.test(line.text())) faults.push(line.text());
  });
  await page.clock.install();
  const { code } = await newPairingCode(house.app, { shop: house.shop, role: "owner", device: "phone", by: null });
  await page.goto(`${house.url}/owner#pair=${code}`);
  await page.getByRole("navigation").waitFor();
  return page;
}

const show = async (page: Page, name = "影片") => {
  await page.getByRole("navigation").getByRole("link", { name }).click();
  await page.getByRole("heading", { level: 1, name }).waitFor();
};
const button = (page: Page, name: string | RegExp) => page.getByRole("button", { name });
/** A button that has just come ignores taps for 400 ms of the page's time. */
const tap = async (page: Page, name: string | RegExp) => {
  await button(page, name).waitFor();
  await page.clock.fastForward(400);
  await button(page, name).click();
};
const choose = (page: Page, file: string, label: string | RegExp = /选择影片|换一部影片/) =>
  page.getByLabel(label).setInputFiles(file);
const films = async () => (await house.http("GET", `/files?purpose=film&shop=${house.shop}`)).body.files;
const mine = async () => (await partner.http("GET", `/files?purpose=film&shop=${house.shop}`)).body.files;
/** For who looks at the page: ORDERBELL_SHOTS names a folder. */
async function shot(page: Page, name: string): Promise<void> {
  const shots = process.env.ORDERBELL_SHOTS;
  if (shots === undefined) return;
  await mkdir(shots, { recursive: true });
  await page.screenshot({ path: join(shots, `${name}.png`), fullPage: true });
}
async function until(isSo: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
}

real("the owner's films: one is uploaded with a poster out of it, and the shop shows it to everybody", async () => {
  const page = await signedIn();
  await show(page);
  await page.getByText("还没有影片").waitFor();
  expect(await barriers(page)).toEqual([]);

  await choose(page, film);
  await page.getByLabel("片名").waitFor();
  expect(await page.getByLabel("片名").inputValue()).toBe("拉面");
  await page.getByText("时长 0:02").waitFor();
  await page.getByRole("img", { name: "封面" }).waitFor();
  await page.getByLabel("片名").fill("手工拉面");
  expect(await barriers(page)).toEqual([]);
  await shot(page, "film-chosen");
  // By the keyboard alone.
  await page.getByLabel("片名").press("Enter");
  await page.getByRole("status").filter({ hasText: "影片已上传" }).waitFor();
  await page.getByRole("link", { name: "播放 手工拉面" }).waitFor();
  await shot(page, "films");
  expect(await barriers(page)).toEqual([]);

  const [stored] = await films();
  expect(stored).toMatchObject({
    name: "拉面.webm",
    type: "video/webm",
    visibility: "public",
    shop: house.shop,
    about: { title: "手工拉面", seconds: 2, poster: "poster.jpg" },
  });
  const address = await page.getByRole("link", { name: "播放 手工拉面" }).getAttribute("href");
  expect(address).toBe(`${house.url}/files/${stored.id}/content`);
  const part = await fetch(address ?? "", { headers: { range: "bytes=0-99" } });
  expect([part.status, part.headers.get("content-type")]).toEqual([206, "video/webm"]);
  const poster = page.locator(".film img");
  await until(() => poster.evaluate((one) => (one as unknown as { naturalWidth: number }).naturalWidth === 320));
  await page.close();
});

real("the owner's films: what is no film is refused by its content, and is not kept", async () => {
  const page = await signedIn();
  await show(page);
  const before = (await mine()).length;
  const evil = join(folder, "evil.mp4");
  await writeFile(evil, "<html><script>alert(1)</script></html>");
  await choose(page, evil);
  await page.getByText("读不出时长").waitFor();
  await tap(page, "上传");
  await page.getByText("只支持 MP4 和 WebM 影片").waitFor();
  expect(await mine()).toHaveLength(before);
  // Nothing that was typed is lost.
  expect(await page.getByLabel("片名").inputValue()).toBe("evil");
  await page.close();
});

real("the owner's films: an upload shows its bar, waits for a lost network, and goes on by itself", async () => {
  const page = await signedIn();
  await show(page);
  // Parts wait for the test, and then there is no network.
  const held: (() => void)[] = [];
  let isLost = false;
  await page.route(/\/store\//, async (route) => {
    if (!isLost) await new Promise<void>((go) => held.push(go));
    return route.abort("internetdisconnected");
  });
  await choose(page, large);
  await page.getByLabel("片名").fill("长片");
  await tap(page, "上传");
  const bar = page.getByRole("progressbar", { name: "正在上传 长片" });
  await bar.waitFor();
  await until(() => held.length === 3);
  expect(await barriers(page)).toEqual([]);
  // It goes on while the owner looks at something else.
  await show(page, "菜单");
  await show(page);
  await bar.waitFor();
  isLost = true;
  for (const go of held) go();
  await page.getByText("网络断了，恢复后会自动继续上传").waitFor();
  await shot(page, "film-waiting");
  await page.unroute(/\/store\//);
  await passUntil(page, page.getByRole("link", { name: "播放 长片" }));
  expect((await films())[0]).toMatchObject({ bytes: largeBytes, about: { title: "长片" }, state: "stored" });
  await page.close();
});

real("the owner's films: after a reload the same file goes on where it was", async () => {
  const page = await signedIn();
  await show(page);
  let puts = 0;
  await page.route(/\/store\//, async (route) => {
    puts += 1;
    // Two parts are let through.
    if (puts > 2) return;
    await route.continue();
  });
  await choose(page, large);
  await page.getByLabel("片名").fill("连载");
  await tap(page, "上传");
  await until(async () => (await mine())[0]?.about.title === "连载");
  const [begun] = await mine();
  const stored = async () =>
    (await partner.http("POST", `/files/${begun.id}/parts`, { body: { parts: [] } })).body.stored as { part: number }[];
  await until(async () => (await stored()).length === 2);
  await page.reload();
  await page.unroute(/\/store\//);
  await page.getByRole("heading", { level: 1, name: "影片" }).waitFor();
  await page.getByText("没有传完").waitFor();
  await shot(page, "film-unfinished");
  const sent: string[] = [];
  page.on("request", (request) => {
    if (request.url().includes("/store/") && request.method() === "PUT") sent.push(request.url());
  });
  await choose(page, large);
  await page.getByLabel("片名").fill("连载");
  await tap(page, "上传");
  await page.getByRole("link", { name: "播放 连载" }).waitFor({ timeout: 60_000 });
  expect((await films())[0].id).toBe(begun.id);
  // Three parts and the poster.
  expect(sent).toHaveLength(4);
  await page.close();
});

real("the owner's films: a cancelled upload leaves nothing, and a film is removed after a question", async () => {
  const page = await signedIn();
  await show(page);
  const before = (await mine()).length;
  await page.route(/\/store\//, () => {});
  await choose(page, film);
  await tap(page, "上传");
  await page.getByRole("progressbar").waitFor();
  await tap(page, "取消上传");
  // What was chosen is still there, and the focus stays in the form.
  await page.getByLabel("片名").waitFor();
  await until(() => page.evaluate<boolean>(`document.activeElement.textContent === "换一部影片"`));
  await until(async () => (await mine()).length === before);
  await page.unroute(/\/store\//);

  await tap(page, "删除 手工拉面");
  const question = page.getByRole("dialog", { name: "删除《手工拉面》？" });
  await question.waitFor();
  expect(await barriers(page)).toEqual([]);
  await page.clock.fastForward(400);
  await question.getByRole("button", { name: "删除", exact: true }).click();
  await page.getByRole("link", { name: "播放 手工拉面" }).waitFor({ state: "detached" });
  expect(await mine()).toHaveLength(before - 1);
  await page.close();
});

real("a dish's picture shows its bar, is cancelled, and waits for a lost network", async () => {
  const page = await signedIn(phone);
  await show(page, "菜单");
  await button(page, /^红烧牛肉面/).click();
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  // The smallest picture there is: one pixel.
  const gray = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==";
  const picture = { name: "beef.png", mimeType: "image/png", buffer: Buffer.from(gray, "base64") };
  await page.route(/\/store\//, () => {});
  await dialog.getByLabel("图片", { exact: true }).setInputFiles(picture);
  await dialog.getByRole("progressbar", { name: "正在上传 beef.png" }).waitFor();
  expect(await barriers(page)).toEqual([]);
  await shot(page, "dish-picture");
  await tap(page, "取消上传");
  await button(page, "上传图片").waitFor();
  await page.unroute(/\/store\//);

  await page.route(/\/store\//, (route) => route.abort());
  await dialog.getByLabel("图片", { exact: true }).setInputFiles(picture);
  await dialog.getByText("网络断了，恢复后会自动继续上传").waitFor();
  await page.unroute(/\/store\//);
  await passUntil(page, button(page, "换一张"));
  await tap(page, "保存");
  await dialog.waitFor({ state: "detached" });
  const { menu } = (await house.http("GET", `/get_shop_info?shop=${house.shop}`)).body;
  const path = menu.dishes.find(({ id }: { id: string }) => id === "beef").picture;
  expect(path).toMatch(/^\/files\/\w{26}\/content$/);
  const shown = await fetch(house.url + path);
  expect([shown.status, shown.headers.get("content-type")]).toEqual([200, "image/png"]);
  await page.close();
});

real("the owner's films in English, on a small phone, in the dark and in large text have no barriers", async () => {
  const page = await signedIn({ ...phone, width: 320, language: "en" });
  await show(page, "Films");
  await page.locator(".film").first().waitFor();
  await choose(page, film, "Choose a film");
  await page.getByLabel("Title").waitFor();
  const wider = () => page.evaluate("document.documentElement.scrollWidth - innerWidth");
  expect(await barriers(page)).toEqual([]);
  expect(await wider()).toBe(0);
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await barriers(page, { runOnly: ["color-contrast"] })).toEqual([]);
  await shot(page, "films-en-dark");
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 390, height: 844 });
  await setTextSize(page, 200);
  expect(await wider()).toBe(0);
  await page.close();
});
