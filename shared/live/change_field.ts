/** What each update operator does to one field's value. */
import { InvalidInput } from "../errors.ts";
import { pathOf, quoted, step } from "./field_name.ts";
import { maxPushed } from "./limits.ts";
import { compileElement } from "./match.ts";
import { parseElement, type QueryContext } from "./query.ts";
import { compare, isFields, isList, isSame, type Value } from "./value.ts";
import { decode, isWrapped } from "./wire_value.ts";

/** A change of one field; `apply` gets undefined for a missing field and gives undefined for none. */
export type Change =
  | { readonly kind: "value"; apply(old: Value | undefined): Value | undefined }
  | { readonly kind: "rename"; readonly to: string };

type Operator = (input: unknown, context: QueryContext, at: string) => (old: Value | undefined) => Value | undefined;

/** Checks an operator's argument. @param at the path of the argument in the request @throws InvalidInput, NotSupported */
export function changeOf(operator: string, input: unknown, context: QueryContext, at: string): Change {
  if (operator === "$rename") {
    if (typeof input !== "string") throw new InvalidInput(at, "$rename holds the new path");
    pathOf(input, at);
    return { kind: "rename", to: input };
  }
  const make = operators[operator];
  if (make === undefined) throw new InvalidInput(at, `${quoted(operator)} is not a known operator`);
  return { kind: "value", apply: make(input, context, at) };
}

const operators: Readonly<Record<string, Operator>> = {
  $set: (input, { now }, at) => {
    const value = decode(input, now, at);
    return () => value;
  },
  $unset: () => () => undefined,
  $inc: (input, { now }, at) => arithmetic(decode(input, now, at), (old, by) => old + by, at),
  $mul: (input, { now }, at) => arithmetic(decode(input, now, at), (old, by) => old * by, at),
  $min: (input, { now }, at) => {
    const value = decode(input, now, at);
    return (old) => (old === undefined || compare(value, old) < 0 ? value : old);
  },
  $max: (input, { now }, at) => {
    const value = decode(input, now, at);
    return (old) => (old === undefined || compare(value, old) > 0 ? value : old);
  },
  $bit: bits,
  $push: push,
  $addToSet: (input, { now }, at) => {
    const values = modifiersOf(input, at) === undefined ? [decode(input, now, at)] : eachOf(input, now, at, ["$each"]);
    return (old) => {
      const set = [...listOf(old, at)];
      for (const value of values) if (!set.some((one) => isSame(one, value))) set.push(value);
      return set;
    };
  },
  $pop: (input, { now }, at) => {
    const end = decode(input, now, at);
    if (end !== 1 && end !== -1) throw new InvalidInput(at, "expected 1 for the last or -1 for the first");
    return (old) =>
      old === undefined ? undefined : end === 1 ? listOf(old, at).slice(0, -1) : listOf(old, at).slice(1);
  },
  $pull: pull,
  $pullAll: (input, { now }, at) => {
    const values = decode(input, now, at);
    if (!isList(values) || values.length > maxPushed)
      throw new InvalidInput(at, `expected a list of at most ${maxPushed}`);
    return (old) =>
      old === undefined ? undefined : listOf(old, at).filter((one) => !values.some((value) => isSame(one, value)));
  },
};

export const operatorNames: ReadonlySet<string> = new Set([...Object.keys(operators), "$rename"]);

/** A missing field counts as 0. */
function arithmetic(by: Value, compute: (old: number, by: number) => number, at: string) {
  if (typeof by !== "number") throw new InvalidInput(at, "expected a number");
  return (old: Value | undefined): Value => {
    const value = compute(numberOf(old, at), by);
    if (!Number.isFinite(value)) throw new InvalidInput(at, "the result is no finite number");
    return value === 0 ? 0 : value;
  };
}

function numberOf(old: Value | undefined, at: string): number {
  if (old === undefined) return 0;
  if (typeof old !== "number") throw new InvalidInput(at, "the field holds no number");
  return old;
}

const bitwise: Readonly<Record<string, (a: number, b: number) => number>> = {
  and: (a, b) => a & b,
  or: (a, b) => a | b,
  xor: (a, b) => a ^ b,
};

