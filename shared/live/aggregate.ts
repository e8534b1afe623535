/**
 * Aggregation: the common stages, on mingo.
 *
 * Each stage runs to its end before the next, with what it made counted: a stage that multiplies (`$unwind`, texts that double) ends
 * with an error instead of the process's memory.
 */
import { Aggregator } from "mingo/aggregator";
import type { Context } from "mingo/core";
import * as stages from "mingo/operators/pipeline";
import { InvalidInput, NotSupported } from "../errors.ts";
import { accumulatorNames, contextOf, type Expression, guarded, parseExpression } from "./expression.ts";
import { isIndex, pathOf, quoted, step } from "./field_name.ts";
import { maxBuckets, maxSkip, maxStages, maxSteadySteps, maxSteps } from "./limits.ts";
import { compileMatch, type Match } from "./match.ts";
import { type Condition, parseQuery, type QueryContext } from "./query.ts";
import { parseOrder } from "./sort.ts";
import { Steps } from "./steps.ts";
import { compare, type Document, type Fields, isList, type Value } from "./value.ts";
import { decode } from "./wire_value.ts";

type Rows = readonly Fields[];
type Stage = (rows: Rows, context: Context) => Rows;

/** An aggregation, checked. `condition` is that of its first `$match`, which narrows what is read. */
export interface Pipeline {
  readonly condition: Condition;
  readonly stages: readonly Stage[];
}

/** Checks a pipeline: a list of `{$stage: value}`. @throws InvalidInput, NotSupported with the stage's name and path */
export function parsePipeline(input: unknown, context: QueryContext, at = "pipeline"): Pipeline {
  if (!Array.isArray(input)) throw new InvalidInput(at, "expected a list of stages");
  if (input.length > maxStages) throw new InvalidInput(at, `an aggregation has at most ${maxStages} stages`);
  let condition: Condition = { all: [] };
  const made = input.map((one: unknown, nth) => {
    const [[name, value] = ["", undefined], ...more] =
      typeof one === "object" && one !== null ? Object.entries(one) : [];
    const inner = step(at, nth);
    if (name === "" || more.length > 0) throw new InvalidInput(inner, "a stage has one operator");
    if (name === "$match") {
      const parsed = parseQuery(value, context, step(inner, name));
      if (nth === 0) condition = parsed;
      return filter(compileMatch(parsed, new Steps(maxSteadySteps)));
    }
    if (name === "$bucket") return bucket(value, context, step(inner, name));
    const parse = Object.hasOwn(parsers, name) ? parsers[name] : undefined;
    if (parse === undefined) throw stageError(name, inner);
    return run(name, parse(value, context, step(inner, name)), step(inner, name));
  });
  return { condition, stages: made };
}

/** Runs a checked pipeline. @param documents at most `maxAggregated` @throws InvalidInput when a value does not fit, or by the count of steps */
export function aggregate(documents: readonly Document[], pipeline: Pipeline, most = maxSteps): Fields[] {
  const steps = new Steps(most);
  const context = contextOf(steps);
  steps.weigh(documents);
  const rows = pipeline.stages.reduce<Rows>((before, stage) => {
    const after = stage(before, context);
    steps.weigh(after);
    return after;
  }, documents);
  return [...rows];
}

const filter =
  (match: Match): Stage =>
  (rows) =>
    rows.filter((row) => match(row));

/** One stage of mingo, with its operators counted. */
function run(name: string, value: unknown, at: string): Stage {
  const operator = (stages as unknown as Readonly<Record<string, never>>)[name];
  return (rows, context) =>
    guarded(() => {
      const own = context.addPipelineOps({ [name]: operator } as never);
      const aggregator = new Aggregator([{ [name]: value }] as never, { context: own, scriptEnabled: false } as never);
      return aggregator.run(rows as never) as unknown as Rows;
    }, at);
}

type Parse = (input: unknown, context: QueryContext, at: string) => unknown;

const expression = (input: unknown, { now }: QueryContext, at: string) => parseExpression(input, now, at).checked;

const parsers: Readonly<Record<string, Parse>> = {
  $addFields: fieldsOf,
  $set: fieldsOf,
  $project: fieldsOf,
  $unset: (input, _, at) => namesOf(input, at),
  $group: groupOf,
  $sortByCount: expression,
  $count: (input, _, at) => nameOf(input, at),
  $limit: (input, _, at) => countOf(input, at, 1),
  $skip: (input, _, at) => countOf(input, at, 0),
  $sort: (input, _, at) => {
    const order = parseOrder(typeof input === "object" && input !== null ? decode(input, 0, at) : input, at);
    if (order.length === 0) throw new InvalidInput(at, "expected fields with 1 or -1");
    return Object.fromEntries(order.map(({ path, descending }) => [path, descending ? -1 : 1]));
  },
  $unwind: unwindOf,
  $replaceRoot: (input, context, at) => ({
    newRoot: expression(objectOf(input, at).newRoot, context, step(at, "newRoot")),
  }),
  $replaceWith: expression,
  $bucketAuto: bucketAutoOf,
};

function stageError(name: string, at: string): InvalidInput | NotSupported {
  if (name.startsWith("$") && Object.hasOwn(stages, name)) return new NotSupported(name, at);
  if (name === "$geoNear") return new NotSupported(name, at);
  return new InvalidInput(at, `${quoted(name)} is not a known stage`);
}

function objectOf(input: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof input !== "object" || input === null || Array.isArray(input))
    throw new InvalidInput(at, "expected an object");
  return input as Readonly<Record<string, unknown>>;
}

