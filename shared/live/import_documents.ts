/**
 * Import of documents, all or nothing: lines are staged in as many calls as a file needs, and one transaction makes them the
 * collection's. Watches of the collection read their lists anew.
 */
import type { Row } from "../../db/database.ts";
import { insertKeys, readCollection, storeCollection, storeDocuments } from "../../db/documents.ts";
import {
  forgetCollection,
  moveDocuments,
  readBounds,
  readCommonIds,
  readNames,
  readTakenIds,
  removeAllDocuments,
} from "../../db/imports.ts";
import type { Statement } from "../../db/sql.ts";
import type { App } from "../app.ts";
import { type Collection, collectionStream, documentsChanged } from "../collection.ts";
import { AppError, CollectionFull, DocumentsInvalid, InvalidInput } from "../errors.ts";
import { change } from "../streams/change.ts";
import { deliver } from "../streams/deliver.ts";
import { collectionOf } from "./declared.ts";
import { indexedIn, indexingIn, noIndexing } from "./ensure_indexes.ts";
import { checkId, checkOwner, documentRow, keyRows } from "./stored.ts";
import type { Document } from "./value.ts";
import { checkSize, decodeFields } from "./wire_value.ts";

/** Errors of one call that are named. */
const maxErrors = 20;
/** An import whose client has gone is removed after this time. */
const unusedMs = 24 * 3_600_000;
const prefix = "import:";

export interface Lines {
  /** Of the first line in its file. */
  readonly from: number;
  /** A document as JSON each; empty ones are skipped. */
  readonly lines: readonly string[];
}

/**
 * Takes lines of a file. Nothing of the collection changes.
 * @param id of the import that goes on; undefined for a new one @param replace whether the collection's documents will be taken out
 * @throws CollectionUnknown, DocumentsInvalid, CollectionFull
 */
export async function stageLines(
  app: App,
  name: string,
  { id, replace, lines }: { id: string | undefined; replace: boolean; lines: Lines },
): Promise<{ import: string }> {
  const collection = collectionOf(app, name);
  const staged = prefix + (id ?? app.random.id());
  const documents = documentsIn(app, collection, lines);
  const ids = documents.map(({ document }) => document._id);
  const [counted, own, before, taken] = await app.db.read([
    readCollection(staged),
    readCollection(name),
    readTakenIds(staged, ids),
    replace ? readTakenIds("", []) : readTakenIds(name, ids),
  ]);
  if (id !== undefined && counted?.[0] === undefined) throw new InvalidInput("import", "this import has ended");
  refuseTaken(documents, idsOf(before), "stands in the file twice");
  refuseTaken(documents, idsOf(taken), `is in "${name}" already`);
  const count = countOf(counted?.[0]);
  const now = app.clock.now();
  const stored = documents.map(({ document }) => documentRow(staged, document, 0, now));
  const fields = counted?.[0] === undefined ? fieldsOf(collection, own?.[0]) : indexedIn(counted[0]);
  const row = {
    name: staged,
    documents: count.documents + stored.length,
    bytes: stored.reduce((sum, { data }) => sum + Buffer.byteLength(data), count.bytes),
    indexed: JSON.stringify(fields),
    indexing: JSON.stringify(noIndexing),
  };
  if (row.documents > collection.limits.documents) throw new CollectionFull(name, collection.limits.documents);
  await app.db.flight({
    statements: [
      ...storeDocuments(app.db.dialect, stored),
      ...insertKeys(
        app.db.dialect,
        documents.flatMap(({ document }) => keyRows(staged, document, fields)),
      ),
      ...storeCollection(app.db.dialect, row),
    ],
  });
  return { import: staged.slice(prefix.length) };
}

