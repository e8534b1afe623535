/** The dictionary in use, there before anything is rendered; and what is made of it. */
import type { ApiError } from "../../clients/browser.ts";
import type { Names, OrderView } from "../../clients/types.ts";
import { currentLanguage, loadDictionary, nameIn } from "../shared/language.ts";
import type { Words } from "./words.ts";

export let words: Words;

export async function loadWords(): Promise<void> {
  words = await loadDictionary({ zh: () => import("./words.zh.ts"), en: () => import("./words.en.ts") });
  document.title = `${words.title} · orderbell`;
}

/** A name of the shop's. */
export const say = (names: Names | null | undefined): string => nameIn(currentLanguage(), names);

/** Where an order goes: "5 号桌", "自取", "外送". A label that says that it is a table is not told so twice. */
export function whereTo({ service, table }: Pick<OrderView, "service" | "table">): string {
  if (service !== "table" || table === null) return words.place[service];
  return /^[0-9A-Za-z-]{1,4}$/.test(table) ? words.table(table) : table;
}

export const stationName = (station: string): string =>
  station === "" ? words.noStation : (words.station[station] ?? station);

export const clockTime = (at: number): string =>
  new Date(at).toLocaleTimeString(words.locale, {
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hour12: false,
  });

export const shortTime = (at: string): string =>
  new Date(at).toLocaleTimeString(words.locale, { hour: "2-digit", minute: "2-digit", hour12: false });

/** What a refusal means, in plain words. */
export const why = ({ code }: ApiError): string => words.refused[code] ?? words.refusedOtherwise(code);
