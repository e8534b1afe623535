/** Regular expressions of queries, matched in linear time: RE2's language, so neither look-around nor back-references. */
import { RE2JS } from "re2js";
import { InvalidInput } from "../errors.ts";
import { maxPatternLength, maxPatternProgram } from "./limits.ts";

/** A compiled regular expression. */
export interface Pattern {
  readonly source: string;
  readonly flags: string;
  test(text: string): boolean;
}

const flagsOf: Readonly<Record<string, number>> = {
  i: RE2JS.CASE_INSENSITIVE,
  m: RE2JS.MULTILINE,
  s: RE2JS.DOTALL,
};

/** What a literal of JavaScript may also carry, and what means nothing in a query. */
const ignored = "gu";

/** @param at path of the operator, for errors @throws InvalidInput when it is too long, too large, or not of RE2's language */
export function compilePattern(source: unknown, options: unknown, at: string): Pattern {
  if (typeof source !== "string") throw new InvalidInput(at, "$regex holds a text");
  if (typeof options !== "string") throw new InvalidInput(at, "$options holds a text");
  if (source.length > maxPatternLength) throw new InvalidInput(at, `$regex has at most ${maxPatternLength} characters`);
  const flags = [...new Set(options)]
    .filter((flag) => !ignored.includes(flag))
    .toSorted()
    .join("");
  for (const flag of flags) if (flagsOf[flag] === undefined) throw new InvalidInput(at, "$options may hold i, m and s");
  const compiled = compile(
    source,
    [...flags].reduce((sum, flag) => sum | (flagsOf[flag] ?? 0), 0),
    at,
  );
  if (compiled.programSize() > maxPatternProgram) throw new InvalidInput(at, "$regex repeats too much");
  return { source, flags, test: (text) => compiled.test(text) };
}

function compile(source: string, flags: number, at: string): RE2JS {
  try {
    return RE2JS.compile(inRe2(source), flags);
  } catch (error) {
    const why = error instanceof Error ? error.message.replace(/^error parsing regexp: /, "").slice(0, 120) : "";
    throw new InvalidInput(at, `$regex is not in RE2's language: ${why}`);
  }
}

/** JavaScript's `\u4e00` is RE2's `\x{4e00}`. An escaped backslash before the u stays. */
const inRe2 = (source: string) =>
  source.replace(/\\(?:u\{([0-9a-f]{1,6})\}|u([0-9a-f]{4})|[\s\S])/gi, (all, braced?: string, four?: string) =>
    braced === undefined && four === undefined ? all : `\\x{${braced ?? four}}`,
  );
