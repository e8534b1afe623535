/** Programs that tests start as processes, compiled once for a run: with tsx each start takes a second of CPU more. */
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Plugin } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));

const programs = [
  "test/_server.ts",
  "test/apigateway/_files_process.ts",
  "test/faults/_server.ts",
  "test/cli/_program.ts",
  "test/wafer/_qcloud-weapp-server-sdk.ts",
  "test/wafer/_wafer-node-sdk.ts",
];

/** Files are found from where the source stands. */
const sourceUrls: Plugin = {
  name: "source urls",
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, "utf8")).replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)),
      loader: "ts",
    }));
  },
};

/** Makes the folder that `program` looks into. It is within node_modules, where packages are found. @returns what removes it */
export async function compilePrograms(): Promise<() => Promise<void>> {
  const { build } = await import("esbuild");
  const cache = join(root, "node_modules/.cache");
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "orderbell-test-"));
  await build({
    entryPoints: programs,
    outdir: folder,
    outbase: root,
    outExtension: { ".js": ".mjs" },
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    packages: "external",
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
    plugins: [sourceUrls],
    logLevel: "error",
  });
  process.env.ORDERBELL_TEST_PROGRAMS = folder;
  return () => rm(folder, { recursive: true, force: true });
}

/** @param source such as `test/_server.ts` @returns Node's arguments that start it; outside of jest by tsx */
export function program(source: string): string[] {
  const folder = process.env.ORDERBELL_TEST_PROGRAMS;
  if (folder === undefined) return ["--import", "tsx", join(root, source)];
  if (!programs.includes(source)) throw new TypeError(`${source} is not compiled`);
  // PGlite's WebAssembly stays as V8 first compiles it: to optimize it takes a second of CPU in each process, and tests ask little of it.
  return ["--liftoff-only", join(folder, source.replace(/ts$/, "mjs"))];
}
