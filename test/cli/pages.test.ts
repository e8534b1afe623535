/** The pages as this machine serves and builds them. */
import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { type NetworkInterfaceInfo, networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { renderUnicodeCompact } from "uqr";
import { isBuilt } from "../../cli/ensure_pages.ts";
import { servePages } from "../../cli/serve_pages.ts";
import { pageHeaders } from "../../shared/pages.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { cleanUp, launch, newDemoHome } from "./_cli.ts";

const html = (name: string) => `<!doctype html><title>${name}</title>${" ".repeat(2_000)}`;
const script = `export const words = "${"面".repeat(1_000)}";`;

let folder: string;
let house: House;

function write(where: string, more: Readonly<Record<string, string>> = {}): void {
  mkdirSync(join(where, "assets"), { recursive: true });
  for (const name of ["index", "kitchen", "board", "owner"]) writeFileSync(join(where, `${name}.html`), html(name));
  writeFileSync(join(where, "assets/index-AAAA.js"), script);
  for (const [name, text] of Object.entries(more)) writeFileSync(join(where, name), text);
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "orderbell-pages-"));
  write(join(folder, "web"));
  house = await openHouse(anyEngine, { files: servePages(join(folder, "web")) });
});
afterAll(async () => {
  await house.close();
  rmSync(folder, { recursive: true });
  await cleanUp();
});

const get = (path: string, headers: Record<string, string> = {}, method = "GET") =>
  fetch(house.url + path, { method, headers: { "accept-encoding": "identity", ...headers } });

describe("a page", () => {
  it.each([
    ["/", "index"],
    ["/?shop=noodle-house&table=x", "index"],
    ["/kitchen", "kitchen"],
    ["/board?shop=noodle-house", "board"],
    ["/owner", "owner"],
    ["/owner.html", "owner"],
  ])("is served at %s", async (path, name) => {
    const answer = await get(path);
    expect([answer.status, await answer.text()]).toEqual([200, html(name)]);
    const headers = Object.fromEntries(answer.headers);
    expect(headers).toMatchObject({
      ...pageHeaders(new URL(house.url).host),
      "content-type": "text/html; charset=utf-8",
    });
    expect(headers["cache-control"]).toBe("no-cache");
  });

  it("may run its own scripts and nothing else", () => {
    const policy = pageHeaders("shop.example")["content-security-policy"] ?? "";
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    // Its own socket, and no other.
    expect(policy).toContain("connect-src 'self' ws://shop.example wss://shop.example;");
    const bucket = pageHeaders("shop.example", undefined, "https://files.example/bucket")["content-security-policy"];
    for (const rule of ["connect-src 'self' ws://shop.example wss://shop.example", "img-src 'self' data: blob:"])
      expect(bucket).toContain(`${rule} https://files.example;`);
    expect(bucket).toContain("media-src 'self' blob: https://files.example;");
    const elsewhere = pageHeaders("[::1]:8787", "wss://socket.example/pgws")["content-security-policy"];
    expect(elsewhere).toContain("connect-src 'self' ws://[::1]:8787 wss://[::1]:8787 wss://socket.example;");
    for (const host of ["a;script-src *", "a b", "a,b", "", "a'b"])
      expect(pageHeaders(host)["content-security-policy"]).toContain("connect-src 'self';");
    for (const part of ["default-src 'self'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"])
      expect(policy.split("; ")).toContain(part);
  });

  it("is revalidated each time, and sent again only when it changed", async () => {
    const etag = (await get("/owner")).headers.get("etag") ?? "";
    const same = await get("/owner", { "if-none-match": `W/"other", ${etag}` });
    expect([same.status, await same.text()]).toEqual([304, ""]);
    expect((await get("/kitchen", { "if-none-match": etag })).status).toBe(200);
    const head = await get("/owner", {}, "HEAD");
    expect([head.status, head.headers.get("content-length"), await head.text()]).toEqual([
      200,
      String(html("owner").length),
      "",
    ]);
  });

  it("has parts that may be cached for ever", async () => {
    const answer = await get("/assets/index-AAAA.js");
    expect(answer.headers.get("cache-control")).toBe("public, max-age=31536000, immutable");
    expect(answer.headers.get("content-type")).toBe("text/javascript; charset=utf-8");
    expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
  });

  it.each([
    ["gzip, deflate, br", "br", brotliDecompressSync],
    ["gzip", "gzip", gunzipSync],
    ["br;q=0, gzip;q=0.5", "gzip", gunzipSync],
    ["identity", null, (bytes: Buffer) => bytes],
  ])("is compressed for a client that takes %s", async (accepted, encoding, unpack) => {
    const raw = await new Promise<{ headers: Record<string, unknown>; body: Buffer }>((resolve, reject) => {
      void import("node:http").then(({ get: ask }) =>
        ask(`${house.url}/assets/index-AAAA.js`, { headers: { "accept-encoding": accepted } }, (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk) => chunks.push(chunk));
          answer.on("end", () => resolve({ headers: answer.headers, body: Buffer.concat(chunks) }));
        }).on("error", reject),
      );
    });
    expect(raw.headers["content-encoding"] ?? null).toBe(encoding);
    expect(raw.headers.vary).toBe("accept-encoding");
    expect(unpack(raw.body).toString()).toBe(script);
    if (encoding !== null) expect(raw.body.length).toBeLessThan(200);
  });

  it.each([
    "/nothing",
    "/assets/",
    "/assets/other.js",
    "/%2e%2e/package.json",
    "/..%2fpackage.json",
    "/index",
    "//owner",
  ])("is not served at %s", async (path) => {
    const answer = await get(path);
    // `/index` is a name like the others.
    if (path === "/index") expect(await answer.text()).toBe(html("index"));
    else expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([404, "ROUTE_UNKNOWN"]);
  });

  it("hides no route", async () => {
    expect(await (await get("/get_shop_info")).json()).toMatchObject({ shops: [{ id: house.shop }] });
    expect((await get("/owner", {}, "POST")).status).toBe(404);
  });
});