function fieldsOf(input: unknown, context: QueryContext, at: string): Readonly<Record<string, Expression["checked"]>> {
  return Object.fromEntries(
    Object.entries(objectOf(input, at)).map(([path, one]) => {
      // mingo would fill a list up to the place.
      if (pathOf(path, step(at, path)).some(isIndex)) throw new NotSupported("a place in a list", step(at, path));
      return [path, expression(one, context, step(at, path))];
    }),
  );
}

function namesOf(input: unknown, at: string): readonly string[] {
  const names = Array.isArray(input) ? input : [input];
  return names.map((name: unknown, nth) => {
    if (typeof name !== "string") throw new InvalidInput(step(at, nth), "expected a field's name");
    pathOf(name, step(at, nth));
    return name;
  });
}

function nameOf(input: unknown, at: string): string {
  if (typeof input !== "string") throw new InvalidInput(at, "expected a field's name");
  if (pathOf(input, at).length > 1) throw new InvalidInput(at, "expected a name without dots");
  return input;
}

function countOf(input: unknown, at: string, least: number, most = maxSkip): number {
  const value = decode(input, 0, at);
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < least || value > most)
    throw new InvalidInput(at, `expected an integer from ${least} to ${most}`);
  return value;
}

/** Fields that are accumulated: `{name: {$sum: expression}}`. */
function accumulatedOf(input: Readonly<Record<string, unknown>>, context: QueryContext, at: string) {
  return Object.fromEntries(
    Object.entries(input).map(([name, one]) => {
      const inner = step(at, name);
      nameOf(name, inner);
      const [[operator, value] = ["", undefined], ...more] = Object.entries(objectOf(one, inner));
      if (more.length > 0 || operator === "") throw new InvalidInput(inner, "expected one accumulator");
      if (!accumulatorNames.has(operator)) throw new NotSupported(operator, inner);
      return [name, { [operator]: expression(value, context, step(inner, operator)) }];
    }),
  );
}

function groupOf(input: unknown, context: QueryContext, at: string) {
  const { _id, ...fields } = objectOf(input, at);
  if (_id === undefined) throw new InvalidInput(at, '"_id" is missing: what to group by');
  return { _id: expression(_id, context, step(at, "_id")), ...accumulatedOf(fields, context, at) };
}

function unwindOf(input: unknown, _: QueryContext, at: string) {
  const options = typeof input === "string" ? { path: input } : objectOf(input, at);
  const { path, includeArrayIndex, preserveNullAndEmptyArrays = false, ...more } = options as Record<string, unknown>;
  if (typeof path !== "string" || !path.startsWith("$"))
    throw new InvalidInput(at, "expected a path that begins with $");
  pathOf(path.slice(1), at);
  if (Object.keys(more).length > 0 || typeof preserveNullAndEmptyArrays !== "boolean")
    throw new InvalidInput(at, "expected path, includeArrayIndex, preserveNullAndEmptyArrays");
  const index = includeArrayIndex === undefined ? {} : { includeArrayIndex: nameOf(includeArrayIndex, at) };
  return { path, ...index, preserveNullAndEmptyArrays };
}

/** Written as `$group` and `$sort`: mingo's own puts a value that is a boundary into the bucket before it. */
function bucket(input: unknown, context: QueryContext, at: string): Stage {
  const { groupBy, boundaries, default: other, output = { count: { $sum: 1 } }, ...more } = objectOf(input, at);
  refuseMore(more, at);
  const by = expression(groupBy, context, step(at, "groupBy"));
  const bounds = boundariesOf(boundaries, step(at, "boundaries"));
  const branches = bounds.slice(0, -1).map((from, nth) => ({
    case: { $and: [{ $gte: [by, { $literal: from }] }, { $lt: [by, { $literal: bounds[nth + 1] }] }] },
    // biome-ignore lint/suspicious/noThenProperty: MongoDB's name
    then: { $literal: from },
  }));
  const last = other === undefined ? {} : { default: { $literal: decode(other, context.now, step(at, "default")) } };
  const fields = accumulatedOf(objectOf(output, at), context, step(at, "output"));
  const group = run("$group", { _id: { $switch: { branches, ...last } }, ...fields }, at);
  const sort = run("$sort", { _id: 1 }, at);
  return (rows, own) => sort(group(rows, own), own);
}

function bucketAutoOf(input: unknown, context: QueryContext, at: string) {
  const { groupBy, buckets, output, ...more } = objectOf(input, at);
  refuseMore(more, at);
  const by = expression(groupBy, context, step(at, "groupBy"));
  const count = countOf(buckets, step(at, "buckets"), 1, maxBuckets);
  if (output === undefined) return { groupBy: by, buckets: count };
  return {
    groupBy: by,
    buckets: count,
    output: accumulatedOf(objectOf(output, at), context, step(at, "output")),
  };
}

function refuseMore(more: object, at: string): void {
  const [name] = Object.keys(more);
  if (name !== undefined) throw new NotSupported(name, at);
}

function boundariesOf(input: unknown, at: string): readonly Value[] {
  const value = decode(input, 0, at);
  if (!isList(value) || value.length < 2 || value.length > maxBuckets)
    throw new InvalidInput(at, `expected 2 to ${maxBuckets} values`);
  for (const [nth, one] of value.entries())
    if (nth > 0 && compare(value[nth - 1], one) >= 0) throw new InvalidInput(at, "expected values in rising order");
  return value;
}
