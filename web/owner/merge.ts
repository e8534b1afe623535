/** Three-way merge of two edits of one value. A field that only one side changed takes that change; the others are conflicts for the user. */

const same = (a: unknown, b: unknown): boolean => stable(a) === stable(b);

/** JSON with sorted members. */
const stable = (value: unknown): string =>
  JSON.stringify(value, (_, part) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  ) ?? "";

export interface Merged<T> {
  value: T;
  /** Members that both changed, to different values. `value` has mine. */
  disputed: (keyof T & string)[];
  /** The other side changed a member that I did not. */
  theirs: boolean;
}

export function merge<T extends object>(base: T, mine: T, theirs: T): Merged<T> {
  const names = [...new Set([base, mine, theirs].flatMap((one) => Object.keys(one)))] as (keyof T & string)[];
  const merged: Merged<T> = { value: { ...mine }, disputed: [], theirs: false };
  for (const name of names) {
    if (same(theirs[name], base[name]) || same(theirs[name], mine[name])) continue;
    if (!same(mine[name], base[name])) merged.disputed.push(name);
    else {
      merged.theirs = true;
      if (theirs[name] === undefined) delete merged.value[name];
      else merged.value[name] = theirs[name];
    }
  }
  return merged;
}

export const isChanged = (before: unknown, after: unknown): boolean => !same(before, after);
