/**
 * Builds the SDK as a package from clients/: ES modules, CommonJS, the folder that WeChat's npm builder copies, and types.
 * `node --import tsx scripts/build_sdk.ts [folder]`; `--modules <folder>` writes the ES modules alone, for the examples.
 */
import { spawnSync } from "node:child_process";
import { copyFile, cp, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, transform } from "esbuild";
import { replaceFolder } from "./replace_folder.ts";
import { tsc } from "./tsc.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const entries = ["index", "browser", "node", "wechat", "collections", "rooms", "files", "react", "vue"];
/** Optional peers: whoever imports the entry has them. */
export const peers = ["ws", "react", "vue"];

/** As old as the WebViews of phones that are still in use. */
export const bundling = {
  bundle: true,
  format: "esm",
  target: "es2020",
  // Private members get short names, to save bytes. Public names begin with a letter.
  mangleProps: /^_[a-z]/,
  // Members of documents keep theirs.
  reserveProps: /^_(id|openid)$/,
} as const satisfies BuildOptions;

/** Writes the package into the folder, which is emptied first. @throws when a type cannot be written */
export async function buildSdk(folder = join(root, "dist/sdk")): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const from = join(root, "clients");
  await writeModules(folder, entries);
  await writeTypes(join(folder, "types"));
  await writeCommonJs(folder, join(folder, "cjs"));
  await writeMiniprogram(join(folder, "miniprogram_dist"));
  for (const entry of entries) {
    const types = `export * from "./types/clients/${entry}.js";\n`;
    for (const to of [folder, join(folder, "cjs")]) await writeFile(join(to, `${entry}.d.ts`), types);
  }
  const { version, license, repository, engines } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const own = JSON.parse(await readFile(join(from, "package.json"), "utf8"));
  const { name, ...rest } = own;
  const all = { name, version, license, ...(repository && { repository }), engines, ...rest };
  await writeFile(join(folder, "package.json"), `${JSON.stringify(all, null, 2)}\n`);
  await copyFile(join(from, "README.md"), join(folder, "README.md"));
  await copyFile(join(root, "LICENSE"), join(folder, "LICENSE"));
}

/** Writes the ES modules into a folder, which is replaced at once: a page that loads them meanwhile has all of one build. */
export async function buildModules(folder: string): Promise<void> {
  const startedAt = new Date();
  await mkdir(dirname(folder), { recursive: true });
  const fresh = await mkdtemp(`${folder}.new-`);
  try {
    const made = join(fresh, "modules");
    await writeModules(made, entries);
    // Dated before its sources were read: a change during the build is newer.
    await utimes(join(made, "index.js"), startedAt, startedAt);
    replaceFolder(folder, made);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

async function writeModules(folder: string, some: string[], target: string = bundling.target): Promise<void> {
  await build({
    ...bundling,
    target,
    entryPoints: some.map((entry) => join(root, "clients", `${entry}.ts`)),
    outdir: folder,
    splitting: true,
    external: [...peers, "node:*"],
    chunkNames: "core-[hash]",
  });
}

const scriptsIn = async (folder: string) => (await readdir(folder)).filter((name) => name.endsWith(".js"));

/** For `require`. File by file, so that every entry has the same `ApiError`. */
async function writeCommonJs(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  await toCommonJs(from, to);
  await writeFile(join(to, "package.json"), '{ "type": "commonjs" }\n');
  // The package.json above a type file decides its kind of module.
  await cp(join(from, "types"), join(to, "types"), { recursive: true });
}

async function toCommonJs(from: string, to: string): Promise<void> {
  for (const name of await scriptsIn(from)) {
    const { code } = await transform(await readFile(join(from, name), "utf8"), { format: "cjs" });
    await writeFile(join(to, name), code);
  }
}

/** WeChat's npm builder copies this folder, and takes `index.js` for an import of the package's name. */
async function writeMiniprogram(folder: string): Promise<void> {
  await writeModules(folder, ["wechat", "collections", "rooms", "files"], "es2018");
  await toCommonJs(folder, folder);
  await writeFile(join(folder, "index.js"), 'module.exports = require("./wechat.js");\n');
}

async function writeTypes(folder: string): Promise<void> {
  const options = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: {
      noEmit: false,
      declaration: true,
      emitDeclarationOnly: true,
      rootDir: root,
      outDir: folder,
      typeRoots: [join(root, "node_modules/@types")],
      types: ["node"],
    },
    include: [],
    files: entries.map((entry) => join(root, "clients", `${entry}.ts`)),
  };
  await mkdir(folder, { recursive: true });
  const project = join(folder, "tsconfig.json");
  await writeFile(project, JSON.stringify(options));
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, "-p", project], { encoding: "utf8" });
  await rm(project);
  if (status !== 0) throw new Error(`${stdout}${stderr}`);
  // A reader of the package has no .ts files.
  for (const file of await readdir(folder, { recursive: true })) {
    if (!file.endsWith(".d.ts")) continue;
    const text = await readFile(join(folder, file), "utf8");
    await writeFile(join(folder, file), text.replace(/(from "\.{1,2}\/[^"]+)\.ts"/g, '$1.js"'));
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [first, folder] = process.argv.slice(2);
  await (first === "--modules" && folder !== undefined ? buildModules(folder) : buildSdk(first));
}
