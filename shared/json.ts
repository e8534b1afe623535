/** JSON: a parser of what comes from outside, of bounded depth and without duplicate fields; and a text to compare values by. */
import { Malformed } from "./errors.ts";

const maxDepth = 32;

/** Parses JSON; a byte order mark at the start is skipped. @throws Malformed */
export function parseJson(received: string): unknown {
  const text = received.startsWith("\uFEFF") ? received.slice(1) : received;
  if (!text.isWellFormed()) throw new Malformed("the text is not well-formed");
  const { depth, fields } = shapeOf(text);
  if (depth > maxDepth) throw new Malformed(`JSON is nested more than ${maxDepth} deep`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Malformed("the text is not JSON");
  }
  // JSON.parse takes the last of two, other parsers the first (RFC 8259, 4), so the meaning is unclear.
  if (fieldsOf(value) < fields) throw new Malformed("a field stands twice in its object");
  return value;
}

const [quote, backslash, colon] = [0x22, 0x5c, 0x3a];
const [openBracket, closeBracket, openBrace, closeBrace] = [0x5b, 0x5d, 0x7b, 0x7d];

/**
 * The deepest nesting, counted on the text: code that recurses over the value later would overflow the stack; and the number of
 * fields, each of which has a colon behind its name.
 */
function shapeOf(text: string): { depth: number; fields: number } {
  let [depth, deepest, fields] = [0, 0, 0];
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at + 1);
    else if (code === colon) fields++;
    else if (code === openBrace || code === openBracket) deepest = Math.max(deepest, ++depth);
    else if (code === closeBrace || code === closeBracket) depth--;
  }
  return { depth: deepest, fields };
}

/** Where the string ends that begins before `at`. */
function endOfString(text: string, at: number): number {
  let end = at;
  for (; end < text.length; end++) {
    const code = text.charCodeAt(end);
    if (code === quote) return end;
    if (code === backslash) end++;
  }
  return end;
}

/** The number of fields in the value: fewer than in its text if one of them stands twice. */
function fieldsOf(value: unknown): number {
  if (value === null || typeof value !== "object") return 0;
  const parts = Object.values(value);
  let fields = Array.isArray(value) ? 0 : parts.length;
  for (const part of parts) fields += fieldsOf(part);
  return fields;
}

/**
 * The same text for values that differ only in the order of their fields.
 * @param value as JSON.parse makes them
 */
export const canonical = (value: unknown): string => JSON.stringify(inOrder(value));

/** A copy with its fields in order. A replacer would do it too, but then JSON.stringify takes its slow way. */
function inOrder(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(inOrder);
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([name, part]) => [name, inOrder(part)]));
}
