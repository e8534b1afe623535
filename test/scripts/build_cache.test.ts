/** The cache of builds: the same source is built once, any other is built again. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cached, type Files, sourceOf } from "../../scripts/build_cache.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "orderbell-build-cache-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const text = (files: Files) =>
  Object.fromEntries(Object.entries(files).map(([path, bytes]) => [path, Buffer.from(bytes).toString()]));

it("the build cache returns what was built of the same parts, folders and all, and builds others", async () => {
  let built = 0;
  const make = async () => ({ "a.txt": Buffer.from(`build ${++built}`), "web/b.txt": Buffer.from("b") });
  const cache = join(folder, "cache");
  for (const of of [["one"], ["one"], ["one", "more"], ["onemore"]]) await cached(cache, of, make);
  expect(built).toBe(3);
  expect(text(await cached(cache, ["one"], make))).toEqual({ "a.txt": "build 1", "web/b.txt": "b" });
  expect(text(await cached(undefined, ["one"], make))["a.txt"]).toBe("build 4");
});

it("the build cache keeps nothing of a build that failed, and one of two that were made at once", async () => {
  const cache = join(folder, "cache");
  const fail = async () => {
    throw new Error("a mistake in a page");
  };
  await expect(cached(cache, ["one"], fail)).rejects.toThrow("a mistake in a page");
  const make = async () => ({ "a.txt": Buffer.from("a") });
  await Promise.all([cached(cache, ["one"], make), cached(cache, ["one"], make)]);
  expect(text(await cached(cache, ["one"], fail))).toEqual({ "a.txt": "a" });
});

it("the build cache knows a source by every name and byte, but for tests, texts and what was built", () => {
  const write = (path: string, bytes: string) => {
    mkdirSync(join(folder, path, ".."), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };
  write("web/page.ts", "a");
  const sources = [sourceOf(folder)];
  for (const [path, bytes] of [
    ["web/page.ts", "b"],
    ["web/pages.ts", "b"],
    ["package-lock.json", "{}"],
  ] as const) {
    write(path, bytes);
    sources.push(sourceOf(folder));
  }
  expect(new Set(sources).size).toBe(4);
  for (const path of ["test/a.ts", "docs/a.md", "dist/a.js", "node_modules/a/index.js", ".git/HEAD"]) write(path, "x");
  expect(sourceOf(folder)).toBe(sources.at(-1));
});
