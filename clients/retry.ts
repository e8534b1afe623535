/** Waiting times between tries, with full jitter, so that a thousand clients do not reconnect at the same moment. */
import type { Platform } from "./platform.ts";

/** @param tries failed so far, from 1 @returns milliseconds: those that the server's answer gives, else a random part of a doubling time */
export const waitAfter = (error: unknown, tries: number, { random }: Pick<Platform, "random">): number =>
  (error as { retryAfterMs?: number }).retryAfterMs ?? random() * Math.min(10_000, 500 * 2 ** tries);

/** The same where there is no answer. */
export const retryAfterMs = (tries: number, platform: Pick<Platform, "random">): number =>
  waitAfter({}, tries, platform);
