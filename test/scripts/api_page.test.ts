/** The page of the HTTP API: complete against openapi.yaml, and readable under the pages' content policy. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { servePages } from "../../cli/serve_pages.ts";
import { apiPage } from "../../scripts/api_page.ts";
import { html, inline, markdown } from "../../scripts/markup.ts";
import { codesIn } from "../../scripts/openapi_document.ts";
import { readApi, readOpenapi } from "../../scripts/read_api.ts";
import { codes } from "../../shared/errors.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { barriers } from "../web/_axe.ts";
import { type OpenBrowser, openBrowser } from "../web/_browser.ts";

const css = readFileSync(new URL("../../web/docs.css", import.meta.url), "utf8");
const files = apiPage(readOpenapi(), css);
const text = files["docs.html"] as string;
const plain = (value: unknown) => html`${String(value)}`.html;
/** A text stands as it is. */
const example = (value: unknown) => plain(typeof value === "string" ? value : JSON.stringify(value, undefined, 2));

describe("the text of the API page", () => {
  const api = readApi(readOpenapi());
  const articles = text.split(/(?=<article )/);
  const articleOf = (method: string, path: string) =>
    articles.find((one) => one.includes(`>${method}</span> <code>${plain(path)}</code></h3>`)) ?? "";

  it.each(api.operations.map((one) => [one.key, one] as const))(
    "has %s with parameters, bodies, answers and examples",
    (_, operation) => {
      const article = articleOf(operation.method, operation.path);
      for (const { name, in: where } of operation.parameters)
        expect(article).toContain(`<code class="name">${name}</code> in ${where}`);
      for (const { examples } of Object.values(operation.body))
        for (const [, value] of examples) expect(article).toContain(example(value));
      for (const [status, { content }] of Object.entries(operation.responses)) {
        expect(article).toContain(`<strong>${status}</strong>`);
        for (const [type, { examples }] of Object.entries(content)) {
          expect(text).toContain(`<code>${type}</code>`);
          // An answer of several operations stands once, and is linked to.
          for (const [, value] of examples) expect(text).toContain(example(value));
        }
      }
    },
  );

  it("names every error code of every answer", () => {
    for (const { responses, method, path } of api.operations)
      for (const { content } of Object.values(responses))
        for (const { schema } of Object.values(content))
          for (const code of codesIn(schema))
            expect(articleOf(method, path)).toContain(`<a href="/errors#${code}"><code>${code}</code></a>`);
  });

  it("has links that lead somewhere, and no name twice", () => {
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, target] of text.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(target);
  });

  it("marks what is deprecated", () => {
    const old = readOpenapi()
      .replace("    LoginCode:\n", "    LoginCode:\n      deprecated: true\n")
      .replace("      operationId: placeOrder\n", "      operationId: placeOrder\n      deprecated: true\n");
    const marked = apiPage(old, css)["docs.html"];
    expect(marked).toContain("Deprecated. Place an order");
    expect(marked).toMatch(/<article id="schema-LoginCode">.*?, deprecated/s);
    expect(text).not.toMatch(/deprecated/i);
  });

  it("refuses a keyword that it has no words for", () => {
    const odd = readOpenapi().replace("    LoginCode:\n", "    LoginCode:\n      multipleOf: 2\n");
    expect(odd).not.toBe(readOpenapi());
    expect(() => apiPage(odd, css)).toThrow(/no words for the schema keyword "multipleOf"/);
  });

  it("escapes what it is given, and knows the marks of descriptions", () => {
    expect(html`<p>${'<b>&"</b>'}</p>`.html).toBe("<p>&lt;b&gt;&amp;&quot;&lt;/b&gt;</p>");
    expect(inline("`a*b*<c>` is **strong** and *so*").html).toBe(
      "<code>a*b*&lt;c&gt;</code> is <strong>strong</strong> and <em>so</em>",
    );
    expect(markdown("One\nline.\n\n- a\n- `b`\n\nEnd.").html).toBe(
      "<p>One\nline.</p><ul><li>a</li><li><code>b</code></li></ul><p>End.</p>",
    );
  });
});

