/**
 * Statements of an import of documents. Its rows stand in the tables of documents under a name of their own, `import:` and a ULID, which
 * no declaration can have, until one transaction gives them the collection's name.
 */
import { among } from "./dialect.ts";
import { padded } from "./sessions.ts";
import { type Statement, sql } from "./sql.ts";

/** Which of these ids are taken. */
export const readTakenIds = (collection: string, ids: readonly string[]) =>
  sql`SELECT doc_id FROM documents WHERE collection = ${collection} AND ${among(sql`doc_id`, padded(ids))}`;

/** Ids that both have. */
export const readCommonIds = (staged: string, collection: string, limit: number) =>
  sql`SELECT s.doc_id FROM documents s JOIN documents d ON d.collection = ${collection} AND d.doc_id = s.doc_id
    WHERE s.collection = ${staged} ORDER BY s.doc_id LIMIT ${limit}`;

/** Under the lock of the collection's head. @param version the number of the commit */
export const moveDocuments = (staged: string, collection: string, version: number): Statement[] => [
  sql`UPDATE documents SET collection = ${collection}, version = ${version} WHERE collection = ${staged}`,
  sql`UPDATE document_keys SET collection = ${collection} WHERE collection = ${staged}`,
  sql`DELETE FROM collections WHERE name = ${staged}`,
];

/** Removes all documents of a collection with their keys. What counts them is left to the caller. */
export const removeAllDocuments = (collection: string): Statement[] => [
  sql`DELETE FROM documents WHERE collection = ${collection}`,
  sql`DELETE FROM document_keys WHERE collection = ${collection}`,
];

export const removeImport = (staged: string): Statement[] => [
  ...removeAllDocuments(staged),
  sql`DELETE FROM collections WHERE name = ${staged}`,
];

/** Removes every import between two names. */
export const removeImports = (from: string, to: string): Statement[] => [
  sql`DELETE FROM documents WHERE collection >= ${from} AND collection < ${to}`,
  sql`DELETE FROM document_keys WHERE collection >= ${from} AND collection < ${to}`,
  sql`DELETE FROM collections WHERE name >= ${from} AND name < ${to}`,
];
