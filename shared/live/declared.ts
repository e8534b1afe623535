/** Declared collections by name. */
import type { App } from "../app.ts";
import type { Collection } from "../collection.ts";
import { CollectionUnknown } from "../errors.ts";

/** @throws CollectionUnknown */
export function collectionOf(app: Pick<App, "config">, name: string): Collection {
  const found = app.config.collections.get(name);
  if (found === undefined) throw new CollectionUnknown(name);
  return found;
}
