/** Values of documents: JSON with dates. Copies, comparison, order. */
import { compare as mingoCompare } from "mingo/util";

export type Scalar = null | boolean | number | string | Date;
export type Value = Scalar | readonly Value[] | Fields;
export interface Fields {
  readonly [name: string]: Value;
}

/** A stored document. `_openid` is its owner; a document that the server wrote has none. */
export interface Document extends Fields {
  readonly _id: string;
}

/** Whether it is an object with fields: no array, no date. */
export const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** As `Array.isArray`, which does not narrow to a read-only array. */
export const isList = (value: unknown): value is readonly Value[] => Array.isArray(value);

export const isScalar = (value: Value | undefined): value is Scalar =>
  value !== undefined && (typeof value !== "object" || value === null || value instanceof Date);

/** An object's own field: `toString` and its like are not there unless the document has them. */
export const fieldOf = (value: Fields, name: string): Value | undefined =>
  Object.hasOwn(value, name) ? value[name] : undefined;

/** Whether they are the same value. The order of fields does not count: JSON columns do not keep it. */
export function isSame(a: Value | undefined, b: Value | undefined): boolean {
  if (a === b) return true;
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (isList(a)) return isList(b) && a.length === b.length && a.every((one, at) => isSame(one, b[at]));
  if (!isFields(a) || !isFields(b)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length && names.every((name) => isSame(a[name], fieldOf(b, name)));
}

/** MongoDB's order over all types: null, numbers, texts, objects, lists, booleans, dates. A missing value comes first. */
export const compare = (a: Value | undefined, b: Value | undefined): number => mingoCompare(a, b);

/** A copy that shares nothing which can be changed. */
export function copy<T extends Value>(value: T): T;
export function copy(value: Value): Value {
  if (value instanceof Date) return new Date(value.getTime());
  if (isList(value)) return value.map((one) => copy(one));
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, copy(one)]));
}
