/** How things are written. No Intl: older phones have it in part. */
import type { Names } from "../lib/orderbell";
import type { Language } from "./words";

/** 2800 → "¥28.00" */
export const yuan = (fen: number): string => `¥${(fen / 100).toFixed(2)}`;

/** What a choice adds or takes away: 100 → "+¥1.00", -200 → "−¥2.00", nothing for 0. */
export const extra = (fen: number): string => (fen === 0 ? "" : `${fen < 0 ? "−" : "+"}${yuan(Math.abs(fen))}`);

/** In the wanted language, else in the one there is. */
export const nameIn = (names: Names | null | undefined, language: Language): string =>
  names?.[language] ?? names?.zh ?? names?.en ?? "";

const two = (number: number) => String(number).padStart(2, "0");

/** The phone's own time, such as 14:05. */
export function clockTime(at: string | null | undefined): string {
  if (at === null || at === undefined) return "";
  const date = new Date(at);
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** Such as 2026-11-21 14:05. */
export function dayAndTime(at: string): string {
  const date = new Date(at);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clockTime(at)}`;
}

/** "{label} 号桌" with {label: "5"} → "5 号桌" */
export const fill = (text: string, values: Readonly<Record<string, string | number>>): string =>
  text.replace(/\{(\w+)\}/g, (whole, name: string) => String(values[name] ?? whole));
