/** Schemas of input. Everything from outside is parsed with one of them before anything is written. */
import * as v from "valibot";
import { InvalidInput } from "./errors.ts";
import { telephone } from "./phone.ts";
import { maxDescription } from "./protocol.ts";
import { isVisible, lengthOf, oneLine, severalLines, whyRefused } from "./text.ts";

/**
 * Parses `input` with the schema.
 * @param name of the whole, where it is a parameter or a part @throws InvalidInput naming the first invalid field by its path
 */
export function parse<S extends v.GenericSchema>(schema: S, input: unknown, name = ""): v.InferOutput<S> {
  const result = v.safeParse(schema, input, { abortEarly: true });
  const named = (path: readonly unknown[]) => [...(name === "" ? [] : [name]), ...path].join(".");
  if (result.success) {
    const path = arrayAsObject(input, result.output);
    if (path !== undefined) throw new InvalidInput(named(path), "expected an object");
    return result.output;
  }
  const issue = result.issues[0];
  throw new InvalidInput(named((issue.path ?? []).map(({ key }) => String(key).slice(0, 40))), reason(issue));
}

/** The path of an array where an object was expected: valibot accepts it as an object without members. */
function arrayAsObject(input: unknown, output: unknown): string[] | undefined {
  if (input === output || output === null || typeof output !== "object") return undefined;
  if (Array.isArray(input) && !Array.isArray(output)) return [];
  for (const [name, part] of Object.entries(output)) {
    const path = arrayAsObject((input as Record<string, unknown> | undefined)?.[name], part);
    if (path !== undefined) return [name, ...path];
  }
  return undefined;
}

/**
 * Says what was expected, in words for the person who typed it: never a pattern, and never the received value, which may
 * be long or personal.
 */
export function reason(issue: v.BaseIssue<unknown>): string {
  if (issue.kind === "schema" && issue.type === "strict_object" && issue.expected === "never")
    return "is not a known field";
  if (issue.input === undefined && issue.kind === "schema") return `is missing; expected ${expected(issue)}`;
  if (issue.kind !== "schema" && issue.expected === null) return issue.message;
  return `expected ${expected(issue)}`;
}

/** valibot's type → plain words. */
const kinds: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  boolean: "true or false",
  array: "a list",
  object: "an object",
  strict_object: "an object",
  record: "an object",
  variant: "an object",
};
/** Types of which valibot lists the choices. */
const oneOf = new Set(["picklist", "literal", "union", "variant"]);

function expected(issue: v.BaseIssue<unknown>): string {
  const { type } = issue;
  // A variant that is no object at all is told as an object, as its members are.
  if (oneOf.has(type) && issue.expected !== "Object")
    return `one of ${String(issue.expected)
      .replace(/^\((.*)\)$/, "$1")
      .replaceAll(" | ", ", ")}`.slice(0, 200);
  if (issue.kind === "schema") return kinds[type] ?? type;
  const { requirement } = issue as { requirement?: unknown };
  if (type === "min_value") return `at least ${String(requirement)}`;
  if (type === "max_value") return `at most ${String(requirement)}`;
  return issue.message.slice(0, 200);
}

/** ASCII, so that every engine compares it byte by byte; no space, so that MySQL's padding cannot make two ids equal. */
export const id = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9_-]{1,40}$/, "letters a to z, digits, - and _ only, at most 40"),
);
export const ulid = v.pipe(v.string(), v.regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, "a ULID"));
export const idempotencyKey = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9._~:-]{8,64}$/, "8 to 64 letters a to z, digits and . _ ~ : -"),
);
export const streamName = v.pipe(
  v.string(),
  v.regex(/^(shop|user|menu|board|room|presence):[A-Za-z0-9_-]{1,40}$/, "kind:id, such as shop:noodles"),
);
/** What `wx.login` gives. */
export const loginCode = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,128}$/, "a code of wx.login"));
/** The id of a mini-program. */
export const appId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,64}$/, "an app id"));
const base64 = (max: number) =>
  v.pipe(v.string(), v.maxLength(max, `at most ${max} characters`), v.regex(/^[A-Za-z0-9+/_-]+={0,2}$/, "base64"));
export const encryptedData = base64(20_000);
export const iv = base64(64);
/** As SDKs leave it out: absent, null or empty. */
export const optionalIv = v.nullish(v.union([v.literal(""), iv]));
export const day = v.pipe(v.string(), v.isoDate("a date, such as 2026-11-21"));
export const flag = v.boolean();

/** An amount of money in fen, at most a million yuan. */
export const maxFen = 100_000_000;
export const fen = v.pipe(v.number(), v.integer("an integer of fen"), v.minValue(0), v.maxValue(maxFen));

export const integer = (min: number, max: number) =>
  v.pipe(v.number(), v.integer("an integer"), v.minValue(min), v.maxValue(max));

/** A number as it stands in a path or a query. */
export const digits = (min: number, max: number) =>
  v.pipe(v.string(), v.regex(/^\d{1,15}$/, "digits"), v.transform(Number), v.minValue(min), v.maxValue(max));

/** Text from a person: rejected for control characters, folded, then measured. */
const folded = (fold: (text: string) => string, max: number, min: number) =>
  v.pipe(
    v.string(),
    v.rawCheck(({ dataset, addIssue }) => {
      const why = dataset.typed ? whyRefused(dataset.value) : undefined;
      if (why !== undefined) addIssue({ message: `holds ${why}` });
    }),
    v.transform(fold),
    v.check((value) => lengthOf(value) <= max, `at most ${max} characters`),
    v.check((value) => lengthOf(value) >= min && (min === 0 || isVisible(value)), "something that can be read"),
  );

/** One line of text that a person typed. With `min` it must hold something visible. */
export const text = (max: number, min = 0) => folded(oneLine, max, min);

/** Several lines of text that a person typed. */
export const lines = (max: number, min = 0) => folded(severalLines, max, min);

/** A telephone number, normalised to the form that can be dialled. */
export const phone = v.pipe(
  v.string(),
  v.maxLength(60, "one telephone number"),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const number = telephone(dataset.value);
    if (number !== undefined) return number;
    addIssue({ message: "one telephone number of 5 to 15 digits; an extension behind x, # or 转" });
    return NEVER;
  }),
);

const inLanguages = <S extends ReturnType<typeof text>>(one: S, what: string) =>
  v.pipe(
    v.strictObject({ zh: v.optional(one), en: v.optional(one) }),
    v.check(({ zh, en }) => zh !== undefined || en !== undefined, `${what} in zh or en`),
  );

/** A name in zh, en or both. */
export const names = inLanguages(text(60, 1), "a name");

export const description = inLanguages(lines(maxDescription, 1), "a text");
