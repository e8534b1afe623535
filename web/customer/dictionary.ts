/** The dictionary in use, for every part of the page. It is loaded before anything is rendered. */

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

/** 14:05, in the shop's zone; in the phone's until the shop is known. */
export const timeOf = (at: string, day: Intl.DateTimeFormatOptions = {}): string =>
  new Intl.DateTimeFormat(words.locale, {
    ...day,
    hour: "2-digit",
    minute: "2-digit",
    hour12: false,
    ...inZone(),
  }).format(new Date(at));

export const dateOf = (at: string): string => timeOf(at, { month: "short", day: "numeric" });