/**
 * Marks one text of each combination of colours and size, on which alone the contrast depends: the page has thousands of texts, and
 * axe takes half a minute of CPU for them. @returns how many
 */
const markColours = `(() => {
  const seen = new Set();
  const groundOf = (one) => {
    for (; one !== null; one = one.parentElement) {
      const { backgroundColor } = getComputedStyle(one);
      if (backgroundColor !== "rgba(0, 0, 0, 0)") return backgroundColor;
    }
  };
  for (const one of document.querySelectorAll("body *")) {
    if (![...one.childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim() !== "")) continue;
    if (!one.checkVisibility()) continue;
    const { color, fontSize, fontWeight, opacity } = getComputedStyle(one);
    const look = [color, groundOf(one), fontSize, fontWeight, opacity].join();
    if (seen.has(look)) continue;
    seen.add(look);
    one.dataset.colours = "";
  }
  return seen.size;
})()`;

describe("the page of errors", () => {
  it("has a place for each code, in which every type of a problem ends", () => {
    const page = files["errors.html"] as string;
    const ids = [...page.matchAll(/<article id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids)).toEqual(new Set(codes));
    expect(ids).toHaveLength(codes.length);
    for (const [, target] of text.matchAll(/href="\/errors#([^"]+)"/g)) expect(ids).toContain(target);
    for (const [, target = ""] of page.matchAll(/href="\/docs#([^"]+)"/g)) expect(text).toContain(` id="${target}"`);
  });
});

describe("the API page in a browser", () => {
  let folder: string;
  let house: House;
  let browser: OpenBrowser;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "orderbell-docs-"));
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content);
    }
    [browser, house] = await Promise.all([openBrowser(), openHouse(anyEngine, { files: servePages(folder) })]);
  });
  afterAll(async () => {
    await browser?.close();
    await house?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each([
    ["a phone", { width: 360, height: 740, touch: true }],
    ["a phone in the dark", { width: 360, height: 740, touch: true, dark: true }],
    ["a desk", { width: 1280, height: 900 }],
  ])("fits %s, keeps the content policy, and shuts nobody out", async (_, options) => {
    const page = await browser.newPage(options);
    const said: string[] = [];
    page.on("console", (message) => said.push(message.text()));
    page.on("pageerror", (error) => said.push(String(error)));
    const answer = await page.goto(`${house.url}/docs`);
    expect(answer?.status()).toBe(200);
    expect(answer?.headers()["content-security-policy"]).toContain("default-src 'self'");
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    expect(await page.evaluate("getComputedStyle(document.querySelector('article')).borderTopStyle")).toBe("solid");
    expect(await barriers(page, { rules: { "color-contrast": { enabled: false } } })).toEqual([]);
    expect(await page.evaluate<number>(markColours)).toBeGreaterThan(5);
    expect(await barriers(page, { runOnly: ["color-contrast"] }, "[data-colours]")).toEqual([]);
    await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })");
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    await page.getByRole("navigation").getByRole("link", { name: "POST /bill", exact: true }).click();
    expect(new URL(page.url()).hash).toBe("#placeOrder");
    await page.getByRole("heading", { name: "POST /bill" }).waitFor();
    // From a code to what it means, as the `type` of a problem leads there.
    await page.goto(`${house.url}/errors#SOLD_OUT`);
    expect(await page.evaluate("document.documentElement.scrollWidth <= innerWidth")).toBe(true);
    expect(await page.evaluate("document.getElementById('SOLD_OUT').getBoundingClientRect().top < innerHeight")).toBe(
      true,
    );
    expect(await barriers(page, { rules: { "color-contrast": { enabled: false } } })).toEqual([]);
    expect(said).toEqual([]);
    await page.close();
  });
});
