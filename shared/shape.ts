/** The shapes that input may have. Everything from outside passes here, whole, before anything is written. */
import * as v from "valibot";
import { InvalidInput } from "./errors.ts";

/**
 * Checks `input` against the shape and gives it back, typed.
 * @param name of the whole, where it is a parameter or a part @throws InvalidInput naming the first culprit by its path
 */
export function check<S extends v.GenericSchema>(shape: S, input: unknown, name = ""): v.InferOutput<S> {
  const result = v.safeParse(shape, input, { abortEarly: true });
  const named = (path: readonly unknown[]) => [...(name === "" ? [] : [name]), ...path].join(".");
  if (result.success) {
    const place = arrayTaken(input, result.output);
    if (place !== undefined) throw new InvalidInput(named(place), "expected an object");
    return result.output;
  }
  const issue = result.issues[0];
  throw new InvalidInput(named((issue.path ?? []).map(({ key }) => String(key).slice(0, 40))), reason(issue));
}

/** Where an array was taken for an object: to valibot it is one, without members. */
function arrayTaken(input: unknown, output: unknown): string[] | undefined {
  if (input === output || output === null || typeof output !== "object") return undefined;
  if (Array.isArray(input) && !Array.isArray(output)) return [];
  for (const [name, part] of Object.entries(output)) {
    const place = arrayTaken((input as Record<string, unknown> | undefined)?.[name], part);
    if (place !== undefined) return [name, ...place];
  }
  return undefined;
}

/** What was expected, without repeating what was received: that may be long or personal. */
function reason(issue: v.BaseIssue<unknown>): string {
  if (issue.kind === "schema" && issue.type === "strict_object" && issue.expected === "never")
    return "is not a known field";
  if (issue.input === undefined && issue.kind === "schema") return `is missing; expected ${expected(issue)}`;
  if (issue.kind === "validation" && issue.expected === null) return issue.message;
  return `expected ${expected(issue)}`;
}

const expected = (issue: v.BaseIssue<unknown>) => (issue.expected ?? issue.message).slice(0, 120);

/** ASCII, so that every engine compares it byte by byte; no space, so that MySQL's padding cannot make twins. */
export const id = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,40}$/, "1 to 40 of A-Z a-z 0-9 _ -"));
export const ulid = v.pipe(v.string(), v.regex(/^[0-9A-HJKMNP-TV-Z]{26}$/, "a ULID"));
export const idempotencyKey = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9._~:-]{8,64}$/, "8 to 64 of A-Z a-z 0-9 . _ ~ : -"),
);
export const streamName = v.pipe(
  v.string(),
  v.regex(/^(shop|user|menu|board|room):[A-Za-z0-9_-]{1,40}$/, "kind:id, such as shop:noodles"),
);
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

/** One line of text that a person typed: no control characters, nothing that turns the direction of writing, no half characters. */
export const text = (max: number, min = 0) =>
  v.pipe(
    v.string(),
    v.trim(),
    v.minLength(min, `at least ${min} characters`),
    v.check((value) => [...value].length <= max, `at most ${max} characters`),
    v.check((value) => value.isWellFormed(), "well-formed text"),
    v.regex(/^[^\p{Cc}\u202A-\u202E\u2066-\u2069\u2028\u2029]*$/u, "text without control characters"),
  );

/** A name in the languages that the shop has; at least one. */
export const names = v.pipe(
  v.strictObject({ zh: v.optional(text(60, 1)), en: v.optional(text(60, 1)) }),
  v.check(({ zh, en }) => zh !== undefined || en !== undefined, "a name in zh or en"),
);
export type Names = v.InferOutput<typeof names>;
