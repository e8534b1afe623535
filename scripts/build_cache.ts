/**
 * Cache of builds, each under a hash of everything that it was built from. For a machine that deploys several stages, and for
 * test runs.
 */
import { createHash } from "node:crypto";
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
import { dirname, join } from "node:path";
import { filesIn } from "./files_in.ts";

/** Path → its bytes. */
export type Files = Readonly<Record<string, Uint8Array>>;

/** Folders that are not a source of functions or pages. */
const ignored = new Set(["node_modules", "dist", "coverage", "docs", "test"]);

/** @returns a hash of the project: each file's name and bytes, the lock file of the packages, and this Node's version */
export function sourceOf(root: string): string {
  const hash = createHash("sha256").update(`${process.version}\n`);
  for (const name of readdirSync(root).toSorted())
    if (!ignored.has(name) && !name.startsWith(".")) addTo(hash, root, name);
  return hash.digest("hex");
}

function addTo(hash: ReturnType<typeof createHash>, root: string, name: string): void {
  const path = join(root, name);
  try {
    if (statSync(path).isDirectory()) {
      for (const one of readdirSync(path).toSorted()) addTo(hash, root, `${name}/${one}`);
      return;
    }
    const bytes = readFileSync(path);
    hash.update(`${name}\n${bytes.length}\n`).update(bytes);
  } catch (error) {
    // Removed since its folder was read: a temporary file of an editor or another build.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** @param folder of the cache; without one it is always made @param of everything that the result depends on */
export async function cached(
  folder: string | undefined,
  of: readonly string[],
  make: () => Promise<Files>,
): Promise<Files> {
  if (folder === undefined) return make();
  const own = join(folder, createHash("sha256").update(JSON.stringify(of)).digest("hex"));
  const found = read(own);
  if (found !== undefined) return found;
  const files = await make();
  mkdirSync(folder, { recursive: true });
  const fresh = mkdtempSync(`${own}.`);
  for (const [path, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(fresh, path)), { recursive: true });
    writeFileSync(join(fresh, path), bytes);
  }
  try {
    renameSync(fresh, own);
  } catch {
    // Another process has made the same meanwhile.
    rmSync(fresh, { recursive: true, force: true });
  }
  return files;
}

function read(folder: string): Files | undefined {
  if (statSync(folder, { throwIfNoEntry: false }) === undefined) return undefined;
  return Object.fromEntries(filesIn(folder).map((name) => [name, readFileSync(join(folder, name))]));
}
