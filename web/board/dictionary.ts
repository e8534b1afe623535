/** The dictionary in use, loaded before anything is rendered. */
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

export const timeOf = (at: number, seconds = false): string =>
  new Date(at).toLocaleTimeString(words.locale, {
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds ? { second: "2-digit" } : {}),
    hour12: false,
    ...inZone(),
  });
