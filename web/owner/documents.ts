/** Documents as the owner's page asks for them: through `POST /web`, the same door as every other front end. */
import { ApiError } from "../../clients/browser.ts";
import { client } from "./client.ts";
import { contentOf, editOf } from "./document_text.ts";
import type { Fields, StoredDocument } from "./types.ts";

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

/** The document as it is now; undefined when it is gone. */
export const findDocument = async (collection: string, id: string): Promise<StoredDocument | undefined> =>
  (await findDocuments(collection, { _id: id }, 0)).documents[0];

/** @returns whether it was saved: not when somebody else has changed the same fields, or deleted the document */
export async function saveDocument(collection: string, before: StoredDocument, after: Fields): Promise<boolean> {
  const edit = editOf(contentOf(before), after);
  if (edit === undefined) return true;
  const query = { ...edit.query, _id: before._id };
  const more = { query, data: edit.data, multi: false, merge: true, upsert: false };
  return (await call<{ updated: number }>("updateDocument", collection, more)).updated === 1;
}

/** Adds a document. It belongs to nobody, as whatever an administrator writes. */
export const addDocument = (collection: string, data: Fields): Promise<unknown> =>
  call("addDocument", collection, { data });

export const removeDocument = (collection: string, id: string): Promise<unknown> =>
  call("deleteDocument", collection, { query: { _id: id }, multi: false });
