/**
 * Walks over documents in the order of an indexed field, so that the first of many are found without looking at all.
 *
 * A document's keys tell its place, except of those that are sorted by an object or a list: they have the key `oddKey` and come first.
 * Another document comes no later than its place, and may come earlier, by another of its keys.
 */
import { countUpTo, type DocumentFilter, readDocumentsByKey } from "../../db/documents.ts";
import type { App } from "../app.ts";
import type { Collection } from "../collection.ts";
import { keyOf } from "./index_key.ts";
import type { Condition } from "./query.ts";
import { type Candidate, candidatesOf, Pages, pageSize, type Scanned } from "./scan.ts";
import { type OrderField, sortValue } from "./sort.ts";
import { fieldName, oddKey } from "./stored.ts";
import { type Document, isScalar } from "./value.ts";

/** First letters of keys in the order of their values. */
const letters = ["0", "n", "s", "b", "d"];

/** Whether all that comes from now on is sorted behind this document. */
export type IsPassed = (document: Document) => boolean;

/** So many documents are sorted rather than walked over in order. */
const few = 2_000;

/** Also of what finds nothing at all. */
const narrows = (filter: DocumentFilter | undefined): boolean =>
  filter?.fields.length !== 0 || filter.owner !== undefined || filter.ids !== undefined;

/** Whether the condition's indexed part finds only few documents. */
async function findsFew(pages: Pages, name: string, condition: Condition): Promise<boolean> {
  if (!narrows(pages.filter(condition))) return false;
  const rows = await pages.read(() => {
    const filter = pages.filter(condition);
    return filter !== undefined && narrows(filter) ? countUpTo(name, filter, few) : undefined;
  });
  return rows[0] !== undefined && Number(rows[0].documents) < few;
}

/**
 * Gives `visit` the documents that may match, in the field's order, until it has enough.
 * @param first documents of the first page
 * @returns undefined when walking is of no use: the field is not indexed, or few documents may match
 * @throws TooManyDocuments, Stale
 */
export async function walk(
  app: Pick<App, "db">,
  collection: Collection,
  condition: Condition,
  { path, descending }: OrderField,
  visit: (page: readonly Candidate[], isPassed: IsPassed) => Promise<boolean>,
  first: number,
): Promise<Scanned | undefined> {
  if (!collection.indexes.includes(path)) return undefined;
  const pages = new Pages(app, collection);
  if (await findsFew(pages, collection.name, condition)) return undefined;
  const field = fieldName(path);
  const segments = [oddKey, ...(descending ? letters.toReversed() : letters)];
  // A short page is planned and read quickly; those after it grow, for conditions that few documents satisfy.
  let limit = Math.min(first, pageSize);
  for (const letter of segments) {
    let after: { key: string; id: string } | undefined;
    for (let isLast = false; !isLast; ) {
      let isUsable = true;
      const rows = await pages.read((indexes) => {
        isUsable = indexes.includes(path);
        const filter = isUsable ? pages.filter(condition) : undefined;
        const range = { from: letter, to: letter === oddKey ? letter : `${letter}~` };
        return filter && readDocumentsByKey(collection.name, filter, { field, ...range, after, descending, limit });
      });
      if (!isUsable) return undefined;
      isLast = rows.length < limit;
      const last = rows.at(-1);
      if (last !== undefined) after = { key: String(last.value_key), id: String(last.doc_id) };
      const reached = isLast ? undefined : after?.key;
      const isPassed: IsPassed = (document) => {
        if (letter === oddKey) return false;
        const value = sortValue(document, path, descending) ?? null;
        if (!isScalar(value)) return false;
        const key = keyOf(value);
        const own = letters.indexOf(key.slice(0, 1));
        const here = letters.indexOf(letter);
        if (own !== here) return descending ? own > here : own < here;
        return reached === undefined || (descending ? key > reached : key < reached);
      };
      if (!(await visit(candidatesOf(rows), isPassed))) return pages.scanned;
      if (!isLast) limit = Math.min(2 * limit, pageSize);
    }
  }
  return pages.scanned;
}
