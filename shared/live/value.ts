/** Values of documents: JSON with dates. Copies, comparison, order. */
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

/** Types in their order. */
function rankOf(value: Value | undefined): number {
  if (value === undefined) return 0;
  if (value === null) return 1;
  if (typeof value === "number") return 2;
  if (typeof value === "string") return 3;
  if (typeof value === "boolean") return 6;
  if (value instanceof Date) return 7;
  return isList(value) ? 5 : 4;
}

/**
 * MongoDB's order over all types: null, numbers, texts, objects, lists, booleans, dates. A missing value comes first. It is total, which
 * mingo's is not where lists stand beside other values; a sorted list would depend on how it was read.
 */
export function compare(a: Value | undefined, b: Value | undefined): number {
  const rank = rankOf(a);
  const other = rankOf(b);
  if (rank !== other) return rank - other;
  if (isList(a) && isList(b)) return compareLists(a, b);
  if (isFields(a) && isFields(b)) return compareFields(a, b);
  const [left, right] = [comparable(a), comparable(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

const comparable = (value: Value | undefined): number | string =>
  typeof value === "number" || typeof value === "string"
    ? value
    : value instanceof Date
      ? value.getTime()
      : Number(value);

function compareLists(a: readonly Value[], b: readonly Value[]): number {
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const found = compare(a[at], b[at]);
    if (found !== 0) return found;
  }
  return a.length - b.length;
}

/** By the names in alphabetical order, as the order of fields does not count. */
function compareFields(a: Fields, b: Fields): number {
  const [names, others] = [Object.keys(a).sort(), Object.keys(b).sort()];
  for (const [at, name] of names.entries()) {
    const other = others[at];
    if (other === undefined) return 1;
    if (name !== other) return name < other ? -1 : 1;
    const found = compare(a[name], b[name]);
    if (found !== 0) return found;
  }
  return names.length - others.length;
}

/** A copy that shares nothing which can be changed. */
export function copy<T extends Value>(value: T): T;
export function copy(value: Value): Value {
  if (value instanceof Date) return new Date(value.getTime());
  if (isList(value)) return value.map((one) => copy(one));
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, copy(one)]));
}
