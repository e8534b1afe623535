/** Holds documents against a query in slices. */
import { setImmediate } from "node:timers/promises";
import { sliceSteps } from "./limits.ts";
import type { Match } from "./match.ts";
import type { Steps } from "./steps.ts";
import type { Document } from "./value.ts";

/**
 * Those that match. A page of documents can take seconds of the processor: between slices whoever else waits has a turn.
 * @param steps counted by `match` @throws InvalidInput when all together take too many
 */
export async function matchingOf<T extends { readonly document: Document }>(
  all: readonly T[],
  match: Match,
  steps: Steps,
): Promise<T[]> {
  const found: T[] = [];
  let begun = steps.taken;
  for (const one of all) {
    if (match(one.document)) found.push(one);
    if (steps.taken - begun < sliceSteps) continue;
    await setImmediate();
    begun = steps.taken;
  }
  return found;
}
