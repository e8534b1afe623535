/** Declarations in YAML, such as `collections.yml`: names with values. Every error is reported with its line. */
import { isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";

/** Notes an error at a node of the text, or at the text's beginning. */
export type Report = (node: unknown, why: string) => void;

export interface NamedNode {
  readonly name: string;
  readonly key: unknown;
  readonly value: unknown;
}

export interface Declared<T> {
  /** Without any when there are errors: a server must not start with a part of what is declared. */
  readonly list: readonly T[];
  /** Each begins with its line: `line 3: …`. */
  readonly errors: readonly string[];
}

/** @param what the things are called that are declared @param read makes one of them, and reports what is wrong with it */
export function readDeclaration<T>(
  text: string,
  { what, most }: { readonly what: string; readonly most: number },
  read: (one: NamedNode, report: Report) => T,
): Declared<T> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const found = document.errors.map(({ pos, message }) => ({ at: pos[0], why: message.split("\n")[0] ?? "" }));
  const report: Report = (node, why) => void found.push({ at: (node as Node | null)?.range?.[0] ?? 0, why });
  // What a text declares that is no YAML is not looked at.
  const root = found.length > 0 ? null : document.contents;
  const pairs = root === null ? [] : pairsOf(root, "the file", report);
  if (pairs.length > most) report(root, `at most ${most} ${what}`);
  const list = pairs.map((pair) => read(pair, report));
  if (found.length === 0) return { list, errors: [] };
  const errors = found.toSorted((a, b) => a.at - b.at).map(({ at, why }) => `line ${lines.linePos(at).line}: ${why}`);
  return { list: [], errors };
}

export function pairsOf(node: unknown, what: string, report: Report): readonly NamedNode[] {
  if (isMap(node))
    return node.items.map(({ key, value }) => ({ name: isScalar(key) ? String(key.value) : "", key, value }));
  report(node, `${what} is not a list of names with values`);
  return [];
}

/** The members of a declared thing by their names. Reports a thing or a member whose name is none. */
export function membersOf(
  { name, key, value }: NamedNode,
  what: string,
  known: readonly string[],
  report: Report,
): ReadonlyMap<string, NamedNode> {
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,39}$/.test(name))
    report(key, `"${name.slice(0, 60)}" is not a name: a letter, then letters, digits, - and _, at most 40`);
  const members = new Map(pairsOf(value, `${what} "${name}"`, report).map((one) => [one.name, one]));
  for (const [field, { key: at }] of members)
    if (!known.includes(field)) report(at, `"${field.slice(0, 60)}" is unknown: there are ${known.join(", ")}`);
  return members;
}
