/** Documents as rows: their ids, owners and keys. */
import { createHash } from "node:crypto";
import type { Row } from "../../db/database.ts";
import type { DocumentFilter, DocumentRow, KeyFilter, KeyRow } from "../../db/documents.ts";
import { InvalidInput } from "../errors.ts";
import { keysOf } from "./index_key.ts";
import type { KeyCondition, Narrowed } from "./narrow.ts";
import { valuesAt } from "./path_values.ts";
import { type Document, type Fields, isList, isScalar, type Value } from "./value.ts";
import { decodeStored, encode, type Json } from "./wire_value.ts";

/** Ids and owners that the columns hold: every engine compares them byte by byte. */
const plain = /^[\x21-\x7e]{1,64}$/;

/** Whether a document can have this id; what cannot is not asked for. */
export const isDocumentId = (id: unknown): id is string => typeof id === "string" && plain.test(id);

/** @throws InvalidInput */
export function checkId(id: unknown, at: string): string {
  if (isDocumentId(id)) return id;
  throw new InvalidInput(at, "an _id is a text of 1 to 64 printable ASCII characters without spaces");
}

/** @throws InvalidInput */
export function checkOwner(owner: Value, at: string): string {
  if (isDocumentId(owner)) return owner;
  throw new InvalidInput(at, "an _openid is a text of 1 to 64 printable ASCII characters without spaces");
}

export const ownerColumn = ({ _openid }: Fields): string | null => (isDocumentId(_openid) ? _openid : null);

export const documentText = (document: Document): string => JSON.stringify(encode(document));

/** Most documents hold no date, and are what JSON makes of them. */
export function documentOf(data: string): Document {
  const parsed = JSON.parse(data) as Json;
  return data.includes('"$date"') ? decodeStored(parsed) : (parsed as Document);
}

/** The document of a row that has the column `data`. */
export const documentIn = (row: Row): Document => documentOf(String(row.data));

/** The row of a document, its numbers those of the commit that writes it. */
export function documentRow(collection: string, document: Document, version: number, at: number): DocumentRow {
  return {
    collection,
    doc_id: document._id,
    owner: ownerColumn(document),
    version,
    data: documentText(document),
    created_at: at,
    updated_at: at,
  };
}

/**
 * The key of a document whose place in an order by the field no other key of it tells: it is sorted by an object or a list, or has an
 * empty list there. Greater than all keys of values.
 */
export const oddKey = "~";

/** The rows of the keys of these fields. */
export function keyRows(collection: string, document: Document, fields: readonly string[]): KeyRow[] {
  return fields.flatMap((path) =>
    [...keysOf(document, path), ...(isOdd(document, path) ? [oddKey] : [])].map((key) => ({
      collection,
      field: fieldName(path),
      value_key: key,
      doc_id: document._id,
    })),
  );
}

function isOdd(document: Document, path: string): boolean {
  const values = valuesAt(document, path.split("."));
  const isPlain = (one: Value | undefined) => one === undefined || isScalar(one);
  return (
    !values.some((one) => !isList(one) || one.length > 0) ||
    !values.every((one) => (isList(one) ? one.every(isPlain) : isPlain(one)))
  );
}

/** A path as the column holds it: a long one, or one beyond ASCII, by its digest. */
export const fieldName = (path: string): string =>
  /^[\x21-\x7e]{1,64}$/.test(path) && !path.startsWith("#")
    ? path
    : `#${createHash("sha256").update(path).digest("base64url")}`;

/** The condition of SQL; undefined where nothing can be found. */
export function filterOf({ none, owner, ids, fields }: Narrowed): DocumentFilter | undefined {
  const known = ids?.filter(isDocumentId);
  if (none || known?.length === 0 || (owner !== undefined && !isDocumentId(owner))) return undefined;
  // Ids find documents by themselves.
  return { owner, ids: known, fields: known === undefined ? mostUseful(fields) : [] };
}

/** Equality first: it usually finds less than a range. More conditions than two cost more than they leave out. */
function mostUseful(fields: readonly KeyCondition[]): KeyFilter[] {
  const [exact, ranges] = [fields.filter((one) => "keys" in one), fields.filter((one) => !("keys" in one))];
  return [...exact, ...ranges].slice(0, 2).map((one) => ({ ...one, field: fieldName(one.field) }));
}
