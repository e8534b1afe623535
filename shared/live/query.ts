/**
 * Queries in MongoDB's terms, checked and reduced to a few operators.
 *
 * What the matcher, the narrowing and the rules read is a `Condition`: the others (`$ne`, `$nin`, `$not`, `$all`, a regular expression
 * in a list) are written with these. An unknown operator is refused with its name and path; nothing is ignored.
 */
import { InvalidInput, NotSupported } from "../errors.ts";
import { type Expression, parseExpression } from "./expression.ts";
import { pathOf, quoted, step } from "./field_name.ts";
import { maxListed, maxQueryDepth, maxQueryNodes } from "./limits.ts";
import { compilePattern, type Pattern } from "./pattern.ts";
import { isScalar, type Scalar, type Value } from "./value.ts";
import { decode, isWrapped } from "./wire_value.ts";

/** What a field's value is tested for. A field that is missing has the value null; an array is tested itself and by its elements. */
export type Test =
  | { readonly op: "eq"; readonly value: Value }
  | { readonly op: "in"; readonly values: readonly Value[] }
  | { readonly op: "gt" | "gte" | "lt" | "lte"; readonly value: Exclude<Scalar, null> }
  | { readonly op: "exists" }
  | { readonly op: "size"; readonly value: number }
  | { readonly op: "mod"; readonly divisor: number; readonly remainder: number }
  | { readonly op: "pattern"; readonly pattern: Pattern }
  /** Some element satisfies all of it. `plain`: the condition's only path is `element`, the element itself. */
  | { readonly op: "element"; readonly plain: boolean; readonly condition: Condition };

/** A query, checked. `all: []` is true of every document, `any: []` of none. */
export type Condition =
  | { readonly all: readonly Condition[] }
  | { readonly any: readonly Condition[] }
  | { readonly none: readonly Condition[] }
  | { readonly path: string; readonly test: Test }
  | { readonly expression: Expression };

export const everything: Condition = { all: [] };
export const nothing: Condition = { any: [] };

/** The name under which an element of `$elemMatch` stands in its condition, when it is tested itself. */
export const element = "element";

export interface QueryContext {
  /** Milliseconds: what `serverDate` means in this query. */
  readonly now: number;
  /** The user's `_openid`, which replaces the text `{openid}`. */
  readonly owner?: string | undefined;
}

/** Checks a query. @param input the parsed JSON or EJSON @throws InvalidInput, NotSupported */
export function parseQuery(input: unknown, context: QueryContext, at = ""): Condition {
  return new Reader(context).condition(input, at, 0);
}

/** Checks what `$pull` and `$elemMatch` hold: operators on an element itself, or a query on an element's fields. */
export function parseElement(input: unknown, context: QueryContext, at: string): Extract<Test, { op: "element" }> {
  return new Reader(context).element(input, at, 0);
}

const geo = /^\$(geo|near|box|center|polygon|maxDistance|minDistance)/;
const unsupported: ReadonlySet<string> = new Set(["$where", "$text", "$jsonSchema", "$type", "$comment"]);

class Reader {
  readonly #context: QueryContext;
  #nodes = 0;

  constructor(context: QueryContext) {
    this.#context = context;
  }

