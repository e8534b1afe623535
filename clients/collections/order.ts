/**
 * The order of documents, as the server sorts them (shared/live/sort.ts): over all types, along dotted paths, by a list's least or
 * greatest element. The list is sorted here, so that the server sends what has changed and no more. Pure.
 */
import type { Direction } from "./types.ts";
import { isPlain, kindOf } from "./wire.ts";

export interface OrderField {
  readonly field: string;
  readonly direction: Direction;
}

/** Types in their order; what is missing is undefined. */
const kinds = ["Undefined", "Null", "Number", "String", "Object", "Array", "Boolean", "Date"];

/** What is compared one by one. Names are in their own order: JSON columns do not keep that of fields. */
const membersOf = (value: unknown): unknown[] | undefined =>
  Array.isArray(value)
    ? value
    : isPlain(value)
      ? Object.keys(value)
          .sort()
          .flatMap((name) => [name, value[name]])
      : undefined;

const difference = (a: unknown, b: unknown) => +((a as number) > (b as number)) - +((a as number) < (b as number));

export function compare(a: unknown, b: unknown): number {
  // Most are two numbers or two texts.
  if (typeof a === typeof b && typeof a !== "object") return difference(a, b);
  const by = kinds.indexOf(kindOf(a)) - kinds.indexOf(kindOf(b));
  if (by) return by;
  const [some, others] = [membersOf(a), membersOf(b)];
  if (!some || !others) return difference(a, b);
  for (let at = 0; at < Math.max(some.length, others.length); at++) {
    const found = compare(some[at], others[at]);
    if (found) return found;
  }
  return 0;
}

/** The values at a path's end, those of a list one by one. */
function valuesAt(value: unknown, [name, ...rest]: readonly string[]): unknown[] {
  if (name === undefined) return Array.isArray(value) ? value : [value];
  const has = Object.keys(Object(value)).includes(name);
  if (!Array.isArray(value)) return valuesAt(has && isPlain(value) ? value[name] : undefined, rest);
  return [
    ...(has ? valuesAt(value[+name], rest) : []),
    ...value.filter(isPlain).flatMap((one) => valuesAt(one, [name, ...rest])),
  ];
}

const sign = ({ direction }: OrderField) => (direction === "desc" ? -1 : 1);

/** What a document is sorted by. */
export const keysOf = (document: object, order: readonly OrderField[]): unknown[] =>
  order.map((one) =>
    valuesAt(document, one.field.split(".")).reduce(
      (best, value, at) => (at && compare(value, best) * sign(one) >= 0 ? best : value),
      undefined,
    ),
  );

/** Compares two documents by their keys; the same keys follow the ids. */
export function compareKeys(a: readonly unknown[], b: readonly unknown[], order: readonly OrderField[]): number {
  for (const [at, one] of order.entries()) {
    const found = compare(a[at], b[at]) * sign(one);
    if (found) return found;
  }
  return 0;
}
