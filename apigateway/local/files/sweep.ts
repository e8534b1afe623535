/** Removes what was begun and never ended, as the lifecycle rules of a bucket do. */
import { readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { ObjectFolder } from "./object_folder.ts";
import { codeOf } from "./synced_folder.ts";

/** Longer than any upload takes, and than the place of one is kept. */
const keptMs = 24 * 3_600_000;

/**
 * Removes files that were being written, uploads in parts without a new part, and what forms have sent, each after a day. Safe beside
 * other processes: what runs is younger.
 * @param fileTime the time of the machine, which its files have. @returns how many were removed
 */
export async function sweepFolder(folder: string, objects: ObjectFolder, fileTime: () => number): Promise<number> {
  const before = fileTime() - keptMs;
  let removed = 0;
  for (const place of ["uploading", "parts", "objects/incoming"])
    for (const file of await olderThan(before, join(folder, place))) {
      const gone = await objects.temporary();
      if (!(await renamed(file, gone))) continue;
      await rm(gone, { recursive: true, force: true });
      removed += 1;
    }
  return removed;
}

async function olderThan(before: number, folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(absent);
  const files = (names ?? []).map((name) => join(folder, name));
  const found = await Promise.all(files.map(async (file) => ({ file, at: (await stat(file).catch(absent))?.mtimeMs })));
  return found.filter(({ at }) => at !== undefined && at < before).map(({ file }) => file);
}

const renamed = (from: string, to: string) =>
  rename(from, to).then(
    () => true,
    (error) => absent(error) ?? false,
  );

function absent(error: unknown): undefined {
  if (codeOf(error) !== "ENOENT") throw error;
}
