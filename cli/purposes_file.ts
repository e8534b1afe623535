/** The file of the purposes of files: where it lies, and what it declares. */
import { fileURLToPath } from "node:url";
import { purposesFileOf } from "../shared/config.ts";
import { parsePurposes } from "../shared/files/purposes.ts";
import type { Purpose } from "../shared/purpose.ts";
import { type DeclaredText, readDeclaredFile, throwIfWrong } from "./declared_file.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const ownFile = fileURLToPath(new URL("../files.yml", import.meta.url));

/** A declaration that cannot be used. One line for each error, with the file and its line. */
export class PurposesWrong extends Error {
  override readonly name = "PurposesWrong";
}

const wrong = (message: string) => new PurposesWrong(message);

/** The text of FILES_FILE, or of the project's own file; without one there are the built-in purposes. @throws PurposesWrong */
export function readPurposesFile(environment: Environment, own = ownFile): DeclaredText {
  const hint = "FILES_FILE says where the purposes of files are";
  return readDeclaredFile({ named: purposesFileOf(environment), own, hint, wrong });
}

/** The purposes that a text declares, by their names. @throws PurposesWrong */
export function purposesIn(file: DeclaredText): ReadonlyMap<string, Purpose> {
  const { purposes, errors } = parsePurposes(file.text);
  throwIfWrong(errors, file, wrong);
  return purposes;
}

/** The purposes of this server, by their names. @throws PurposesWrong */
export const readPurposes = (environment: Environment): ReadonlyMap<string, Purpose> =>
  purposesIn(readPurposesFile(environment));
