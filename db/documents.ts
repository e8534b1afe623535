/** Statements on `collections`, `documents`, `document_keys`, `document_changes` and `live_transactions`. */
import { among, type Dialect, insertRows, type NewRow } from "./dialect.ts";
import { join, type Sql, type Statement, sql, touches } from "./sql.ts";

/** What a collection holds, and the fields that all its documents have keys of. */
export function readCollection(name: string): Sql {
  return sql`SELECT name, documents, bytes, indexed, indexing FROM collections WHERE name = ${name}`;
}

export function readCollections(): Sql {
  return sql`SELECT name, documents, bytes, indexed, indexing FROM collections ORDER BY name`;
}

export interface CollectionRow {
  readonly name: string;
  readonly documents: number;
  readonly bytes: number;
  /** JSON: a list of fields; the run that indexes more of them, and these. */
  readonly indexed: string;
  readonly indexing: string;
}

/** Under the lock of the collection's head. */
export function storeCollection(dialect: Dialect, row: CollectionRow): Statement[] {
  const set = (column: string) => dialect.incoming(column);
  return insertRows(
    dialect,
    "collections",
    [{ ...row }],
    sql`${dialect.onConflict(["name"])} documents = ${set("documents")}, bytes = ${set("bytes")},
      indexed = ${set("indexed")}, indexing = ${set("indexing")}`,
  );
}

// --- Documents -----------------------------------------------------------------------------------------------------

export interface DocumentRow {
  readonly collection: string;
  readonly doc_id: string;
  readonly owner: string | null;
  /** The number of the commit that wrote it. */
  readonly version: number;
  /** JSON text. */
  readonly data: string;
  readonly created_at: number;
  readonly updated_at: number;
}

/** A key of an indexed field of a document. */
export interface KeyRow {
  readonly collection: string;
  readonly field: string;
  readonly value_key: string;
  readonly doc_id: string;
}

/** A condition that every document looked for satisfies. Fields as they stand in `document_keys`. */
export interface DocumentFilter {
  readonly owner?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly fields: readonly KeyFilter[];
}

export type KeyFilter =
  | { readonly field: string; readonly keys: readonly string[] }
  | { readonly field: string; readonly from: string; readonly to: string };

/** Where a page begins and how it goes on. */
export interface PageAt {
  /** The last id of the page before it. */
  readonly after: string | undefined;
  readonly descending: boolean;
  readonly limit: number;
}

/**
 * A page of the documents that may match, in the order of their ids.
 *
 * What is asked of another table stands in subqueries of one row, here and below. Joins would be planned by statistics, which PGlite
 * never has and PostgreSQL not yet for a new table: without them it compares every document with every key.
 */
export function readDocuments(collection: string, filter: DocumentFilter, { after, descending, limit }: PageAt): Sql {
  const [behind, direction] = descending ? [sql`<`, sql`DESC`] : [sql`>`, sql``];
  const from = (id: Sql) => (after === undefined ? sql`` : sql`AND ${id} ${behind} ${after}`);
  const [first, ...others] = filter.fields;
  if (first === undefined)
    return sql`SELECT d.doc_id, d.data FROM documents d WHERE d.collection = ${collection} ${from(sql`d.doc_id`)}
      ${ownConditions(filter)} ORDER BY d.doc_id ${direction} LIMIT ${limit}`;
  const rest = conditionsOf(collection, { ...filter, fields: others });
  const keyed = sql`FROM document_keys k WHERE k.collection = ${collection} AND k.field = ${first.field}
    AND ${keysOf(sql`k`, first)} ${from(sql`k.doc_id`)}`;
  // One key has its documents in order; of several, a document may have more than one.
  if ("keys" in first && first.keys.length === 1)
    return sql`SELECT k.doc_id, ${dataOf(collection)} AS data ${keyed} ${rest} ORDER BY k.doc_id ${direction} LIMIT ${limit}`;
  return sql`SELECT k.doc_id, ${dataOf(collection)} AS data FROM (SELECT DISTINCT k.doc_id ${keyed}) k
    WHERE 1 = 1 ${rest} ORDER BY k.doc_id ${direction} LIMIT ${limit}`;
}

/** A place in the order of a field's keys. */
export interface KeyPlace {
  readonly key: string;
  readonly id: string;
}

export interface WalkAt {
  readonly field: string;
  /** Keys from, to: both included. */
  readonly from: string;
  readonly to: string;
  /** The last place of the page before it. */
  readonly after: KeyPlace | undefined;
  readonly descending: boolean;
  readonly limit: number;
}

