/**
 * Log of structured lines, one per event. Fields are ids, codes, counts and durations:
 * no token, no name, no phone, no address, no text that a person typed.
 */
import { type LogLevel, logLevels } from "./config.ts";
import { iso } from "./day.ts";

export type Fields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export interface Log {
  debug(event: string, fields?: Fields): void;
  info(event: string, fields?: Fields): void;
  warn(event: string, fields?: Fields): void;
  /** `cause` is reduced to class, code and stack positions: messages of other libraries may quote personal data. */
  error(event: string, fields?: Fields, cause?: unknown): void;
}

/** @param write takes one finished line, with its line feed @param seen is told of lines of every level */
export function makeLog(
  level: LogLevel,
  now: () => number,
  write: (line: string) => void,
  seen?: (level: LogLevel, event: string, fields: Fields) => void,
): Log {
  const threshold = logLevels.indexOf(level);
  const line =
    (at: LogLevel) =>
    (event: string, fields: Fields = {}) => {
      seen?.(at, event, fields);
      if (logLevels.indexOf(at) < threshold) return;
      write(`${JSON.stringify({ at: iso(now()), level: at, event, ...fields })}\n`);
    };
  const error = line("error");
  return {
    debug: line("debug"),
    info: line("info"),
    warn: line("warn"),
    error: (event, fields = {}, cause = undefined) =>
      error(event, cause === undefined ? fields : { ...fields, ...describe(cause) }),
  };
}

/** The parts of an unknown error that are safe to print: class, code, stack positions, and its cause's class and code. */
function describe(error: unknown): Fields {
  if (!(error instanceof Error)) return { error: typeof error };
  const code = "code" in error ? String(error.code) : undefined;
  const frames = (error.stack ?? "").split("\n").filter((text) => /^\s+at /.test(text));
  const where = frames
    .slice(0, 6)
    .map((text) => text.trim().slice(3))
    .join(" < ");
  const cause =
    error.cause instanceof Error
      ? `${error.cause.name}${"code" in error.cause ? ` ${String(error.cause.code)}` : ""}`
      : undefined;
  return { error: error.name, code, where, cause };
}
