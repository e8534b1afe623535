/** Walks over the documents that may match, page by page: what is held in memory does not grow with the collection. */
import type { Row } from "../../db/database.ts";
import { type DocumentFilter, readCollection, readDocuments, readDocumentsByKey } from "../../db/documents.ts";
import type { Sql } from "../../db/sql.ts";
import { type Head, headOf, readHeads } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { type Collection, collectionStream } from "../collection.ts";
import { TooManyDocuments } from "../errors.ts";
import { maxExamined } from "./limits.ts";
import { narrow } from "./narrow.ts";
import type { Condition } from "./query.ts";
import { documentOf, filterOf } from "./stored.ts";
import type { Document } from "./value.ts";

/** Of the collection's stream, when the first and the last page were read. Of one page they are the same. */
export interface Scanned {
  readonly from: Head;
  readonly to: Head;
}

/** A document that the database has found. */
export interface Candidate {
  readonly document: Document;
  /** Of its text: what it takes in memory. */
  readonly characters: number;
}

/** Takes a page. @returns whether more is wanted */
export type Visit = (page: readonly Candidate[]) => Promise<boolean>;

/** The indexes are not what they were when the walk began. It is to begin anew. */
export class Stale extends Error {
  override readonly name = "Stale";
}

/** Documents of a page. */
export const pageSize = 500;

/** The fields that all documents have keys of. @param row the collection's; without one it has no documents */
export function indexedOf(row: Row | undefined, { indexes }: Pick<Collection, "indexes">): readonly string[] {
  if (row === undefined) return indexes;
  const stored = JSON.parse(String(row.indexed)) as readonly string[];
  return indexes.filter((path) => stored.includes(path));
}

/** The documents of rows with the column `data`. */
export const candidatesOf = (rows: readonly Row[]): Candidate[] =>
  rows.flatMap(({ data }) =>
    data === null ? [] : [{ document: documentOf(String(data)), characters: String(data).length }],
  );

/** Reads pages of one walk, each with the head of the collection's stream, and holds them together. */
export class Pages {
  readonly #app: Pick<App, "db">;
  readonly #collection: Collection;
  #from: Head | undefined;
  #to: Head | undefined;
  #examined = 0;
  /** Those that the walk may use. */
  #indexes: readonly string[];

  constructor(app: Pick<App, "db">, collection: Collection) {
    this.#app = app;
    this.#collection = collection;
    this.#indexes = collection.indexes;
  }

  /** What SQL says of the condition; undefined where nothing can match. */
  filter(condition: Condition): DocumentFilter | undefined {
    return filterOf(narrow(condition, this.#indexes));
  }

  /**
   * The rows of one page. The statement is made again when it used an index that is not complete.
   * @throws Stale when that shows behind the first page @throws TooManyDocuments when there are too many to look at
   */
  async read(statement: (indexes: readonly string[]) => Sql | undefined): Promise<Row[]> {
    const { name } = this.#collection;
    for (;;) {
      const page = statement(this.#indexes);
      const state = [readHeads([collectionStream(name)]), readCollection(name)] as const;
      const [heads, stored, rows = []] = await this.#app.db.read(page === undefined ? state : [...state, page]);
      const indexed = indexedOf(stored?.[0], this.#collection);
      const lacks = this.#indexes.some((path) => !indexed.includes(path));
      if (lacks && this.#from !== undefined) throw new Stale();
      this.#indexes = indexed;
      if (lacks) continue;
      if (this.#examined >= maxExamined)
        throw new TooManyDocuments(`the query would have to look at more than ${maxExamined} documents`);
      this.#examined += rows.length;
      this.#to = headOf(heads?.[0]);
      this.#from ??= this.#to;
      return rows;
    }
  }

  get scanned(): Scanned {
    if (this.#from === undefined || this.#to === undefined) throw new TypeError("no page was read");
    return { from: this.#from, to: this.#to };
  }
}

export interface ScanOptions {
  /** By id; else ascending. */
  readonly descending?: boolean;
  /** Documents of the first page. */
  readonly first?: number;
  /** In whatever order is read best; a document may come twice. */
  readonly anyOrder?: boolean;
}

/**
 * Gives `visit` the documents that the condition's indexed part finds, in the order of their ids, until it has enough.
 * @throws TooManyDocuments, Stale
 */
export async function scan(
  app: Pick<App, "db">,
  collection: Collection,
  condition: Condition,
  visit: Visit,
  { descending = false, first = pageSize, anyOrder = false }: ScanOptions = {},
): Promise<Scanned> {
  const pages = new Pages(app, collection);
  let last: Row | undefined;
  for (let limit = Math.min(first, pageSize); ; limit = pageSize) {
    const rows = await pages.read(() => {
      const filter = pages.filter(condition);
      const range = anyOrder ? filter && rangeIn(filter) : undefined;
      if (filter === undefined || range === undefined) {
        const after = last === undefined ? undefined : String(last.doc_id);
        return filter && readDocuments(collection.name, filter, { after, descending, limit });
      }
      const others = { ...filter, fields: filter.fields.filter((one) => one !== range) };
      const after = last === undefined ? undefined : { key: String(last.value_key), id: String(last.doc_id) };
      return readDocumentsByKey(collection.name, others, { ...range, after, descending: false, limit });
    });
    const more = await visit(candidatesOf(rows));
    if (!more || rows.length < limit) return pages.scanned;
    last = rows.at(-1);
  }
}

/** The range of keys that is walked along, where nothing exact narrows: for pages by id all its keys would be sorted each time. */
function rangeIn({ owner, ids, fields }: DocumentFilter) {
  const range = fields.find((one) => "from" in one);
  return owner === undefined && ids === undefined && fields[0] === range ? range : undefined;
}