it("the server serves pages that are built while it runs, and keeps the parts of open ones", async () => {
  const fresh = join(folder, "fresh");
  write(fresh, { "assets/index-BBBB.js": script, "owner.html": html("new owner") });
  rmSync(join(fresh, "assets/index-AAAA.js"));
  renameSync(join(folder, "web"), join(folder, "old"));
  // In between the folder is empty; requests get the old files.
  expect(await (await get("/owner")).text()).toBe(html("owner"));
  renameSync(fresh, join(folder, "web"));
  expect(await (await get("/owner")).text()).toBe(html("new owner"));
  for (const name of ["AAAA", "BBBB"]) expect((await get(`/assets/index-${name}.js`)).status).toBe(200);
});

it("the server says that no pages are built, and its API works all the same", async () => {
  const bare = join(folder, "nowhere");
  const empty = await openHouse(anyEngine, { files: servePages(bare) });
  for (const path of ["/", "/kitchen", "/board", "/owner"]) {
    const answer = await fetch(empty.url + path);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toMatch(/not built yet: run `npm run build:pages`/);
  }
  expect((await fetch(`${empty.url}/get_shop_info`)).status).toBe(200);
  write(bare);
  expect(await (await fetch(empty.url)).text()).toBe(html("index"));
  await empty.close();
});

