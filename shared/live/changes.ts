/** What commits have changed, document by document. */
import { readChanges, readCommitEvents } from "../../db/documents.ts";
import type { App } from "../app.ts";
import { collectionStream } from "../collection.ts";
import { documentOf } from "./stored.ts";
import type { Document } from "./value.ts";

export interface DocumentChange {
  readonly id: string;
  /** Undefined: there was none. */
  readonly before: Document | undefined;
  /** Undefined: it was removed. */
  readonly after: Document | undefined;
}

export interface Commit {
  readonly seq: number;
  readonly changes: readonly DocumentChange[];
}

/** Documents that one read of commits may give. For more, reading the documents anew is no more work. */
const most = 5_000;

/**
 * The commits of a collection with numbers above `after`, up to `upTo`, in order.
 * @returns undefined when they are not all there with all their documents: trimmed, too many, or written without them
 */
export async function readCommits(
  app: Pick<App, "db">,
  collection: string,
  after: number,
  upTo: number,
): Promise<readonly Commit[] | undefined> {
  if (after >= upTo) return [];
  const [events, rows] = await app.db.read([
    readCommitEvents(collectionStream(collection), after, upTo, most + 1),
    readChanges(collection, after, upTo, most + 1),
  ]);
  if (events.length !== upTo - after || rows.length > most) return undefined;
  const commits = new Map<number, DocumentChange[]>(events.map(({ seq }) => [Number(seq), []]));
  for (const { seq, doc_id: id, before_data: before, after_data: now } of rows)
    commits.get(Number(seq))?.push({
      id: String(id),
      before: before === null ? undefined : documentOf(String(before)),
      after: now === null ? undefined : documentOf(String(now)),
    });
  const isWhole = events.every(({ seq, data }) => commits.get(Number(seq))?.length === changesIn(String(data)));
  return isWhole ? [...commits].map(([seq, changes]) => ({ seq, changes })) : undefined;
}

/** How many documents the commit of an event has changed. */
export const changesIn = (data: string): number => Number((JSON.parse(data) as { readonly changes?: unknown }).changes);
