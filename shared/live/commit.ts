/** The one way in which documents change: under the locks of their collections' heads, one commit and one event of each collection. */
import type { Row } from "../../db/database.ts";
import type { Dialect } from "../../db/dialect.ts";
import {
  type ChangeRow,
  type CollectionRow,
  countOwned,
  insertChanges,
  insertKeys,
  readCollection,
  removeKeys,
  removeStored,
  storeCollection,
  storeDocuments,
} from "../../db/documents.ts";
import type { Statement } from "../../db/sql.ts";
import { type Head, noHead } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { type Collection, collectionStream, documentsChanged } from "../collection.ts";
import { CollectionFull, OwnerFull, TooManyDocuments } from "../errors.ts";
import { change, type NewEvent } from "../streams/change.ts";
import { deliver } from "../streams/deliver.ts";
import { indexedIn, indexingIn, noIndexing } from "./ensure_indexes.ts";
import { maxKeysWritten, maxWritten, maxWrittenCharacters } from "./limits.ts";
import { type Lookups, repeatedly } from "./lookups.ts";
import { indexedOf } from "./scan.ts";
import { documentRow, documentText, keyRows } from "./stored.ts";
import { type Document, isSame } from "./value.ts";

/** A document before and after; undefined: there is none. */
export interface Write {
  readonly before: Document | undefined;
  readonly after: Document | undefined;
}

/** What is known of a collection under the lock. */
export interface Locked {
  readonly head: Head;
  /** The declared fields that all its documents have keys of. */
  readonly indexed: readonly string[];
}

export interface WritePlan<T> {
  /** Whose documents may become more by it, and are counted. */
  readonly owner?: string | undefined;
  /** Read under the locks. */
  readonly reads: readonly Statement[];
  /** Pure; may run again. A throw ends the write. */
  readonly decide: (read: Row[][], locked: ReadonlyMap<string, Locked>) => Decided<T>;
}

export interface Decided<T> {
  /** Collection → its documents that are written. */
  readonly writes: ReadonlyMap<string, readonly Write[]>;
  readonly more?: readonly Statement[];
  readonly result: T;
}

/**
 * Runs a write and pushes its events. Documents that stay the same are no change.
 * @param lookups what `decide` asks permissions with
 * @throws TooManyDocuments, CollectionFull, OwnerFull
 */
export async function commit<T>(
  app: App,
  collections: readonly Collection[],
  lookups: Lookups,
  plan: WritePlan<T>,
): Promise<T> {
  const changed = await repeatedly(lookups, () => {
    const named = lookups.statements();
    const { owner } = plan;
    const counts = owner === undefined ? [] : collections.map(({ name }) => countOwned(name, owner));
    return change(app, {
      locks: [],
      streams: collections.map(({ name }) => collectionStream(name)),
      reads: [...collections.map(({ name }) => readCollection(name)), ...named, ...counts, ...plan.reads],
      repeatable: false,
      decide(_, read, heads) {
        const stored = read.slice(0, collections.length).map((rows) => rows[0]);
        const countsAt = collections.length + named.length;
        const readAt = countsAt + counts.length;
        lookups.take(read.slice(collections.length, countsAt));
        const states = collections.map((one, at) => stateOf(one, stored[at], heads));
        const locked = new Map(states.map((state) => [state.collection.name, state]));
        const { writes, more = [], result } = plan.decide(read.slice(readAt), locked);
        if (owner !== undefined)
          for (const [at, one] of collections.entries())
            throwIfOwnerFull(one, owner, Number(read[countsAt + at]?.[0]?.documents ?? 0), writes.get(one.name) ?? []);
        const stores = states.map((state) => storesOf(app, state, writes.get(state.collection.name) ?? []));
        return {
          writes: [...stores.flatMap(({ statements }) => statements), ...more],
          events: stores.flatMap(({ events }) => events),
          result,
        };
      },
    });
  });
  await deliver(app, changed);
  return changed.result;
}

interface State extends Locked {
  readonly collection: Collection;
  readonly row: CollectionRow;
  /** Fields that documents are given keys of. */
  readonly keyed: readonly string[];
}

