/** The dictionary in use, for every part of the page. It is there before anything is rendered. */

import type { Names } from "../../clients/types.ts";
import { currentLanguage, loadDictionary, nameIn } from "../shared/language.ts";
import type { Words } from "./words.ts";

export let words: Words;

export async function loadWords(): Promise<void> {
  words = await loadDictionary({ zh: () => import("./words.zh.ts"), en: () => import("./words.en.ts") });
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
