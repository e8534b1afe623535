/** Documents as the owner's page asks for them: through `POST /web`, the same door as every other front end. */
import { ApiError } from "../../clients/browser.ts";
import { client } from "./client.ts";

/** JSON; a date is `{"$date": milliseconds}`. */
export type Fields = { readonly [name: string]: unknown };
export type StoredDocument = Fields & { readonly _id: string; readonly _openid?: string };

/** Who watches a collection, as `GET /collections` tells. */
export interface Watcher {
  user: string | null;
  kind: "wechat" | "guest" | "staff" | "key";
  query: string;
  since: string;
}

export interface Collection {
  name: string;
  /** A preset, `RULES`, or `BUILT_IN` for orderbell's own data, which are not written here. */
  permission: "READONLY" | "PRIVATE" | "ADMINWRITE" | "ADMINONLY" | "RULES" | "BUILT_IN";
  indexes: string[];
  /** Null: not counted. */
  documents: number | null;
  bytes: number | null;
  watches: number;
  watchers: Watcher[];
}

/** Documents of one page of the list. */
export const pageSize = 20;

interface Answer {
  code?: string;
  message?: string;
  data?: unknown;
}

/** @throws ApiError, also for an answer that holds an error's code */
async function call<T>(action: string, collectionName: string, more: object): Promise<T> {
  const body = { action: `database.${action}`, collectionName, queryType: "WHERE", ...more };
  const { code, message, data } = await client.ask<Answer>({ method: "POST", path: "/web", body });
  if (code !== undefined && code !== "") throw new ApiError(code, 400, message ?? code);
  return data as T;
}

export interface Page {
  documents: StoredDocument[];
  total: number;
}

/** One page of what matches, newest id first. */
export async function findDocuments(collection: string, query: Fields, offset: number): Promise<Page> {
  const order = [{ field: "_id", direction: "desc" }];
  const [{ list }, { total }] = await Promise.all([
    call<{ list: StoredDocument[] }>("queryDocument", collection, { query, order, offset, limit: pageSize }),
    call<{ total: number }>("countDocument", collection, { query }),
  ]);
  return { documents: list, total };
}

/** What stands in the field: a query as JSON, or a document's id. Undefined: neither. */
export function queryOf(text: string): Fields | undefined {
  const wanted = text.trim();
  if (wanted === "") return {};
  return wanted.startsWith("{") ? fieldsOf(wanted) : { _id: wanted };
}

/** The object in a JSON text; undefined for any other text. */
export function fieldsOf(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/** A document's own fields, without those that never change. */
export function contentOf({ _id, _openid, ...fields }: StoredDocument): Fields {
  return fields;
}

/** An edit as a query and an update: of the fields that differ, and only while they are as they were when the document was opened. */
export function editOf(before: Fields, after: Fields): { query: Fields; data: Fields } | undefined {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => canonical(before[name]) !== canonical(after[name]),
  );
  if (names.length === 0) return undefined;
  const has = (fields: Fields, name: string) => Object.keys(fields).includes(name);
  const set = names.filter((name) => has(after, name)).map((name) => [name, after[name]]);
  const unset = names.filter((name) => !has(after, name)).map((name) => [name, ""]);
  return {
    query: Object.fromEntries(
      names.map((name) => [name, has(before, name) ? { $eq: before[name] } : { $exists: false }]),
    ),
    data: {
      ...(set.length === 0 ? {} : { $set: Object.fromEntries(set) }),
      ...(unset.length === 0 ? {} : { $unset: Object.fromEntries(unset) }),
    },
  };
}

/** JSON with the members of objects in one order. */
const canonical = (value: unknown): string | undefined =>
  JSON.stringify(value, (_, one: unknown) =>
    typeof one === "object" && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );

/** @returns whether it was saved: not when somebody else has changed the same fields, or deleted the document */
export async function saveDocument(collection: string, before: StoredDocument, after: Fields): Promise<boolean> {
  const edit = editOf(contentOf(before), after);
  if (edit === undefined) return true;
  const query = { ...edit.query, _id: before._id };
  const more = { query, data: edit.data, multi: false, merge: true, upsert: false };
  return (await call<{ updated: number }>("updateDocument", collection, more)).updated === 1;
}

/** Adds a document, which is then the owner's own. */
export const addDocument = (collection: string, data: Fields): Promise<unknown> =>
  call("addDocument", collection, { data });

export const removeDocument = (collection: string, id: string): Promise<unknown> =>
  call("deleteDocument", collection, { query: { _id: id }, multi: false });
