/** What a rule looks at beside the document: who asks, the time, other collections. */
import type { Rule } from "../collection.ts";
import { partsOf } from "./rules.ts";

export interface RuleReads {
  readonly auth: boolean;
  readonly now: boolean;
  /** Collections that `get()` reads. Undefined: their names are computed, so it may be any. */
  readonly collections: readonly string[] | undefined;
}

export function readsOf(rule: Rule): RuleReads {
  const inner = partsOf(rule).map(readsOf);
  const own = rule.kind === "get" ? named(rule.path) : [];
  const all = [own, ...inner.map(({ collections }) => collections)];
  return {
    auth: (rule.kind === "variable" && rule.name === "auth") || inner.some(({ auth }) => auth),
    now: (rule.kind === "variable" && rule.name === "now") || inner.some(({ now }) => now),
    collections: all.every((one) => one !== undefined) ? [...new Set(all.flat())] : undefined,
  };
}

/** The collection of a path such as `database.shops.1`, as far as its text is there. */
function named(path: Rule): readonly string[] | undefined {
  const first = path.kind === "template" ? path.parts[0] : path;
  const text = first?.kind === "literal" && typeof first.value === "string" ? first.value : "";
  const [, collection] = /^database\.([^.]+)\./.exec(text) ?? [];
  return collection === undefined ? undefined : [collection];
}
