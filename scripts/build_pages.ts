/**
 * Builds the pages into dist/web, or another folder; with the pages of the HTTP API, docs.html and errors.html.
 *
 *     node --import tsx scripts/build_pages.ts [folder]
 *
 * Built in a temporary folder and then moved, so that a build or a reader at the same time is not disturbed.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { apiPage } from "./api_page.ts";
import { replaceFolder } from "./replace_folder.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

const read = (name: string) => readFileSync(join(root, name), "utf8");

/** @throws Vite's errors about a page */
export async function buildPages(folder = join(root, "dist/web")): Promise<void> {
  const { build } = await import("vite");
  const startedAt = new Date();
  mkdirSync(dirname(folder), { recursive: true });
  const fresh = mkdtempSync(`${folder}.new-`);
  try {
    const outDir = join(fresh, "web");
    await build({ configFile: join(root, "vite.config.ts"), build: { outDir, emptyOutDir: true }, logLevel: "error" });
    for (const [name, text] of Object.entries(apiPage(read("apigateway/openapi.yaml"), read("web/docs.css"))))
      writeFileSync(join(outDir, name), text);
    // Dated before its sources were read: a change during the build is newer.
    utimesSync(join(outDir, "index.html"), startedAt, startedAt);
    replaceFolder(folder, outDir);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  await buildPages(folder && resolve(folder)).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
