/** Reads the log that servers keep in ORDERBELL_HOME, and chooses lines of it. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { type LogLevel, logLevels } from "../shared/config.ts";
import { type Kept, logFolderOf, logPaths } from "./log_files.ts";
import { UsageError } from "./usage_error.ts";

/** A line of the log: its fields, and as it was written. */
export interface LogLine {
  readonly at: string;
  readonly level: LogLevel;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** @returns undefined for what is no line of the log, such as one that was cut by a power failure */
export function logLineOf(text: string): LogLine | undefined {
  try {
    const { at, level, event, ...fields } = JSON.parse(text);
    return typeof at === "string" && typeof event === "string" ? { at, level, event, fields, text } : undefined;
  } catch {
    return undefined;
  }
}

/** Which lines are asked for. */
export interface LogFilter {
  readonly order?: string | undefined;
  readonly shop?: string | undefined;
  readonly level?: LogLevel | undefined;
  /** ISO 8601, inclusive. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

export function isWanted(
  { at, level, fields }: LogLine,
  { order, shop, level: least, since, until }: LogFilter,
): boolean {
  if (since !== undefined && at < since) return false;
  if (until !== undefined && at > until) return false;
  if (least !== undefined && logLevels.indexOf(level) < logLevels.indexOf(least)) return false;
  if (order !== undefined && fields.order !== order && fields.about !== order) return false;
  return shop === undefined || fields.shop === shop || ofShop(shop).includes(String(fields.stream));
}

const ofShop = (shop: string) => ["shop", "menu", "board"].map((kind) => `${kind}:${shop}`);

const spans = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** `30m`, `2h`, `1d` before now, or a date with or without a time, as ISO 8601. @throws UsageError */
export function timeOf(option: string, text: string | undefined, now: number): string | undefined {
  if (text === undefined) return undefined;
  const [, count, unit] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const at = count === undefined ? Date.parse(text) : now - Number(count) * spans[unit as keyof typeof spans];
  if (/^[\d-]/.test(text) && Number.isFinite(at) && Math.abs(at) < 8.64e15) return new Date(at).toISOString();
  throw new UsageError(`--${option} is a time such as 30m, 2h, 1d or 2026-11-29T12:00Z, not "${text}"`);
}

/** @throws UsageError */
export function levelOf(text: string | undefined): LogLevel | undefined {
  const level = logLevels.find((one) => one === text);
  if (text !== undefined && level === undefined)
    throw new UsageError(`--level is one of ${logLevels.filter((one) => one !== "silent").join(", ")}, not "${text}"`);
  return level;
}

export interface ReadOptions {
  /** Of files that are being written: the bytes to read. */
  readonly upTo?: readonly Kept[];
  /** Only lines that hold one of these texts: a look before the line is parsed. */
  readonly marks?: readonly string[];
}

/** The kept lines that are wanted, in the order of their times. */
export function readKept(
  home: string,
  filter: LogFilter,
  { upTo = [], marks = [marksOf(filter)] }: ReadOptions = {},
): LogLine[] {
  const bytesOf = new Map(upTo.map(({ file, bytes }) => [file, bytes]));
  const found: LogLine[] = [];
  for (const path of logPaths(logFolderOf(home))) {
    const text = contentOf(path)
      .subarray(0, bytesOf.get(basename(path)))
      .toString("utf8");
    for (const one of text.split("\n")) {
      const line = marks.some((mark) => one.includes(mark)) ? logLineOf(one) : undefined;
      if (line !== undefined && isWanted(line, filter)) found.push(line);
    }
  }
  return found.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}

const marksOf = ({ order, shop }: LogFilter) => order ?? shop ?? "";

/** When the oldest kept line was written; undefined when none is kept. */
export function reachOfKept(home: string): string | undefined {
  const firsts = logPaths(logFolderOf(home)).flatMap((path) => {
    const content = contentOf(path);
    return logLineOf(content.subarray(0, content.indexOf("\n")).toString("utf8"))?.at ?? [];
  });
  return firsts.toSorted()[0];
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    // The oldest file was removed just now.
    return Buffer.alloc(0);
  }
}