/** A page of the documents that may match, in the order of a field's keys. A document with several keys comes with each. */
export function readDocumentsByKey(collection: string, filter: DocumentFilter, at: WalkAt): Sql {
  const [behind, direction] = at.descending ? [sql`<`, sql`DESC`] : [sql`>`, sql``];
  const [from, to] = at.descending ? [at.from, at.after?.key ?? at.to] : [at.after?.key ?? at.from, at.to];
  const rest =
    at.after === undefined
      ? sql``
      : sql`AND (k.value_key ${behind} ${at.after.key} OR (k.value_key = ${at.after.key} AND k.doc_id ${behind} ${at.after.id}))`;
  return sql`SELECT k.value_key, k.doc_id, ${dataOf(collection)} AS data FROM document_keys k
    WHERE k.collection = ${collection} AND k.field = ${at.field} AND k.value_key >= ${from} AND k.value_key <= ${to} ${rest}
    ${conditionsOf(collection, filter)} ORDER BY k.value_key ${direction}, k.doc_id ${direction} LIMIT ${at.limit}`;
}

/** About how many satisfy the condition, counted up to a limit: a document with several of the keys counts several times. */
export function countUpTo(collection: string, filter: DocumentFilter, limit: number): Sql {
  const [first, ...others] = filter.fields;
  if (first === undefined)
    return sql`SELECT count(*) AS documents FROM (SELECT d.doc_id FROM documents d WHERE d.collection = ${collection}
      ${ownConditions(filter)} LIMIT ${limit}) few`;
  return sql`SELECT count(*) AS documents FROM (SELECT k.doc_id FROM document_keys k WHERE k.collection = ${collection}
    AND k.field = ${first.field} AND ${keysOf(sql`k`, first)} ${conditionsOf(collection, { ...filter, fields: others })} LIMIT ${limit}) few`;
}

/** How many documents of this owner there are. */
export function countOwned(collection: string, owner: string): Sql {
  return sql`SELECT count(*) AS documents FROM documents WHERE owner = ${owner} AND collection = ${collection}`;
}

/** The document of a row `k`. */
const dataOf = (collection: string): Sql =>
  sql`(SELECT d.data FROM documents d WHERE d.collection = ${collection} AND d.doc_id = k.doc_id)`;

/** Of a row `d` of documents. */
function ownConditions({ owner, ids }: DocumentFilter): Sql {
  return sql`${owner === undefined ? sql`` : sql`AND d.owner = ${owner}`}
    ${ids === undefined ? sql`` : sql`AND ${among(sql`d.doc_id`, ids)}`}`;
}

/** Of a row `k` with a document's id. */
function conditionsOf(collection: string, { owner, ids, fields }: DocumentFilter): Sql {
  const parts = [
    ...(owner === undefined
      ? []
      : [
          sql`AND (SELECT d.owner FROM documents d WHERE d.collection = ${collection} AND d.doc_id = k.doc_id) = ${owner}`,
        ]),
    ...(ids === undefined ? [] : [sql`AND ${among(sql`k.doc_id`, ids)}`]),
    ...fields.map(
      (one) => sql`AND (SELECT 1 FROM document_keys f WHERE f.doc_id = k.doc_id AND f.collection = ${collection}
        AND f.field = ${one.field} AND ${keysOf(sql`f`, one)} LIMIT 1) = 1`,
    ),
  ];
  return parts.length === 0 ? sql`` : join(parts, " ");
}

const keysOf = (table: Sql, one: KeyFilter): Sql =>
  "keys" in one
    ? among(sql`${table}.value_key`, one.keys)
    : sql`${table}.value_key >= ${one.from} AND ${table}.value_key <= ${one.to}`;

export function readDocumentsById(collection: string, ids: readonly string[]): Sql {
  return sql`SELECT collection, doc_id, version, data FROM documents WHERE collection = ${collection} AND ${among(sql`doc_id`, ids)}`;
}

/** Documents that commits behind this number have written or removed. */
export function readChangedIds(collection: string, after: number): Sql {
  return sql`SELECT seq, doc_id FROM document_changes WHERE collection = ${collection} AND seq > ${after}`;
}

/** Of those that commits behind this number have changed, the documents that are there; the others have no data. */
export function readDocumentsChanged(collection: string, after: number): Sql {
  return sql`SELECT k.doc_id, ${dataOf(collection)} AS data FROM (SELECT DISTINCT doc_id FROM document_changes
    WHERE collection = ${collection} AND seq > ${after}) k`;
}

/** Writes documents, new ones and those that are there already. */
export function storeDocuments(dialect: Dialect, rows: readonly DocumentRow[]): Statement[] {
  const set = (column: string) => dialect.incoming(column);
  const tail = sql`${dialect.onConflict(["collection", "doc_id"])} owner = ${set("owner")}, version = ${set("version")},
    data = ${set("data")}, updated_at = ${set("updated_at")}`;
  return portions(rows, ({ data }) => data.length).flatMap((some) => insertRows(dialect, "documents", some, tail));
}

