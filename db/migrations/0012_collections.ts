/**
 * Collections. A document is JSON text; what finds it are its id, its owner and the keys of its collection's indexed fields.
 *
 * `collections` counts what is stored and says which fields every document has keys of: `indexed`, a JSON list; `indexing` are the
 * fields whose keys are being made. A collection without a row has no documents.
 *
 * `document_changes` holds the documents of a commit, before and after, for some minutes: what watches and long reads go on with.
 */
import type { Migration } from "../migration.ts";

export const collections: Migration = {
  version: 12,
  name: "collections",
  statements: ({ id, key, text, bigint, integer, table, hotTable }) => [
    `CREATE TABLE collections (
      name ${id} NOT NULL PRIMARY KEY,
      documents ${bigint} NOT NULL,
      bytes ${bigint} NOT NULL,
      indexed ${text} NOT NULL,
      indexing ${text} NOT NULL
    ) ${hotTable}`,

    // version: the number of the commit that wrote it.
    `CREATE TABLE documents (
      collection ${id} NOT NULL,
      doc_id ${id} NOT NULL,
      owner ${id},
      version ${bigint} NOT NULL,
      data ${text} NOT NULL,
      created_at ${bigint} NOT NULL,
      updated_at ${bigint} NOT NULL,
      PRIMARY KEY (collection, doc_id)
    ) ${hotTable}`,
    // Of one collection, and whether a user has any document at all.
    `CREATE INDEX documents_owner ON documents (owner, collection, doc_id)`,

    `CREATE TABLE document_keys (
      collection ${id} NOT NULL,
      field ${id} NOT NULL,
      value_key ${key} NOT NULL,
      doc_id ${id} NOT NULL,
      PRIMARY KEY (collection, field, value_key, doc_id)
    ) ${table}`,
    // Not (collection, doc_id): where there are no statistics PostgreSQL would take it for a collection's keys of one field.
    `CREATE INDEX document_keys_document ON document_keys (doc_id, collection)`,

    `CREATE TABLE document_changes (
      collection ${id} NOT NULL,
      seq ${bigint} NOT NULL,
      part ${integer} NOT NULL,
      doc_id ${id} NOT NULL,
      before_data ${text},
      after_data ${text},
      at ${bigint} NOT NULL,
      PRIMARY KEY (collection, seq, part)
    ) ${table}`,
    `CREATE INDEX document_changes_at ON document_changes (at)`,

    // state: JSON, what was read and is to be written. version: of the state.
    `CREATE TABLE live_transactions (
      id ${id} NOT NULL PRIMARY KEY,
      holder ${id} NOT NULL,
      version ${integer} NOT NULL,
      state ${text} NOT NULL,
      expires_at ${bigint} NOT NULL
    ) ${hotTable}`,
    `CREATE INDEX live_transactions_expires ON live_transactions (expires_at)`,
    `CREATE INDEX live_transactions_holder ON live_transactions (holder, expires_at)`,
  ],
};