/** Makes the staged documents the collection's. @throws InvalidInput, DocumentsInvalid, CollectionFull */
export async function commitImport(
  app: App,
  name: string,
  { id, replace }: { id: string; replace: boolean },
  audit: readonly Statement[] = [],
): Promise<{ collection: string; imported: number; removed: number }> {
  const collection = collectionOf(app, name);
  const stream = collectionStream(name);
  const staged = prefix + id;
  // No collection has an empty name: nothing is read.
  const [replaced, kept] = replace ? [name, ""] : ["", name];
  const [ownParts, replacedParts] = await app.db.read([readBounds(staged), readBounds(replaced)]);
  const changed = await change(app, {
    locks: [],
    streams: [stream],
    reads: [readCollection(staged), readCollection(name), readCommonIds(staged, kept, maxErrors)],
    decide(_, [counted, own, common = []], heads) {
      const [ours, theirs] = [counted?.[0], own?.[0]];
      if (ours === undefined) throw new InvalidInput("import", "this import has ended");
      if (common.length > 0)
        throw new DocumentsInvalid(common.map((row) => `the _id "${row.doc_id}" is in "${name}" already`));
      const [added, before] = [countOf(ours), countOf(theirs)];
      const left = replace ? { documents: 0, bytes: 0 } : before;
      if (left.documents + added.documents > collection.limits.documents)
        throw new CollectionFull(name, collection.limits.documents);
      const fields = indexedIn(ours);
      if (fieldsOf(collection, theirs).some((field) => !fields.includes(field)))
        throw new InvalidInput("collection", "its indexed fields have changed meanwhile; import again");
      const removed = before.documents - left.documents;
      const changes = added.documents + removed;
      const row = {
        name,
        documents: left.documents + added.documents,
        bytes: left.bytes + added.bytes,
        indexed: theirs === undefined ? JSON.stringify(collection.indexes) : String(theirs.indexed),
        indexing: theirs === undefined ? JSON.stringify(noIndexing) : String(theirs.indexing),
      };
      const version = (heads.get(stream)?.seq ?? 0) + 1;
      return {
        writes: [
          ...(replace ? removeAllDocuments(name, idsOf(replacedParts)) : []),
          ...moveDocuments(staged, name, version, idsOf(ownParts)),
          ...storeCollection(app.db.dialect, row),
          ...audit,
        ],
        // Without rows of the single changes: too many to be sent one by one.
        events: changes === 0 ? [] : [{ stream, type: documentsChanged, data: { changes } }],
        result: { collection: name, imported: added.documents, removed },
      };
    },
    repeatable: false,
  });
  await deliver(app, changed);
  return changed.result;
}

/** Forgets what was staged. */
export async function abortImport(app: App, id: string): Promise<void> {
  await removeStaged(app, prefix + id);
}

/** The row that counts them goes last: what ends in between is found again. */
async function removeStaged(app: App, staged: string): Promise<void> {
  const [parts] = await app.db.read([readBounds(staged)]);
  const statements = [...removeAllDocuments(staged, idsOf(parts)), forgetCollection(staged)];
  for (const statement of statements) await app.db.flight({ statements: [statement], repeatable: true });
}

/** Removes what interrupted imports have left. */
export async function trimImports(app: App): Promise<void> {
  const [rows] = await app.db.read([readNames(prefix, prefix + timeOfUlid(app.clock.now() - unusedMs))]);
  for (const row of rows) await removeStaged(app, String(row.name));
}

const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** How ULIDs of this time begin. */
function timeOfUlid(ms: number): string {
  let [text, rest] = ["", ms];
  for (let nth = 0; nth < 10; nth++) {
    text = digits[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

interface Placed {
  readonly line: number;
  readonly document: Document;
}

/** @throws DocumentsInvalid with the first errors, each with its line */
function documentsIn(app: App, collection: Collection, { from, lines }: Lines): Placed[] {
  const now = app.clock.now();
  const errors: string[] = [];
  const documents: Placed[] = [];
  const lineOf = new Map<string, number>();
  for (const [nth, text] of lines.entries()) {
    const line = from + nth;
    if (text.trim() === "") continue;
    try {
      const document = documentOf(app, text, now, collection);
      const twice = lineOf.get(document._id);
      if (twice !== undefined) throw new InvalidInput("_id", `stands in line ${twice} too`);
      lineOf.set(document._id, line);
      documents.push({ line, document });
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      errors.push(`line ${line}: ${error.message}`);
    }
  }
  if (errors.length > 0) throw new DocumentsInvalid(shortened(errors));
  return documents;
}

function documentOf(app: App, text: string, now: number, { limits }: Collection): Document {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new InvalidInput("", "this is not JSON");
  }
  const fields = decodeFields(json, now);
  const document = { ...fields, _id: fields._id === undefined ? app.random.id() : checkId(fields._id, "_id") };
  if (fields._openid !== undefined) checkOwner(fields._openid, "_openid");
  checkSize(document, "", limits.documentBytes);
  return document;
}

function refuseTaken(documents: readonly Placed[], ids: readonly string[], why: string): void {
  const taken = new Set(ids);
  const errors = documents
    .filter(({ document }) => taken.has(document._id))
    .map(({ line, document }) => `line ${line}: the _id "${document._id}" ${why}`);
  if (errors.length > 0) throw new DocumentsInvalid(shortened(errors));
}

const shortened = (errors: readonly string[]): readonly string[] =>
  errors.length > maxErrors ? [...errors.slice(0, maxErrors), `and ${errors.length - maxErrors} more`] : errors;

const idsOf = (rows: readonly Row[] = []): readonly string[] => rows.map((row) => String(row.doc_id));

const countOf = (row: Row | undefined) => ({ documents: Number(row?.documents ?? 0), bytes: Number(row?.bytes ?? 0) });

/** The fields whose keys a document of the collection has: the declared ones, and those that are indexed still. */
function fieldsOf({ indexes }: Collection, row: Row | undefined): string[] {
  const stored = row === undefined ? [] : [...indexedIn(row), ...indexingIn(row).fields];
  return [...new Set([...indexes, ...stored])];
}
