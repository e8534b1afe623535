/** The chat room of the examples, used by several people in a real Chromium. */
import type { Page } from "../web/_browser.ts";
import { barriersOf, type Demo, openDemo, shot } from "./_demo.ts";

describe("the chat room", () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await openDemo({ environment: { MEMBER_MS: "3000" } });
  });
  afterAll(async () => demo?.close());

  /** Each test has a room of its own. */
  async function enter(room: string, name: string, more: object = {}): Promise<Page> {
    const page = await demo.open(`chat/?room=${room}`, more);
    await page.locator("#members li", { hasText: /\(me\)|（我）/ }).waitFor();
    if (name === "") return page;
    await page.locator("#name").fill(name);
    await page.locator("#name").press("Tab");
    await page.locator("#members li", { hasText: name }).waitFor();
    return page;
  }
  const say = async (page: Page, text: string) => {
    await page.locator("#text").fill(text);
    await page.locator("#text").press("Enter");
  };
  const texts = (page: Page) => page.locator("#messages li:not(.sending) p").allTextContents();
  const see = (page: Page, text: string) => page.locator("#messages li:not(.sending) p", { hasText: text }).waitFor();

  it("shows who is here and what was said, to those who are there and to those who come later", async () => {
    // Two come first at once, and are in one room.
    const [one, two] = await Promise.all([enter("talk", "小李"), enter("talk", "")]);
    await two.locator("#members li", { hasText: "小李" }).waitFor();
    await one.locator("#members li", { hasText: "Somebody" }).waitFor();
    await say(one, "<b>来了</b>");
    await see(two, "<b>来了</b>");
    await say(two, "Hello");
    for (const page of [one, two]) await see(page, "Hello");
    // Its own are on the right, and there once.
    expect(await one.locator("#messages li.mine").count()).toBe(1);
    expect(await texts(one)).toEqual(["<b>来了</b>", "Hello"]);
    const late = await enter("talk", "Late");
    await see(late, "Hello");
    expect(await texts(late)).toEqual(["<b>来了</b>", "Hello"]);
    await shot(late, "chat-three");
    await late.close();
    await one.locator("#members li", { hasText: "Late" }).waitFor({ state: "detached" });
    for (const page of [one, two]) await page.close();
  });

  it("shows who is typing, which fills no history and ends", async () => {
    const [one, two] = [await enter("typing", "Ann"), await enter("typing", "Ben")];
    await one.locator("#text").fill("Wait");
    await two.getByText("Ann is typing …").waitFor();
    await one.locator("#text").press("Enter");
    await see(two, "Wait");
    await two.getByText("Ann is typing …").waitFor({ state: "detached" });
    await one.locator("#text").fill("and then");
    await two.getByText("Ann is typing …").waitFor();
    await one.close();
    await two.getByText("Ann is typing …").waitFor({ state: "detached" });
    expect(await texts(two)).toEqual(["Wait"]);
    await two.close();
  });

  it("says that the network is lost, keeps what is written, and misses nothing when it is back", async () => {
    const [one, two] = [await enter("network", "Ann"), await enter("network", "Ben")];
    await one.context().setOffline(true);
    await one.locator("#network", { hasText: "No network" }).waitFor();
    // Shown at once, and as not sent yet.
    await say(one, "from the tunnel");
    await one.locator("#messages li.mine.sending", { hasText: "from the tunnel" }).waitFor();
    await shot(one, "chat-offline");
    await say(two, "are you there?");
    await see(two, "are you there?");
    await two.locator("#members li", { hasText: "Ann" }).waitFor({ state: "detached" });
    await one.context().setOffline(false);
    await see(one, "are you there?");
    for (const page of [one, two]) await see(page, "from the tunnel");
    await one.locator("#network").waitFor({ state: "hidden" });
    await two.locator("#members li", { hasText: "Ann" }).waitFor();
    for (const page of [one, two]) expect(await texts(page)).toEqual(["are you there?", "from the tunnel"]);
    for (const page of [one, two]) await page.close();
  });

  it("shows older messages page by page, and messages as danmaku", async () => {
    const one = await enter("older", "Ann");
    for (let nth = 1; nth <= 35; nth++) await say(one, `message ${nth}.`);
    await see(one, "message 35.");
    const two = await enter("older", "Ben", { reducedMotion: false });
    await see(two, "message 35.");
    expect(await texts(two)).toHaveLength(30);
    await two.getByRole("button", { name: "Older messages" }).click();
    await see(two, "message 1.");
    expect(await texts(two)).toEqual(Array.from({ length: 35 }, (_, at) => `message ${at + 1}.`));
    await two.locator("summary").click();
    await say(one, "前方高能");
    await two.locator("#sky span", { hasText: "前方高能" }).waitFor();
    await shot(two, "chat-danmaku");
    for (const page of [one, two]) await page.close();
  });

  it("keeps nobody out", async () => {
    const one = await enter("open", "Ann");
    await say(one, "Hello");
    const ready = async (page: Page) => {
      await see(page, "Hello");
      await page.locator("#members li").nth(1).waitFor();
    };
    expect(await barriersOf(demo, "chat/?room=open", ready)).toEqual([]);
    await one.close();
    expect(demo.errors).toEqual([]);
  });
});
