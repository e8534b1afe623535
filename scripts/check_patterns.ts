/**
 * Checks that the patterns of openapi.yaml mean the same in every language: the subset of JSON Schema 2020-12 (6.4), which I-Regexp
 * (RFC 9485) narrows further: characters, classes and ranges, groups, alternatives, counts, and anchors at both ends.
 */
import type { Json } from "./read_api.ts";

/** Most repetitions that RE2, and so Go, takes. */
const maxCount = 1_000;
const escaped = String.raw`\\[\\.*+?()[\]{}|^$-]`;
// Within a class, `[`, `&&`, `--`, `~~` and `||` begin other syntax in Java and Python.
const inClass = String.raw`(?:(?!&&|--|~~|\|\|)[^\\[\]]|${escaped})`;
const atom = String.raw`(?:[^\\[\](){}^$|.*+?]|${escaped}|\[\^?${inClass}+\])`;
const count = String.raw`(?:[*+?]|\{[0-9]{1,4}(?:,(?:[0-9]{1,4})?)?\})?`;
const pieces = new RegExp(`^(?:${atom}${count}|\\((?!\\?)|\\)${count}|\\|)*$`, "u");

/** @returns why the pattern is outside of the subset, if it is */
export function strangeIn(pattern: string): string | undefined {
  const unanchored = pattern.replace(/^\^/, "").replace(/(?<!\\)\$$/, "");
  if (!pieces.test(unanchored)) return "has more than characters, classes, groups, alternatives and counts";
  if (/[\p{C}\p{Zl}\p{Zp}]/u.test(pattern)) return "holds a character that cannot be seen";
  if ([...pattern.matchAll(/\d+(?=[,}])/g)].some(([digits]) => Number(digits) > maxCount)) return "counts too far";
  try {
    new RegExp(pattern, "u");
  } catch (error) {
    return (error as Error).message;
  }
  return undefined;
}

/** Every `pattern` of the document, with its place. */
export function patternsIn(node: Json, where = "#"): (readonly [where: string, pattern: string])[] {
  if (node === null || typeof node !== "object") return [];
  return Object.entries(node).flatMap(([name, part]) =>
    name === "pattern" && typeof part === "string"
      ? [[where, part] as const]
      : patternsIn(part, `${where}/${name.replaceAll("/", "~1")}`),
  );
}

/** @returns a sentence for each pattern that some language reads otherwise */
export const checkPatterns = (document: Json): string[] =>
  patternsIn(document).flatMap(([where, pattern]) => {
    const why = strangeIn(pattern);
    return why === undefined ? [] : [`${where}: the pattern ${pattern} ${why}`];
  });
