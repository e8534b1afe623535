/** The age of an order: minutes, a word and a colour, so that no one has to rely on a single one of them. */
import { useNow } from "../shared/clock.ts";
import { readAges } from "./device_settings.ts";
import { words } from "./dictionary.ts";

export type AgeLevel = "fresh" | "slow" | "late";

export const minutesSince = (at: string, now: number): number =>
  Math.max(0, Math.floor((now - Date.parse(at)) / 60_000));

/** @param limits as this device is set */
export function levelOf(minutes: number, limits: string): AgeLevel {
  const [slow = 0, late = 0] = limits.split("–").map(Number);
  return minutes >= late ? "late" : minutes >= slow ? "slow" : "fresh";
}

export function Age({ since }: { since: string }) {
  const minutes = minutesSince(since, useNow(5_000));
  const level = levelOf(minutes, readAges());
  return (
    <span class={`age ${level}`} data-age={level}>
      <span>{words.minutes(minutes)}</span>
      {words.age[level] !== "" && <b> {words.age[level]}</b>}
    </span>
  );
}

/** Countdown to the moment when an order that is not accepted expires. */
export function Expiry({ at }: { at: string }) {
  const left = Math.ceil((Date.parse(at) - useNow(5_000)) / 60_000);
  return left > 5 ? null : <span> · {words.expiresIn(left)}</span>;
}
