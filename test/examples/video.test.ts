/** The example "video" in a browser: films play, and are sought, as one file by ranges and as HLS by hls.js. */
import { createDemoFilm } from "../../demo/films.ts";
import type { Page } from "../web/_browser.ts";
import { barriersOf, type Demo, openDemo, shot } from "./_demo.ts";

let demo: Demo;
beforeAll(async () => {
  demo = await openDemo();
  await createDemoFilm(demo.house.app, demo.house.shop);
});
afterAll(async () => demo?.close());

interface Fetched {
  readonly path: string;
  readonly status: number;
}

/** What the page was answered for files of the film. */
function fetchesOf(page: Page): Fetched[] {
  const fetched: Fetched[] = [];
  page.on("response", (answer) => {
    const path = new URL(answer.url()).pathname;
    if (/^\/(files|store)\//.test(path)) fetched.push({ path, status: answer.status() });
  });
  return fetched;
}

const open = async () => {
  const page = await demo.open(`video/?shop=${demo.house.shop}`);
  const fetched = fetchesOf(page);
  await page.getByRole("button", { name: "Play 日出 Sunrise" }).click();
  return { page, fetched };
};

/** The page's policy forbids what Playwright's own waiting would evaluate. */
async function holds(page: Page, condition: string): Promise<void> {
  while (!(await page.evaluate<boolean>(condition))) await new Promise((resolve) => setTimeout(resolve, 50));
}
const passes = (page: Page, second: number) => holds(page, `document.querySelector("video").currentTime > ${second}`);
const seek = (page: Page, second: number) => page.evaluate(`document.querySelector("video").currentTime = ${second}`);

describe("the example of video", () => {
  it("lists films with poster and length to everybody, without a session", async () => {
    const page = await demo.open(`video/?shop=${demo.house.shop}`);
    await page.getByText("0:24").waitFor();
    await holds(page, `document.querySelector("#films img").naturalWidth === 480`);
    expect(await page.evaluate(`localStorage["examples.session"] ?? null`)).toBeNull();
    await page.close();
    expect(demo.errors).toEqual([]);
  });

  it("plays HLS by hls.js, and fetches the parts of where it is sought to", async () => {
    const { page, fetched } = await open();
    await passes(page, 0.5);
    expect(await page.evaluate(`document.querySelector("video").src`)).toMatch(/^blob:/);
    const parts = () => fetched.filter(({ path }) => path.endsWith(".m4s")).map(({ path }) => path.replace(/.*\//, ""));
    await seek(page, 21);
    await passes(page, 21.3);
    await shot(page, "video-hls");
    expect(parts()).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^(low|high)0\.m4s$/),
        expect.stringMatching(/^(low|high)5\.m4s$/),
      ]),
    );
    // A playlist is answered as it is; a part leads to its bytes.
    expect(fetched.filter(({ path }) => path.endsWith(".m3u8")).every(({ status }) => status === 200)).toBe(true);
    expect(fetched.filter(({ path }) => path.endsWith(".m4s")).every(({ status }) => status === 302)).toBe(true);
    const bytes = fetched.filter(({ path }) => path.startsWith("/store/"));
    expect(bytes.length).toBeGreaterThan(2);
    expect(bytes.every(({ status }) => status === 200 || status === 206)).toBe(true);
    await page.close();
    expect(demo.errors).toEqual([]);
  });

  it("plays the film as one file, and seeks in it by a range", async () => {
    const { page, fetched } = await open();
    await page.getByLabel("Played").selectOption("whole");
    await passes(page, 0.2);
    expect(await page.evaluate(`document.querySelector("video").src`)).toMatch(/\/files\/\w+\/content$/);
    await seek(page, 20);
    await passes(page, 20.3);
    expect(fetched.filter(({ path, status }) => path.startsWith("/store/") && status === 206)).not.toEqual([]);
    await page.close();
    expect(demo.errors).toEqual([]);
  });

  it("keeps nobody out", async () => {
    const ready = (page: Page) => page.getByText("0:24").waitFor();
    expect(await barriersOf(demo, `video/?shop=${demo.house.shop}`, ready)).toEqual([]);
  });
});
