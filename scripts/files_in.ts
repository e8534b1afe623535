/** Lists the files of a folder. */
import { readdirSync } from "node:fs";
import { join, relative } from "node:path";

/** Every file of a folder and its folders. Does not open the files: another process may be replacing one. */
export const filesIn = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(folder, join(parentPath, name)).replaceAll("\\", "/"))
    .sort();
