/** The mini-program's pages of files, films, strokes and sessions on phones: glass-easel in Chromium, with a stand-in for WeChat. */
import { readFileSync } from "node:fs";
import axios from "axios";
import { createDemoFilm } from "../../demo/films.ts";
import { type StandIn, startWechat } from "../../demo/wechat.ts";
import { config } from "../../examples/miniprogram/config.ts";
import { addWechatApp } from "../../shared/sessions/wechat_apps.ts";
import { makeWechat } from "../../shared/wechat.ts";
import type { Page } from "../web/_browser.ts";
import { shot } from "./_demo.ts";
import { openPhones, type Phones } from "./_phone.ts";

const app = { appid: "wx0123456789abcdef", secret: "secret-of-one", name: "one" };

let wechat: StandIn;
let phones: Phones;
beforeAll(async () => {
  wechat = await startWechat({ apps: [app] });
  phones = await openPhones({ wechat: makeWechat(axios.create({ baseURL: wechat.url, timeout: 10_000 })) });
  await addWechatApp(phones.house.app, app);
  await createDemoFilm(phones.house.app, phones.house.shop);
});
afterAll(async () => {
  await phones?.close();
  await wechat?.close();
});

const on = (page: Page, selector: string, text?: string | RegExp) =>
  page.locator(`.wx-page:not([hidden]) ${selector}`, text === undefined ? {} : { hasText: text });

/** A phone of a user of WeChat, with a page of the program open. */
async function open(name: string, openid: string): Promise<Page> {
  const query = new URLSearchParams({ language: "en" });
  for (let nth = 0; nth < 3; nth++) query.append("code", wechat.newCode(openid));
  const page = await phones.open(`../phone.html?${query}`, { touch: true, height: 844 });
  // Pictures and films need no place among the console's domains: they come from where their address says.
  await page.route(`${config.url}/**`, async (route) => {
    const url = route.request().url().replace(config.url, phones.house.url);
    // A film goes on loading while its page is closed.
    const response = await route.fetch({ url }).catch(() => undefined);
    await (response === undefined ? route.abort() : route.fulfill({ response })).catch(() => {});
  });
  await on(page, ".index-card", name).tap();
  return page;
}
async function until<T>(look: () => Promise<T>, is: (seen: T) => boolean): Promise<void> {
  while (!is(await look())) await new Promise((resolve) => setTimeout(resolve, 50));
}
const complaints = (page: Page) => page.evaluate("[...window.phone.faults, ...window.phone.errors]");

it("a session is shown from WeChat's code to its rows, with what is secret hidden", async () => {
  const page = await open("Session", "openid-of-one");
  await on(page, ".session-step", "wechat_accounts").getByText("openid-of-one").waitFor();
  await on(page, ".session-step", "Code").getByText("POST /login").waitFor();
  expect(await on(page, ".session-step", "wechat_accounts").innerText()).toMatch(/session_key_sealed\s+\(hidden\)/);
  await shot(page, "phone-session");
  await on(page, ".session-anew").tap();
  await on(page, ".session-step", "Answers of this environment so far: 2").waitFor();
  expect(await complaints(page)).toEqual([]);
  await page.close();
});

it("a work of one stroke is on its owner's other phone, and on nobody else's", async () => {
  const [mine, theirs] = [await open("One stroke", "openid-of-one"), await open("One stroke", "openid-of-two")];
  for (const point of [0, 1, 2, 0]) await on(mine, ".stroke-point").nth(point).tap();
  await on(mine, ".stroke-state", "Done!").waitFor();
  await on(mine, ".stroke-share").tap();
  await on(mine, ".stroke-show").tap();
  const picture = await mine.evaluate<string>("window.phone.opened");
  const answer = await fetch(picture.replace(config.url, phones.house.url));
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "image/png"]);
  await shot(mine, "phone-stroke");
  const other = await open("One stroke", "openid-of-one");
  await on(other, ".stroke-work", "Triangle").waitFor();
  await on(other, ".stroke-remove").tap();
  await on(mine, ".stroke-work").waitFor({ state: "detached" });
  expect(await on(theirs, ".stroke-work").count()).toBe(0);
  for (const page of [mine, theirs, other]) {
    expect(await complaints(page)).toEqual([]);
    await page.close();
  }
});

it("a file of a chat is uploaded, shared by a link, opened and removed, and another user does not see it", async () => {
  const [mine, theirs] = [
    await open("Upload and download", "openid-of-one"),
    await open("Upload and download", "openid-of-two"),
  ];
  await mine.evaluate(`window.phone.chosen = ["菜单.txt", "牛肉面 28", "text/plain"]`);
  await on(mine, ".files-unlisted").tap();
  await on(mine, ".files-choose").tap();
  await on(mine, ".files-file", "菜单.txt").getByText("text/plain").waitFor();
  await shot(mine, "phone-files");
  await on(mine, ".files-copy").tap();
  const link = await mine.evaluate<string>("window.phone.copied");
  expect(await (await fetch(link.replace(config.url, phones.house.url))).text()).toBe("牛肉面 28");
  await on(mine, ".files-remove").tap();
  await on(mine, ".network", "Removed: 菜单.txt").waitFor();
  await mine.evaluate(`window.phone.chosen = ["page.png", "<script>", "image/png"]`);
  await on(mine, ".files-choose").tap();
  await on(mine, ".files-sending", "FILE_CONTENT_WRONG").waitFor();
  expect(await on(theirs, ".files-file").count()).toBe(0);
  for (const page of [mine, theirs]) {
    expect(await complaints(page)).toEqual([]);
    await page.close();
  }
});

it("a film is listed with poster and length, and plays from its file", async () => {
  const page = await open("Video", "openid-of-two");
  await on(page, ".video-film", "0:24").tap();
  // Chromium begins a film with sound only after a gesture that it takes for one; a phone begins by itself.
  await page.evaluate(`document.querySelector("video").play()`);
  const state = () =>
    page.evaluate<number[]>(
      `(({ currentTime, readyState, duration }) => [currentTime, readyState, duration])(document.querySelector("video"))`,
    );
  await until(state, ([second = 0]) => second > 0.2);
  expect((await state())[2]).toBe(24);
  await shot(page, "phone-video");
  expect(await on(page, ".video-way").count()).toBe(2);
  await on(page, ".video-way").nth(1).tap();
  expect(await page.evaluate(`document.querySelector("video").getAttribute("src")`)).toMatch(/\/master\.m3u8$/);
  expect(await complaints(page)).toEqual([]);
  await page.close();
});

it("the figures of the mini-program are those of the page", () => {
  const figuresIn = (path: string) =>
    /declared[^=]*= (\[[\s\S]*?\n\]);/.exec(readFileSync(new URL(path, import.meta.url), "utf8"))?.[1];
  const page = figuresIn("../../examples/shared/stroke/figures.js");
  expect(page).toContain("triangle");
  expect(figuresIn("../../examples/miniprogram/parts/figures.ts")).toBe(page);
});
