/**
 * Whether a rule holds: of a document, or of everything that a query can return.
 *
 * An evaluation gives a value, or `Unknown` where the query does not say what the document holds. Only `true` allows. What is missing
 * is null, and two missing values are neither equal nor different: `doc._openid == auth.openid` must not hold for a document without an
 * owner and a visitor without a session.
 */

import type { Comparison, Rule } from "../collection.ts";
import { comparesTo, type Known, knownValue } from "./known.ts";
import { maxGetDocuments } from "./limits.ts";

import { compare, type Document, type Fields, fieldOf, isFields, isList, isSame, type Value } from "./value.ts";

/** Who asks. Null: nobody has signed in. */
export interface Auth {
  readonly uid: string;
  /** WeChat's, where one is known. */
  readonly openid: string | null;
  readonly loginType: string;
  /** The server's own functions and the owner's tools: no rule binds them. */
  readonly isAdmin?: boolean;
}

/** The value of `_openid` in documents that this user makes. */
export const ownerOf = ({ openid, uid }: Auth): string => openid ?? uid;

/** What a rule is asked about. */
export interface Asked {
  readonly auth: Auth | null;
  /** A document, or what a query says about documents. */
  readonly doc: { readonly document: Fields } | { readonly known: Known };
  /** `request.data`: what a write brings. */
  readonly data?: Fields | undefined;
  /** Milliseconds. */
  readonly now: number;
}

/**
 * Gives a document for `get()`; undefined when there is none. It does not wait, so that a permission can be decided while locks are held:
 * for a document that was not read yet it throws `NotRead`, and the decision is made again when it has been.
 */
export type Lookup = (collection: string, id: string) => Document | undefined;

/** A document that `get()` names. */
export interface Named {
  readonly collection: string;
  readonly id: string;
}

/** A decision needs documents that were not read. No error for a caller: who decides reads them and decides again. */
export class NotRead extends Error {
  override readonly name = "NotRead";
  readonly documents: readonly Named[];
  constructor(documents: readonly Named[]) {
    super("a rule needs documents that were not read");
    this.documents = documents;
  }
}

type Got = Map<string, Document | null>;

/** Decides. A rule that would read more than 10 documents is not allowed. @throws NotRead */
export function holds(rule: Rule, asked: Asked, lookup: Lookup): boolean {
  const got: Got = new Map();
  for (;;) {
    const missing = new Set<string>();
    const value = evaluate(rule, { ...asked, got, missing });
    if (value === true) return true;
    if (missing.size === 0 || got.size + missing.size > maxGetDocuments) return false;
    getAll([...missing], lookup, got);
  }
}

/** All of them before it throws, so that they can be read at once. */
function getAll(paths: readonly string[], lookup: Lookup, got: Got): void {
  const notRead: Named[] = [];
  for (const path of paths) {
    const [, collection = "", id = ""] = /^database\.([^.]+)\.([\s\S]+)$/.exec(path) ?? [];
    try {
      got.set(path, collection === "" ? null : (lookup(collection, id) ?? null));
    } catch (error) {
      if (!(error instanceof NotRead)) throw error;
      notRead.push(...error.documents);
    }
  }
  if (notRead.length > 0) throw new NotRead(notRead);
}

/** Paths of the document that a rule reads, for the message of a refusal. */
export function pathsOf(rule: Rule): string[] {
  const path = docPathOf(rule);
  if (path !== undefined) return path === "" ? [] : [path];
  return [...new Set(partsOf(rule).flatMap(pathsOf))];
}

/** Whether a rule reads the document under names that it computes, so that any field may matter. */
export const readsAnyField = (rule: Rule): boolean =>
  (rule.kind === "member" && rule.name.kind !== "literal" && docPathOf(rule.of) !== undefined) ||
  partsOf(rule).some(readsAnyField);

function docPathOf(rule: Rule): string | undefined {
  if (rule.kind === "variable") return rule.name === "doc" ? "" : undefined;
  if (rule.kind !== "member" || rule.name.kind !== "literal") return undefined;
  const outer = docPathOf(rule.of);
  return outer === undefined ? undefined : outer === "" ? String(rule.name.value) : `${outer}.${rule.name.value}`;
}

/** The rules inside of a rule. */
export function partsOf(rule: Rule): readonly Rule[] {
  if (rule.kind === "list" || rule.kind === "template" || rule.kind === "and" || rule.kind === "or") return rule.parts;
  if (rule.kind === "member") return [rule.of, rule.name];
  if (rule.kind === "get") return [rule.path];
  if (rule.kind === "not") return [rule.of];
  return rule.kind === "compare" ? [rule.left, rule.right] : [];
}

/** What a query does not say. `path` is the field of the document, if it is one. */
class Unknown {
  readonly path: string | undefined;
  constructor(path?: string) {
    this.path = path;
  }
}

type Result = Value | Unknown;

interface Scope extends Asked {
  readonly got: Got;
  /** Paths that `get()` was asked for and that are not read yet. */
  readonly missing: Set<string>;
}

