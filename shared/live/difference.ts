/**
 * The difference between two states of a document, in the words of the watch protocol.
 *
 * The client sets each path of `updatedFields`, then unsets each of `removedFields`, with lodash's `set` and `unset`. It is computed
 * from the two documents and not from the update's operators: what lodash makes of a path differs from what MongoDB does.
 */
import { type Document, type Fields, fieldOf, isFields, isList, isSame, type Value } from "./value.ts";

export interface Difference {
  /** Dotted path → new value. */
  readonly updatedFields: Fields;
  /** Dotted paths of fields that are gone; never an element of an array. */
  readonly removedFields: readonly string[];
}

/** @returns undefined when no paths can say it, so that the whole document must be sent */
export function difference(before: Document, after: Document): Difference | undefined {
  const updated: [string, Value][] = [];
  const removed: string[] = [];
  return collect(before, after, "", updated, removed)
    ? { updatedFields: Object.fromEntries(updated), removedFields: removed }
    : undefined;
}

/** Characters that lodash reads as parts of a path, and a name with which the paths would be ambiguous. */
const isPlain = (name: string) => name !== "" && !/[.[\]]/.test(name);

function collect(before: Value, after: Value, at: string, updated: [string, Value][], removed: string[]): boolean {
  if (isList(before) && isList(after)) return collectList(before, after, at, updated, removed);
  if (!isFields(before) || !isFields(after)) return false;
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  for (const name of names) {
    const old = fieldOf(before, name);
    const now = fieldOf(after, name);
    if (isSame(old, now)) continue;
    if (!isPlain(name)) return false;
    const path = at === "" ? name : `${at}.${name}`;
    if (now === undefined) removed.push(path);
    else if (old === undefined || !inside(old, now, path, updated, removed)) updated.push([path, now]);
  }
  return true;
}

/** Elements that changed or were appended. A list that became shorter is sent whole: `unset` would leave a hole in it. */
function collectList(
  before: readonly Value[],
  after: readonly Value[],
  at: string,
  updated: [string, Value][],
  removed: string[],
): boolean {
  if (after.length < before.length) return false;
  const changed = [...after.keys()].filter((nth) => !isSame(before[nth], after[nth]));
  // More paths than elements that stay would be longer than the list.
  if (changed.length * 2 > after.length) return false;
  for (const nth of changed) {
    const [old, now] = [before[nth], after[nth]];
    const path = `${at}.${nth}`;
    if (now !== undefined && (old === undefined || !inside(old, now, path, updated, removed)))
      updated.push([path, now]);
  }
  return true;
}

/** Whether the change could be said by paths inside of the value. Else nothing was added, and the value is sent whole. */
function inside(old: Value, now: Value, path: string, updated: [string, Value][], removed: string[]): boolean {
  const [before, beforeRemoved] = [updated.length, removed.length];
  if (collect(old, now, path, updated, removed)) return true;
  updated.length = before;
  removed.length = beforeRemoved;
  return false;
}
