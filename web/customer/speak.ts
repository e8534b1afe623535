/** The dictionary in use, for every part of the page. It is there before anything is rendered. */

import type { Names } from "../../clients/types.ts";
import { currentLanguage, type Language, nameIn } from "../shared/language.ts";
import type { Words } from "./words.ts";

export let words: Words;

/** Loads the dictionary; only this one. */
export async function loadWords(): Promise<void> {
  const language: Language = currentLanguage();
  words = (await (language === "zh" ? import("./words.zh.ts") : import("./words.en.ts"))).words;
  document.documentElement.lang = words.locale;
  document.title = words.title;
}

/** A name of the shop's. */
export const say = (names: Names | null | undefined): string => nameIn(currentLanguage(), names);

/** 14:05, in the shop's or the phone's zone. */
export const timeOf = (at: string, zone?: string): string =>
  new Intl.DateTimeFormat(words.locale, {
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
    ...(zone && { timeZone: zone }),
  }).format(new Date(at));

export const dateOf = (at: string): string =>
  new Intl.DateTimeFormat(words.locale, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
  }).format(new Date(at));
