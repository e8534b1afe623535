/** The package to upload: its size, its parts, its network calls, and the agreement of repeated settings. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { config } from "../../miniprogram/config.ts";
import { dictionaries } from "../../miniprogram/shop/words.ts";
import { bundleSdk, emitTypes, maxPackageBytes, pack } from "../../scripts/build_miniprogram.ts";
import { filesIn } from "../../scripts/files_in.ts";
import { tsc } from "../../scripts/tsc.ts";

const root = join(__dirname, "../..");
const source = join(root, "miniprogram");

describe("the mini-program's package", () => {
  let folder: string;
  let bytes: number;
  let files: string[];
  const read = (file: string) => readFileSync(join(folder, file), "utf8");
  const json = (file: string) => JSON.parse(read(file));
  const of = (ending: RegExp) => files.filter((file) => ending.test(file));

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "orderbell-package-"));
    bytes = await pack(folder);
    files = filesIn(folder);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test("is smaller than WeChat's 2 MB, and is whole", () => {
    expect(bytes).toBeLessThan(maxPackageBytes);
    expect(bytes).toBe(files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0));
    for (const file of ["app.js", "app.json", "app.wxss", "config.js", "sitemap.json", "lib/orderbell.js"])
      expect(files).toContain(file);
    expect(of(/\.ts$|tsconfig|project\./)).toEqual([]);
  });

  test("has every page of app.json, every tab among them, and every component that is used", () => {
    const { pages, tabBar } = json("app.json") as { pages: string[]; tabBar: { list: { pagePath: string }[] } };
    const used = of(/^(pages|components)\/.*\.json$/).flatMap((file) =>
      Object.values((json(file).usingComponents ?? {}) as Record<string, string>).map((path) =>
        join(dirname(file), path),
      ),
    );
    for (const path of [...pages, ...used])
      for (const ending of ["js", "json", "wxml", "wxss"]) expect(files).toContain(`${path}.${ending}`);
    expect(pages).toEqual(expect.arrayContaining(tabBar.list.map(({ pagePath }) => pagePath)));
    const there = of(/^pages\/.*\.wxml$/).map((file) => file.replace(/\.wxml$/, ""));
    expect([...pages].sort()).toEqual(there.sort());
  });

  test("handlers and words that a template names are there", () => {
    const words = (path: string[]) =>
      path.reduce<unknown>((part, name) => (part as Record<string, unknown>)?.[name], dictionaries.zh);
    for (const file of of(/\.wxml$/)) {
      const script = read(file.replace(/wxml$/, "js"));
      for (const [, name] of read(file).matchAll(/(?:bind|catch):\w+="(\w+)"/g))
        expect(script).toMatch(new RegExp(`^\\s+(async )?${name}\\(`, "m"));
      for (const [, path = ""] of read(file).matchAll(/\bt\.([\w.]+)/g))
        expect([path, typeof words(path.split("."))]).toEqual([path, "string"]);
      for (const [, path = ""] of script.matchAll(/\bwords\(\)\.(\w+)/g))
        expect([path, words([path])]).not.toEqual([path, undefined]);
    }
  });

  test("both languages say the same things with the same blanks", () => {
    const texts = (part: object, before = ""): [string, string][] =>
      Object.entries(part).flatMap(([name, text]) =>
        typeof text === "string" ? [[before + name, text] as [string, string]] : texts(text, `${before}${name}.`),
      );
    const blanks = (part: object) => texts(part).map(([name, text]) => [name, (text.match(/\{\w+\}/g) ?? []).sort()]);
    expect(blanks(dictionaries.en).sort()).toEqual(blanks(dictionaries.zh).sort());
    for (const [name, text] of texts(dictionaries.en))
      if (name !== "language") expect(text).not.toMatch(/[\u4e00-\u9fff]/);
  });

  test("talks to the declared domain only, without what wx.request has not", () => {
    expect(config.url).toMatch(/^https:\/\/[a-z0-9.-]+$/);
    for (const file of files) {
      const text = read(file);
      const addresses = text.match(/\b(https?|wss?):\/\/[^\s"'`)]*/g) ?? [];
      expect([file, addresses.filter((address) => address !== config.url)]).toEqual([file, []]);
      expect([
        file,
        /["']PATCH["']|\bcookie\b|localStorage|XMLHttpRequest|\bfetch\(\s*["'`]|new WebSocket/i.exec(text)?.[0],
      ]).toEqual([file, undefined]);
    }
  });

  test("its app id stands in config.ts, and project.config.json has the same", () => {
    const project = JSON.parse(readFileSync(join(source, "project.config.json"), "utf8"));
    expect(project.appid).toBe(config.appid);
    expect(config.appid).toMatch(/^(wx[0-9a-f]{16}|touristappid)$/);
    expect(project.setting.useCompilerPlugins).toEqual(["typescript"]);
    const others = files.filter((file) => file !== "config.js" && read(file).includes(config.appid));
    expect(others).toEqual([]);
  });

  test("its types hold against the SDK's and WeChat's", async () => {
    await bundleSdk(join(source, "lib"));
    emitTypes(join(source, "lib"));
    const { status, stdout } = spawnSync(process.execPath, [tsc, "-p", source], { encoding: "utf8", cwd: root });
    expect(stdout).toBe("");
    expect(status).toBe(0);
  });
});
