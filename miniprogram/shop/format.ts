/** Formats of texts, money and times. Without Intl, which older phones have only in part. */
import type { Names } from "../lib/orderbell";
import type { Language } from "./words";

/** 2800 → "¥28.00" */
export const yuan = (fen: number): string => `¥${(fen / 100).toFixed(2)}`;

/** The price difference of a choice: 100 → "+¥1.00", -200 → "−¥2.00", nothing for 0. */
export const extra = (fen: number): string => (fen === 0 ? "" : `${fen < 0 ? "−" : "+"}${yuan(Math.abs(fen))}`);

/** The name in this language, else in the other one. */
export const nameIn = (names: Names | null | undefined, language: Language): string =>
  names?.[language] ?? names?.zh ?? names?.en ?? "";

const two = (number: number) => String(number).padStart(2, "0");

/** A time in the phone's zone, such as 14:05. */
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

/** The length as the server counts it: code points, without blanks at the ends. */
const lengthOf = (text: string): number => Array.from(text.trim()).length;

/** @returns how many characters are too many */
export const tooMany = (text: string, max: number): number => Math.max(0, lengthOf(text) - max);

/** The text shown near the limit and beyond it; a typed text is never cut. */
export function countOf(text: string, max: number, words: { counted: string; tooLong: string }): string {
  const over = tooMany(text, max);
  if (over > 0) return fill(words.tooLong, { max, over });
  return lengthOf(text) < max * 0.75 ? "" : fill(words.counted, { count: lengthOf(text), max });
}
