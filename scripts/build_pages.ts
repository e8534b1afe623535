/**
 * Builds the pages into dist/web, or another folder.
 *
 *     node --import tsx scripts/build_pages.ts [folder]
 *
 * They come into being beside their place and are moved into it whole: who builds or reads at the same moment is not disturbed.
 */
import { mkdirSync, mkdtempSync, renameSync, rmSync, utimesSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** @throws what Vite says of a mistake in a page */
export async function buildPages(folder = join(root, "dist/web")): Promise<void> {
  const { build } = await import("vite");
  const begun = new Date();
  mkdirSync(dirname(folder), { recursive: true });
  const fresh = mkdtempSync(`${folder}.new-`);
  try {
    const outDir = join(fresh, "web");
    await build({ configFile: join(root, "vite.config.ts"), build: { outDir, emptyOutDir: true }, logLevel: "error" });
    // As old as what it was made of: a change meanwhile is newer.
    utimesSync(join(outDir, "index.html"), begun, begun);
    replace(folder, outDir);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Two at once: one of them is first, and the other takes its place. */
function replace(folder: string, fresh: string): void {
  for (let tries = 1; ; tries++) {
    try {
      renameSync(fresh, folder);
      return;
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      if (!["ENOTEMPTY", "EEXIST", "EPERM", "EACCES"].includes(code) || tries === 20) throw error;
    }
    try {
      renameSync(folder, `${fresh}.old-${tries}`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder] = process.argv.slice(2);
  await buildPages(folder && resolve(folder)).catch((error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
