/** The examples on a whole server, as `npm start` serves them, and people who use them in a browser. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ensureExamples } from "../../cli/ensure_pages.ts";
import { serveExamples } from "../../cli/serve_examples.ts";
import type { Files } from "../../cli/serve_pages.ts";
import { parseCollections } from "../../shared/live/collections.ts";
import { anyEngine } from "../_engines.ts";
import { type House, type HouseOptions, openHouse } from "../_house.ts";
import { barriers } from "../web/_axe.ts";
import { type OpenBrowser, openBrowser, type Page, type PageOptions } from "../web/_browser.ts";

export interface Demo {
  readonly house: House;
  /** A person with a browser of their own. @param path below /examples/ */
  open(path: string, options?: Partial<PageOptions>): Promise<Page>;
  /** What the pages said of scripts that failed or were refused. */
  readonly errors: string[];
  close(): Promise<void>;
}

const collections = fileURLToPath(new URL("../../collections.yml", import.meta.url));

/** @param around further files that the server has */
export async function openDemo(
  { environment, config, ...options }: HouseOptions = {},
  around: (examples: Files) => Files = (examples) => examples,
): Promise<Demo> {
  const said: string[] = [];
  await ensureExamples((line) => said.push(line));
  expect(said).toEqual([]);
  const house = await openHouse(anyEngine, {
    files: around(serveExamples()),
    environment: { EXAMPLES: "on", ...environment },
    config: { collections: parseCollections(readFileSync(collections, "utf8")).collections, ...config },
    ...options,
  });
  let browser: OpenBrowser;
  try {
    browser = await openBrowser();
  } catch (error) {
    await house.close();
    throw error;
  }
  const errors: string[] = [];
  return {
    house,
    errors,
    async open(path, more = {}) {
      const page = await browser.newPage({ width: 390, height: 800, language: "en", ...more });
      page.on("pageerror", (error) => errors.push(String(error)));
      page.on("console", (line) => {
        // A lost network is what some tests are about.
        if (line.type() === "error" && !/ERR_|WebSocket connection/.test(line.text())) errors.push(line.text());
      });
      await page.goto(`${house.url}/examples/${path}`);
      return page;
    },
    async close() {
      await browser.close();
      await house.close();
    },
  };
}

/** What keeps people out, in both languages, in light and dark. The page is shown as a newcomer sees it. */
export async function barriersOf(demo: Demo, path: string, ready: (page: Page) => Promise<unknown>): Promise<string[]> {
  const found: string[] = [];
  for (const [language, dark] of [
    ["zh", true],
    ["en", false],
  ] as const) {
    const page = await demo.open(path, { language, dark });
    await ready(page);
    found.push(...(await barriers(page)).map((line) => `${language}: ${line}`));
    found.push(...(await untranslated(page, language)));
    await shot(page, `${path.replaceAll(/\W+/g, "-")}${language}`);
    await page.close();
  }
  return found;
}

/** Chinese on an English page, but for names and the switch; a page wider than the phone. */
async function untranslated(page: Page, language: "zh" | "en"): Promise<string[]> {
  const [text, overflow] = await page.evaluate<[string, boolean]>(`[
    [...document.querySelectorAll("body *")].filter((one) => one.children.length === 0 && !one.closest("[lang]:not(html)"))
      .map((one) => one.textContent).join(" "),
    document.documentElement.scrollWidth > innerWidth,
  ]`);
  return [
    ...(language === "en" && /[\u4e00-\u9fff]/.test(text) ? [`en: untranslated: ${text}`] : []),
    ...(overflow ? [`${language}: wider than the screen`] : []),
  ];
}

/** For who looks at the pages: ORDERBELL_SHOTS names a folder. */
export async function shot(page: Page, name: string): Promise<void> {
  const folder = process.env.ORDERBELL_SHOTS;
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png` });
}
