/** Folders whose entries outlive a crash of the machine: a new name is on the disk only when its folder is. */
import { mkdir, open } from "node:fs/promises";
import { dirname, resolve } from "node:path";

export const codeOf = (error: unknown): string => String((error as NodeJS.ErrnoException | undefined)?.code);

/** Systems and file systems that know no sync of folders say so by these. */
const unknownHere = new Set(["EPERM", "EISDIR", "EINVAL", "EBADF", "EACCES", "ENOTSUP"]);

/** Makes a folder and those above it, each on the disk. */
export async function syncedFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined) return;
  const end = dirname(resolve(first));
  for (let at = dirname(resolve(folder)); at.length >= end.length; at = dirname(at)) {
    await syncFolder(at);
    if (at === dirname(at)) break;
  }
}

export async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder);
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    if (!unknownHere.has(codeOf(error)) && codeOf(error) !== "ENOENT") throw error;
  }
}
