/** Waiting times between tries, with full jitter, so that a thousand clients do not reconnect at the same moment. */
import type { ApiError } from "./api.ts";

/** @param tries failed so far, from 1 @param random from 0 to just below 1 @returns milliseconds */
export const retryAfterMs = (tries: number, random: number): number => random * Math.min(10_000, 500 * 2 ** tries);

/** The same, unless the server's answer gives the time. */
export const waitAfter = (error: unknown, tries: number, random: number): number =>
  (error as ApiError).retryAfterMs ?? retryAfterMs(tries, random);