export function removeStored(collection: string, ids: readonly string[]): Statement[] {
  return ids.length === 0
    ? []
    : [sql`DELETE FROM documents WHERE collection = ${collection} AND ${among(sql`doc_id`, ids)}`];
}

/** Adds keys; those that are there already stay. */
export function insertKeys(dialect: Dialect, rows: readonly KeyRow[]): Statement[] {
  const tail = sql`${dialect.onConflict(["collection", "field", "value_key", "doc_id"])} doc_id = ${dialect.incoming("doc_id")}`;
  return insertRows(
    dialect,
    "document_keys",
    rows.map((row) => ({ ...row })),
    tail,
  );
}

export function removeKeys(collection: string, ids: readonly string[]): Statement[] {
  return ids.length === 0
    ? []
    : [sql`DELETE FROM document_keys WHERE collection = ${collection} AND ${among(sql`doc_id`, ids)}`];
}

/** All keys of a field that is no longer indexed. */
export function removeFieldKeys(collection: string, field: string): Sql {
  return sql`DELETE FROM document_keys WHERE collection = ${collection} AND field = ${field}`;
}

// --- Changes -------------------------------------------------------------------------------------------------------

export interface ChangeRow {
  readonly collection: string;
  readonly seq: number;
  readonly part: number;
  readonly doc_id: string;
  readonly before_data: string | null;
  readonly after_data: string | null;
  readonly at: number;
}

export function insertChanges(dialect: Dialect, rows: readonly ChangeRow[]): Statement[] {
  const size = ({ before_data, after_data }: ChangeRow) => (before_data?.length ?? 0) + (after_data?.length ?? 0);
  return portions(rows, size).flatMap((some) => insertRows(dialect, "document_changes", some));
}

export function readChanges(collection: string, after: number, upTo: number, limit: number): Sql {
  return sql`SELECT seq, doc_id, before_data, after_data FROM document_changes
    WHERE collection = ${collection} AND seq > ${after} AND seq <= ${upTo} ORDER BY seq, part LIMIT ${limit}`;
}

/** The commits' events: each says how many documents it changed. */
export function readCommitEvents(stream: string, after: number, upTo: number, limit: number): Sql {
  return sql`SELECT seq, data FROM events WHERE stream = ${stream} AND seq > ${after} AND seq <= ${upTo} ORDER BY seq LIMIT ${limit}`;
}

export function trimChanges(before: number): Sql {
  return sql`DELETE FROM document_changes WHERE at < ${before}`;
}

/** A statement carries at most about so many characters of documents: servers bound the length of a packet. */
const maxCharacters = 1_000_000;

function portions<R extends object>(rows: readonly R[], size: (row: R) => number): NewRow[][] {
  const all: NewRow[][] = [];
  let characters = 0;
  for (const row of rows) {
    const own = size(row);
    if (all.length === 0 || characters + own > maxCharacters) {
      all.push([]);
      characters = 0;
    }
    all.at(-1)?.push({ ...row } as NewRow);
    characters += own;
  }
  return all;
}

// --- Transactions --------------------------------------------------------------------------------------------------

export interface TransactionRow {
  readonly id: string;
  /** The session or the key that started it. */
  readonly holder: string;
  readonly version: number;
  /** JSON text. */
  readonly state: string;
  readonly expires_at: number;
}

export function insertTransaction({ id, holder, version, state, expires_at: until }: TransactionRow): Sql {
  return sql`INSERT INTO live_transactions (id, holder, version, state, expires_at)
    VALUES (${id}, ${holder}, ${version}, ${state}, ${until})`;
}

export function readTransaction(id: string): Sql {
  return sql`SELECT id, holder, version, state, expires_at FROM live_transactions WHERE id = ${id}`;
}

/** Open ones of this holder. */
export function countTransactions(holder: string, now: number): Sql {
  return sql`SELECT count(*) AS transactions FROM live_transactions WHERE holder = ${holder} AND expires_at > ${now}`;
}

/** Stores the next state, unless another request was first. */
export function moveTransaction(id: string, version: number, state: string): Statement {
  return touches(
    "transaction",
    1,
    sql`UPDATE live_transactions SET state = ${state}, version = ${version + 1} WHERE id = ${id} AND version = ${version}`,
  );
}

/** Ends it, once. */
export function endTransaction(id: string): Statement {
  return touches("transaction", 1, sql`DELETE FROM live_transactions WHERE id = ${id}`);
}

export function trimTransactions(now: number): Sql {
  return sql`DELETE FROM live_transactions WHERE expires_at < ${now}`;
}
