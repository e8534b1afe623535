/**
 * Makes the keys of newly indexed fields, in batches, beside reads and writes.
 *
 * From the first step on every write makes keys of the new fields too, as it reads which under the lock; the batches make those of
 * documents that are there. Reads use a field when all documents have its keys. A run has a name: one that another has replaced stops.
 */
import type { Row } from "../../db/database.ts";
import {
  type CollectionRow,
  insertKeys,
  type KeyRow,
  readCollection,
  readCollections,
  readDocuments,
  removeKeys,
  storeCollection,
} from "../../db/documents.ts";
import type { Statement } from "../../db/sql.ts";
import type { App } from "../app.ts";
import { type Collection, collectionStream } from "../collection.ts";
import { change } from "../streams/change.ts";
import { maxKeysWritten } from "./limits.ts";
import { documentIn, keyRows } from "./stored.ts";

/** Documents of a batch: the collection is locked while one is written. */
const batch = 200;

/** Fields whose keys are being made, and the run that makes them. */
export interface Indexing {
  readonly run: string;
  readonly fields: readonly string[];
}

export const noIndexing: Indexing = { run: "", fields: [] };

export const indexedIn = (row: Row) => JSON.parse(String(row.indexed)) as readonly string[];
export const indexingIn = (row: Row) => JSON.parse(String(row.indexing)) as Indexing;

/**
 * Makes the indexes of all declared collections fit the declaration. May run twice or in parallel, and goes on where it was left.
 * @param forMs ends after so long, between two batches
 */
export async function ensureIndexes(app: App, forMs: number = Number.POSITIVE_INFINITY): Promise<void> {
  const until = app.clock.now() + forMs;
  const [rows] = await app.db.read([readCollections()]);
  for (const row of rows) {
    const collection = app.config.collections.get(String(row.name));
    if (collection !== undefined && !fits(collection, indexedIn(row))) await index(app, collection, until);
  }
}

/** Fields that are indexed and need not be cost writes, nothing else. */
const fits = ({ indexes }: Collection, indexed: readonly string[]) => indexes.every((path) => indexed.includes(path));

async function index(app: App, collection: Collection, until: number): Promise<void> {
  const run = app.random.id();
  const { indexes } = collection;
  const isBegun = await step(app, collection, (row) => {
    const kept = indexedIn(row).filter((path) => indexes.includes(path));
    const fields = indexes.filter((path) => !kept.includes(path));
    return { next: { indexed: kept, indexing: { run, fields } } };
  });
  let after: string | undefined;
  for (let isGoing = isBegun; isGoing; ) {
    if (app.clock.now() > until) return;
    let last: string | undefined;
    isGoing = await step(
      app,
      collection,
      (row, page) => {
        const indexing = indexingIn(row);
        if (indexing.run !== run) return undefined;
        const indexed = [...indexedIn(row), ...indexing.fields];
        const { statements, count } = keysOf(app, collection.name, page, indexed);
        last = count === page.length && count < batch ? undefined : String(page[count - 1]?.doc_id);
        return last === undefined ? { statements, next: { indexed, indexing: noIndexing } } : { statements };
      },
      after,
    );
    if (last === undefined) return;
    after = last;
  }
}

interface Step {
  readonly statements?: readonly Statement[];
  readonly next?: { readonly indexed: readonly string[]; readonly indexing: Indexing };
}

/** One step under the lock of the collection. @returns whether it was made */
async function step(
  app: App,
  { name }: Collection,
  decide: (row: Row, page: Row[]) => Step | undefined,
  after?: string,
): Promise<boolean> {
  const page = { after, descending: false, limit: batch };
  const { result } = await change(app, {
    locks: [],
    streams: [collectionStream(name)],
    reads: [readCollection(name), readDocuments(name, { fields: [] }, page)],
    repeatable: true,
    decide(_, [rows = [], documents = []]) {
      const row = rows[0];
      const made = row === undefined ? undefined : decide(row, documents);
      if (row === undefined || made === undefined) return { result: false };
      const { statements = [], next } = made;
      return { result: true, writes: [...statements, ...(next === undefined ? [] : stored(app, row, next))] };
    },
  });
  return result;
}

function stored(app: App, row: Row, { indexed, indexing }: NonNullable<Step["next"]>): Statement[] {
  const next: CollectionRow = {
    name: String(row.name),
    documents: Number(row.documents),
    bytes: Number(row.bytes),
    indexed: JSON.stringify(indexed),
    indexing: JSON.stringify(indexing),
  };
  return storeCollection(app.db.dialect, next);
}

/** Keys of the first documents of a page: as many as one write may make, and of one document at least. */
function keysOf(
  app: App,
  name: string,
  page: readonly Row[],
  fields: readonly string[],
): { statements: Statement[]; count: number } {
  const ids: string[] = [];
  const keys: KeyRow[] = [];
  for (const document of page.map(documentIn)) {
    const own = keyRows(name, document, fields);
    if (ids.length > 0 && keys.length + own.length > maxKeysWritten) break;
    ids.push(document._id);
    keys.push(...own);
  }
  return { statements: [...removeKeys(name, ids), ...insertKeys(app.db.dialect, keys)], count: ids.length };
}
