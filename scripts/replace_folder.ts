/** Puts a built folder in the place of another one. */
import { renameSync } from "node:fs";

/** Of two builds at once the later one replaces the earlier. @param fresh in a temporary folder, which the caller removes */
export function replaceFolder(folder: string, fresh: string): void {
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
