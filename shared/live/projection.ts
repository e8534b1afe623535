/** The fields of an answer. */
import { InvalidInput, NotSupported } from "../errors.ts";
import { pathOf, step } from "./field_name.ts";
import { maxProjected } from "./limits.ts";
import { compileElement } from "./match.ts";
import { parseElement, type QueryContext } from "./query.ts";
import { type Document, type Fields, fieldOf, isFields, isList, type Value } from "./value.ts";
import { decode } from "./wire_value.ts";

/** Cuts a document. */
export type Project = (document: Document) => Fields;

type Change = (value: Value) => Value | undefined;

/** Fields by name: further fields inside, or the end of a path, where the value may be changed. */
interface Tree {
  readonly [name: string]: Tree | "end";
}

/**
 * Reads a projection: fields that are wanted, or those that are not, `$slice` and `$elemMatch`. `_id` is there unless it is refused.
 * @throws InvalidInput, NotSupported
 */
export function parseProjection(input: unknown, context: QueryContext, at = "projection"): Project {
  if (input === undefined || input === null) return (document) => document;
  if (typeof input !== "object" || Array.isArray(input)) throw new InvalidInput(at, "expected an object");
  const entries = Object.entries(input);
  if (entries.length > maxProjected) throw new InvalidInput(at, `at most ${maxProjected} fields`);
  const included: string[] = [];
  const excluded: string[] = [];
  const changes: [string, Change][] = [];
  for (const [path, one] of entries) {
    pathOf(path, step(at, path));
    const value: unknown = decodeFlag(one, step(at, path));
    if (typeof value === "boolean") (value ? included : excluded).push(path);
    else changes.push([path, changeOf(value, context, step(at, path))]);
  }
  const matched = changes.filter(([, { name }]) => name === "firstMatch").map(([path]) => path);
  if (included.some((path) => path !== "_id") && excluded.some((path) => path !== "_id"))
    throw new InvalidInput(at, "fields are either wanted or refused, not both");
  const wanted = [...included, ...matched];
  const isChosen = wanted.some((path) => path !== "_id") || (wanted.length > 0 && excluded.length === 0);
  const tree = treeOf(isChosen ? [...wanted, ...changes.map(([path]) => path)] : excluded);
  return (document) => {
    const cut = isChosen ? choose(document, tree) : leaveOut(document, tree);
    const base = isChosen && !excluded.includes("_id") ? { _id: document._id, ...(cut as Fields) } : (cut as Fields);
    const { _id, ...others } = base;
    const shown: Fields = excluded.includes("_id") || _id === undefined ? others : base;
    return changes.reduce<Fields>(
      (fields, [path, change]) => changeAt(fields, path.split("."), 0, change) as Fields,
      shown,
    );
  };
}

/** true, false, 1 or 0, wrapped or not; else an object with an operator. */
function decodeFlag(input: unknown, at: string): unknown {
  if (typeof input === "boolean") return input;
  if (typeof input === "number") return input !== 0;
  if (typeof input !== "object" || input === null) throw new InvalidInput(at, "expected true or false");
  const [name] = Object.keys(input);
  return name?.startsWith("$number") ? decode(input, 0, at) !== 0 : input;
}

function changeOf(input: unknown, context: QueryContext, at: string): Change {
  const [[name, value] = ["", undefined], ...more] = Object.entries(input as object);
  if (more.length > 0) throw new InvalidInput(at, "a projection has one operator");
  if (name === "$elemMatch") {
    const match = compileElement(parseElement(value, context, step(at, name)));
    return function firstMatch(list) {
      const found = isList(list) ? list.find(match) : undefined;
      return found === undefined ? undefined : [found];
    };
  }
  if (name !== "$slice") throw new NotSupported(name === "" ? "an empty projection" : name, at);
  const decoded = decode(value, 0, step(at, name));
  const [first, count] = isList(decoded) ? decoded : [decoded];
  if (!Number.isSafeInteger(first) || (isList(decoded) && (!Number.isSafeInteger(count) || Number(count) < 1)))
    throw new InvalidInput(step(at, name), "expected a count, or a place and a count");
  const place = Number(first);
  return function slice(list) {
    if (!isList(list)) return list;
    if (!isList(decoded)) return place < 0 ? list.slice(place) : list.slice(0, place);
    const begin = place < 0 ? Math.max(0, list.length + place) : place;
    return list.slice(begin, begin + Number(count));
  };
}

function treeOf(paths: readonly string[]): Tree {
  const root: Record<string, Tree | "end"> = {};
  for (const path of paths) {
    const names = path.split(".");
    let at = root;
    for (const [nth, name] of names.entries()) {
      const inner = at[name];
      // A field that is named whole includes those inside of it.
      if (inner === "end") break;
      if (nth === names.length - 1) at[name] = "end";
      else {
        at[name] = inner ?? {};
        at = at[name] as Record<string, Tree | "end">;
      }
    }
  }
  return root;
}

function choose(value: Value, tree: Tree): Value {
  if (isList(value)) return value.filter((one) => isFields(one) || isList(one)).map((one) => choose(one, tree));
  if (!isFields(value)) return value;
  const kept = Object.entries(value).flatMap(([name, one]): [string, Value][] => {
    const inner = Object.hasOwn(tree, name) ? tree[name] : undefined;
    if (inner === undefined) return [];
    if (inner === "end") return [[name, one]];
    return isFields(one) || isList(one) ? [[name, choose(one, inner)]] : [];
  });
  return Object.fromEntries(kept);
}

function leaveOut(value: Value, tree: Tree): Value {
  if (isList(value)) return value.map((one) => leaveOut(one, tree));
  if (!isFields(value)) return value;
  const kept = Object.entries(value).flatMap(([name, one]): [string, Value][] => {
    const inner = Object.hasOwn(tree, name) ? tree[name] : undefined;
    if (inner === "end") return [];
    return [[name, inner === undefined ? one : leaveOut(one, inner)]];
  });
  return Object.fromEntries(kept);
}

function changeAt(value: Value, names: readonly string[], at: number, change: Change): Value {
  const name = names[at];
  if (name === undefined || !isFields(value)) return value;
  const inner = fieldOf(value, name);
  if (inner === undefined) return value;
  const changed = at === names.length - 1 ? change(inner) : changeAt(inner, names, at + 1, change);
  const { [name]: _, ...others } = value;
  return changed === undefined ? others : { ...value, [name]: changed };
}
