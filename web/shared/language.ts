/** Languages: the page's texts are typed dictionaries, of which only the one in use is loaded; the shop's names come from the server. */
import type { Names } from "../../clients/types.ts";
import { loadPart } from "./load_part.ts";

export const languages = ["zh", "en"] as const;
export type Language = (typeof languages)[number];

const storageKey = "orderbell:language";

/** The language that was chosen, else the browser's. */
export function currentLanguage(): Language {
  const chosen = read();
  if (chosen === "zh" || chosen === "en") return chosen;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

// A browser that forbids storage still shows the page.
function read(): string | null {
  try {
    return localStorage.getItem(storageKey);
  } catch {
    return null;
  }
}

/** Stores the language and reloads the page in it: every text comes from one dictionary. */
export function chooseLanguage(language: Language): void {
  try {
    localStorage.setItem(storageKey, language);
  } catch {
    // Without storage it lasts as long as the page.
  }
  location.reload();
}

/** A name in this language, or in the other if it has no text in this one. */
export const nameIn = (language: Language, names: Names | null | undefined): string =>
  names?.[language] ?? names?.zh ?? names?.en ?? "";

/** The page's texts in the language in use; only this dictionary is fetched. */
export async function loadDictionary<W extends { locale: string }>(
  load: Record<Language, () => Promise<{ words: W }>>,
): Promise<W> {
  const { words } = await loadPart(load[currentLanguage()]);
  document.documentElement.lang = words.locale;
  return words;
}
