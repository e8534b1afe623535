/** The example "one stroke" in a browser: works that follow their owner, are nobody else's, and are shared as pictures. */
import axios from "axios";
import { withExamples } from "../../cli/serve_examples.ts";
import { type StandIn, startWechat } from "../../demo/wechat.ts";
import { serveWechatCodes } from "../../demo/wechat_code.ts";
import { addWechatApp } from "../../shared/sessions/wechat_apps.ts";
import { makeWechat } from "../../shared/wechat.ts";
import type { Page } from "../web/_browser.ts";
import { barriersOf, type Demo, openDemo } from "./_demo.ts";

const app = { appid: "wx0123456789abcdef", secret: "secret-of-one", name: "one" };

let wechat: StandIn;
let demo: Demo;
beforeAll(async () => {
  wechat = await startWechat({ apps: [app] });
  demo = await openDemo({ wechat: makeWechat(axios.create({ baseURL: wechat.url, timeout: 10_000 })) }, (examples) =>
    withExamples(serveWechatCodes(wechat), examples),
  );
  await addWechatApp(demo.house.app, app);
});
afterAll(async () => {
  await demo?.close();
  await wechat?.close();
});

async function signIn(page: Page, name: string): Promise<void> {
  await page.getByLabel("Name").fill(name);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByText(`${name}: seen on any device`).waitFor();
}

/** The page may draw the figure anew between two looks: a point that has gone has no box. */
async function boxOf(page: Page, letter: string): Promise<{ x: number; y: number; width: number; height: number }> {
  const point = page.getByRole("button", { name: new RegExp(`^Point ${letter}`) });
  return (await point.boundingBox()) ?? boxOf(page, letter);
}

/** Without lifting the pointer. */
async function draw(page: Page, letters: string): Promise<void> {
  for (const [nth, letter] of [...letters].entries()) {
    const { x, y, width, height } = await boxOf(page, letter);
    await page.mouse.move(x + width / 2, y + height / 2, { steps: 5 });
    if (nth === 0) await page.mouse.down();
  }
  await page.mouse.up();
}

const works = (page: Page) => page.locator("#works li");
const state = (page: Page, text: string) => page.locator("#state", { hasText: text }).waitFor();

describe("the example of one stroke", () => {
  it("keeps a finished work with its owner, on another device too, and from everybody else", async () => {
    const [phone, stranger] = [await demo.open("stroke/"), await demo.open("stroke/")];
    await signIn(phone, "小明");
    await signIn(stranger, "小红");
    await draw(phone, "ABCA");
    await state(phone, "Done! The work is saved.");
    await works(phone).filter({ hasText: "Triangle" }).waitFor();
    const tablet = await demo.open("stroke/", { width: 1000, language: "zh" });
    await tablet.getByLabel("名字").fill("小明");
    await tablet.getByRole("button", { name: "登录", exact: true }).click();
    await works(tablet).filter({ hasText: "三角" }).waitFor();
    // The other device hears of the next one at once.
    await phone.getByRole("button", { name: "Next figure" }).click();
    await draw(phone, "CDABCAEBD");
    await works(tablet).filter({ hasText: "信封" }).waitFor();
    expect(await works(stranger).count()).toBe(0);
    for (const page of [phone, stranger, tablet]) await page.close();
    // Of requests that were under way when the guest's session ended.
    expect(demo.errors.splice(0).filter((line) => !/ 401 /.test(line))).toEqual([]);
  });

  it("shares a work as a picture by a link that needs no session", async () => {
    const page = await demo.open("stroke/");
    await draw(page, "BCAB");
    await works(page).getByRole("button", { name: "Make a picture to share" }).click();
    const link = works(page).getByRole("link", { name: "Open the picture" });
    await link.waitFor();
    const picture = await fetch((await link.getAttribute("href")) ?? "");
    expect([picture.status, picture.headers.get("content-type")]).toEqual([200, "image/png"]);
    const body = Buffer.from(await picture.arrayBuffer());
    expect(body.subarray(1, 4).toString()).toBe("PNG");
    expect([body.readUInt32BE(16), body.readUInt32BE(20)]).toEqual([600, 600]);
    await page.reload();
    await link.waitFor();
    await works(page).getByRole("button", { name: "Remove" }).click();
    await state(page, "The work is removed.");
    await works(page).waitFor({ state: "detached" });
    await page.close();
    expect(demo.errors).toEqual([]);
  });

  it("is drawn by the keyboard, undone, and hinted at", async () => {
    const page = await demo.open("stroke/");
    await page.getByLabel("Figure").selectOption({ label: "Two windows" });
    await page.getByRole("button", { name: "Hint" }).click();
    await state(page, "At two points an odd number of lines meets");
    expect(await page.locator(".hinted").count()).toBe(2);
    const press = (letter: string) => page.getByRole("button", { name: new RegExp(`^Point ${letter}`) }).press("Enter");
    for (const letter of "ABCFA") await press(letter);
    await state(page, "No way on from here");
    for (let nth = 0; nth < 5; nth++) await page.getByRole("button", { name: "Undo" }).click();
    await state(page, "Where will you begin?");
    for (const letter of "CFABCDE") await press(letter);
    await state(page, "1 lines are left");
    // No line leads there.
    await press("B");
    await state(page, "1 lines are left");
    await press("F");
    await state(page, "Done!");
    await page.close();
  });

  it("keeps nobody out", async () => {
    const ready = (page: Page) => page.locator("#board circle").first().waitFor();
    expect(await barriersOf(demo, "stroke/", ready)).toEqual([]);
  });
});
