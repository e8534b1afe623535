/**
 * Values as the clients send them, and as they are stored and sent back.
 *
 * In: plain JSON with `$date` as a number, `{offset}`, `{$numberInt}`, `{$numberLong}` or text, and canonical EJSON, where numbers are
 * wrapped too. Out, and in the database: plain JSON, a date as `{"$date": milliseconds}`. A document has no names that begin with `$`,
 * so a wrapped value cannot be taken for a document's own object.
 */
import { InvalidInput, NotSupported } from "../errors.ts";
import { quoted, step, whyNoName } from "./field_name.ts";
import { maxDocumentBytes, maxDocumentDepth } from "./limits.ts";
import { type Document, type Fields, isFields, isList, type Value } from "./value.ts";

/** JSON, as it is stored and sent. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Milliseconds that a date can hold. */
const maxDate = 8_640_000_000_000_000;

/** Decodes a value. @param now what `serverDate` means @param at the value's path, for errors @throws InvalidInput, NotSupported */
export function decode(input: unknown, now: number, at = "", depth = 0): Value {
  if (depth > maxDocumentDepth) throw new InvalidInput(at, `is nested more than ${maxDocumentDepth} deep`);
  if (input === null || typeof input === "boolean") return input;
  if (typeof input === "number") return finite(input, at);
  if (typeof input === "string") return text(input, at);
  if (Array.isArray(input)) return input.map((one, nth) => decode(one, now, step(at, nth), depth + 1));
  if (typeof input !== "object") throw new InvalidInput(at, "expected a JSON value");
  if (isWrapped(input)) return unwrap(input as Readonly<Record<string, unknown>>, now, at);
  return Object.fromEntries(
    Object.entries(input).map(([name, value]) => {
      const why = whyNoName(name);
      if (why !== undefined) throw new InvalidInput(at, why);
      return [name, decode(value, now, step(at, name), depth + 1)] as const;
    }),
  );
}

/** Decodes a whole document's fields, and holds them to the limit of bytes. @throws InvalidInput, NotSupported */
export function decodeFields(input: unknown, now: number, at = ""): Fields {
  const value = decode(input, now, at);
  if (!isFields(value)) throw new InvalidInput(at, "expected an object");
  checkSize(value, at);
  return value;
}

/** @throws InvalidInput when the document is larger or deeper than documents may be */
export function checkSize(document: Fields, at = "", maxBytes = maxDocumentBytes): void {
  if (depthOf(document) > maxDocumentDepth + 1)
    throw new InvalidInput(at, `the document is nested more than ${maxDocumentDepth} deep`);
  const bytes = Buffer.byteLength(JSON.stringify(encode(document)));
  if (bytes > maxBytes) throw new InvalidInput(at, `the document has ${bytes} bytes; at most ${maxBytes}`);
}

const depthOf = (value: Value): number => {
  const inner = isList(value) ? value : isFields(value) ? Object.values(value) : undefined;
  return inner === undefined ? 0 : 1 + inner.reduce<number>((deepest, one) => Math.max(deepest, depthOf(one)), 0);
};

/** A value as JSON: dates as `{"$date": milliseconds}`. */
export function encode(value: Value): Json {
  if (value instanceof Date) return { $date: value.getTime() };
  if (isList(value)) return value.map(encode);
  if (!isFields(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, encode(one)]));
}

/** A document from the database: what `encode` wrote, without the checks of input. */
export const decodeStored = (stored: Json): Document => restore(stored) as Document;

function restore(stored: Json): Value {
  if (Array.isArray(stored)) return stored.map(restore);
  if (stored === null || typeof stored !== "object") return stored as Value;
  const entries = Object.entries(stored);
  const [first] = entries;
  if (entries.length === 1 && first?.[0] === "$date") return new Date(first[1] as number);
  return Object.fromEntries(entries.map(([name, one]) => [name, restore(one as Json)]));
}

const wrappers: ReadonlySet<string> = new Set([
  "$date",
  "$numberInt",
  "$numberLong",
  "$numberDouble",
  "$numberDecimal",
  "$oid",
]);

/** EJSON's wrappers of types that documents here cannot hold. */
const foreign: ReadonlySet<string> = new Set([
  "$binary",
  "$uuid",
  "$timestamp",
  "$minKey",
  "$maxKey",
  "$symbol",
  "$code",
  "$dbPointer",
  "$undefined",
  "$regularExpression",
]);

/** Whether an object is a wrapped value, not one with operators or fields. */
export function isWrapped(input: object): boolean {
  const names = Object.keys(input);
  return names.length === 1 && names[0] !== undefined && (wrappers.has(names[0]) || foreign.has(names[0]));
}

function unwrap(input: Readonly<Record<string, unknown>>, now: number, at: string): Value {
  const [[name, inner] = ["", undefined]] = Object.entries(input);
  if (foreign.has(name)) throw new NotSupported(name, at);
  if (name === "$date") return date(inner, now, at);
  if (name === "$oid") return typeof inner === "string" ? text(inner, at) : wrong(at, "$oid holds a text");
  return number(name, inner, at);
}

function number(name: string, inner: unknown, at: string): number {
  if (typeof inner !== "string" && typeof inner !== "number") return wrong(at, `${name} holds a number as text`);
  const pattern =
    name === "$numberInt" || name === "$numberLong" ? /^-?\d{1,19}$/ : /^-?\d{1,40}(\.\d{1,40})?(e[+-]?\d{1,3})?$/i;
  if (!pattern.test(String(inner))) return wrong(at, `${name} holds a number as text`);
  const value = finite(Number(inner), at);
  if (name === "$numberLong" && !Number.isSafeInteger(value))
    return wrong(at, "an integer beyond 2^53 is not exact here");
  return value;
}

function date(inner: unknown, now: number, at: string): Date {
  const ms = milliseconds(inner, now, at);
  if (!Number.isFinite(ms) || Math.abs(ms) > maxDate) return wrong(at, "$date is no date");
  return new Date(ms);
}

/** A number, a number in EJSON, an offset from now, or text of ISO 8601. */
function milliseconds(inner: unknown, now: number, at: string): number {
  if (typeof inner === "number") return inner;
  if (typeof inner === "string" && /^\d{4}-\d\d-\d\d/.test(inner) && inner.length < 40) return Date.parse(inner);
  if (typeof inner === "object" && inner !== null && Object.keys(inner).length === 1) {
    const [[name, value] = ["", undefined]] = Object.entries(inner);
    const offset = name === "offset" ? decode(value, now, step(at, "$date.offset"), 1) : undefined;
    if (typeof offset === "number") return now + offset;
    if (wrappers.has(name) && name.startsWith("$number")) return number(name, value, at);
  }
  return wrong(at, "$date holds milliseconds, an offset or a text of ISO 8601");
}

function finite(value: number, at: string): number {
  if (!Number.isFinite(value)) return wrong(at, "expected a finite number");
  // JSON knows no negative zero.
  return value === 0 ? 0 : value;
}

function text(value: string, at: string): string {
  if (value.includes("\0") || !value.isWellFormed()) return wrong(at, `${quoted(value)} is not well-formed text`);
  return value;
}

function wrong(at: string, why: string): never {
  throw new InvalidInput(at, why);
}
