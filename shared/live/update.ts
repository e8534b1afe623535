/**
 * Updates in MongoDB's terms: checked once, applied to any number of documents.
 *
 * `applyUpdate` gives a new document and leaves the old one as it is. What the clients' lists need of it, `updatedFields` and
 * `removedFields`, is the `difference` of the two.
 */
import { InvalidInput, NotSupported } from "../errors.ts";
import { type Change, changeOf, operatorNames } from "./change_field.ts";
import { isIndex, pathOf, quoted, step } from "./field_name.ts";
import { maxPadding, maxUpdatePaths } from "./limits.ts";
import type { QueryContext } from "./query.ts";
import { copy, type Document, type Fields, fieldOf, isFields, isList, type Value } from "./value.ts";
import { checkSize, decodeFields } from "./wire_value.ts";

/** An update, checked: all fields anew, or changes of some. */
export type Update =
  | { readonly replacement: Fields }
  | { readonly changes: readonly { readonly path: string; readonly change: Change; readonly at: string }[] };

/** Fields that only the server sets. */
const fixed: ReadonlySet<string> = new Set(["_id", "_openid"]);

/**
 * Checks an update. Data without operators replaces the document's fields; operators and fields beside each other are refused.
 * @throws InvalidInput, NotSupported
 */
export function parseUpdate(input: unknown, context: QueryContext, at = "data"): Update {
  if (typeof input !== "object" || input === null || Array.isArray(input))
    throw new InvalidInput(at, "expected an object");
  const entries = Object.entries(input);
  const operators = entries.filter(([name]) => name.startsWith("$"));
  if (operators.length === 0) {
    const replacement = decodeFields(input, context.now, at);
    for (const name of Object.keys(replacement)) refuseFixed(name, step(at, name));
    return { replacement };
  }
  if (operators.length < entries.length) throw new InvalidInput(at, "operators and fields stand beside each other");
  const changes = operators.flatMap(([operator, fields]) => changesOf(operator, fields, context, step(at, operator)));
  if (changes.length > maxUpdatePaths) throw new InvalidInput(at, `an update has at most ${maxUpdatePaths} paths`);
  refuseOverlaps(changes.map(({ path }) => path).concat(renamed(operators)), at);
  return { changes };
}

function changesOf(operator: string, fields: unknown, context: QueryContext, at: string) {
  if (!operatorNames.has(operator)) throw new InvalidInput(at, `${quoted(operator)} is not a known operator`);
  if (typeof fields !== "object" || fields === null || Array.isArray(fields))
    throw new InvalidInput(at, "expected an object of fields");
  return Object.entries(fields).map(([path, value]) => {
    const inner = step(at, path);
    checkPath(path, inner);
    return { path, change: changeOf(operator, value, context, inner), at: inner };
  });
}

function checkPath(path: string, at: string): void {
  if (path.split(".").some((name) => name.startsWith("$"))) throw new NotSupported("an update by position ($)", at);
  const [first = ""] = pathOf(path, at);
  refuseFixed(first, at);
}

function refuseFixed(name: string, at: string): void {
  if (fixed.has(name)) throw new InvalidInput(at, `${quoted(name)} cannot be changed`);
}

/** Where `$rename` moves fields to. */
function renamed(operators: readonly (readonly [string, unknown])[]): string[] {
  return operators
    .filter(([name]) => name === "$rename")
    .flatMap(([, fields]) => Object.values(fields as object))
    .map((to, nth) => {
      const at = `$rename.${nth}`;
      checkPath(String(to), at);
      return String(to);
    });
}

/** A path and one inside of it, or one path twice: the result would depend on their order. */
function refuseOverlaps(paths: readonly string[], at: string): void {
  const sorted = paths.map((path) => `${path}.`).toSorted();
  for (const [nth, path] of sorted.entries()) {
    const next = sorted[nth + 1];
    if (next?.startsWith(path)) throw new InvalidInput(at, `${quoted(path.slice(0, -1))} is changed twice`);
  }
}

/**
 * Applies an update. The owner and the id stay.
 * @param maxBytes of the new document @throws InvalidInput when a value does not fit its operator, or the document becomes too large
 */
export function applyUpdate(update: Update, before: Document, maxBytes?: number): Document {
  const after = "replacement" in update ? replaced(update.replacement, before) : changed(update.changes, before);
  checkSize(after, "", maxBytes);
  return after;
}

function replaced(replacement: Fields, { _id, _openid }: Document): Document {
  return { _id, ...(_openid === undefined ? {} : { _openid }), ...copy(replacement) };
}

/** What a change may do to the document beside its own field: `$rename` moves a value. */
type Changes = Extract<Update, { readonly changes: unknown }>["changes"];

function changed(changes: Changes, before: Document): Document {
  const after = copy(before) as Document;
  for (const { path, change, at } of changes) {
    if (change.kind === "rename") {
      rename(after, path, change.to, at);
      continue;
    }
    const names = path.split(".");
    const old = valueAt(after, names);
    const value = change.apply(old);
    if (value === undefined) remove(after, names);
    else if (value !== old) put(after, names, value, at);
  }
  return after;
}

function rename(document: Document, from: string, to: string, at: string): void {
  const value = valueAt(document, from.split("."));
  if (value === undefined) return;
  if (throughList(document, from.split(".")) || throughList(document, to.split(".")))
    throw new InvalidInput(at, "$rename does not go through a list");
  remove(document, from.split("."));
  put(document, to.split("."), value, at);
}

const throughList = (document: Fields, names: readonly string[]) =>
  names.some((_, nth) => isList(valueAt(document, names.slice(0, nth))));

/** The value at a path; elements of lists by their place. */
export function valueAt(value: Value, names: readonly string[]): Value | undefined {
  return names.reduce<Value | undefined>((at, name) => {
    if (isList(at)) return isIndex(name) ? at[Number(name)] : undefined;
    return isFields(at) ? fieldOf(at, name) : undefined;
  }, value);
}

type Open = Record<string, Value> | Value[];

/** Sets a value; objects on the way are made, elements before it become null. */
function put(document: Document, names: readonly string[], value: Value, at: string): void {
  let open = document as Open;
  for (const [nth, name] of names.entries()) {
    if (Array.isArray(open)) pad(open, name, at);
    if (nth === names.length - 1) {
      assign(open, name, value);
      return;
    }
    if (valueAt(open, [name]) === undefined) assign(open, name, {});
    const inner = valueAt(open, [name]);
    if (!isFields(inner) && !isList(inner))
      throw new InvalidInput(at, `${quoted(names.slice(0, nth + 1).join("."))} is neither an object nor a list`);
    open = inner as Open;
  }
}

function pad(list: Value[], name: string, at: string): void {
  if (!isIndex(name)) throw new InvalidInput(at, `${quoted(name)} is not a place in a list`);
  if (Number(name) > list.length + maxPadding)
    throw new InvalidInput(at, `an element is set at most ${maxPadding} places behind the end of a list`);
  while (list.length < Number(name)) list.push(null);
}

function assign(open: Open, name: string, value: Value): void {
  if (Array.isArray(open)) open[Number(name)] = value;
  else open[name] = value;
}

/** Removes a field. An element of a list becomes null, so that the others keep their places. */
function remove(document: Document, names: readonly string[]): void {
  const parent = valueAt(document, names.slice(0, -1)) as Open | undefined;
  const name = names.at(-1) ?? "";
  if (Array.isArray(parent)) {
    if (isIndex(name) && Number(name) < parent.length) parent[Number(name)] = null;
  } else if (isFields(parent)) delete (parent as Record<string, Value>)[name];
}
