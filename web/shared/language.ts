/** Languages: the page's words in typed dictionaries, the one in use loaded on demand; the shop's words as they come. */
import type { Names } from "../../clients/types.ts";
import { loadPart } from "./load_part.ts";

export const languages = ["zh", "en"] as const;
export type Language = (typeof languages)[number];

const kept = "orderbell:language";

/** What was chosen, else what the browser prefers. */
export function currentLanguage(): Language {
  const chosen = read();
  if (chosen === "zh" || chosen === "en") return chosen;
  return navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}

// A browser that forbids storage still shows the page.
function read(): string | null {
  try {
    return localStorage.getItem(kept);
  } catch {
    return null;
  }
}

/** Notes the language and begins the page anew in it: every text comes from one dictionary. */
export function chooseLanguage(language: Language): void {
  try {
    localStorage.setItem(kept, language);
  } catch {
    // Forgotten with the page.
  }
  location.reload();
}

/** A name of the shop's in the language, or in the one there is. */
export const nameIn = (language: Language, names: Names | null | undefined): string =>
  names?.[language] ?? names?.zh ?? names?.en ?? "";

/** The page's words in the language in use; only this dictionary is fetched. */
export async function loadDictionary<W extends { locale: string }>(
  load: Record<Language, () => Promise<{ words: W }>>,
): Promise<W> {
  const { words } = await loadPart(load[currentLanguage()]);
  document.documentElement.lang = words.locale;
  return words;
}