function bits(input: unknown, { now }: QueryContext, at: string) {
  const value = decode(input, now, at);
  const [[name, mask] = ["", undefined], ...more] = isFields(value) ? Object.entries(value) : [];
  const compute = Object.hasOwn(bitwise, name) ? bitwise[name] : undefined;
  if (compute === undefined || more.length > 0 || typeof mask !== "number" || mask !== (mask | 0))
    throw new InvalidInput(at, "expected and, or or xor with an integer of 32 bits");
  return (old: Value | undefined): Value => {
    const number = numberOf(old, at);
    if (number !== (number | 0)) throw new InvalidInput(at, "the field holds no integer of 32 bits");
    return compute(number, mask);
  };
}

/** A missing field is an empty list. */
function listOf(old: Value | undefined, at: string): readonly Value[] {
  if (old === undefined) return [];
  if (!isList(old)) throw new InvalidInput(at, "the field holds no list");
  return old;
}

/** `{$each, …}`; undefined when the value itself is what is added. */
function modifiersOf(input: unknown, at: string): Readonly<Record<string, unknown>> | undefined {
  if (typeof input !== "object" || input === null || Array.isArray(input) || isWrapped(input)) return undefined;
  if (!Object.keys(input).some((name) => name.startsWith("$"))) return undefined;
  if (!Object.hasOwn(input, "$each")) throw new InvalidInput(at, "modifiers stand beside $each");
  return input as Readonly<Record<string, unknown>>;
}

function eachOf(input: unknown, now: number, at: string, known: readonly string[]): readonly Value[] {
  const modifiers = modifiersOf(input, at) ?? {};
  for (const name of Object.keys(modifiers))
    if (!known.includes(name)) throw new InvalidInput(at, `${quoted(name)} is not a known modifier`);
  const values = decode(modifiers.$each, now, step(at, "$each"));
  if (!isList(values) || values.length > maxPushed)
    throw new InvalidInput(step(at, "$each"), `expected a list of at most ${maxPushed}`);
  return values;
}

function push(input: unknown, { now }: QueryContext, at: string) {
  const modifiers = modifiersOf(input, at);
  const values =
    modifiers === undefined
      ? [decode(input, now, at)]
      : eachOf(input, now, at, ["$each", "$position", "$sort", "$slice"]);
  const position = integerOf(modifiers?.$position, step(at, "$position"));
  const slice = integerOf(modifiers?.$slice, step(at, "$slice"));
  const order = modifiers?.$sort === undefined ? undefined : comparatorOf(decode(modifiers.$sort, now, at), at);
  return (old: Value | undefined): Value => {
    const list = listOf(old, at);
    const added = list.toSpliced(position ?? list.length, 0, ...values);
    const sorted = order === undefined ? added : added.toSorted(order);
    if (slice === undefined) return sorted;
    return slice < 0 ? sorted.slice(slice) : sorted.slice(0, slice);
  };
}

function integerOf(input: unknown, at: string): number | undefined {
  if (input === undefined) return undefined;
  const value = decode(input, 0, at);
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new InvalidInput(at, "expected an integer");
  return value;
}

/** 1, -1, or fields of the elements with 1 or -1. */
function comparatorOf(sort: Value, at: string): (a: Value, b: Value) => number {
  if (sort === 1 || sort === -1) return (a, b) => sort * compare(a, b);
  const fields = isFields(sort) ? Object.entries(sort) : [];
  if (fields.length === 0 || fields.some(([, way]) => way !== 1 && way !== -1))
    throw new InvalidInput(at, "$sort holds 1, -1, or fields with 1 or -1");
  return (a, b) => {
    for (const [name, way] of fields) {
      const found = compare(isFields(a) ? a[name] : undefined, isFields(b) ? b[name] : undefined);
      if (found !== 0) return Number(way) * found;
    }
    return 0;
  };
}

/** A value: elements equal to it. Operators, or fields: elements that match them. */
function pull(input: unknown, context: QueryContext, at: string) {
  const isQuery = typeof input === "object" && input !== null && !Array.isArray(input) && !isWrapped(input);
  const remove = isQuery ? compileElement(parseElement(input, context, at)) : sameAs(decode(input, context.now, at));
  return (old: Value | undefined): Value | undefined => {
    if (old === undefined) return undefined;
    return listOf(old, at).filter((one) => !remove(one));
  };
}

const sameAs = (value: Value) => (one: Value) => isSame(one, value);
