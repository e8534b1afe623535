/**
 * `npm run build:miniprogram`: puts the SDK into miniprogram/lib (one script and its types), and the app id of config.ts
 * into project.config.json; the same for examples/miniprogram. Then the folders open in WeChat DevTools. Ends with the size of
 * what would be uploaded. With `--pack <folder> [examples]` it writes there what DevTools would upload, and nothing else.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transformSync } from "esbuild";
import { config as examplesConfig } from "../examples/miniprogram/config.ts";
import { config } from "../miniprogram/config.ts";
import { filesIn } from "./files_in.ts";
import { tsc } from "./tsc.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** A mini-program of this project. */
export interface Program {
  readonly source: string;
  readonly appid: string;
  /** What its script of the SDK has: from each file everything, or what is named. */
  readonly parts: readonly (readonly [file: string, names: string])[];
}

/** WeChat's limit for the main package; sub-packages are not used. Source: developers.weixin.qq.com, 分包加载. */
export const maxPackageBytes = 2 * 1024 * 1024;

/** Every phone with a current base library runs this; DevTools compiles further down if it must. */
const target = "es2018";

/** The exports of shared/order_states.ts that the mini-program's pages use. */
const states = "maxLineNote, maxLines, maxNote, maxQuantity, openStatuses, happyPaths";

/** The SDK's WeChat transport, the parts of a client without wx.login, and the states that the pages show. */
export const ordering: Program = {
  source: join(root, "miniprogram"),
  appid: config.appid,
  parts: [
    ["clients/wechat", "*"],
    ["clients/client", "{ asGuest }"],
    ["shared/order_states", `{ ${states} }`],
  ],
};

/** The examples, with the SDK's further entries. */
export const examples: Program = {
  source: join(root, "examples/miniprogram"),
  appid: examplesConfig.appid,
  parts: [
    ["clients/wechat", "*"],
    ["clients/client", "{ asGuest }"],
    ["clients/rooms", "*"],
    ["clients/collections", "*"],
    ["clients/files", "*"],
  ],
};

/** Writes orderbell.js into a folder. */
export async function bundleSdk(folder: string, { parts }: Program = ordering): Promise<void> {
  mkdirSync(folder, { recursive: true });
  const contents = parts.map(([file, names]) => `export ${names} from "./${file}.ts";`).join("\n");
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: root, sourcefile: "orderbell.ts", loader: "ts" },
    bundle: true,
    format: "cjs",
    target,
    write: false,
    minify: true,
    logLevel: "silent",
  });
  for (const { text } of outputFiles) replace(join(folder, "orderbell.js"), text);
}

/** Writes the SDK's types beside it, so that the folder can be copied out of this project. @throws when they do not compile */
export function emitTypes(folder: string, { parts }: Program = ordering): void {
  const made = mkdtempSync(join(tmpdir(), "orderbell-types-"));
  const options = ["--ignoreConfig", "--declaration", "--emitDeclarationOnly", "--skipLibCheck", "--strict"];
  const shape = [
    "--target",
    "es2023",
    "--module",
    "nodenext",
    "--allowImportingTsExtensions",
    "--exactOptionalPropertyTypes",
  ];
  const files = parts.map(([file]) => join(root, `${file}.ts`));
  const args = [tsc, ...options, ...shape, "--rootDir", root, "--outDir", made, "--types", "node", ...files];
  const { status, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(`the SDK's types were not written: ${stdout}`);
  for (const file of filesIn(made)) {
    const to = join(folder, "types", file);
    mkdirSync(dirname(to), { recursive: true });
    // Paths without .ts: DevTools reads them without a setting.
    replace(to, readFileSync(join(made, file), "utf8").replace(/(from "|import\(")(\.[^"]*)\.ts"/g, '$1$2"'));
  }
  rmSync(made, { recursive: true });
  const index = [...parts.map(([file, names]) => `export ${names} from "./types/${file}";`), ""];
  replace(join(folder, "orderbell.d.ts"), index.join("\n"));
}

/** Replaces the file at once: a reader sees the old one or the new one. */
function replace(path: string, text: string): void {
  const beside = `${path}.${process.pid}`;
  writeFileSync(beside, text);
  renameSync(beside, path);
}

/** Files that are not uploaded. */
const notPacked = /(^|\/)(project\..*config\.json|tsconfig\.json|\.gitignore)$|\.d\.ts$|^lib\//;

/**
 * Makes the package that DevTools would upload: each script compiled by itself, everything else as it is.
 * @returns how many bytes the package has
 */
export async function pack(into: string, program: Program = ordering): Promise<number> {
  const { source } = program;
  for (const file of filesIn(source)) {
    if (notPacked.test(file)) continue;
    const [from, to] = [join(source, file), join(into, file)];
    mkdirSync(dirname(to), { recursive: true });
    if (extname(file) !== ".ts") cpSync(from, to);
    else {
      const { code } = transformSync(readFileSync(from, "utf8"), { loader: "ts", format: "cjs", target });
      writeFileSync(to.replace(/\.ts$/, ".js"), code);
    }
  }
  await bundleSdk(join(into, "lib"), program);
  return filesIn(into).reduce((sum, file) => sum + statSync(join(into, file)).size, 0);
}

/** DevTools looks for the app id in a file of its own. */
export function writeAppid({ source, appid }: Program = ordering): void {
  const path = join(source, "project.config.json");
  const text = readFileSync(path, "utf8");
  const next = text.replace(/("appid": )"[^"]*"/, `$1${JSON.stringify(appid)}`);
  if (next !== text) replace(path, next);
}

async function main([option, into, name]: readonly string[]): Promise<void> {
  if (option === "--pack" && into !== undefined)
    return void (await pack(into, name === "examples" ? examples : ordering));
  for (const program of [ordering, examples]) await prepare(program);
}

async function prepare(program: Program): Promise<void> {
  const { source } = program;
  await bundleSdk(join(source, "lib"), program);
  emitTypes(join(source, "lib"), program);
  writeAppid(program);
  const folder = mkdtempSync(join(tmpdir(), "orderbell-miniprogram-"));
  const bytes = await pack(folder, program);
  rmSync(folder, { recursive: true });
  const size = `${Math.ceil(bytes / 1024)} KB of ${maxPackageBytes / 1024} KB`;
  console.log(`${relative(process.cwd(), source)} is ready for WeChat DevTools: ${size}`);
  if (bytes >= maxPackageBytes) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) void main(process.argv.slice(2));
