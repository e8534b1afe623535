/** The dictionary in use, and the page's formats for names, money and time. It is loaded before anything is rendered. */
import type { Names } from "../../clients/types.ts";
import { currentLanguage, loadDictionary, nameIn } from "../shared/language.ts";
import { setTitle } from "../shared/title.ts";
import { inZone } from "../shared/zone.ts";
import type { Words } from "./words.ts";

export let words: Words;

export async function loadWords(): Promise<void> {
  words = await loadDictionary({ zh: () => import("./words.zh.ts"), en: () => import("./words.en.ts") });
  setTitle({ page: words.title });
}

/** One of the shop's names, in the language in use. */
export const localName = (names: Names | null | undefined): string => nameIn(currentLanguage(), names);

/** 11月21日 14:05 */
export const dateOf = (at: string): string =>
  new Intl.DateTimeFormat(words.locale, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
    ...inZone(),
  }).format(new Date(at));

export const timeOf = (at: string): string =>
  new Intl.DateTimeFormat(words.locale, { hour: "2-digit", minute: "2-digit", hour12: false, ...inZone() }).format(
    new Date(at),
  );

/** 2026-11-21 → 11月21日 周六 */
export const dayOf = (day: string): string =>
  new Intl.DateTimeFormat(words.locale, { month: "long", day: "numeric", weekday: "short", timeZone: "UTC" }).format(
    new Date(`${day}T00:00:00Z`),
  );

/** 14 → 14:00 */
export const hourOf = (hour: number): string => `${String(hour).padStart(2, "0")}:00`;

/** `2.5` → 250 fen; undefined for text that is not an amount. */
export function fenOf(text: string, negative = false): number | undefined {
  const [, sign, whole = "0", part = ""] = /^\s*(-?)(\d{1,7})(?:\.(\d{1,2}))?\s*$/.exec(text.replace("−", "-")) ?? [];
  if (sign === undefined || (sign === "-" && !negative)) return undefined;
  const fen = Number(whole) * 100 + Number(part.padEnd(2, "0"));
  return sign === "-" ? -fen : fen;
}

/** 250 → `2.5`, as one types it. */
export const typed = (fen: number): string => String(fen / 100);

/** 1204 → 1,204 */
export const numberOf = (value: number, digits = 0): string =>
  new Intl.NumberFormat(words.locale, { maximumFractionDigits: digits }).format(value);

/** 185 seconds → 3:05; 3723 → 1:02:03 */
export function lengthText(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return `${hours > 0 ? `${hours}:${two(minutes)}` : minutes}:${two(Math.floor(seconds) % 60)}`;
}

/** 3412 → 3.4 KB */
export function bytesOf(bytes: number): string {
  if (bytes < 1_000) return `${bytes} B`;
  if (bytes < 1_000_000) return `${numberOf(bytes / 1_000, 1)} KB`;
  return bytes < 1_000_000_000 ? `${numberOf(bytes / 1_000_000, 1)} MB` : `${numberOf(bytes / 1_000_000_000, 2)} GB`;
}
