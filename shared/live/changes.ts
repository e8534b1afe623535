/** What commits have changed, document by document. */
import type { App } from "../app.ts";
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

/**
 * The commits of a collection with numbers above `after`, up to `upTo`, in order.
 * @returns undefined when they are not all there with all their documents: trimmed, or written without them
 */
export async function readCommits(
  _app: App,
  _collection: string,
  _after: number,
  _upTo: number,
): Promise<readonly Commit[] | undefined> {
  throw new Error("not yet");
}
