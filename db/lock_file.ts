/** Locks a folder for one process: two PGlites on one folder overwrite each other's data. */

import { rmSync } from "node:fs";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

export class DirectoryLocked extends Error {
  override readonly name = "DirectoryLocked";
  readonly pid: number;
  constructor(directory: string, pid: number) {
    super(
      `"${directory}" is in use by process ${pid}; stop it first, or delete "${join(directory, "lock")}" if no such orderbell runs`,
    );
    this.pid = pid;
  }
}

/** Folders of this very process. A container starts again under the number it had, and finds its own in the lock. */
const held = new Set<string>();

/** Takes the folder for this process. A lock whose process is gone (kill -9) is taken over. Returns the function that unlocks it. */
export async function lockDirectory(directory: string): Promise<() => void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, "lock");
  if (held.has(path)) throw new DirectoryLocked(directory, process.pid);
  held.add(path);
  try {
    await take(directory, path);
  } catch (error) {
    held.delete(path);
    throw error;
  }
  return () => {
    held.delete(path);
    rmSync(path, { force: true });
  };
}

async function take(directory: string, path: string): Promise<void> {
  const mine = String(process.pid);
  for (let tries = 0; ; tries++) {
    try {
      const file = await open(path, "wx");
      await file.writeFile(mine);
      await file.close();
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      const pid = Number(await readFile(path, "utf8").catch(() => "0"));
      if (tries > 20 || (pid > 0 && pid !== process.pid && isAlive(pid))) throw new DirectoryLocked(directory, pid);
      // Left by a process that ended, or not yet written by one that is just taking it.
      if (pid === 0) await new Promise((resolve) => setTimeout(resolve, 20));
      else await rm(path, { force: true });
    }
  }
  // Two processes may both remove the same dead lock; the one whose new file was removed finds the other's id in it.
  await new Promise((resolve) => setTimeout(resolve, 50));
  const owner = await readFile(path, "utf8").catch(() => "0");
  if (owner !== mine) throw new DirectoryLocked(directory, Number(owner));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
