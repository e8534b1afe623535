/** Names of fields and dotted paths. */
import { InvalidInput } from "../errors.ts";
import { maxNameLength, maxPathLength } from "./limits.ts";

/** Names that JavaScript, mingo or the client's `set` give a meaning of their own. */
const reserved: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/** Why a document may not have a field of this name; undefined when it may. */
export function whyNoName(name: string): string | undefined {
  if (name === "") return "a field's name is empty";
  if (name.length > maxNameLength) return `a field's name has at most ${maxNameLength} characters`;
  if (name.includes(".")) return "a field's name has no dot";
  if (name.startsWith("$")) return `${quoted(name)} is no field: names do not begin with $`;
  if (name.includes("\0") || !name.isWellFormed()) return "a field's name is not well-formed text";
  if (reserved.has(name)) return `${quoted(name)} is a reserved name`;
  return undefined;
}

/** The names of a dotted path. @throws InvalidInput under `at` */
export function pathOf(text: string, at: string): readonly string[] {
  if (text.length > maxPathLength) throw new InvalidInput(at, `a path has at most ${maxPathLength} characters`);
  const names = text.split(".");
  for (const name of names) {
    const why = whyNoName(name);
    if (why !== undefined) throw new InvalidInput(at, why);
  }
  return names;
}

/** Whether a name of a path can be the place of an array's element. */
export const isIndex = (name: string): boolean => /^(0|[1-9]\d{0,8})$/.test(name);

/** A text from outside, for an error message. */
export const quoted = (text: string): string => JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);

/** The path of an error, one step further. Names from outside are cut. */
export const step = (at: string, name: string | number): string => {
  const one = String(name).slice(0, 40);
  return at === "" ? one : `${at}.${one}`;
};
