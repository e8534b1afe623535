/** JSON: a parser of what comes from outside, of bounded depth and without duplicate fields; and a text to compare values by. */
import { Malformed } from "./errors.ts";

const maxDepth = 32;

/** Parses JSON; a byte order mark at the start is skipped. @throws Malformed */
export function parseJson(received: string): unknown {
  const text = received.replace(/^\uFEFF/, "");
  if (!text.isWellFormed()) throw new Malformed("the text is not well-formed");
  if (depthOf(text) > maxDepth) throw new Malformed(`JSON is nested more than ${maxDepth} deep`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Malformed("the text is not JSON");
  }
  if (hasDuplicateField(text)) throw new Malformed("a field stands twice in its object");
  return value;
}

/**
 * Whether an object has a field twice: JSON.parse takes the last, other parsers the first (RFC 8259, 4), so the meaning is
 * unclear. The text is valid JSON.
 */
function hasDuplicateField(text: string): boolean {
  const open: (Set<string> | undefined)[] = [];
  for (const [token, name, , colon] of text.matchAll(/("(?:[^"\\]|\\.)*")(\s*)(:?)|[{}[\]]/gs)) {
    if (token === "{") open.push(new Set());
    else if (token === "[") open.push(undefined);
    else if (token === "}" || token === "]") open.pop();
    else if (colon === ":" && name !== undefined) {
      const names = open.at(-1);
      const plain = JSON.parse(name) as string;
      if (names?.has(plain)) return true;
      names?.add(plain);
    }
  }
  return false;
}

/** The deepest nesting, counted on the text: code that recurses over the value later would overflow the stack. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (quoted) {
      if (character === "\\") at++;
      else if (character === '"') quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === "{" || character === "[") deepest = Math.max(deepest, ++depth);
    else if (character === "}" || character === "]") depth--;
  }
  return deepest;
}

/** The same text for values that differ only in the order of their fields. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
