/** The first documents of an ordered list, kept in memory: what a commit makes of them, as far as they tell. */
import type { DocumentChange } from "./changes.ts";
import type { Document } from "./value.ts";

export interface WindowOptions {
  readonly limit: number | undefined;
  readonly order: (a: Document, b: Document) => number;
  /** Whether a document belongs to the list. */
  readonly visible: (document: Document) => boolean;
}

/**
 * @param window sorted; fewer than `limit` documents are all that there are
 * @returns undefined when documents that the window does not hold may belong into it now: it must be read anew
 */
export function applyToWindow(
  window: readonly Document[],
  changes: readonly DocumentChange[],
  { limit, order, visible }: WindowOptions,
): readonly Document[] | undefined {
  const changed = new Set(changes.map(({ id }) => id));
  const documents = window.filter(({ _id }) => !changed.has(_id));
  for (const { after } of changes)
    if (after !== undefined && visible(after)) documents.splice(placeOf(after, documents, order), 0, after);
  if (limit === undefined) return documents;
  const last = window.length < limit ? undefined : window.at(-1);
  if (last === undefined) return documents.slice(0, limit);
  // Every document that it does not hold follows the one that was its last.
  const isCertain = documents[limit - 1] !== undefined && order(documents[limit - 1] as Document, last) <= 0;
  return isCertain ? documents.slice(0, limit) : undefined;
}

/** Behind all that are not greater. */
function placeOf(document: Document, sorted: readonly Document[], order: WindowOptions["order"]): number {
  let [from, to] = [0, sorted.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (order(sorted[middle] as Document, document) <= 0) from = middle + 1;
    else to = middle;
  }
  return from;
}
