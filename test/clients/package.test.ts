/** The package as somebody else gets it: built, put into a folder of its own, imported, type-checked, bundled. */
import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";

const root = resolve(__dirname, "../..");
let folder: string;
/** A build, and the compiler, on a busy machine. */
jest.setTimeout(300_000);

const node = (...args: string[]) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8" });
  return { status, said: `${stdout}${stderr}`.trim() };
};

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "orderbell-sdk-"));
  await mkdir(join(folder, "node_modules"));
  const own = join(folder, "node_modules/orderbell-sdk");
  const built = spawnSync(process.execPath, ["--import", "tsx", "scripts/build_sdk.ts", own], {
    cwd: root,
    encoding: "utf8",
  });
  expect(`${built.stdout}${built.stderr}`).toBe("");
  await symlink(join(root, "node_modules/ws"), join(folder, "node_modules/ws"));
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
});
afterAll(() => rm(folder, { recursive: true }));

describe("the package", () => {
  it("is imported by its four names", async () => {
    await writeFile(
      join(folder, "names.js"),
      `const names = ["", "/browser", "/node", "/wechat"];
       for (const name of names) {
         const made = await import("orderbell-sdk" + name);
         console.log(name || ".", typeof (made.createClient ?? made.makeClient), typeof made.ApiError);
       }`,
    );
    const { said } = node("names.js");
    expect(said.split("\n")).toEqual([
      ". function function",
      "/browser function function",
      "/node function function",
      "/wechat function function",
    ]);
  });

  it("holds nothing of the server, and no dependency", async () => {
    const files = (await readdir(join(folder, "node_modules/orderbell-sdk"), { recursive: true })).map(String);
    expect(files.filter((file) => /^types\/(?!clients|shared$|shared\/protocol\.d\.ts$)./.test(file))).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(["README.md", "LICENSE", "types/shared/protocol.d.ts"]));
    const own = JSON.parse(await readFile(join(folder, "node_modules/orderbell-sdk/package.json"), "utf8"));
    expect(own.dependencies).toBeUndefined();
    expect(own.version).toBe(JSON.parse(await readFile(join(root, "package.json"), "utf8")).version);
  });

  it("has types that hold without this project's, and refuse what is wrong", async () => {
    const check = async (name: string, text: string) => {
      await writeFile(join(folder, `${name}.ts`), text);
      const strict = [
        "--strict",
        "--noEmit",
        "--module",
        "nodenext",
        "--target",
        "es2022",
        "--lib",
        "es2022",
        "--types",
        "",
        "--skipLibCheck",
        "false",
      ];
      return node(join(root, "node_modules/typescript/bin/tsc"), ...strict, `${name}.ts`);
    };
    const right = `
      import { type Client, createClient, type OrderView } from "orderbell-sdk/browser";
      const client: Client = createClient({ guest: false });
      client.watch("orders", { shop: "noodle-house", onChange: (orders: OrderView[], { event }) => void [orders[0]?.number, event?.seq] });
      client.watch("menu", { shop: "noodle-house", onChange: ({ soldOut }) => soldOut.map((dish) => dish.length) });
      client.watch("board", { shop: "noodle-house", onChange: ({ ready }) => ready.map((number) => number.length) });
      client.submit({ shop: "s", service: "pickup", lines: [{ dish: "beef", quantity: 1 }] }).then(({ totalFen }) => totalFen + 1);
    `;
    expect(await check("right", right)).toEqual({ status: 0, said: "" });
    const wrong = `
      import { createClient } from "orderbell-sdk/browser";
      createClient().watch("menu", { onChange: () => {} });
      createClient().submit({ shop: "s", service: "rocket", lines: [] });
      createClient().step({ id: "o" }, "eat");
    `;
    const { status, said } = await check("wrong", wrong);
    expect(status).not.toBe(0);
    expect(said.match(/wrong\.ts\(\d+/g)).toEqual(["wrong.ts(3", "wrong.ts(4", "wrong.ts(5"]);
  });

  it("is shaken: who takes one thing does not carry the rest", async () => {
    const sizeOf = async (contents: string) => {
      const made = await build({
        stdin: { contents, resolveDir: folder },
        bundle: true,
        minify: true,
        format: "esm",
        write: false,
      });
      return made.outputFiles[0]?.contents.length ?? 0;
    };
    const all = await sizeOf('export * from "orderbell-sdk/browser"');
    expect(all).toBeGreaterThan(10_000);
    expect(await sizeOf('export { ApiError } from "orderbell-sdk"')).toBeLessThan(400);
    expect(await sizeOf('import "orderbell-sdk/browser"')).toBe(0);
  });
});

describe("the size", () => {
  const size = (code: string) => {
    const script = `import { checkSize } from "./scripts/check_size.ts"; const wrong = await ${code}; console.log(JSON.stringify(wrong));`;
    const { stdout } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      cwd: root,
      encoding: "utf8",
    });
    return stdout.trim().split("\n");
  };

  it("of core and browser is at most 6 KB gzipped, and the check knows when it is not", () => {
    const [line, wrong] = size("checkSize()");
    expect(line).toMatch(/the SDK in a page: [0-9.]+ KB gzip of 6\.00/);
    expect(wrong).toBe("[]");
    expect(size("checkSize(1000)")[1]).toMatch(/^\["clients\/browser\.ts is \d+ bytes gzipped, \d+ too many"\]$/);
  });
});