  condition(input: unknown, at: string, depth: number): Condition {
    const all = Object.entries(objectOf(input, at)).map(([name, value]): Condition => {
      const inner = step(at, name);
      this.#count(inner, depth);
      if (name === "$and") return { all: this.#conditions(value, inner, depth) };
      if (name === "$or") return { any: this.#conditions(value, inner, depth) };
      if (name === "$nor") return { none: this.#conditions(value, inner, depth) };
      if (name === "$expr") return { expression: parseExpression(value, this.#context.now, inner) };
      if (name.startsWith("$")) throw unknown(name, at);
      pathOf(name, inner);
      return this.#field(name, value, inner, depth);
    });
    return all.length === 1 && all[0] !== undefined ? all[0] : { all };
  }

  element(input: unknown, at: string, depth: number): Extract<Test, { op: "element" }> {
    this.#count(at, depth);
    const names = isOperators(input) ? Object.keys(input) : [];
    const plain = names.length > 0 && !names.some((name) => ["$and", "$or", "$nor"].includes(name));
    const condition = plain ? this.#field(element, input, at, depth + 1) : this.condition(input, at, depth + 1);
    return { op: "element", plain, condition };
  }

  #conditions(input: unknown, at: string, depth: number): Condition[] {
    if (!Array.isArray(input) || input.length === 0)
      throw new InvalidInput(at, "expected a list with at least one query");
    return input.map((one, nth) => this.condition(one, step(at, nth), depth + 1));
  }

  /** One field's operators; or a value, which it must be equal to. */
  #field(path: string, input: unknown, at: string, depth: number): Condition {
    if (isRegularExpression(input)) return this.#regularExpression(path, input, at);
    if (!isOperators(input)) return this.#equal(path, input, at, depth);
    const all = Object.entries(input)
      .filter(([name]) => name !== "$options" || input.$regex === undefined)
      .map(([name, value]) => {
        const inner = step(at, name);
        this.#count(inner, depth);
        return name === "$regex"
          ? this.#pattern(path, value, input.$options ?? "", inner)
          : this.#operator(path, name, value, inner, depth);
      });
    return all.length === 1 && all[0] !== undefined ? all[0] : { all };
  }

  #operator(path: string, name: string, input: unknown, at: string, depth: number): Condition {
    switch (name) {
      case "$eq":
        return this.#equal(path, input, at, depth);
      case "$ne":
        return { none: [this.#equal(path, input, at, depth)] };
      case "$gt":
      case "$gte":
      case "$lt":
      case "$lte":
        return this.#compared(path, name.slice(1) as "gt" | "gte" | "lt" | "lte", input, at);
      case "$in":
        return this.#listed(path, input, at);
      case "$nin":
        return { none: [this.#listed(path, input, at)] };
      case "$not":
        return { none: [this.#negated(path, input, at, depth)] };
      case "$exists": {
        const exists: Condition = { path, test: { op: "exists" } };
        return truthOf(decode(input, 0, at), at) ? exists : { none: [exists] };
      }
      // MongoDB defines $all as a conjunction. An empty list matches nothing.
      case "$all": {
        const all = this.#list(input, at).map((one, nth) => this.#allOf(path, one, step(at, nth), depth));
        return all.length === 0 ? nothing : { all };
      }
      default:
        return { path, test: this.#test(name, input, at, depth) };
    }
  }

  #test(name: string, input: unknown, at: string, depth: number): Test {
    switch (name) {
      case "$size":
        return { op: "size", value: integerOf(decode(input, 0, at), at) };
      case "$mod": {
        const [divisor, remainder, ...more] = this.#list(input, at).map((one) => decode(one, 0, at));
        const test: Test = { op: "mod", divisor: integerOf(divisor, at), remainder: integerOf(remainder, at) };
        if (more.length > 0 || divisor === 0) throw new InvalidInput(at, "expected a divisor and a remainder");
        return test;
      }
      case "$elemMatch":
        return this.element(input, at, depth + 1);
      default:
        throw unknown(name, at.slice(0, Math.max(0, at.length - name.length - 1)));
    }
  }

  #equal(path: string, input: unknown, at: string, depth: number): Condition {
    if (isRegularExpression(input)) return this.#regularExpression(path, input, at);
    const value = this.#value(input, at, depth);
    return { path, test: { op: "eq", value } };
  }

  #compared(path: string, op: "gt" | "gte" | "lt" | "lte", input: unknown, at: string): Condition {
    const value = this.#value(input, at, 0);
    if (!isScalar(value)) throw new NotSupported("an order of lists or objects", at);
    // Null is equal to itself, and neither more nor less.
    if (value === null) return op === "gte" || op === "lte" ? { path, test: { op: "eq", value } } : nothing;
    return { path, test: { op, value } };
  }

  #listed(path: string, input: unknown, at: string): Condition {
    const list = this.#list(input, at);
    const patterns = list.flatMap((one, nth) =>
      isRegularExpression(one) ? [this.#regularExpression(path, one, step(at, nth))] : [],
    );
    const values = list
      .filter((one) => !isRegularExpression(one))
      .map((one, nth) => this.#value(one, step(at, nth), 0));
    const listed: Condition = { path, test: { op: "in", values } };
    return patterns.length === 0 ? listed : { any: [listed, ...patterns] };
  }

  #negated(path: string, input: unknown, at: string, depth: number): Condition {
    if (depth >= maxQueryDepth) throw new InvalidInput(at, `is nested more than ${maxQueryDepth} deep`);
    if (!isOperators(input) && !isRegularExpression(input)) throw new InvalidInput(at, "$not holds operators");
    return this.#field(path, input, at, depth + 1);
  }

  #allOf(path: string, input: unknown, at: string, depth: number): Condition {
    if (isOperators(input) && Object.keys(input).join() === "$elemMatch") return this.#field(path, input, at, depth);
    return this.#equal(path, input, at, depth);
  }

  #regularExpression(path: string, input: unknown, at: string): Condition {
    this.#count(at, 0);
    const { $regularExpression: inner, $regex, $options } = input as Readonly<Record<string, unknown>>;
    if (inner === undefined) return this.#pattern(path, $regex, $options ?? "", at);
    const { pattern, options } = objectOf(inner, at);
    return this.#pattern(path, pattern, options ?? "", at);
  }

  #pattern(path: string, source: unknown, options: unknown, at: string): Condition {
    return { path, test: { op: "pattern", pattern: compilePattern(source, options, at) } };
  }

  #list(input: unknown, at: string): readonly unknown[] {
    if (!Array.isArray(input)) throw new InvalidInput(at, "expected a list");
    if (input.length > maxListed) throw new InvalidInput(at, `a list of a query has at most ${maxListed} values`);
    for (const _ of input) this.#count(at, 0);
    return input;
  }

  #value(input: unknown, at: string, depth: number): Value {
    this.#count(at, depth);
    const value = decode(input, this.#context.now, at);
    this.#countValue(value, at);
    return value === "{openid}" && this.#context.owner !== undefined ? this.#context.owner : value;
  }

  #countValue(value: Value, at: string): void {
    if (value === null || typeof value !== "object" || value instanceof Date) return;
    for (const one of Object.values(value)) {
      this.#count(at, 0);
      this.#countValue(one, at);
    }
  }

  #count(at: string, depth: number): void {
    if (depth > maxQueryDepth) throw new InvalidInput(at, `is nested more than ${maxQueryDepth} deep`);
    this.#nodes += 1;
    if (this.#nodes > maxQueryNodes)
      throw new InvalidInput(at, `a query has at most ${maxQueryNodes} operators and values together`);
  }
}

/** An object whose names begin with `$`: operators, neither a value nor a wrapped value. */
function isOperators(input: unknown): input is Readonly<Record<string, unknown>> {
  if (typeof input !== "object" || input === null || Array.isArray(input) || isWrapped(input)) return false;
  return Object.keys(input).some((name) => name.startsWith("$"));
}

/** `{$regex, $options}` or EJSON's `{$regularExpression}`, alone. */
function isRegularExpression(input: unknown): boolean {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return false;
  const names = Object.keys(input).toSorted().join();
  return names === "$regex" || names === "$options,$regex" || names === "$regularExpression";
}

function unknown(name: string, at: string): InvalidInput | NotSupported {
  if (geo.test(name) || unsupported.has(name)) return new NotSupported(name, at);
  return new InvalidInput(at, `${quoted(name)} is not a known operator`);
}

function objectOf(input: unknown, at: string): Readonly<Record<string, unknown>> {
  if (typeof input !== "object" || input === null || Array.isArray(input))
    throw new InvalidInput(at, "expected an object");
  return input as Readonly<Record<string, unknown>>;
}

function integerOf(value: Value | undefined, at: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw new InvalidInput(at, "expected an integer");
  return value;
}

function truthOf(value: Value, at: string): boolean {
  if (typeof value === "boolean" || typeof value === "number") return Boolean(value);
  throw new InvalidInput(at, "expected true or false");
}
