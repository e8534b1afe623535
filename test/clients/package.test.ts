/** The SDK's package as a user gets it: built, packed, installed, imported, type-checked, bundled. */
import { spawnSync } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { runInNewContext } from "node:vm";
import { build, transform } from "esbuild";
import { tsc } from "../../scripts/tsc.ts";

const root = resolve(__dirname, "../..");
let folder: string;
/** A build, and the compiler, on a busy machine. */
jest.setTimeout(300_000);

const run = (command: string, args: string[], cwd: string) => {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  return { status, said: `${stdout}${stderr}`.trim() };
};
const node = (...args: string[]) => run(process.execPath, args, folder);
/** A script that imports development tools of this project, which are ES modules. */
const script = (text: string) => {
  const { status, said } = run(process.execPath, ["--input-type=module", "-e", text], root);
  if (status !== 0) throw new Error(said);
  return JSON.parse(said) as unknown;
};
let own: string;
let tarball: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "orderbell-sdk-"));
  await writeFile(join(folder, "package.json"), '{"type":"module"}');
  const made = join(folder, "made");
  const built = run(process.execPath, ["--import", "tsx", "scripts/build_sdk.ts", made], root);
  expect(built.said).toBe("");
  const packed = spawnSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: made, encoding: "utf8" });
  tarball = join(folder, (JSON.parse(packed.stdout) as { filename: string }[])[0]?.filename ?? "");
  await rm(made, { recursive: true });
  const installed = run(
    "npm",
    ["install", "--offline", "--ignore-scripts", "--no-audit", "--no-fund", tarball],
    folder,
  );
  expect(installed).toMatchObject({ status: 0 });
  own = join(folder, "node_modules/orderbell-sdk");
  for (const peer of ["ws", "react", "vue", "@types"])
    await symlink(join(root, "node_modules", peer), join(folder, "node_modules", peer));
});
afterAll(() => rm(folder, { recursive: true }));

