/** JSON from outside: bounded depth, no surprises. */
import { Malformed } from "./errors.ts";

const maxDepth = 32;

/** @throws Malformed */
export function parseJson(text: string): unknown {
  if (!text.isWellFormed()) throw new Malformed("the text is not well-formed");
  if (depthOf(text) > maxDepth) throw new Malformed(`JSON is nested more than ${maxDepth} deep`);
  try {
    return JSON.parse(text);
  } catch {
    throw new Malformed("the text is not JSON");
  }
}

/** The deepest nesting, counted on the text: what recurses over a value later must not be handed a thousand levels. */
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
