/** The file of the collections: where it lies, and what it declares. */
import { fileURLToPath } from "node:url";
import type { Collection } from "../shared/collection.ts";
import { collectionsFileOf } from "../shared/config.ts";
import { parseCollections } from "../shared/live/collections.ts";
import { type DeclaredText, readDeclaredFile, throwIfWrong } from "./declared_file.ts";

type Environment = Readonly<Record<string, string | undefined>>;

const ownFile = fileURLToPath(new URL("../collections.yml", import.meta.url));

/** A declaration that cannot be used. One line for each error, with the file and its line. */
export class CollectionsWrong extends Error {
  override readonly name = "CollectionsWrong";
}

const wrong = (message: string) => new CollectionsWrong(message);

/** The text of COLLECTIONS_FILE, or of the project's own file; no file of one's own is no collection. @throws CollectionsWrong */
export function readCollectionsFile(environment: Environment, own = ownFile): DeclaredText {
  const hint = "COLLECTIONS_FILE says where the collections are";
  return readDeclaredFile({ named: collectionsFileOf(environment), own, hint, wrong });
}

/** The collections that a text declares, by their names. @throws CollectionsWrong */
export function declaredIn(file: DeclaredText): ReadonlyMap<string, Collection> {
  const { collections, errors } = parseCollections(file.text);
  throwIfWrong(errors, file, wrong);
  return collections;
}

/** The collections of this server, by their names. @throws CollectionsWrong */
export const readCollections = (environment: Environment): ReadonlyMap<string, Collection> =>
  declaredIn(readCollectionsFile(environment));
