/**
 * `npm run build`: builds the functions for the cloud. One bundle per function of serverless.yml with one database driver, each
 * in a zip whose bytes depend on the source only (in `pages` also on this Node's brotli).
 * `npm run build -- mysql`, `npm run build -- postgres network`.
 */
import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { type BuildOptions as BundleOptions, build as bundle, type Metafile, type Plugin } from "esbuild";
import { type Zippable, zipSync } from "fflate";
import { parse } from "yaml";
import { CollectionsWrong, declaredIn, readCollectionsFile } from "../cli/collections_file.ts";
import { PurposesWrong, readPurposes } from "../cli/purposes_file.ts";
import { brotli, isPacked, pageFile, pageType } from "../shared/page_files.ts";
import { cached, type Files, sourceOf } from "./build_cache.ts";
import { filesIn } from "./files_in.ts";

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
}

/** A function as it is uploaded. */
export interface Packed extends Pick<Built, "name" | "zip" | "packages"> {
  /** Of its code. */
  readonly bytes: number;
}

const root = fileURLToPath(new URL("..", import.meta.url));

/** The functions that read and write nothing. */
const withoutData = ["not_found", "pages"];
/** The functions that call WeChat. No other may contain axios. */
const asksWechat = ["login", "wafer_session"];

const drivers = { postgres: "openPostgres", mysql: "openMysql" } as const;

/** The functions that call other people's servers, where their network has a way to them. */
const callsOutside = ["call_back", "admin", "login_token"];

/** Further parts of single functions: imports, and the parts of functions/_cloud.ts. */
const more: Readonly<Record<string, { readonly imports: string; readonly parts: string }>> = {
  pages: {
    imports: `import { join } from "node:path";
      import { s3Pictures } from "./apigateway/s3_pictures.ts";
      import { builtPages } from "./cloud/built_pages.ts";`,
    parts: `pages: (bucket, socketUrl) => ({
        find: builtPages({ folder: join(__dirname, "../web"), socketUrl, picturesUrl: bucket.endpoint }),
        picture: s3Pictures(bucket),
      })`,
  },
};

const outbound = `import { makeOutbound } from "./functions/_outbound.ts";`;
const store = `import { s3Store } from "./apigateway/s3_store.ts";`;
const client = `import { wechatClient } from "./functions/_wechat_client.ts";`;

/** The entry of a function's bundle: its handler and the cloud's parts, without those of this machine. */
function entryOf(name: string, { engine, network }: Variant, declared: string): string {
  if (name === "ask_wechat")
    return `import { askWechat } from "./functions/ask_wechat.ts";
      ${client}
      export const handler = askWechat(wechatClient(process.env.WECHAT_URL ?? "https://api.weixin.qq.com"));`;
  if (name === "ask_outside")
    return `import { askOutside } from "./functions/ask_outside.ts";
      ${outbound}
      import { callbackNetworks } from "./shared/config.ts";
      const networks = callbackNetworks(process.env);
      export const handler = askOutside(makeOutbound({ networks, now: () => performance.now(), keepAlive: false }));`;
  const all = [
    ...(callsOutside.includes(name) && !network ? [{ imports: outbound, parts: "outbound: makeOutbound" }] : []),
    ...(hasFiles(name) ? [{ imports: store, parts: "store: s3Store" }] : []),
    more[name] ?? nothing,
  ];
  const imports = all.map((one) => one.imports).join("\n");
  const parts = all.map((one) => one.parts).join(", ");
  if (withoutData.includes(name))
    return `${imports}
      import { onLambda } from "./functions/_cloud.ts";
      import { handler as own } from "./functions/${name}.ts";
      export const handler = onLambda(own, { environment: process.env, ${parts} });`;
  const axios = asksWechat.includes(name) && !network;
  const run = name === "init_db" ? "onDeployment" : "onLambda";
  return `${imports}
    import { ${run} } from "./functions/_cloud.ts";
    import { handler as own } from "./functions/${name}.ts";
    import { ${drivers[engine]} as open } from "./db/${engine}.ts";
    ${axios ? client : ""}
    export const handler = ${run}(own, {
      environment: process.env, open, engine: "${engine}", ${declared}, ${axios ? "wechatClient" : ""} ${parts}
    });`;
}

const nothing = { imports: "", parts: "" };

