/**
 * Aggregation expressions: those of mingo that neither run code, nor draw lots, nor grow without bound; every step is counted.
 *
 * Left out for these reasons: `$function`, `$accumulator`; `$rand`; `$range`, `$reduce`, `$let`, `$zip`; and what makes a regular
 * expression of a caller's text, which could backtrack: `$regexMatch` and its like, `$dateFromString`.
 */
import { Context, evalExpr } from "mingo/core";
import * as accumulators from "mingo/operators/accumulator";
import * as expressions from "mingo/operators/expression";
import { MingoError } from "mingo/util";
import { AppError, InvalidInput, NotSupported } from "../errors.ts";
import { pathOf, quoted, step } from "./field_name.ts";
import { maxExpressionSteps, maxQueryNodes } from "./limits.ts";
import { Steps } from "./steps.ts";
import type { Fields, Value } from "./value.ts";
import { decode, isWrapped } from "./wire_value.ts";

/** A checked expression, as mingo reads it. */
export type Expression = { readonly checked: unknown };

/** MongoDB's operators that we have, by what they work on. */
const names = new Set(
  [
    "$abs $add $ceil $divide $exp $floor $ln $log $log10 $mod $multiply $pow $round $sqrt $subtract $trunc",
    "$and $or $not $cmp $eq $gt $gte $lt $lte $ne $cond $ifNull $switch $literal",
    "$arrayElemAt $arrayToObject $concatArrays $filter $first $in $indexOfArray $isArray $last $map $reverseArray $size $slice",
    "$setDifference $setEquals $setIntersection $setIsSubset $setUnion $allElementsTrue $anyElementTrue",
    "$mergeObjects $objectToArray $getField",
    "$concat $indexOfBytes $split $strLenBytes $strLenCP $strcasecmp $substr $substrBytes $substrCP $toLower $toUpper $trim $ltrim $rtrim",
    "$dateToString $dateToParts $dateFromParts $dateAdd $dateSubtract $dateDiff $dateTrunc",
    "$dayOfMonth $dayOfWeek $dayOfYear $hour $isoDayOfWeek $isoWeek $isoWeekYear $millisecond $minute $month $second $week $year",
    "$convert $isNumber $toBool $toDate $toDouble $toInt $toLong $toString $type",
  ].flatMap((line) => line.split(" ")),
);

/** Accumulators of `$group`. Those that stand among the expressions too take a list. */
export const accumulatorNames: ReadonlySet<string> = new Set(
  "$sum $avg $min $max $first $last $push $addToSet $count $mergeObjects $stdDevPop $stdDevSamp".split(" "),
);
/** Accumulators that work on a list as expressions. */
const overLists: ReadonlySet<string> = new Set("$sum $avg $min $max $stdDevPop $stdDevSamp".split(" "));

/** `$map`, `$filter`: the name that they give to an element. */
const variable = /^[a-z][A-Za-z0-9_]{0,40}$/;

/** Checks an expression. @throws InvalidInput, NotSupported with the operator's name and path */
export function parseExpression(input: unknown, now: number, at: string): Expression {
  let nodes = 0;
  const check = (value: unknown, path: string, depth: number): unknown => {
    nodes += 1;
    if (nodes > maxQueryNodes || depth > 20) throw new InvalidInput(path, "the expression is too large or too deep");
    if (typeof value === "string" && value.startsWith("$")) return checkReference(value, path);
    if (Array.isArray(value)) return value.map((one, nth) => check(one, step(path, nth), depth + 1));
    if (typeof value !== "object" || value === null || isWrapped(value)) return decode(value, now, path);
    const entries = Object.entries(value);
    const [first] = entries;
    if (first?.[0].startsWith("$") && first[0] === "$literal" && entries.length === 1)
      return { $literal: decode(first[1], now, step(path, "$literal")) };
    if (first?.[0].startsWith("$"))
      checkOperator(
        entries.map(([name]) => name),
        path,
      );
    return Object.fromEntries(
      entries.map(([name, one]) => {
        if (!name.startsWith("$")) pathOf(name, step(path, name));
        if (name === "as" && (typeof one !== "string" || !variable.test(one)))
          throw new InvalidInput(step(path, name), "expected a variable's name");
        return [name, check(one, step(path, name), depth + 1)];
      }),
    );
  };
  return { checked: check(input, at, 0) };
}

function checkOperator(found: readonly string[], at: string): void {
  const [name = ""] = found;
  if (found.length > 1) throw new InvalidInput(at, "an expression has one operator");
  if (names.has(name) || overLists.has(name)) return;
  throw new NotSupported(quoted(name).slice(1, -1), at);
}

/** `$field.path`, `$$variable.path`. `$$NOW` would be another clock than the app's. */
function checkReference(text: string, at: string): string {
  const path = text.replace(/^\$\$?/, "");
  const [first = ""] = pathOf(path, at);
  if (!text.startsWith("$$") || ["ROOT", "CURRENT", "REMOVE"].includes(first) || variable.test(first)) return text;
  throw new NotSupported(`$$${first}`, at);
}

type Operator = (document: unknown, expression: unknown, options: unknown) => unknown;

/** The operators, each counted. A value's parts count as often as they occur. */
export function contextOf(steps: Steps): Context {
  const counted =
    (operator: Operator): Operator =>
    (document, expression, options) => {
      steps.take();
      const result = operator(document, expression, options);
      steps.weigh(result);
      return result;
    };
  const chosen = (all: object, wanted: ReadonlySet<string>) =>
    Object.fromEntries(
      Object.entries(all as Record<string, Operator>)
        .filter(([name]) => wanted.has(name))
        .map(([name, operator]) => [name, counted(operator)]),
    );
  return Context.init({
    expression: chosen(expressions, names) as never,
    accumulator: chosen(accumulators, accumulatorNames) as never,
  });
}

/**
 * Compiles a checked expression. It throws InvalidInput when a value does not fit, or when one document takes too many steps.
 * @param outer counts its steps together with others'
 */
export function compileExpression({ checked }: Expression, outer?: Steps): (document: Fields) => Value | undefined {
  const steps = new Steps(maxExpressionSteps);
  const options = { context: contextOf(steps), scriptEnabled: false } as never;
  return (document) => {
    steps.reset();
    const value = guarded(() => evalExpr(document as never, checked as never, options)) as Value | undefined;
    outer?.take(steps.taken);
    return value;
  };
}

/** Runs mingo; what it throws over a value of a wrong type becomes an error for the caller. */
export function guarded<T>(run: () => T, at = ""): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof AppError) throw error;
    const why =
      error instanceof MingoError ? error.message.slice(0, 200) : "a value is not of the type that the operator takes";
    throw new InvalidInput(at, why);
  }
}
