/** How long to wait before trying again: full jitter, so that a thousand clients do not come back in one moment. */

/** @param tries failed so far, from 1 @param random from 0 to just below 1 @returns milliseconds */
export function retryAfterMs(tries: number, random: number, baseMs = 500, capMs = 10_000): number {
  return Math.round(random * Math.min(capMs, baseMs * 2 ** Math.min(tries, 16)));
}