/**
 * The collections and the purposes of files that are declared, as members: what reads YAML would cost each cold start.
 * @param file the collections; default: the project's, or COLLECTIONS_FILE @throws CollectionsWrong, PurposesWrong
 */
function declarations(file = readCollectionsFile(process.env)): string {
  const collections = JSON.stringify([...declaredIn(file).values()]);
  return `collections: ${collections}, purposes: ${JSON.stringify([...readPurposes(process.env).values()])}`;
}

/** They stand outside of the database's network. */
const outsiders = ["ask_wechat", "ask_outside"];

const hasDriver = (name: string) => !outsiders.includes(name) && !withoutData.includes(name);

interface Described {
  readonly functions: Readonly<Record<string, { readonly rights?: readonly string[] }>>;
}

let described: Described["functions"] | undefined;

function readFunctions(): Described["functions"] {
  described ??= (parse(readFileSync(join(root, "serverless.yml"), "utf8")) as Described).functions;
  return described;
}

/** The names in serverless.yml, in its order. */
export const functionNames = (): string[] => Object.keys(readFunctions());

const hasFiles = (name: string) => readFunctions()[name]?.rights?.includes("files") === true;

/** @param beside more files of the zip @throws TypeError when a bundle contains a package it must not */
export async function buildFunction(name: string, variant: Variant, beside: Files = {}): Promise<Built> {
  const [built] = await buildFunctions([name], variant, declarations(), () => beside);
  return built as Built;
}

/** How every function is bundled. */
export const functionFormat = {
  bundle: true,
  write: false,
  platform: "node",
  target: "node24",
  // Loads 5 ms sooner than an ES module, and needs no help for packages that call `require`.
  format: "cjs",
  mainFields: ["module", "main"],
  minify: true,
  legalComments: "none",
  // Optional parts of pg that we do not use.
  external: ["pg-native", "cloudflare:sockets"],
} satisfies BundleOptions & { write: false };

/** One run of esbuild for all: it reads each file once and links each function separately. */
async function buildFunctions(
  names: readonly string[],
  variant: Variant,
  declared: string,
  besideOf: (name: string) => Files,
): Promise<Built[]> {
  const { outputFiles, metafile } = await bundle({
    entryPoints: names.map((name) => ({ in: `${entryScheme}${name}`, out: name })),
    plugins: [entries(variant, declared)],
    ...functionFormat,
    outdir: "functions",
    absWorkingDir: root,
    metafile: true,
    logLevel: "error",
  });
  return names.map((name) => {
    const file = `functions/${name}.js`;
    const code = outputFiles.find(({ path }) => path === join(root, file))?.text ?? "";
    const own = ofFunction(metafile, `${entryScheme}${name}`, file);
    const packages = packagesIn(own);
    const problem = mustNot(name, variant, packages, Object.keys(own.inputs));
    if (problem !== undefined) throw new TypeError(`the bundle of ${name} ${problem}`);
    return { name, file, code, zip: zipOf({ [file]: Buffer.from(code), ...besideOf(name) }), packages };
  });
}

const entryScheme = "function:";

const entries = (variant: Variant, declared: string): Plugin => ({
  name: "entries",
  setup({ onResolve, onLoad }) {
    const namespace = entryScheme.slice(0, -1);
    onResolve({ filter: new RegExp(`^${entryScheme}`) }, ({ path }) => ({
      path: path.slice(entryScheme.length),
      namespace,
    }));
    onLoad({ filter: /^/, namespace }, ({ path }) => ({
      contents: entryOf(path, variant, declared),
      resolveDir: root,
    }));
  },
});

/** The inputs of one entry, from the metafile of the whole run. */
function ofFunction({ inputs, outputs }: Metafile, entry: string, file: string): Metafile {
  const reached: Metafile["inputs"] = {};
  const look = (path: string): void => {
    const input = inputs[path];
    if (input === undefined || path in reached) return;
    reached[path] = input;
    for (const one of input.imports) look(one.path);
  };
  look(entry);
  return { inputs: reached, outputs: { [file]: outputs[file] as Metafile["outputs"][string] } };
}

function zipOf(files: Files): Uint8Array {
  // A zip contains times; a constant one keeps its bytes the same.
  const mtime = new Date(1980, 0, 1);
  const entries = Object.entries(files).map(([path, bytes]) => [path, [bytes, { mtime, level: 9 }]] as const);
  return zipSync(Object.fromEntries(entries) as Zippable);
}

