/**
 * `npm run build`: what the cloud gets. One bundle per function of serverless.yml with one database driver in it, each in a zip
 * whose bytes depend on nothing but the source, and in `pages` on this Node's brotli.
 * `npm run build -- mysql`, `npm run build -- postgres network`.
 */
import { execFile } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { build as bundle, type Metafile } from "esbuild";
import { zipSync } from "fflate";
import { parse } from "yaml";
import { brotli, isPacked, pageFile, pageType } from "../shared/page_files.ts";

export interface Variant {
  readonly engine: "postgres" | "mysql";
  /** In a network of its own, whose functions reach WeChat only through `ask_wechat`. */
  readonly network: boolean;
}

export interface Built {
  readonly name: string;
  /** Path of the function's code in the zip. Only `pages` has files beside it. */
  readonly file: string;
  readonly code: string;
  readonly zip: Uint8Array;
  /** The packages whose code is in the bundle. */
  readonly packages: readonly string[];
  readonly metafile: Metafile;
}

const root = fileURLToPath(new URL("..", import.meta.url));

/** The functions that read and write nothing. */
const withoutData = ["not_found", "pages"];
/** The functions that ask WeChat. No other may carry axios. */
const asksWechat = ["login"];

const drivers = { postgres: "openPostgres", mysql: "openMysql" } as const;

/** What single functions are given more: their imports, and the parts of functions/_cloud.ts. */
const more: Readonly<Record<string, { readonly imports: string; readonly parts: string }>> = {
  picture: { imports: `import { s3Files } from "./apigateway/s3.ts";`, parts: `files: s3Files` },
  pages: {
    imports: `import { join } from "node:path";
      import { s3Pictures } from "./apigateway/s3.ts";
      import { builtPages } from "./cloud/built_pages.ts";`,
    parts: `pages: (bucket, socketUrl) => ({
        find: builtPages({ folder: join(__dirname, "../web"), socketUrl, picturesUrl: bucket.endpoint }),
        picture: s3Pictures(bucket),
      })`,
  },
};

const client = `const wechatClient = (baseURL) => axios.create({ baseURL, timeout: 5_000 });`;

/** What a function's bundle begins with: its handler and the cloud's parts, and nothing of this machine. */
function entryOf(name: string, { engine, network }: Variant): string {
  if (name === "ask_wechat")
    return `import axios from "axios";
      import { askWechat } from "./functions/ask_wechat.ts";
      ${client}
      export const handler = askWechat(wechatClient(process.env.WECHAT_URL ?? "https://api.weixin.qq.com"));`;
  const { imports, parts } = more[name] ?? { imports: "", parts: "" };
  if (withoutData.includes(name))
    return `${imports}
      import { onLambda } from "./functions/_cloud.ts";
      import { handler as own } from "./functions/${name}.ts";
      export const handler = onLambda(own, { environment: process.env, ${parts} });`;
  const axios = asksWechat.includes(name) && !network;
  const run = name === "init_db" ? "onDeployment" : "onLambda";
  return `${axios ? `import axios from "axios";` : ""}
    ${imports}
    import { ${run} } from "./functions/_cloud.ts";
    import { handler as own } from "./functions/${name}.ts";
    import { ${drivers[engine]} as open } from "./db/${engine}.ts";
    ${axios ? client : ""}
    export const handler = ${run}(own, {
      environment: process.env, open, engine: "${engine}", ${axios ? "wechatClient" : ""} ${parts}
    });`;
}

/** The names in serverless.yml, in its order. */
export function functionNames(): string[] {
  const { functions } = parse(readFileSync(join(root, "serverless.yml"), "utf8")) as { functions: object };
  return Object.keys(functions);
}

/** Path in a zip → its bytes. */
type Files = Readonly<Record<string, Uint8Array>>;

/** @param beside more files of the zip @throws TypeError when a bundle holds what it must not */
export async function buildFunction(name: string, variant: Variant, beside: Files = {}): Promise<Built> {
  const file = `functions/${name}.js`;
  const { outputFiles, metafile } = await bundle({
    stdin: { contents: entryOf(name, variant), resolveDir: root, sourcefile: `${name}.entry.js` },
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    target: "node24",
    // Loads 5 ms sooner than an ES module, and needs no help for packages that call `require`.
    format: "cjs",
    mainFields: ["module", "main"],
    minify: true,
    legalComments: "none",
    // Optional parts of pg that we do not use.
    external: ["pg-native", "cloudflare:sockets"],
    logLevel: "error",
  });
  const code = outputFiles[0]?.text ?? "";
  const packages = packagesIn(metafile);
  const problem = mustNot(name, variant, packages, Object.keys(metafile.inputs));
  if (problem !== undefined) throw new TypeError(`the bundle of ${name} ${problem}`);
  // A zip keeps times; one that never changes keeps the bytes the same.
  const mtime = new Date(1980, 0, 1);
  const files = Object.entries({ [file]: Buffer.from(code), ...beside });
  const zip = zipSync(Object.fromEntries(files.map(([path, bytes]) => [path, [bytes, { mtime, level: 9 }]])));
  return { name, file, code, zip, packages, metafile };
}

