/** The SDK as it is published: ES modules and their types, from clients/. `node --import tsx scripts/build_sdk.ts [folder]` */
import { spawnSync } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build } from "esbuild";

const root = fileURLToPath(new URL("..", import.meta.url));
const entries = ["index", "browser", "node", "wechat"];

/** As old as the WebViews of phones that are still in use. */
export const bundling = { bundle: true, format: "esm", target: "es2020" } as const satisfies BuildOptions;

/** Writes the package into the folder, which is made anew. @throws when a type cannot be written */
export async function buildSdk(folder = join(root, "dist/sdk")): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const from = join(root, "clients");
  await build({
    ...bundling,
    entryPoints: entries.map((entry) => join(from, `${entry}.ts`)),
    outdir: folder,
    splitting: true,
    external: ["ws"],
    chunkNames: "core-[hash]",
  });
  await writeTypes(join(folder, "types"));
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const own = JSON.parse(await readFile(join(from, "package.json"), "utf8"));
  await writeFile(join(folder, "package.json"), `${JSON.stringify({ ...own, version }, null, 2)}\n`);
  await copyFile(join(from, "README.md"), join(folder, "README.md"));
  await copyFile(join(root, "LICENSE"), join(folder, "LICENSE"));
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
  const tsc = join(root, "node_modules/typescript/bin/tsc");
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

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildSdk(process.argv[2]);
