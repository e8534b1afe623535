/** The index of the examples, and what holds for each of them. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { barriersOf, type Demo, openDemo } from "./_demo.ts";

const folder = fileURLToPath(new URL("../../examples", import.meta.url));
const linesOf = (path: string) =>
  readdirSync(path)
    .filter((name) => /\.(html|js|css|ts|wxml|wxss|json)$/.test(name))
    .reduce((sum, name) => sum + readFileSync(join(path, name), "utf8").trimEnd().split("\n").length, 0);
const foldersIn = (path: string) =>
  existsSync(path)
    ? readdirSync(path, { withFileTypes: true })
        .filter((one) => one.isDirectory())
        .map(({ name }) => name)
    : [];

/** Parts that the pages share, and what is no page. */
const shared = ["shared", "miniprogram", "servers", "sdk"];
const pages = foldersIn(folder).filter((name) => !shared.includes(name));

it.each([
  ...pages.map((name) => [name]),
  ...foldersIn(join(folder, "miniprogram/pages")).map((name) => [`miniprogram/pages/${name}`]),
])("the example %s can be read whole: at most 200 lines of its own", (name) => {
  expect(linesOf(join(folder, name))).toBeLessThanOrEqual(200);
});

it("the examples' languages take at most 40 lines", () => {
  expect(readFileSync(join(folder, "shared/i18n.js"), "utf8").split("\n").length).toBeLessThanOrEqual(41);
});

describe("the index of the examples", () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await openDemo();
  });
  afterAll(async () => demo?.close());

  it("has a card for each example, which leads to it", async () => {
    const index = await demo.open("");
    await index.getByRole("heading", { name: "Examples" }).waitFor();
    const links = await index.evaluate<string[]>(
      `[...document.querySelectorAll("#demos a")].map((one) => one.getAttribute("href"))`,
    );
    expect(links.toSorted()).toEqual(pages.map((name) => `${name}/`).toSorted());
    for (const link of links) {
      const page = await demo.open(`${link}?shop=${demo.house.shop}`);
      await page.locator("h1").waitFor();
      await page.close();
    }
    await index.close();
    expect(demo.errors).toEqual([]);
  });

  it("speaks the browser's language until the other is chosen, and remembers it", async () => {
    const page = await demo.open("", { language: "zh" });
    await page.getByRole("heading", { name: "综合示例" }).waitFor();
    await page.getByRole("button", { name: "English" }).click();
    await page.getByRole("heading", { name: "Examples" }).waitFor();
    await page.reload();
    await page.getByRole("heading", { name: "Examples" }).waitFor();
    expect(await page.evaluate("document.documentElement.lang")).toBe("en");
    await page.close();
  });

  it("keeps nobody out", async () => {
    expect(await barriersOf(demo, "", (page) => page.locator("#demos a").first().waitFor())).toEqual([]);
  });
});
