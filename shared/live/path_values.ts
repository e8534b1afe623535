/** The values that a dotted path leads to, as MongoDB follows it. */
import { isIndex } from "./field_name.ts";
import { type Fields, fieldOf, isFields, isList, type Value } from "./value.ts";

/**
 * The values at the path's end, a list there as one value. Along a list on the way: the fields of each element that is an object, and
 * the element at a place that the path names. Undefined stands for a missing field; an empty list on the way has no value at all.
 */
export function valuesAt(document: Fields, names: readonly string[]): readonly (Value | undefined)[] {
  const [first = ""] = names;
  // Most paths are one name.
  if (names.length === 1) return [fieldOf(document, first)];
  const found: (Value | undefined)[] = [];
  collect(document, names, 0, found);
  return found;
}

function collect(value: Value | undefined, names: readonly string[], at: number, found: (Value | undefined)[]): void {
  const name = names[at];
  if (name === undefined) found.push(value);
  else if (isList(value)) {
    const place = isIndex(name) ? Number(name) : value.length;
    if (place < value.length) collect(value[place], names, at + 1, found);
    for (const one of value) if (isFields(one)) collect(one, names, at, found);
  } else collect(isFields(value) ? fieldOf(value, name) : undefined, names, at + 1, found);
}
