/** Errors of the file system: a client is told to try again, and the operator what to do. */
import { FilesAway } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import { codeOf } from "./synced_folder.ts";

const full = new Set(["ENOSPC", "EDQUOT"]);

/** @returns FilesAway for an error of the system, any other error as it is */
export const awayOf =
  (log: Log, folder: string) =>
  (error: unknown): unknown => {
    if (typeof error !== "object" || error === null || !("syscall" in error)) return error;
    if (full.has(codeOf(error)))
      log.error("files.full", { folder, hint: "no room for files: nothing can be uploaded until some is made" }, error);
    return new FilesAway(error);
  };
