/**
 * What a watch's client is told: events on the documents of its list.
 *
 * The client appends, replaces in place and removes; it never sorts. What it is to forget is never sent: a document that leaves a list
 * may not be its reader's any more.
 */
import type { Commit } from "./changes.ts";
import { difference } from "./difference.ts";
import { type Document, type Fields, isSame } from "./value.ts";

export type DataType = "init" | "add" | "update" | "replace" | "remove" | "limit";
export type QueueType = "init" | "enqueue" | "update" | "dequeue";

export interface WatchEvent {
  readonly dataType: DataType;
  readonly queueType: QueueType;
  readonly id: string;
  /** The whole document: of everything that enters or changes. */
  readonly document?: Document;
  readonly updatedFields?: Fields;
  readonly removedFields?: readonly string[];
}

/**
 * The events of a commit for a list that keeps no order: they follow from the commit alone.
 * @param visible whether a document belongs to the list: it matches, and its reader may read it
 */
export function directEvents(
  { changes }: Pick<Commit, "changes">,
  visible: (document: Document) => boolean,
): readonly WatchEvent[] {
  return changes.flatMap(({ id, before, after }): readonly WatchEvent[] => {
    const was = before !== undefined && visible(before);
    const is = after !== undefined && visible(after);
    if (is) return was ? updated(before, after) : [entered(after, before === undefined ? "add" : "update")];
    return was ? [left(id, after === undefined ? "remove" : "update")] : [];
  });
}

export const entered = (document: Document, dataType: DataType): WatchEvent => ({
  dataType,
  queueType: "enqueue",
  id: document._id,
  document,
});

export const left = (id: string, dataType: DataType): WatchEvent => ({ dataType, queueType: "dequeue", id });

/** A document that stays in the list. Nothing when it is the same. */
export function updated(before: Document, after: Document): readonly WatchEvent[] {
  const changed = difference(before, after);
  const [queueType, id] = ["update", after._id] as const;
  if (changed === undefined) return [{ dataType: "replace", queueType, id, document: after }];
  if (Object.keys(changed.updatedFields).length === 0 && changed.removedFields.length === 0)
    return isSame(before, after) ? [] : [{ dataType: "replace", queueType, id, document: after }];
  return [{ dataType: "update", queueType, id, document: after, ...changed }];
}

/** No document has an empty id. */
const nobody: Document = { _id: "" };

/** Takes the place of the client's whole list. An empty list cannot be said by no events: what comes first is what goes again. */
export function listEvents(documents: readonly Document[]): readonly WatchEvent[] {
  if (documents.length === 0) return [{ ...entered(nobody, "init"), queueType: "init" }, left(nobody._id, "remove")];
  return documents.map((document) => ({ dataType: "init", queueType: "init", id: document._id, document }));
}

/** Uses an id up and changes nothing. */
export const fillerEvents: readonly WatchEvent[] = [entered(nobody, "add"), left(nobody._id, "remove")];
