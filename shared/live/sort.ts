/** The order of a query's documents. */
import { InvalidInput } from "../errors.ts";
import { pathOf, step } from "./field_name.ts";
import { maxOrderFields } from "./limits.ts";
import { valuesAt } from "./path_values.ts";
import { compare, type Document, type Fields, isList, type Value } from "./value.ts";

export interface OrderField {
  readonly path: string;
  readonly descending: boolean;
}
export type Order = readonly OrderField[];

/**
 * Reads an order in either form: `[{field, direction}]` of the requests, `{field: direction}` of a watch. A direction is `asc`, `desc`,
 * 1 or -1. @throws InvalidInput
 */
export function parseOrder(input: unknown, at = "order"): Order {
  if (input === undefined || input === null) return [];
  const pairs = Array.isArray(input)
    ? input.map((one, nth) => pairOf(one, step(at, nth)))
    : Object.entries(typeof input === "object" ? input : wrong(at, "expected a list or an object"));
  if (pairs.length > maxOrderFields) wrong(at, `at most ${maxOrderFields} fields`);
  return pairs.map(([path, direction]) => {
    pathOf(path, step(at, path));
    if (direction === "asc" || direction === 1) return { path, descending: false };
    if (direction === "desc" || direction === -1) return { path, descending: true };
    return wrong(step(at, path), "expected asc or desc");
  });
}

function pairOf(input: unknown, at: string): [string, unknown] {
  const { field, direction } = (input ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof field !== "string") return wrong(at, "expected a field and a direction");
  return [field, direction ?? "asc"];
}

function wrong(at: string, why: string): never {
  throw new InvalidInput(at, why);
}

/** Compares two documents. Those that are equal follow their ids, so that pages never overlap. */
export function comparator(order: Order): (a: Document, b: Document) => number {
  return (a, b) => {
    for (const { path, descending } of order) {
      const names = path.split(".");
      const found = compare(keyOf(a, names, descending), keyOf(b, names, descending));
      if (found !== 0) return descending ? -found : found;
    }
    return a._id < b._id ? -1 : a._id > b._id ? 1 : 0;
  };
}

/** The value of a path that a document is sorted by: of a list its least element, or its greatest when descending. */
export const sortValue = (document: Fields, path: string, descending: boolean): Value | undefined =>
  keyOf(document, path.split("."), descending);

function keyOf(document: Fields, names: readonly string[], descending: boolean): Value | undefined {
  let best: Value | undefined;
  let isFirst = true;
  for (const value of valuesAt(document, names))
    for (const one of isList(value) ? value : [value]) {
      const order = isFirst ? 0 : compare(one, best);
      if (isFirst || (descending ? order > 0 : order < 0)) best = one;
      isFirst = false;
    }
  return best;
}
