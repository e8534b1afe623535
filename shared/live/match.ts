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
import { maxMatchSteps, maxSteadySteps } from "./limits.ts";
import { valuesAt } from "./path_values.ts";
import { type Condition, element, type Test } from "./query.ts";
import { Steps } from "./steps.ts";
import { type Fields, isFields, isList, isSame, isScalar, type Scalar, type Value } from "./value.ts";

/** Whether the document matches. Throws InvalidInput when it takes too many steps, or a value does not fit its `$expr`. */
export type Match = (document: Fields) => boolean;

/**
 * Compiles a checked query. What one document may take is bounded, as long lists in it and many tests of them multiply.
 * @param total counts the steps on all documents together
 */
export function compileMatch(condition: Condition, total?: Steps): Match {
  const own = new Steps(maxMatchSteps);
  const match = compile(condition, own);
  return (document) => {
    own.reset();
    const matches = match(document);
    total?.take(own.taken);
    return matches;
  };
}

function compile(condition: Condition, steps: Steps): Match {
  if ("path" in condition) return compileField(condition.path, condition.test, steps);
  if ("expression" in condition) {
    const evaluate = compileExpression(condition.expression, steps);
    return (document) => isTrue(evaluate(document));
  }
  if ("all" in condition) {
    const matches = condition.all.map((one) => compile(one, steps));
    return (document) => matches.every((match) => match(document));
  }
  const matches = ("any" in condition ? condition.any : condition.none).map((one) => compile(one, steps));
  const wanted = "any" in condition;
  return (document) => matches.some((match) => match(document)) === wanted;
}

/** MongoDB's truth: empty texts are true. */
const isTrue = (value: unknown) => value !== false && value !== 0 && value !== null && value !== undefined;

/** A field matches when one of its values does. */
function compileField(path: string, test: Test, steps: Steps): Match {
  const names = path.split(".");
  const matches = compileTest(test, steps);
  const costOf = test.op === "pattern" ? costOfText : costOfValue;
  return (document) =>
    valuesAt(document, names).some((value) => {
      steps.take(costOf(value));
      return matches(value);
    });
}

/** A list is tested element by element. */
const costOfValue = (value: Value | undefined) => (isList(value) ? 1 + value.length : 1);

/** A pattern goes through a text once, several characters a step. */
const costOfText = (value: Value | undefined) =>
  partsOf(value).reduce<number>((sum, one) => sum + 1 + (typeof one === "string" ? one.length / 64 : 0), 0);

type MatchValue = (value: Value | undefined) => boolean;

function compileTest(test: Test, steps: Steps): MatchValue {
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
      const matches = elementMatch(test, steps);
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

type ElementTest = Extract<Test, { readonly op: "element" }>;

/** Compiles what `$pull` and a projection's `$elemMatch` hold. All that it is asked about is counted together. */
export const compileElement = (test: ElementTest): ((value: Value) => boolean) =>
  elementMatch(test, new Steps(maxSteadySteps));

function elementMatch({ plain, condition }: ElementTest, steps: Steps): (value: Value) => boolean {
  const match = compile(condition, steps);
  if (plain) return (value) => match({ [element]: value });
  return (value) => isFields(value) && match(value);
}
