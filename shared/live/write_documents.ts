/** Writes of documents. Each is one commit. */
import type { App } from "../app.ts";
import type { Caller } from "./caller.ts";

/** Adds documents, all or none. @param id of a single one @returns their ids */
export async function addDocuments(
  _app: App,
  _caller: Caller,
  _name: string,
  _data: readonly unknown[],
  _id?: unknown,
  _transaction?: string,
): Promise<string[]> {
  throw new Error("not yet");
}

export interface UpdateAsk {
  readonly query: unknown;
  readonly data: unknown;
  /** All that match; else the first by id. */
  readonly multi: boolean;
  /** A document is made when none matches. */
  readonly upsert: boolean;
  /** Data without operators replaces the document's fields; else they are set beside the others. */
  readonly replace: boolean;
  readonly transaction?: string | undefined;
}

export interface Updated {
  readonly matched: number;
  /** Those that are different now. */
  readonly updated: number;
  readonly upsertedId?: string;
}

export async function updateDocuments(_app: App, _caller: Caller, _name: string, _ask: UpdateAsk): Promise<Updated> {
  throw new Error("not yet");
}

export interface RemoveAsk {
  readonly query: unknown;
  readonly multi: boolean;
  readonly transaction?: string | undefined;
}

/** @returns how many were removed */
export async function removeDocuments(_app: App, _caller: Caller, _name: string, _ask: RemoveAsk): Promise<number> {
  throw new Error("not yet");
}