function stateOf(collection: Collection, row: Row | undefined, heads: ReadonlyMap<string, Head>): State {
  const head = heads.get(collectionStream(collection.name)) ?? noHead;
  const indexed = indexedOf(row, collection);
  if (row === undefined) {
    const stored = JSON.stringify(collection.indexes);
    const empty = {
      name: collection.name,
      documents: 0,
      bytes: 0,
      indexed: stored,
      indexing: JSON.stringify(noIndexing),
    };
    return { collection, head, indexed, row: empty, keyed: collection.indexes };
  }
  return {
    collection,
    head,
    indexed,
    row: {
      name: collection.name,
      documents: Number(row.documents),
      bytes: Number(row.bytes),
      indexed: String(row.indexed),
      indexing: String(row.indexing),
    },
    keyed: [...new Set([...indexedIn(row), ...indexingIn(row).fields])],
  };
}

interface Stores {
  readonly statements: readonly Statement[];
  readonly events: readonly NewEvent[];
}

function storesOf(app: App, state: State, writes: readonly Write[]): Stores {
  const real = writes.filter(({ before, after }) => !isSame(before, after));
  if (real.length === 0) return { statements: [], events: [] };
  const { collection, head, row } = state;
  const at = app.clock.now();
  const { dialect } = app.db;
  const seq = head.seq + 1;
  const changes = changeRows(collection.name, real, seq, at);
  const removed = real.flatMap(({ before, after }) =>
    before !== undefined && after === undefined ? [before._id] : [],
  );
  const stored = real.flatMap(({ after }) => (after === undefined ? [] : [after]));
  return {
    statements: [
      ...storeDocuments(
        dialect,
        stored.map((document) => documentRow(collection.name, document, seq, at)),
      ),
      ...removeStored(collection.name, removed),
      ...keyStatements(dialect, state, real),
      ...insertChanges(dialect, changes),
      ...storeCollection(dialect, countedOf(collection, row, changes)),
    ],
    events: [{ stream: collectionStream(collection.name), type: documentsChanged, data: { changes: changes.length } }],
  };
}

/** @throws TooManyDocuments when they are more, or larger, than one commit may write */
function changeRows(collection: string, writes: readonly Write[], seq: number, at: number): ChangeRow[] {
  const rows = writes.map(({ before, after }, part) => ({
    collection,
    seq,
    part,
    doc_id: (after ?? before)?._id ?? "",
    before_data: before === undefined ? null : documentText(before),
    after_data: after === undefined ? null : documentText(after),
    at,
  }));
  const characters = rows.reduce((sum, one) => sum + (one.before_data?.length ?? 0) + (one.after_data?.length ?? 0), 0);
  if (rows.length > maxWritten || characters > maxWrittenCharacters)
    throw new TooManyDocuments(
      `a write changes at most ${maxWritten} documents, and ${maxWrittenCharacters / 1_000_000} MB of them`,
    );
  return rows;
}

/** @throws CollectionFull */
function countedOf({ name, limits }: Collection, row: CollectionRow, changes: readonly ChangeRow[]): CollectionRow {
  const bytesOf = (text: string | null) => (text === null ? 0 : Buffer.byteLength(text));
  let { documents, bytes } = row;
  let grown = 0;
  for (const { before_data: before, after_data: after } of changes) {
    grown += Number(after !== null) - Number(before !== null);
    bytes += bytesOf(after) - bytesOf(before);
  }
  documents += grown;
  if (grown > 0 && documents > limits.documents) throw new CollectionFull(name, limits.documents);
  return { ...row, documents, bytes };
}

/** @param held the owner's documents before @throws OwnerFull */
function throwIfOwnerFull({ name, limits }: Collection, owner: string, held: number, writes: readonly Write[]): void {
  const isTheirs = (document: Document | undefined) => Number(document?._openid === owner);
  const grown = writes.reduce((sum, { before, after }) => sum + isTheirs(after) - isTheirs(before), 0);
  if (grown > 0 && held + grown > limits.documentsOfOne) throw new OwnerFull(name, limits.documentsOfOne);
}

/** Only documents whose keys change are given new ones. */
function keyStatements(
  dialect: Dialect,
  { collection: { name }, keyed }: State,
  writes: readonly Write[],
): Statement[] {
  const textOf = (document: Document | undefined) =>
    document === undefined ? "" : JSON.stringify(keyRows(name, document, keyed));
  const moved = writes.filter(({ before, after }) => textOf(before) !== textOf(after));
  const old = moved.flatMap(({ before }) => (before === undefined ? [] : [before._id]));
  const now = moved.flatMap(({ after }) => (after === undefined ? [] : keyRows(name, after, keyed)));
  if (now.length > maxKeysWritten)
    throw new TooManyDocuments(`a write gives indexed fields at most ${maxKeysWritten} values`);
  return [...removeKeys(name, old), ...insertKeys(dialect, now)];
}
