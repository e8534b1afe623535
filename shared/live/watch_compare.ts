/** From two states of an ordered list, the events that lead a client from one to the other. */
import type { DocumentChange } from "./changes.ts";
import type { Document } from "./value.ts";
import { type DataType, entered, left, listEvents, updated, type WatchEvent } from "./watch_events.ts";

export interface CompareOptions {
  /** The client sorts: only which documents there are matters. */
  readonly sorts?: boolean;
  /** By id, what led from one state to the other, where it is known. */
  readonly causes?: ReadonlyMap<string, DocumentChange>;
  readonly visible?: (document: Document) => boolean;
}

/**
 * The client can only append, so what it keeps must be the beginning of the new list, in the order that it has. The rest is removed
 * and appended; where that is not shorter, the whole list is sent. @returns nothing when the lists are the same
 */
export function compareLists(
  before: readonly Document[],
  after: readonly Document[],
  options: CompareOptions = {},
): readonly WatchEvent[] {
  const places = new Map(before.map(({ _id }, at) => [_id, at]));
  const kept = options.sorts === true ? after.filter(({ _id }) => places.has(_id)) : beginning(places, after);
  const keptIds = new Set(kept.map(({ _id }) => _id));
  const appended = after.filter(({ _id }) => !keptIds.has(_id));
  const changes = kept.flatMap((document) => updated(before[places.get(document._id) ?? 0] ?? document, document));
  const moved = appended.filter(({ _id }) => places.has(_id)).length;
  if (moved > 0 && (appended.length + changes.length) * 3 > after.length * 2) return listEvents(after);
  const afterIds = new Set(after.map(({ _id }) => _id));
  return [
    ...before
      .filter(({ _id }) => !keptIds.has(_id))
      .map(({ _id }) => left(_id, afterIds.has(_id) ? "update" : whyLeft(_id, options))),
    ...changes,
    ...appended.map((one) => entered(one, places.has(one._id) ? "update" : whyEntered(one._id, options))),
  ];
}

/** The longest beginning of the new list that is in the old one in this order. */
function beginning(places: ReadonlyMap<string, number>, after: readonly Document[]): readonly Document[] {
  let last = -1;
  const end = after.findIndex(({ _id }) => {
    const at = places.get(_id) ?? -1;
    const follows = at > last;
    last = at;
    return !follows;
  });
  return end < 0 ? after : after.slice(0, end);
}

function whyEntered(id: string, { causes, visible }: CompareOptions): DataType {
  if (causes === undefined) return "add";
  const cause = causes.get(id);
  if (cause === undefined) return "limit";
  if (cause.before === undefined) return "add";
  // It matched before, and had no place.
  return visible?.(cause.before) === true ? "limit" : "update";
}

function whyLeft(id: string, { causes, visible }: CompareOptions): DataType {
  if (causes === undefined) return "remove";
  const cause = causes.get(id);
  if (cause === undefined) return "limit";
  if (cause.after === undefined) return "remove";
  return visible?.(cause.after) === true ? "limit" : "update";
}
