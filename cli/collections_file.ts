/** The file of the collections: where it lies, and what it declares. */
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Collection } from "../shared/collection.ts";
import { collectionsFileOf } from "../shared/config.ts";
import { parseCollections } from "../shared/live/collections.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Beside serverless.yml. */
const ownFile = fileURLToPath(new URL("../collections.yml", import.meta.url));

/** A declaration that cannot be used. One line for each error, with the file and its line. */
export class CollectionsWrong extends Error {
  override readonly name = "CollectionsWrong";
}

/** The text of COLLECTIONS_FILE, or of the project's own file; no file of one's own is no collection. @throws CollectionsWrong */
export function readCollectionsFile(environment: Environment, own = ownFile): { path: string; text: string } {
  const named = collectionsFileOf(environment);
  const path = named ?? relative("", own);
  try {
    return { path, text: new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(named ?? own)) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ERR_ENCODING_INVALID_ENCODED_DATA") throw new CollectionsWrong(`${path} is not UTF-8`);
    if (named === undefined && code === "ENOENT") return { path, text: "" };
    throw new CollectionsWrong(`${path} cannot be read (${code}); COLLECTIONS_FILE says where the collections are`);
  }
}

/** The collections that a text declares, by their names. @param path for the errors @throws CollectionsWrong */
export function declaredIn({ path, text }: { path: string; text: string }): ReadonlyMap<string, Collection> {
  const { collections, errors } = parseCollections(text);
  if (errors.length > 0) throw new CollectionsWrong(errors.map((error) => `${path}, ${error}`).join("\n"));
  return collections;
}

/** The collections of this server, by their names. @throws CollectionsWrong */
export const readCollections = (environment: Environment): ReadonlyMap<string, Collection> =>
  declaredIn(readCollectionsFile(environment));
