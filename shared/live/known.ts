/**
 * What a query says about a document's fields, before any document is read.
 *
 * Used by rules: a read is allowed when the rule holds for every document that the query can return.
 */
import { maxAlternatives } from "./limits.ts";
import type { Condition, Test } from "./query.ts";
import { compare, isSame, type Value } from "./value.ts";

/** Tests that all hold of one field. */
export interface KnownField {
  readonly path: string;
  readonly tests: readonly Test[];
  /** Values that it does not have. */
  readonly not: readonly Value[];
}

/** Path → what is known. A path that is not there may hold anything. */
export type Known = ReadonlyMap<string, KnownField>;

/**
 * A query as alternatives: each document that matches has the fields of at least one. Undefined when there are too many to look at
 * one by one. A list of values is an alternative for each of them.
 * @param matters whether a path is looked at; what is said of others is left out
 */
export function alternativesOf(condition: Condition, matters: (path: string) => boolean): readonly Known[] | undefined {
  const found = alternatives(condition, matters);
  return found?.map((parts) => {
    const known = new Map<string, KnownField>();
    for (const { path, test, not } of parts) {
      const before = known.get(path) ?? { path, tests: [], not: [] };
      known.set(
        path,
        not ? { ...before, not: [...before.not, ...valuesOf(test)] } : { ...before, tests: [...before.tests, test] },
      );
    }
    return known;
  });
}

interface Part {
  readonly path: string;
  readonly test: Test;
  readonly not: boolean;
}

type Alternatives = readonly (readonly Part[])[] | undefined;

function alternatives(condition: Condition, matters: (path: string) => boolean): Alternatives {
  if ("any" in condition) return collect(condition.any.map((one) => alternatives(one, matters)));
  if ("all" in condition)
    return condition.all.reduce<Alternatives>((before, one) => product(before, alternatives(one, matters)), [[]]);
  if ("expression" in condition) return [[]];
  // "None of several" is the negation of each; only equality says something that a rule can use.
  if ("none" in condition)
    return [condition.none.flatMap((one) => ("path" in one && matters(one.path) ? [{ ...one, not: true }] : []))];
  const { path, test } = condition;
  if (!matters(path)) return [[]];
  if (test.op === "in") return collect(test.values.map((value) => [[{ path, test: { op: "eq", value }, not: false }]]));
  return [[{ path, test, not: false }]];
}

const valuesOf = (test: Test): readonly Value[] =>
  test.op === "eq" ? [test.value] : test.op === "in" ? test.values : [];

function collect(lists: readonly Alternatives[]): Alternatives {
  const all: (readonly Part[])[] = [];
  for (const list of lists) {
    if (list === undefined) return undefined;
    // What holds without knowing anything holds for every alternative.
    if (list.some((parts) => parts.length === 0)) return [[]];
    all.push(...list);
    if (all.length > maxAlternatives) return undefined;
  }
  return all;
}

function product(a: Alternatives, b: Alternatives): Alternatives {
  if (a === undefined || b === undefined || a.length * b.length > maxAlternatives) return undefined;
  return a.flatMap((first) => b.map((second) => [...first, ...second]));
}

/** The one value that the field has, if the query names it. */
export function knownValue(field: KnownField | undefined): { readonly value: Value } | undefined {
  const found = field?.tests.find((test) => test.op === "eq");
  return found?.op === "eq" ? { value: found.value } : undefined;
}

/** Whether the comparison of the field with a value is certain. Undefined: some documents may, some may not. */
export function comparesTo(
  field: KnownField | undefined,
  operator: "==" | "!=" | "<" | "<=" | ">" | ">=",
  value: Value,
) {
  if (field === undefined) return undefined;
  if (operator === "!=")
    return field.not.some((one) => isSame(one, value)) || excludes(field, value) ? true : undefined;
  if (operator === "==") return undefined;
  const holds = field.tests.some((test) => {
    if (test.op !== "gt" && test.op !== "gte" && test.op !== "lt" && test.op !== "lte") return false;
    if (typeof test.value !== typeof value || value === null) return false;
    const order = compare(test.value, value);
    if (operator === ">") return test.op === "gt" ? order >= 0 : test.op === "gte" && order > 0;
    if (operator === ">=") return (test.op === "gt" || test.op === "gte") && order >= 0;
    if (operator === "<") return test.op === "lt" ? order <= 0 : test.op === "lte" && order < 0;
    return (test.op === "lt" || test.op === "lte") && order <= 0;
  });
  return holds ? true : undefined;
}

/** A range that the value lies outside of. */
function excludes(field: KnownField, value: Value): boolean {
  return (
    comparesTo({ ...field, not: [] }, ">", value) === true || comparesTo({ ...field, not: [] }, "<", value) === true
  );
}
