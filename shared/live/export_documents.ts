/** What an administrator's tools read: the collections with their counts, and all documents of one, page by page. */
import { readCollection, readCollections, readDocuments } from "../../db/documents.ts";
import { readHeads } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { type Collection, collectionStream } from "../collection.ts";
import { CollectionUnknown } from "../errors.ts";
import { indexedIn } from "./ensure_indexes.ts";
import { documentIn } from "./stored.ts";
import { encode, type Json } from "./wire_value.ts";

/** An answer of a function holds 6 MB, a document 24 KB. */
const pageDocuments = 100;

export interface ListedCollection {
  readonly collection: string;
  /** A preset, `rules`; null where only documents are left of a collection that is no longer declared. */
  readonly permission: string | null;
  readonly documents: number;
  readonly bytes: number;
  readonly indexes: readonly string[];
  /** Declared indexes whose keys are not made yet. */
  readonly notIndexed: readonly string[];
  readonly limit: number | null;
}

/** The declared collections, and those that left documents. */
export async function listCollections(app: Pick<App, "db" | "config">): Promise<ListedCollection[]> {
  const [rows] = await app.db.read([readCollections()]);
  const counted = new Map(rows?.map((row) => [String(row.name), row]));
  const left = [...counted.keys()].filter((name) => !app.config.collections.has(name) && !name.includes(":"));
  return [...app.config.collections.keys(), ...left].map((name) => {
    const declared = app.config.collections.get(name);
    const row = counted.get(name);
    const indexes = declared?.indexes ?? [];
    const indexed = row === undefined ? indexes : indexedIn(row);
    return {
      collection: name,
      permission: permissionOf(declared),
      documents: Number(row?.documents ?? 0),
      bytes: Number(row?.bytes ?? 0),
      indexes,
      notIndexed: indexes.filter((field) => !indexed.includes(field)),
      limit: declared?.limits.documents ?? null,
    };
  });
}

function permissionOf(declared: Collection | undefined): string | null {
  if (declared === undefined) return null;
  return "preset" in declared.permission ? declared.permission.preset : "rules";
}

export interface ExportedPage {
  readonly documents: readonly Json[];
  /** The id to go on after; null at the end. */
  readonly next: string | null;
  /** The number of the collection's last commit. */
  readonly position: number;
}

/** A page of all documents, also of a collection that is no longer declared. @throws CollectionUnknown */
export async function exportPage(app: Pick<App, "db" | "config">, name: string, after?: string): Promise<ExportedPage> {
  const stream = collectionStream(name);
  const [documents = [], heads, counted] = await app.db.read([
    readDocuments(name, { fields: [] }, { after, descending: false, limit: pageDocuments }),
    readHeads([stream]),
    readCollection(name),
  ]);
  if (!app.config.collections.has(name) && (counted?.[0] === undefined || name.includes(":")))
    throw new CollectionUnknown(name);
  return {
    documents: documents.map((row) => encode(documentIn(row))),
    next: documents.length < pageDocuments ? null : String(documents.at(-1)?.doc_id),
    position: Number(heads?.[0]?.seq ?? 0),
  };
}
