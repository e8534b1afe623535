/** Reads of documents. */
import type { Head } from "../../db/streams.ts";
import type { App } from "../app.ts";
import type { Collection } from "../collection.ts";
import type { Caller } from "./caller.ts";
import type { Condition } from "./query.ts";
import type { SelectionInput } from "./select.ts";
import type { Document, Fields } from "./value.ts";

export interface Found {
  readonly documents: readonly Document[];
  /** Of the collection's stream: the documents are those after exactly this commit. */
  readonly head: Head;
}

/**
 * All documents that match and that the caller may read, in any order, as of one commit.
 * @param condition as `authorizeQuery` gave it
 * @throws TooManyDocuments when more than `most` match
 */
export async function readMatching(
  _app: App,
  _caller: Caller,
  _collection: Collection,
  _condition: Condition,
  _most?: number,
): Promise<Found> {
  throw new Error("not yet");
}

/** One page of what matches. @param transaction its id, when the read belongs to one */
export async function getDocuments(
  _app: App,
  _caller: Caller,
  _name: string,
  _input: SelectionInput,
  _transaction?: string,
): Promise<{ documents: Fields[]; offset: number; limit: number }> {
  throw new Error("not yet");
}

/** How many documents match and may be read. */
export async function countDocuments(_app: App, _caller: Caller, _name: string, _query: unknown): Promise<number> {
  throw new Error("not yet");
}

/** The answer of an aggregation. */
export async function aggregateDocuments(
  _app: App,
  _caller: Caller,
  _name: string,
  _pipeline: unknown,
): Promise<Fields[]> {
  throw new Error("not yet");
}
