/** The dictionary in use, there before anything is rendered. */
import type { Names } from "../../clients/types.ts";
import { currentLanguage, loadDictionary, nameIn } from "../shared/language.ts";
import type { Words } from "./words.ts";

export let words: Words;

export async function loadWords(): Promise<void> {
  words = await loadDictionary({ zh: () => import("./words.zh.ts"), en: () => import("./words.en.ts") });
  document.title = `${words.title} · orderbell`;
}

/** A name of the shop's. */
export const say = (names: Names | null | undefined): string => nameIn(currentLanguage(), names);

export const timeOf = (at: number, seconds = false): string =>
  new Date(at).toLocaleTimeString(words.locale, {
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds ? { second: "2-digit" } : {}),
    hour12: false,
  });
