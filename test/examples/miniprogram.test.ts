/** The examples' mini-program: its package, and its index on a phone. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundleSdk, emitTypes, examples, maxPackageBytes, pack } from "../../scripts/build_miniprogram.ts";
import { filesIn } from "../../scripts/files_in.ts";
import { tsc } from "../../scripts/tsc.ts";
import { shot } from "./_demo.ts";
import { openPhones, type Phones } from "./_phone.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("the examples' package", () => {
  let folder: string;
  let bytes: number;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "orderbell-examples-package-"));
    bytes = await pack(folder, examples);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const read = (file: string) => readFileSync(join(folder, file), "utf8");

  it("is whole, with every page of app.json, and smaller than WeChat's 2 MB", () => {
    const files = filesIn(folder);
    expect(bytes).toBeLessThan(maxPackageBytes);
    const { pages } = JSON.parse(read("app.json")) as { pages: string[] };
    for (const page of pages)
      for (const ending of ["js", "json", "wxml", "wxss"]) expect(files).toContain(`${page}.${ending}`);
    const there = files.filter((file) => /^pages\/.*\.wxml$/.test(file)).map((file) => file.replace(".wxml", ""));
    expect(pages.toSorted()).toEqual(there.toSorted());
  });

  it("has every handler that a template names", () => {
    for (const file of filesIn(folder).filter((name) => name.endsWith(".wxml")))
      for (const [, name] of read(file).matchAll(/(?:bind|catch):\w+="(\w+)"/g))
        expect(read(file.replace(/wxml$/, "js"))).toMatch(new RegExp(`^\\s+(async )?${name}\\(`, "m"));
  });

  it("holds against the types of the SDK and of WeChat", async () => {
    const lib = join(examples.source, "lib");
    await bundleSdk(lib, examples);
    emitTypes(lib, examples);
    const { stdout } = spawnSync(process.execPath, [tsc, "-p", examples.source], { encoding: "utf8", cwd: root });
    expect(stdout).toBe("");
  });
});

describe("the examples on a phone", () => {
  let phones: Phones;
  beforeAll(async () => {
    phones = await openPhones();
  });
  afterAll(async () => phones?.close());

  it("have an index in WeChat's language and the other, which leads to each of them", async () => {
    const { pages } = JSON.parse(readFileSync(join(examples.source, "app.json"), "utf8")) as { pages: string[] };
    const phone = await phones.phone(undefined, "zh_CN");
    await phone.on(".muted", "每个示例").waitFor();
    await shot(phone.page, "phone-index-zh");
    await phone.on(".index-language").tap();
    await phone.on(".muted", "Each is less").waitFor();
    const cards = await phone.on(".index-card").count();
    expect(cards).toBe(pages.length - 1);
    for (let nth = 0; nth < cards; nth++) {
      await phone.on(".index-card").nth(nth).tap();
      await phone.on(".index-head").waitFor({ state: "detached" });
      await phone.page.evaluate("window.phone.back()");
      await phone.on(".index-head").waitFor();
    }
    expect(await phone.complaints()).toEqual([]);
    await phone.close();
  });
});