export function packagesIn(metafile: Metafile): string[] {
  const paths = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  const names = paths.map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

/** What is in a bundle by mistake is loaded at each cold start, and says that an arrow of the design was broken. */
export function mustNot(
  name: string,
  { engine, network }: Variant,
  packages: readonly string[],
  files: readonly string[],
): string | undefined {
  const driver = engine === "postgres" ? "mysql2" : "pg";
  const axios = name === "ask_wechat" || (asksWechat.includes(name) && !network);
  const wrong = packages.filter(
    (one) =>
      one === driver ||
      one.startsWith("@electric-sql/") ||
      one === "ws" ||
      one === "tsx" ||
      (one === "axios" && !axios),
  );
  if (wrong.length > 0) return `holds ${wrong.join(", ")}`;
  const local = files.filter((file) => /^(demo|cli|test|apigateway\/local)\//.test(file));
  if (local.length > 0) return `holds ${local.join(", ")}`;
  return undefined;
}

/** Builds every function and writes the zips. @returns what was built, in the order of serverless.yml */
export async function buildAll(variant: Variant, folder: string): Promise<Built[]> {
  const pages = await builtPages();
  const built = await Promise.all(
    functionNames().map((name) => buildFunction(name, variant, name === "pages" ? pages : {})),
  );
  for (const { name, zip } of built) writeWhole(join(folder, `${name}.zip`), zip);
  return built;
}

/** The pages as they stand in the source now, in the order of their names, each with its packed half beside it. */
async function builtPages(): Promise<Files> {
  const folder = mkdtempSync(join(tmpdir(), "orderbell-web-"));
  try {
    // In a process of its own: Vite is an ES module, and whoever builds need not be one.
    const [script, web] = [join(root, "scripts/build_pages.ts"), join(folder, "web")];
    await promisify(execFile)(process.execPath, ["--import", "tsx", script, web], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    const names = readdirSync(web, { recursive: true, encoding: "utf8" }).map((name) => name.replaceAll("\\", "/"));
    const files = names.toSorted().flatMap((name): [string, Uint8Array][] => {
      if (statSync(join(web, name)).isDirectory()) return [];
      const type = pageType(name);
      if (type === undefined) throw new TypeError(`the pages' build left ${name}, and nobody knows its type`);
      const body = readFileSync(join(web, name));
      // A page is told where its socket is first.
      const packed = !name.endsWith(".html") && isPacked(pageFile(type, body));
      return [[`web/${name}`, body], ...(packed ? [[`web/${name}.br`, brotli(body, 11)] as [string, Uint8Array]] : [])];
    });
    return Object.fromEntries(files);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whoever reads meanwhile reads the old file or the new one. */
function writeWhole(path: string, bytes: Uint8Array): void {
  mkdirSync(dirname(path), { recursive: true });
  const half = `${path}.${process.pid}`;
  writeFileSync(half, bytes);
  renameSync(half, path);
}

async function main([engine = "postgres", place]: string[]): Promise<void> {
  if ((engine !== "postgres" && engine !== "mysql") || (place !== undefined && place !== "network"))
    throw new TypeError("usage: npm run build -- [postgres|mysql] [network]");
  const variant = { engine, network: place === "network" } as const;
  const folder = join(root, "dist/cloud", variant.network ? `${engine}-network` : engine);
  const kb = (bytes: number) => (bytes / 1_024).toFixed(0).padStart(5);
  for (const { name, code, zip, packages } of await buildAll(variant, folder)) {
    const heavy = packages.filter((one) => ["pg", "mysql2", "axios"].includes(one));
    console.log(`${name.padEnd(14)} ${kb(code.length)} KB, zip ${kb(zip.length)} KB  ${heavy.join(" ")}`);
  }
  console.log(`in ${folder}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) void main(process.argv.slice(2));