describe("a build of the pages", () => {
  const at = (path: string, seconds: number) => utimesSync(path, seconds, seconds);

  it("is needed when there is none, or a source is newer", () => {
    const base = mkdtempSync(join(folder, "clone-"));
    const [out, page] = [join(base, "dist"), join(base, "web/owner/main.tsx")];
    mkdirSync(join(base, "web/owner"), { recursive: true });
    writeFileSync(page, "");
    expect(isBuilt(out, base)).toBe(false);
    write(out);
    for (const path of [page, join(base, "web/owner"), join(base, "web")]) at(path, 1_000);
    at(join(out, "index.html"), 2_000);
    expect(isBuilt(out, base)).toBe(true);
    at(page, 2_001);
    expect(isBuilt(out, base)).toBe(false);
    at(page, 1_000);
    // A file that is gone is seen by its folder.
    at(join(base, "web/owner"), 2_001);
    expect(isBuilt(out, base)).toBe(false);
  });

  it("may run twice at once: both are complete, nothing is left over", async () => {
    const out = join(folder, "twice/web");
    const { spawn } = await import("node:child_process");
    const build = () =>
      new Promise<number | null>((resolve) => {
        const args = ["--import", "tsx", "scripts/build_pages.ts", out];
        spawn(process.execPath, args, { stdio: "ignore", env: { ...process.env, NODE_OPTIONS: "" } }).on(
          "close",
          resolve,
        );
      });
    expect(await Promise.all([build(), build()])).toEqual([0, 0]);
    expect(readdirSync(join(folder, "twice"))).toEqual(["web"]);
    expect(readdirSync(out)).toEqual(expect.arrayContaining(["assets", "index.html", "owner.html"]));
    const made = await (await fetch((await serveOnce(out)).url)).text();
    const [, part = ""] = /src="(\/assets\/[^"]+)"/.exec(made) ?? [];
    expect(readdirSync(join(out, "assets")).map((name) => `/assets/${name}`)).toContain(part);
    // The one script in a page's own text, in each of them.
    for (const name of ["index", "kitchen", "board", "owner"]) {
      const own = /<script>(.*?)<\/script>/s.exec(readFileSync(join(out, `${name}.html`), "utf8"))?.[1] ?? "";
      const hash = createHash("sha256").update(own).digest("base64");
      expect(pageHeaders()["content-security-policy"]).toContain(`script-src 'self' 'sha256-${hash}';`);
    }
  });
});

const served: House[] = [];
async function serveOnce(where: string): Promise<House> {
  const one = await openHouse(anyEngine, { files: servePages(where) });
  served.push(one);
  return one;
}
afterAll(async () => {
  for (const one of served) await one.close();
});

it("npm start prints four addresses of pages, two of them pairing links, and codes to scan in the LAN", async () => {
  const home = await newDemoHome();
  const demo = launch(["start", "--port", "0", "--lan"], { environment: { ORDERBELL_HOME: home } });
  await demo.printed(/Ctrl-C stops/);
  const [, url = ""] = /order +(http:\S+?)\/\?shop=lanzhou-noodles/.exec(demo.out()) ?? [];
  for (const page of ["/kitchen#pair=", "/board?shop=lanzhou-noodles", "/owner#pair="])
    expect(demo.out()).toContain(url + page);
  const [, pairingCode] = /owner#pair=(\S+)/.exec(demo.out()) ?? [];
  const paired = await fetch(`${url}/login/staff`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ pairingCode }),
  });
  expect(await paired.json()).toMatchObject({ session: { role: "owner", shop: "lanzhou-noodles" } });
  const isElsewhere = ({ family, internal }: NetworkInterfaceInfo) => family === "IPv4" && !internal;
  const elsewhere = Object.values(networkInterfaces()).flatMap((list) => list?.filter(isElsewhere) ?? []);
  // A machine without a network has only its own address.
  expect(elsewhere.length === 0 ? ["127.0.0.1"] : elsewhere.map(({ address }) => address)).toContain(
    new URL(url).hostname,
  );
  for (const link of [`${url}/?shop=lanzhou-noodles`, /kitchen +(\S+)/.exec(demo.out())?.[1] ?? ""])
    expect(demo.out()).toContain(renderUnicodeCompact(link));
  const page = await fetch(`${url}/owner`);
  expect([page.status, page.headers.get("content-security-policy")]).toEqual([
    200,
    pageHeaders(new URL(url).host)["content-security-policy"],
  ]);
  await demo.kill("SIGTERM");
});
