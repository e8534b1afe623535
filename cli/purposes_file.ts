/** The file of the purposes of files: where it lies, and what it declares. */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { purposesFileOf } from "../shared/config.ts";
import { parsePurposes } from "../shared/files/purposes.ts";
import type { Purpose } from "../shared/purpose.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Beside serverless.yml. */
const ownFile = fileURLToPath(new URL("../files.yml", import.meta.url));

/** A declaration that cannot be used. One line for each error, with the file and its line. */
export class PurposesWrong extends Error {
  override readonly name = "PurposesWrong";
}

/** The text of FILES_FILE, or of the project's own file; without one there are the built-in purposes. @throws PurposesWrong */
export function readPurposesFile(environment: Environment, own = ownFile): { path: string; text: string } {
  const named = purposesFileOf(environment);
  const path = named ?? relative("", own);
  try {
    return { path, text: new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(named ?? own)) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") throw new PurposesWrong(`${path} is not UTF-8`);
    if (named === undefined && code === "ENOENT") return { path, text: "" };
    throw new PurposesWrong(`${path} cannot be read (${code}); FILES_FILE says where the purposes of files are`);
  }
}

/** The purposes that a text declares, by their names. @param path for the errors @throws PurposesWrong */
export function purposesIn({ path, text }: { path: string; text: string }): ReadonlyMap<string, Purpose> {
  const { purposes, errors } = parsePurposes(text);
  if (errors.length > 0) throw new PurposesWrong(errors.map((error) => `${path}, ${error}`).join("\n"));
  return purposes;
}

/** The purposes of this server, by their names. @throws PurposesWrong */
export const readPurposes = (environment: Environment): ReadonlyMap<string, Purpose> =>
  purposesIn(readPurposesFile(environment));
