/** The dictionary in use, loaded before anything is rendered, and texts made from it. */
import type { ApiError } from "../../clients/browser.ts";
import type { Names, OrderView } from "../../clients/types.ts";
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

/** The destination of an order: "5 号桌", "自取", "外送". A label that already contains the word for table does not get it twice. */
export function whereTo({ service, table }: Pick<OrderView, "service" | "table">): string {
  if (service !== "table" || table === null) return words.place[service];
  return /^[0-9A-Za-z-]{1,4}$/.test(table) ? words.table(table) : table;
}

export const stationName = (station: string): string =>
  station === "" ? words.noStation : (words.station[station] ?? station);

export const clockTime = (at: number): string =>
  new Date(at).toLocaleTimeString(words.locale, {
    ...inZone(),
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  });

export const shortTime = (at: string): string =>
  new Date(at).toLocaleTimeString(words.locale, { ...inZone(), hour: "2-digit", minute: "2-digit", hour12: false });

/** Day and time, for paper. */
export const fullTime = (at: string): string =>
  new Date(at).toLocaleString(words.locale, { ...inZone(), hour12: false });

/** A reason as text: usual ones travel as codes. */
export const reasonText = (reason: string): string =>
  Object.entries(words.reasons).find(([code]) => code === reason)?.[1] ?? reason;

/** The text of an error code. */
export const why = ({ code }: ApiError): string => words.refused[code] ?? words.refusedOtherwise(code);
