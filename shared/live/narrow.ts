/**
 * From a query, a condition that the database can check: owner, ids, keys of indexed fields.
 *
 * Every document that matches the query satisfies it; some that satisfy it do not match. `compileMatch` decides.
 */
import { keyOf, keysOf, typeRange } from "./index_key.ts";
import type { Condition, Test } from "./query.ts";
import { type Document, isScalar, type Scalar } from "./value.ts";

/** Keys of one field: the document has one of these, or one in the range, both ends included. */
export type KeyCondition =
  | { readonly field: string; readonly keys: readonly string[] }
  | { readonly field: string; readonly from: string; readonly to: string };

/** All parts hold. An absent part does not narrow. */
export interface Narrowed {
  /** Nothing can match. */
  readonly none: boolean;
  /** `_openid`. */
  readonly owner?: string;
  readonly ids?: readonly string[];
  /** Several conditions of one field may be satisfied by different elements of a list. */
  readonly fields: readonly KeyCondition[];
}

/** @param indexes the collection's indexed fields */
export function narrow(condition: Condition, indexes: readonly string[]): Narrowed {
  const tests = conjunction(condition);
  const ids = textsAt(condition, "_id");
  const owners = textsAt(condition, "_openid");
  const fields = tests.flatMap(({ path, test }) => (indexes.includes(path) ? keyCondition(path, test) : []));
  const none = isNever(condition) || ids?.length === 0 || owners?.length === 0;
  return {
    none: none || fields.some((one) => "keys" in one && one.keys.length === 0),
    ...(owners?.length === 1 && owners[0] !== undefined ? { owner: owners[0] } : {}),
    ...(ids === undefined ? {} : { ids }),
    fields,
  };
}

/** The texts that a field which is no list can have in a document that matches. Undefined: the query does not say. */
export const textsAt = (condition: Condition, path: string): readonly string[] | undefined =>
  intersection(
    conjunction(condition)
      .filter((one) => one.path === path)
      .flatMap(({ test }) => textsOf(test) ?? []),
  );

interface FieldTest {
  readonly path: string;
  readonly test: Test;
}

/** Tests of fields that all hold. Alternatives and negations are left to the match. */
function conjunction(condition: Condition): readonly FieldTest[] {
  if ("path" in condition) return [condition];
  if ("all" in condition) return condition.all.flatMap(conjunction);
  if ("any" in condition && condition.any.length === 1 && condition.any[0] !== undefined)
    return conjunction(condition.any[0]);
  return [];
}

const isNever = (condition: Condition): boolean =>
  ("any" in condition && condition.any.every(isNever)) || ("all" in condition && condition.all.some(isNever));

/** The texts that an id or owner can be. Undefined: the test says nothing; null is also the owner of documents without one. */
function textsOf(test: Test): readonly (readonly string[])[] | undefined {
  const values = test.op === "eq" ? [test.value] : test.op === "in" ? test.values : undefined;
  const texts = values?.filter((value) => typeof value === "string");
  return texts === undefined || texts.length !== values?.length ? undefined : [texts];
}

function intersection(lists: readonly (readonly string[])[]): readonly string[] | undefined {
  const [first, ...others] = lists;
  return first === undefined
    ? undefined
    : [...new Set(first)].filter((one) => others.every((list) => list.includes(one)));
}

function keyCondition(field: string, test: Test): KeyCondition[] {
  if (test.op === "eq") return isScalar(test.value) ? [{ field, keys: [keyOf(test.value)] }] : [];
  if (test.op === "in")
    return test.values.every(isScalar)
      ? [{ field, keys: [...new Set(test.values.map((one) => keyOf(one as Scalar)))] }]
      : [];
  if (test.op === "gt" || test.op === "gte") {
    const from = keyOf(test.value);
    return [{ field, from, to: typeRange(from).to }];
  }
  if (test.op === "lt" || test.op === "lte") {
    const to = keyOf(test.value);
    return [{ field, from: typeRange(to).from, to }];
  }
  return [];
}

/** Whether a document satisfies it: what the SQL says, for tests, watches and engines without an index. */
export function satisfies(document: Document, { none, owner, ids, fields }: Narrowed): boolean {
  if (none || (owner !== undefined && document._openid !== owner) || (ids !== undefined && !ids.includes(document._id)))
    return false;
  return fields.every((condition) =>
    keysOf(document, condition.field).some((key) =>
      "keys" in condition ? condition.keys.includes(key) : condition.from <= key && key <= condition.to,
    ),
  );
}
