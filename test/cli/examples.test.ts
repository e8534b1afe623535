/** The examples as this machine serves them. */
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serveExamples, withExamples } from "../../cli/serve_examples.ts";
import { servePages } from "../../cli/serve_pages.ts";
import { exampleHeaders, pageHeaders } from "../../shared/pages.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";

let folder: string;
let house: House;

const files: Readonly<Record<string, string>> = {
  "examples/index.html": "<!doctype html><title>index</title>",
  "examples/chat/index.html": "<!doctype html><title>chat</title>",
  "examples/chat/chat.js": "export const chat = 1;",
  "examples/README.md": "not a page",
  "examples/bell.ts": "not a page",
  "examples/servers/index.html": "not a page",
  "examples/miniprogram/app.json": "{}",
  "sdk/browser.js": "export const sdk = 1;",
  "secret.js": "outside",
};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "orderbell-examples-"));
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, ".."), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  const examples = serveExamples({ folder: join(folder, "examples"), sdk: join(folder, "sdk") });
  house = await openHouse(anyEngine, { files: withExamples(examples, servePages(join(folder, "none"))) });
});
afterAll(async () => {
  await house?.close();
  rmSync(folder, { recursive: true, force: true });
});

const get = (path: string, init: RequestInit = {}) => fetch(house.url + path, { redirect: "manual", ...init });

describe("an example", () => {
  it.each([
    ["/examples/", "examples/index.html", "text/html; charset=utf-8"],
    ["/examples/?as=2", "examples/index.html", "text/html; charset=utf-8"],
    ["/examples/chat/", "examples/chat/index.html", "text/html; charset=utf-8"],
    ["/examples/chat/chat.js", "examples/chat/chat.js", "text/javascript; charset=utf-8"],
    ["/examples/sdk/browser.js", "sdk/browser.js", "text/javascript; charset=utf-8"],
    ["/dist/sdk/browser.js", "sdk/browser.js", "text/javascript; charset=utf-8"],
  ])("is served at %s, with its headers", async (path, name, type) => {
    const answer = await get(path);
    expect([answer.status, await answer.text()]).toEqual([200, files[name]]);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      ...exampleHeaders(new URL(house.url).host),
      "content-type": type,
      "cache-control": "no-cache",
    });
    expect((await get(path, { headers: { "if-none-match": answer.headers.get("etag") ?? "" } })).status).toBe(304);
  });

  it("may do what a page may, and play films from its memory", () => {
    const policyOf = (headers: Readonly<Record<string, string>>) => headers["content-security-policy"];
    expect(policyOf(exampleHeaders("shop.example"))).toBe(
      `${policyOf(pageHeaders("shop.example"))}; worker-src 'self' blob:`,
    );
  });

  it.each([
    ["/examples", "/examples/"],
    ["/examples/chat?as=2&x=?", "/examples/chat/?as=2&x=?"],
  ])("at %s leads to its folder", async (path, to) => {
    const answer = await get(path);
    expect([answer.status, answer.headers.get("location")]).toEqual([308, to]);
  });

  it.each([
    "/examples/README.md",
    "/examples/bell.ts",
    "/examples/servers/",
    "/examples/miniprogram/app.json",
    "/examples/nothing.js",
    "/examples/../secret.js",
    "/examples/%2e%2e/secret.js",
    "/examples/..%2fsecret.js",
    "//examples",
    "/examples//chat/",
    "/dist/",
  ])("is not served at %s", async (path) => {
    const answer = await get(path);
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([404, "ROUTE_UNKNOWN"]);
  });

  it("is not served to a POST", async () => {
    expect((await get("/examples/", { method: "POST" })).status).toBe(404);
  });

  it("that has changed is read again", async () => {
    const [path, later] = [join(folder, "examples/chat/chat.js"), new Date(Date.now() + 5_000)];
    writeFileSync(path, "export const chat = 2;");
    utimesSync(path, later, later);
    expect(await (await get("/examples/chat/chat.js")).text()).toBe("export const chat = 2;");
    // While it is replaced it stays as it was.
    rmSync(path);
    expect(await (await get("/examples/chat/chat.js")).text()).toBe("export const chat = 2;");
  });
});