describe("the SDK's package", () => {
  it("is imported by its names", async () => {
    await writeFile(
      join(folder, "names.js"),
      `const names = ["", "/browser", "/node", "/wechat", "/collections", "/rooms", "/files", "/react", "/vue"];
       for (const name of names) {
         const made = await import("orderbell-sdk" + name);
         const main = made.createClient ?? made.makeClient ?? made.collections ?? made.createRoom ?? made.upload ?? made.useOrders;
         console.log(name || ".", typeof main, typeof made.ApiError);
       }`,
    );
    const { said } = node("names.js");
    expect(said.split("\n")).toEqual([
      ". function function",
      "/browser function function",
      "/node function function",
      "/wechat function function",
      "/collections function function",
      "/rooms function function",
      "/files function function",
      "/react function undefined",
      "/vue function undefined",
    ]);
  });

  it("is required by its names, with one ApiError for all", async () => {
    await writeFile(
      join(folder, "names.cjs"),
      `const names = ["", "/browser", "/node", "/wechat", "/collections", "/rooms", "/files"];
       const all = names.map((name) => require("orderbell-sdk" + name));
       for (const made of all)
         console.log(typeof (made.createClient ?? made.makeClient ?? made.collections ?? made.createRoom ?? made.upload), made.ApiError === all[0].ApiError);
       for (const name of ["/react", "/vue"]) console.log(typeof require("orderbell-sdk" + name).useOrders);`,
    );
    expect(node("names.cjs").said.split("\n")).toEqual([...Array(7).fill("function true"), "function", "function"]);
  });

  it("is well formed to publint, and its types are found by every resolution of TypeScript", () => {
    const lint = `import { publint } from "publint";
      console.log(JSON.stringify((await publint({ pkgDir: ${JSON.stringify(own)}, strict: true })).messages));`;
    expect(script(lint)).toEqual([]);
    const types = `import { readFileSync } from "node:fs";
      import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
      const { problems, entrypoints } = await checkPackage(createPackageFromTarballData(readFileSync(${JSON.stringify(tarball)})));
      console.log(JSON.stringify({ problems, entries: Object.keys(entrypoints) }));`;
    expect(script(types)).toEqual({
      problems: [],
      entries: [
        ".",
        "./browser",
        "./node",
        "./wechat",
        "./collections",
        "./rooms",
        "./files",
        "./react",
        "./vue",
        "./package.json",
      ],
    });
  });

  it("touches no global of a platform while it is imported", async () => {
    const language = new Set<string>(runInNewContext("Object.getOwnPropertyNames(globalThis)"));
    /** The free names that a CommonJS file reads while it is loaded, and those that it requires. */
    const touchedBy = (file: string, text: string): string[] => {
      const touched: string[] = [];
      const globals = new Proxy(
        {},
        {
          has: () => true,
          get(_, name) {
            if (typeof name === "symbol") return undefined;
            if (!language.has(name)) touched.push(name);
            return (globalThis as Record<string, unknown>)[name];
          },
        },
      );
      const load = new Function("globals", `with (globals) { return function (module, exports, require) {${text}\n} }`);
      const module = { exports: {} };
      load(globals)(module, module.exports, (name: string) =>
        require(name.startsWith(".") ? join(dirname(file), name) : name),
      );
      return touched;
    };
    for (const at of ["cjs", "miniprogram_dist"])
      for (const name of await readdir(join(own, at)))
        if (name.endsWith(".js"))
          expect([name, touchedBy(join(own, at, name), await readFile(join(own, at, name), "utf8"))]).toEqual([
            name,
            [],
          ]);
    expect(touchedBy("planted.js", "const began = performance.now();")).toEqual(["performance"]);

    // The same in a server that renders pages: ES modules, and nothing there but the language.
    await writeFile(
      join(folder, "bare.js"),
      `import { runInNewContext } from "node:vm";
       const { log } = console;
       const language = new Set(runInNewContext("Object.getOwnPropertyNames(globalThis)"));
       const pages = ["document", "self", "window", "location", "localStorage", "navigator", "WebSocket", "wx"];
       for (const name of [...Object.getOwnPropertyNames(globalThis), ...pages])
         if (!language.has(name) && name !== "process")
           Object.defineProperty(globalThis, name, { configurable: true, get() { throw new Error(name + " was touched"); } });
       for (const name of ["", "/browser", "/wechat", "/collections", "/files"]) log(Object.keys(await import("orderbell-sdk" + name)).length > 2);`,
    );
    expect(node("bare.js").said.split("\n")).toEqual(["true", "true", "true", "true", "true"]);
  });
  it("works where the page's globals are missing: on a server that renders pages, and in a worker", async () => {
    await writeFile(
      join(folder, "missing.js"),
      `import { createServer } from "node:http";
       import { Worker } from "node:worker_threads";
       import { createClient } from "orderbell-sdk/browser";
       const server = createServer((_, answer) => answer.end('{"shops":[]}')).listen(0, "127.0.0.1", async () => {
         const url = "http://127.0.0.1:" + server.address().port;
         const use = 'const client = createClient({ url }); client.onState(() => {}); client.shops().then((shops) => { client.close(); done(shops.length); });';
         try { createClient(); } catch (error) { console.log(String(error)); }
         await new Promise((done) => new Function("createClient", "url", "done", use)(createClient, url, (n) => done(console.log("server", n))));
         const code = 'import("orderbell-sdk/browser").then(({ createClient }) => { const done = (n) => console.log("worker", n); const url = ' + JSON.stringify(url) + ';' + use + '});';
         new Worker(code, { eval: true }).on("exit", () => server.close());
       });`,
    );
    expect(node("missing.js").said.split("\n")).toEqual([
      "TypeError: url is not http(s)://: undefined",
      "server 0",
      "worker 0",
    ]);
    // A context that has nothing but the language and fetch.
    const made = await build({
      stdin: { contents: 'export { createClient } from "orderbell-sdk/browser";', resolveDir: folder },
      bundle: true,
      format: "iife",
      globalName: "sdk",
      write: false,
    });
    const bare = `${made.outputFiles[0]?.text}; sdk.createClient({ url: "https://a.example/" }).shops().then((shops) => shops.length)`;
    const asked: string[] = [];
    const fetch = async (url: string) => {
      asked.push(url);
      return { status: 200, headers: [], text: async () => '{"shops":[]}' };
    };
    expect(await runInNewContext(bare, { fetch, AbortController, setTimeout, clearTimeout })).toBe(0);
    expect(asked).toEqual(["https://a.example/get_shop_info?"]);
  });

  it("does not end a process when a listener throws or rejects, and shows the error", async () => {
    await writeFile(
      join(folder, "throws.js"),
      `import { makeClient, nodePlatform } from "orderbell-sdk/node";
       const answers = { "/get_shop_info": { menu: { version: 1 }, shop: {}, position: { stream: "menu:a", epoch: "e", seq: 0, tag: "" } } };
       const request = async ({ url }) => ({ status: 200, headers: {}, body: JSON.stringify(answers[new URL(url).pathname] ?? {}) });
       const client = makeClient({ ...nodePlatform(), request }, { url: "http://a" });
       client.onState(() => { throw new Error("thrown") });
       client.watch("menu", { shop: "a", async onChange() { throw new Error("rejected") } });
       setTimeout(() => { client.close(); console.log("alive"); }, 200);`,
    );
    const { status, said } = node("throws.js");
    expect(status).toBe(0);
    for (const words of ["Error: thrown", "Error: rejected", "alive"]) expect(said).toContain(words);
  });

  it("is a folder of ES2018 for WeChat's npm builder, and requires nothing beyond it", async () => {
    const { miniprogram } = JSON.parse(await readFile(join(own, "package.json"), "utf8"));
    const built = join(own, miniprogram);
    const names = await readdir(built);
    // The name of the package alone is its index.js; another name is a file of that name.
    expect(names).toEqual(expect.arrayContaining(["index.js", "wechat.js", "collections.js", "rooms.js", "files.js"]));
    for (const name of names) {
      const text = await readFile(join(built, name), "utf8");
      for (const [, wanted = ""] of text.matchAll(/\brequire\("([^"]+)"\)/g)) expect(names).toContain(wanted.slice(2));
      const as = async (target: string) => (await transform(text, { target, format: "cjs" })).code;
      expect(await as("es2018")).toBe(await as("esnext"));
    }
    const copy = join(folder, "copied");
    await cp(built, copy, { recursive: true });
    await writeFile(join(copy, "package.json"), '{"type":"commonjs"}');
    const load = (name: string) =>
      run(process.execPath, ["-e", `console.log(Object.keys(require("./${name}")).sort().join())`], copy).said;
    expect(load("index.js")).toBe(load("wechat.js"));
    expect(load("wechat.js").split(",")).toEqual(
      expect.arrayContaining(["ApiError", "createClient", "makeClient", "wechatPlatform"]),
    );
    expect(load("collections.js")).toBe("ApiError,collections,command");
    expect(load("rooms.js")).toBe("ApiError,createRoom,room");
    expect(load("files.js")).toBe("ApiError,downloadFile,files,upload");
    const same = `console.log(require("./collections.js").ApiError === require("./index.js").ApiError)`;
    expect(run(process.execPath, ["-e", same], copy).said).toBe("true");
  });

  it("has short names for inner parts only", async () => {
    const names = `const names = (made) => Object.keys(made).sort().join();
      const api = sdk.makeApi(sdk.nodePlatform(), { url: "" });
      console.log(names(sdk), names(sdk.createClient({ url: "http://127.0.0.1" })), names(api), names(sdk.openChannel(sdk.nodePlatform(), api)));`;
    await writeFile(join(folder, "built.js"), `import * as sdk from "orderbell-sdk/node"; ${names}`);
    const source = JSON.stringify(join(root, "clients/node.ts"));
    const said = run(
      process.execPath,
      ["--import", "tsx", "--input-type=module", "-e", `import * as sdk from ${source}; ${names}`],
      root,
    );
    expect(said).toMatchObject({ status: 0 });
    expect(node("built.js")).toEqual(said);
    expect(said.said).toContain("submit");
    const scripts = (await readdir(own, { recursive: true })).map(String).filter((file) => file.endsWith(".js"));
    for (const file of scripts)
      expect(await readFile(join(own, file), "utf8")).not.toMatch(/\._(?!id\b|openid\b)[a-z]/);
    // A document's own are no inner parts: what a program writes as `_id` must arrive as that.
    expect(await readFile(join(own, "collections.js"), "utf8")).toMatch(/\{ _id: id \}/);
  });

  it("holds nothing of the server, and no dependency", async () => {
    const files = (await readdir(join(folder, "node_modules/orderbell-sdk"), { recursive: true })).map(String);
    expect(
      files.filter((file) => /^(cjs\/)?types\/(?!clients|shared$|shared\/(protocol|order_states)\.d\.ts$)./.test(file)),
    ).toEqual([]);
    expect(files).toEqual(expect.arrayContaining(["README.md", "LICENSE", "types/shared/protocol.d.ts"]));
    const own = JSON.parse(await readFile(join(folder, "node_modules/orderbell-sdk/package.json"), "utf8"));
    expect(own.dependencies).toBeUndefined();
    expect(own.version).toBe(JSON.parse(await readFile(join(root, "package.json"), "utf8")).version);
  });

  it("has types that hold without this project's, and refuse wrong calls", async () => {
    const check = async (name: string, text: string, ...more: string[]) => {
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
      return node(tsc, ...strict, ...more, `${name}.ts`);
    };
    const right = `
      import { type Client, createClient, type OrderView } from "orderbell-sdk/browser";
      import { collections, command as _ } from "orderbell-sdk/collections";
      import { downloadFile, files, upload } from "orderbell-sdk/files";
      const client: Client = createClient({ guest: false });
      client.watch("orders", { shop: "noodle-house", onChange: (orders: OrderView[], { event }) => void [orders[0]?.number, event?.seq] });
      client.watch("menu", { shop: "noodle-house", onChange: ({ soldOut }) => soldOut.map((dish) => dish.length) });
      client.watch("board", { shop: "noodle-house", onChange: ({ ready }) => ready.map((number) => number.length) });
      client.submit({ shop: "s", service: "pickup", lines: [{ dish: "beef", quantity: 1 }] }).then(({ totalFen }) => totalFen + 1);
      const { collection } = collections<{ notes: { text: string; n: number; at?: Date; by: { name: string } } }>(client);
      const notes = collection("notes");
      notes.where({ n: _.gt(1), "by.name": "Lin" }).orderBy("n", "desc").limit(20).get().then(([note]) => note?.text.length);
      notes.where(_.or({ n: 1 }, { text: /a/ })).watch({ onChange: (all, { added }) => void [all[0]?._id, added[0]?.at] });
      notes.add({ text: "", n: 1, at: _.serverDate(), by: { name: "" } }).then((id) => notes.doc(id).update({ n: _.inc(1), by: { name: "Lin" } }));
      upload(client, new Uint8Array(1), { purpose: "picture", onProgress: (sent, total) => sent / total }).then(({ id }) => id.length);
      upload(client, "/a.mp4", { purpose: "film", about: { title: "a", seconds: 1 } }).cancel();
      files(client).list({ purpose: "film", shop: "s" }).then(({ files: [film] }) => film && files(client).addressOf(film)?.length);
      downloadFile(client, "id").then((path) => path.length);
      collections(client).collection("any").where({ anything: 1 }).count().then((count) => count + 1);
    `;
    expect(await check("right", right)).toEqual({ status: 0, said: "" });
    const wrong = `
      import { createClient } from "orderbell-sdk/browser";
      import { collections } from "orderbell-sdk/collections"; import { upload } from "orderbell-sdk/files";
      createClient().watch("menu", { onChange: () => {} });
      createClient().submit({ shop: "s", service: "rocket", lines: [] });
      createClient().step({ id: "o" }, "eat");
      const { collection } = collections<{ notes: { n: number } }>(createClient());
      collection("note");
      collection("notes").where({ m: 1 });
      collection("notes").add({ n: "1" });
      collection("notes").skip(1).watch({ onChange: () => {} });
      upload(createClient(), "/a.mp4", {});
      upload(createClient(), 1, { purpose: "film" });
    `;
    const { status, said } = await check("wrong", wrong);
    expect(status).not.toBe(0);
    expect(said.match(/wrong\.ts\(\d+/g)).toEqual([4, 5, 6, 8, 9, 10, 11, 12, 13].map((line) => `wrong.ts(${line}`));
    const hooks = `
      import { createClient } from "orderbell-sdk/browser";
      import * as react from "orderbell-sdk/react";
      import * as vue from "orderbell-sdk/vue";
      export const { value } = { value: createClient() } satisfies Parameters<typeof react.ClientProvider>[0];
      react.useOrders().data?.map(({ number }) => number.length);
      vue.useMenu(() => ({ shop: "s" })).value.data?.soldOut.map((dish) => dish.length);
      react.useMenu();
      vue.useOrder(1);
    `;
    // The declarations of React and Vue need those of a page, which are not checked here.
    const checked = await check("hooks", hooks, "--lib", "es2022,dom", "--skipLibCheck", "true");
    expect(checked.said.match(/\S+\.ts\(\d+/g)).toEqual(["hooks.ts(8", "hooks.ts(9"]);
  });

  it("can be tree-shaken: importing one thing does not bring the rest", async () => {
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

describe("the SDK's size", () => {
  const size = (code: string) => {
    const script = `import { checkSize } from "./scripts/check_size.ts"; const wrong = await ${code}; console.log(JSON.stringify(wrong));`;
    const { stdout } = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      cwd: root,
      encoding: "utf8",
    });
    return stdout.trim().split("\n");
  };

  it("is at most 6 KB gzipped for core and browser, 4 KB for collections, 3 KB more with rooms, 4.5 KB with files, 1 KB for hooks, and the check fails above", () => {
    const [line, wrong] = size("checkSize()");
    expect(line).toMatch(
      /the SDK in a page: [0-9.]+ KB gzip of 6\.00; its collections: [0-9.]+ of 4\.00; what rooms add: [0-9.]+ of 3\.00; files: [0-9.]+ of 4\.50; its hooks: React 0\.[0-9]+, Vue 0\.[0-9]+ of 1\.00/,
    );
    expect(wrong).toBe("[]");
    expect(size("checkSize(1000)")[1]).toMatch(/^\["clients\/browser\.ts is \d+ bytes gzipped, \d+ too many"\]$/);
    expect(size("checkSize(6144, 1000, 1000)")[1]).toMatch(
      /^\["clients\/collections\.ts is \d+ bytes gzipped, \d+ too many","clients\/rooms\.ts is \d+ bytes gzipped, \d+ too many"\]$/,
    );
    expect(size("checkSize(6144, 4096, 3072, 1024, 4000)")[1]).toMatch(/^\["clients\/files\.ts is [^"]+"\]$/);
    expect(size("checkSize(6144, 4096, 3072, 500)")[1]).toMatch(
      /^\["clients\/react\.ts is [^"]+","clients\/vue\.ts is [^"]+"\]$/,
    );
  });
});
