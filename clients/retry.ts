/** How long to wait before trying again: full jitter, so that a thousand clients do not come back in one moment. */
import type { ApiError } from "./api.ts";

/** @param tries failed so far, from 1 @param random from 0 to just below 1 @returns milliseconds */
export const retryAfterMs = (tries: number, random: number): number =>
  Math.round(random * Math.min(10_000, 500 * 2 ** tries));

/** The same, unless the answer has said how long. */
export const waitAfter = (error: unknown, tries: number, random: number): number =>
  (error as ApiError).retryAfterMs ?? retryAfterMs(tries, random);
