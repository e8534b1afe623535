/** What every page needs: the app's client, two languages, and an end for what it listens to. */
import type { Client } from "../lib/orderbell";

export interface ExampleApp {
  client: Client;
}

export const client = (): Client => getApp<ExampleApp>().client;

export type Language = "zh" | "en";
const key = "examples.language";

/** The one that was chosen, else WeChat's own. */
export function language(): Language {
  const chosen = wx.getStorageSync(key);
  if (chosen === "zh" || chosen === "en") return chosen;
  return wx.getAppBaseInfo().language.startsWith("zh") ? "zh" : "en";
}

export const chooseLanguage = (next: Language): void => wx.setStorageSync(key, next);

/** The texts of the language, out of those of both: `{ title: ["标题", "Title"] }`. */
export function texts<Words extends Record<string, readonly [zh: string, en: string]>>(
  words: Words,
): Record<keyof Words, string> {
  const at = language() === "zh" ? 0 : 1;
  const both = Object.entries(words).map(([name, text]) => [name, text[at]]);
  return Object.fromEntries(both) as Record<keyof Words, string>;
}

/** `{name}` in a text is replaced by the value of that name. */
export const fill = (text: string, values: Record<string, string | number>): string =>
  text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));

const stopsOf = new WeakMap<object, (() => void)[]>();

/** Called when the page is left: `leave` in its `onUnload`. */
export function onLeave(page: object, ...stops: (() => void)[]): void {
  stopsOf.set(page, [...(stopsOf.get(page) ?? []), ...stops]);
}

export function leave(page: object): void {
  for (const stop of stopsOf.get(page) ?? []) stop();
  stopsOf.delete(page);
}

const states: Record<Language, Record<string, string>> = {
  zh: {
    offline: "网络断开了，正在重连…",
    "catching up": "网络回来了，正在补上错过的…",
    polling: "网络不太好，消息会慢一些",
  },
  en: {
    offline: "No network, connecting again …",
    "catching up": "Back, catching up …",
    polling: "Weak network: news comes late",
  },
};

/** For the bar that says the network is away; empty while nothing is missing. */
export const networkText = (): string => states[language()][client().state()] ?? "";
