/** Errors of the file system: a client is told to try again, and the operator what to do. */
import { conditionOf } from "../../../db/conditions.ts";
import { FilesAway } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";

/** @returns FilesAway for an error of the system, any other error as it is */
export const awayOf =
  (log: Log, folder: string) =>
  (error: unknown): unknown => {
    if (!(error instanceof Error) || !("syscall" in error)) return error;
    if (conditionOf(error) === "full")
      log.error("files.full", { folder, hint: "no room for files: nothing can be uploaded until some is made" }, error);
    return new FilesAway(error);
  };
