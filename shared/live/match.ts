/**
 * Whether a document matches a query: the one function that decides, for reads, writes, rules and watches.
 *
 * mingo compares values of any type. Ours are the paths, where mingo follows lists in lists and loses missing fields in lists; equality
 * and `$in`, which are most of all queries; regular expressions, which must not backtrack; and the count of steps of `$expr`.
 */
import { Context } from "mingo/core";
import * as operators from "mingo/operators/query";
import { Query } from "mingo/query";
import { compileExpression } from "./expression.ts";
import { valuesAt } from "./path_values.ts";
import { type Condition, element, type Test } from "./query.ts";
import { type Fields, isFields, isList, isSame, isScalar, type Scalar, type Value } from "./value.ts";

/** Whether the document matches. Throws InvalidInput only where the query has `$expr`, when it takes too many steps. */
export type Match = (document: Fields) => boolean;

/** Compiles a checked query. */
export function compileMatch(condition: Condition): Match {
  if ("path" in condition) return compileField(condition.path, condition.test);
  if ("expression" in condition) {
    const evaluate = compileExpression(condition.expression);
    return (document) => isTrue(evaluate(document));
  }
  if ("all" in condition) {
    const matches = condition.all.map(compileMatch);
    return (document) => matches.every((match) => match(document));
  }
  const matches = ("any" in condition ? condition.any : condition.none).map(compileMatch);
  const wanted = "any" in condition;
  return (document) => matches.some((match) => match(document)) === wanted;
}

/** MongoDB's truth: empty texts are true. */
const isTrue = (value: unknown) => value !== false && value !== 0 && value !== null && value !== undefined;

/** A field matches when one of its values does. */
function compileField(path: string, test: Test): Match {
  const names = path.split(".");
  const matches = compileTest(test);
  return (document) => valuesAt(document, names).some(matches);
}

type MatchValue = (value: Value | undefined) => boolean;

function compileTest(test: Test): MatchValue {
  switch (test.op) {
    case "exists":
      return (value) => value !== undefined;
    case "eq":
      return test.value === null ? isNull : equals(test.value);
    case "in":
      return compileIn(test.values);
    case "mod":
      return compare("$mod", [test.divisor, test.remainder]);
    case "pattern":
      return (value) => partsOf(value).some((one) => typeof one === "string" && test.pattern.test(one));
    case "element": {
      const matches = compileElement(test);
      return (value) => isList(value) && value.some(matches);
    }
    default:
      return compare(`$${test.op}`, test.value);
  }
}

/** The value, and the elements of a list. */
const partsOf = (value: Value | undefined): readonly (Value | undefined)[] =>
  isList(value) ? [value, ...value] : [value];

const isNull: MatchValue = (value) => partsOf(value).some((one) => one === null || one === undefined);

const equals =
  (operand: Value): MatchValue =>
  (value) =>
    isSame(value, operand) || (isList(value) && value.some((one) => isSame(one, operand)));

const context = Context.init({
  query: {
    $gt: operators.$gt,
    $gte: operators.$gte,
    $lt: operators.$lt,
    $lte: operators.$lte,
    $size: operators.$size,
    $mod: operators.$mod,
  },
});

/** One of mingo's comparisons. */
function compare(operator: string, operand: Value): MatchValue {
  const query = new Query({ value: { [operator]: operand } }, { context, scriptEnabled: false });
  return (value) => query.test({ value });
}

function compileIn(values: readonly Value[]): MatchValue {
  const keys = new Set(values.filter(isScalar).map(keyOf));
  const others = values.filter((one) => !isScalar(one));
  return (value) =>
    partsOf(value).some((one) =>
      one === undefined || isScalar(one) ? keys.has(keyOf(one ?? null)) : others.some((other) => isSame(one, other)),
    );
}

/** Dates are not equal to themselves in a set. */
const keyOf = (value: Scalar) => (value instanceof Date ? `date ${value.getTime()}` : `${typeof value} ${value}`);

/** Compiles what `$elemMatch` and `$pull` hold. */
export function compileElement({
  plain,
  condition,
}: Extract<Test, { readonly op: "element" }>): (value: Value) => boolean {
  const match = compileMatch(condition);
  if (plain) return (value) => match({ [element]: value });
  return (value) => isFields(value) && match(value);
}