function evaluate(rule: Rule, scope: Scope): Result {
  switch (rule.kind) {
    case "literal":
      return rule.value;
    case "list":
      return together(rule.parts, scope, (values) => values);
    case "template":
      // A missing part would make a path to another document.
      return together(rule.parts, scope, (values) => (values.every(isName) ? values.join("") : null));
    case "variable":
      return variable(rule.name, scope);
    case "member":
      return member(evaluate(rule.of, scope), evaluate(rule.name, scope), scope);
    case "get":
      return get(evaluate(rule.path, scope), scope);
    case "not": {
      const value = evaluate(rule.of, scope);
      return value instanceof Unknown ? value : !value;
    }
    case "and":
      return joined(rule.parts, scope, false);
    case "or":
      return joined(rule.parts, scope, true);
    case "compare":
      return compared(rule, scope);
  }
}

function together(parts: readonly Rule[], scope: Scope, make: (values: readonly Value[]) => Value): Result {
  const values: Value[] = [];
  for (const part of parts) {
    const value = evaluate(part, scope);
    if (value instanceof Unknown) return new Unknown();
    values.push(value);
  }
  return make(values);
}

function variable(name: "auth" | "doc" | "request" | "now", { auth, doc, data, now }: Scope): Result {
  if (name === "now") return now;
  if (name === "auth") return auth === null ? null : { uid: auth.uid, openid: auth.openid, loginType: auth.loginType };
  if (name === "request") return { data: data ?? null };
  return "document" in doc ? doc.document : new Unknown("");
}

/** What can be a part of a name. An object is none: its text would be what its own field "toString" says. */
const isName = (value: Value): value is string | number => typeof value === "string" || typeof value === "number";

function member(of: Result, name: Result, scope: Scope): Result {
  if (name instanceof Unknown) return new Unknown();
  if (of instanceof Unknown) {
    if (of.path === undefined || !isName(name)) return new Unknown();
    return knownAt(of.path === "" ? String(name) : `${of.path}.${name}`, scope);
  }
  if (isList(of)) return (typeof name === "number" ? of[name] : undefined) ?? null;
  return isFields(of) && isName(name) ? (fieldOf(of, String(name)) ?? null) : null;
}

function knownAt(path: string, { doc }: Scope): Result {
  const known = "known" in doc ? knownValue(doc.known.get(path)) : undefined;
  return known === undefined ? new Unknown(path) : known.value;
}

function get(path: Result, { got, missing }: Scope): Result {
  if (path instanceof Unknown) return new Unknown();
  if (typeof path !== "string") return null;
  const found = got.get(path);
  if (found !== undefined) return found;
  missing.add(path);
  return new Unknown();
}

/** `&&` ends with the first part that is not true, `||` with the first that is. */
function joined(parts: readonly Rule[], scope: Scope, end: boolean): Result {
  let unknown: Unknown | undefined;
  for (const part of parts) {
    const value = evaluate(part, scope);
    if (value instanceof Unknown) unknown = value;
    else if ((value === true) === end) return end;
  }
  return unknown ?? !end;
}

type Compare = Extract<Rule, { readonly kind: "compare" }>;

function compared(rule: Compare, scope: Scope): Result {
  const [left, right] = [evaluate(rule.left, scope), evaluate(rule.right, scope)];
  if (left instanceof Unknown || right instanceof Unknown) return certain(left, rule.operator, right, scope);
  if (rule.operator === "in") return isList(right) ? contains(right, left) : knownElement(rule, left, right, scope);
  if (rule.operator !== "==" && rule.operator !== "!=") return ordered(left, rule.operator, right);
  if (left === null && right === null && !isNull(rule.left) && !isNull(rule.right)) return false;
  return isSame(comparable(left, right), comparable(right, left)) === (rule.operator === "==");
}

const contains = (list: readonly Value[], value: Value) => value !== null && list.some((one) => isSame(one, value));

/** A query for one value finds the lists that contain it; what else they contain it does not say. */
function knownElement({ right: of }: Compare, value: Value, known: Value, { doc }: Scope): Result {
  if ("document" in doc || known === null || docPathOf(of) === undefined) return false;
  return isSame(known, value) ? true : new Unknown();
}

const isNull = (rule: Rule) => rule.kind === "literal" && rule.value === null;

/** A date beside a number, such as `now`, is its milliseconds. */
const comparable = (value: Value, other: Value) =>
  value instanceof Date && typeof other === "number" ? value.getTime() : value;

function ordered(left: Value, operator: "<" | "<=" | ">" | ">=", right: Value): boolean {
  const [a, b] = [comparable(left, right), comparable(right, left)];
  const isOrdered = typeof a === "number" || typeof a === "string" || a instanceof Date;
  if (!isOrdered || typeof a !== typeof b || a instanceof Date !== b instanceof Date) return false;
  const order = compare(a, b);
  if (operator === "<") return order < 0;
  if (operator === "<=") return order <= 0;
  return operator === ">" ? order > 0 : order >= 0;
}

const mirrored = { "==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<=" } as const;

/** What the query says about a comparison with a field that it does not name by one value. */
function certain(left: Result, operator: Comparison, right: Result, { doc }: Scope): Result {
  if (operator === "in" || !("known" in doc)) return new Unknown();
  const [field, way, value] =
    left instanceof Unknown ? [left, operator, right] : [right as Unknown, mirrored[operator], left];
  if (value instanceof Unknown || field.path === undefined) return new Unknown();
  return comparesTo(doc.known.get(field.path), way, value) ?? new Unknown();
}
