/** Documents that rules read by `get()`, for the decisions of one request. */
import type { Row } from "../../db/database.ts";
import { readDocumentsById } from "../../db/documents.ts";
import type { Sql } from "../../db/sql.ts";
import type { App } from "../app.ts";
import { TooManyDocuments } from "../errors.ts";
import { maxGetDepth, maxGetDocuments, maxGets } from "./limits.ts";
import { type Lookup, type Named, NotRead } from "./rules.ts";
import { documentIn, isDocumentId } from "./stored.ts";
import type { Document } from "./value.ts";

/** A document with the number of the commit that wrote it. */
export interface Versioned {
  readonly version: number;
  readonly document: Document;
}

/** What was read for `get()`, and what is to be read. */
export class Lookups {
  /** Collection → id → the document, or undefined: there is none. */
  readonly #read = new Map<string, Map<string, Versioned | undefined>>();

  readonly lookup: Lookup = (collection, id) => {
    const found = this.#read.get(collection);
    if (found?.has(id) === true) return found.get(id)?.document;
    if (!isDocumentId(id) || !isDocumentId(collection)) return undefined;
    throw new NotRead([{ collection, id }]);
  };

  /** Everything that has been asked for. */
  get named(): readonly (Named & { readonly version: number | null })[] {
    return [...this.#read].flatMap(([collection, found]) =>
      [...found].map(([id, one]) => ({ collection, id, version: one?.version ?? null })),
    );
  }

  /** Statements that read everything that has been asked for. */
  statements(): Sql[] {
    return [...this.#read].map(([collection, found]) => readDocumentsById(collection, [...found.keys()]));
  }

  /** Takes what `statements` read. */
  take(rows: readonly Row[][]): void {
    for (const found of this.#read.values()) for (const id of found.keys()) found.set(id, undefined);
    for (const row of rows.flat())
      this.#read
        .get(String(row.collection))
        ?.set(String(row.doc_id), { version: Number(row.version), document: documentIn(row) });
  }

  /** Notes that these are to be read. @throws TooManyDocuments */
  want(documents: readonly Named[]): void {
    const count = [...this.#read.values()].reduce((sum, found) => sum + found.size, documents.length);
    if (count > maxGot) throw new TooManyDocuments(`the collection's rules would read more than ${maxGot} others`);
    for (const { collection, id } of documents) {
      const found = this.#read.get(collection) ?? new Map<string, Versioned | undefined>();
      this.#read.set(collection, found.set(id, found.get(id)));
    }
  }
}

/** Documents that rules read for one request. */
const maxGot = 2_000;

/** Every round reads all that one level of a rule's `get()` names. */
const maxRounds = maxGetDocuments + maxGets * maxGetDepth;

/** Decides with documents that rules read, which are read as they are named. */
export async function withLookups<T>(
  app: Pick<App, "db">,
  decide: (lookup: Lookup) => T,
  lookups: Lookups = new Lookups(),
): Promise<T> {
  for (let round = 0; ; round++) {
    try {
      return decide(lookups.lookup);
    } catch (error) {
      if (!(error instanceof NotRead) || round >= maxRounds) throw error;
      lookups.want(error.documents);
      lookups.take(await app.db.read(lookups.statements()));
    }
  }
}

/** As `withLookups`, for a flight: `run` reads `lookups.statements()` under its locks, and gives the rows to `lookups.take`. */
export async function repeatedly<T>(lookups: Lookups, run: () => Promise<T>): Promise<T> {
  for (let round = 0; ; round++) {
    try {
      return await run();
    } catch (error) {
      if (!(error instanceof NotRead) || round >= maxRounds) throw error;
      lookups.want(error.documents);
    }
  }
}

/** Those for which the answer is yes. What is not read yet is named for all of them at once. @throws NotRead */
export function chosenBy<T>(all: readonly T[], ask: (one: T) => boolean): T[] {
  const notRead: Named[] = [];
  const chosen = all.filter((one) => {
    try {
      return ask(one);
    } catch (error) {
      if (!(error instanceof NotRead)) throw error;
      notRead.push(...error.documents);
      return false;
    }
  });
  if (notRead.length > 0) throw new NotRead(notRead);
  return chosen;
}
