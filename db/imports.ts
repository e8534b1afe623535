/**
 * Statements of an import of documents. Its rows stand in the tables of documents under a name of their own, `import:` and a ULID, which
 * no declaration can have, until one transaction gives them the collection's name.
 */
import { among } from "./dialect.ts";
import { type Sql, type Statement, sql } from "./sql.ts";

/** Which of these ids are taken. */
export const readTakenIds = (collection: string, ids: readonly string[]) =>
  sql`SELECT doc_id FROM documents WHERE collection = ${collection} AND ${among(sql`doc_id`, ids)}`;

/** Ids that both have. */
export const readCommonIds = (staged: string, collection: string, limit: number) =>
  sql`SELECT s.doc_id FROM documents s JOIN documents d ON d.collection = ${collection} AND d.doc_id = s.doc_id
    WHERE s.collection = ${staged} ORDER BY s.doc_id LIMIT ${limit}`;

/** Documents that one statement moves or removes: a database ends a statement that takes too long. */
const perStatement = 10_000;

/** Ids that divide a collection into parts for one statement each. */
export const readBounds = (collection: string, every = perStatement) =>
  sql`SELECT doc_id FROM (SELECT doc_id, row_number() OVER (ORDER BY doc_id) AS nth FROM documents
    WHERE collection = ${collection}) numbered WHERE nth % ${every} = 0 ORDER BY doc_id`;

/** The condition of each part: all ids belong to one, also those that have come since. */
const partsOf = (bounds: readonly string[]): Sql[] =>
  [...bounds, undefined].map((to, at) => {
    const from = at === 0 ? sql`` : sql`AND doc_id > ${bounds[at - 1] as string}`;
    return to === undefined ? from : sql`${from} AND doc_id <= ${to}`;
  });

/** Under the lock of the collection's head. @param version the number of the commit */
export const moveDocuments = (
  staged: string,
  collection: string,
  version: number,
  bounds: readonly string[],
): Statement[] => [
  ...partsOf(bounds).flatMap((part) => [
    sql`UPDATE documents SET collection = ${collection}, version = ${version} WHERE collection = ${staged} ${part}`,
    sql`UPDATE document_keys SET collection = ${collection} WHERE collection = ${staged} ${part}`,
  ]),
  forgetCollection(staged),
];

/** Removes all documents of a collection with their keys. What counts them is left to the caller. */
export const removeAllDocuments = (collection: string, bounds: readonly string[]): Statement[] =>
  partsOf(bounds).flatMap((part) => [
    sql`DELETE FROM documents WHERE collection = ${collection} ${part}`,
    sql`DELETE FROM document_keys WHERE collection = ${collection} ${part}`,
  ]);

export const forgetCollection = (name: string) => sql`DELETE FROM collections WHERE name = ${name}`;

/** Names between two. */
export const readNames = (from: string, to: string) =>
  sql`SELECT name FROM collections WHERE name >= ${from} AND name < ${to} ORDER BY name`;