export function packagesIn(metafile: Metafile): string[] {
  const paths = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
  const names = paths.map((path) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1]);
  return [...new Set(names.filter((name) => name !== undefined))].sort();
}

/** A package in the wrong bundle is loaded at each cold start, and shows that an import breaks the design. */
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
      (one === "axios" && !axios) ||
      // Menus are imported with their lines; collections.yml and files.yml are built in as JSON.
      (one === "yaml" && name !== "admin"),
  );
  if (wrong.length > 0) return `holds ${wrong.join(", ")}`;
  const local = files.filter((file) => /^(demo|cli|test|apigateway\/local)\//.test(file));
  if (local.length > 0) return `holds ${local.join(", ")}`;
  return undefined;
}

export interface BuildOptions {
  /** More files for the functions that use the database. */
  readonly besideDriver?: Files;
  /** Folder of the cache of builds; see build_cache.ts. */
  readonly cache?: string | undefined;
  /** The text of a declaration of collections. Default: the project's file, or COLLECTIONS_FILE. */
  readonly collections?: string | undefined;
}

/** Builds every function and writes the zips. @returns what was built, in the order of serverless.yml */
export async function buildAll(
  variant: Variant,
  folder: string,
  { besideDriver = {}, cache, collections: text }: BuildOptions = {},
): Promise<Packed[]> {
  const declared = declarations(text === undefined ? undefined : { path: "collections", text });
  const source = cache === undefined ? "" : sourceOf(root);
  const more = Object.entries(besideDriver).flatMap(([path, bytes]) => [path, Buffer.from(bytes).toString("base64")]);
  const files = await cached(cache, ["functions", source, JSON.stringify(variant), declared, ...more], async () => {
    const pages = await cached(cache, ["pages", source], builtPages);
    const beside = (name: string): Files => (name === "pages" ? pages : hasDriver(name) ? besideDriver : {});
    const built = await buildFunctions(functionNames(), variant, declared, beside);
    const facts = built.map(({ name, code, packages }) => ({ name, bytes: code.length, packages }));
    return {
      ...Object.fromEntries(built.map(({ name, zip }) => [`${name}.zip`, zip])),
      "built.json": Buffer.from(JSON.stringify(facts)),
    };
  });
  const facts = JSON.parse(Buffer.from(files["built.json"] as Uint8Array).toString()) as Omit<Packed, "zip">[];
  const packed = facts.map((one) => ({ ...one, zip: files[`${one.name}.zip`] as Uint8Array }));
  for (const { name, zip } of packed) writeWhole(join(folder, `${name}.zip`), zip);
  return packed;
}

/** The pages built from the current source, in the order of their names, each with its compressed copy. */
async function builtPages(): Promise<Files> {
  const folder = mkdtempSync(join(tmpdir(), "orderbell-web-"));
  try {
    // In a process of its own: Vite is an ES module, and the caller may be CommonJS.
    const [script, web] = [join(root, "scripts/build_pages.ts"), join(folder, "web")];
    await promisify(execFile)(process.execPath, ["--import", "tsx", script, web], {
      cwd: root,
      // The pages have the same bytes whoever builds them.
      env: { ...process.env, NODE_ENV: "production", NODE_OPTIONS: "" },
    });
    const files = filesIn(web).flatMap((name): [string, Uint8Array][] => {
      const type = pageType(name);
      if (type === undefined) throw new TypeError(`the pages' build left ${name}, whose media type is unknown`);
      const body = readFileSync(join(web, name));
      const packed = isPacked(pageFile(type, body));
      return [[`web/${name}`, body], ...(packed ? [[`web/${name}.br`, brotli(body, 11)] as [string, Uint8Array]] : [])];
    });
    return Object.fromEntries(files);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Replaces the file at once: a reader sees the old one or the new one. */
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
  for (const { name, bytes, zip, packages } of await buildAll(variant, folder)) {
    const heavy = packages.filter((one) => ["pg", "mysql2", "axios"].includes(one));
    console.log(`${name.padEnd(14)} ${kb(bytes)} KB, zip ${kb(zip.length)} KB  ${heavy.join(" ")}`);
  }
  console.log(`in ${folder}`);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href)
  main(process.argv.slice(2)).catch((error: unknown) => {
    if (!(error instanceof CollectionsWrong) && !(error instanceof PurposesWrong)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  });
