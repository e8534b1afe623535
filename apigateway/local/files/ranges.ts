/** Which bytes of an object a request asks for, and whether it wants them at all: RFC 9110, 13 and 14, as S3 reads it. */

export interface Range {
  readonly from: number;
  /** Inclusive. */
  readonly to: number;
}

/** Longer numbers are beyond any object, and beyond what a number holds. */
const form = /^bytes[ \t]*=[ \t]*(\d{0,15})-(\d{0,15})[ \t]*$/i;

/**
 * @returns "all" where there is no range, a malformed one or several: S3 answers several with the whole object;
 * "none" where the object has no such bytes
 */
export function rangeOf(header: string | undefined, bytes: number): Range | "all" | "none" {
  const [all, first = "", last = ""] = form.exec(header ?? "") ?? [];
  if (all === undefined || (first === "" && last === "")) return "all";
  if (first === "") {
    const length = Math.min(Number(last), bytes);
    return length === 0 ? "none" : { from: bytes - length, to: bytes - 1 };
  }
  const from = Number(first);
  if (last !== "" && Number(last) < from) return "all";
  if (from >= bytes) return "none";
  return { from, to: last === "" ? bytes - 1 : Math.min(Number(last), bytes - 1) };
}

type Headers = Readonly<Record<string, string | string[] | undefined>>;

export interface Validators {
  /** With its quotes. */
  readonly etag: string;
  readonly modifiedMs: number;
}

/** Dates of HTTP have seconds. */
const seconds = (ms: number) => Math.floor(ms / 1_000);
const dateOf = (text: string) => seconds(Date.parse(text));

const listed = (header: string, etag: string, weak: boolean) =>
  header.trim() === "*" ||
  header.split(",").some((one) => (weak ? one.trim().replace(/^W\//, "") : one.trim()) === etag);

/** The status of a request whose conditions forbid the bytes: 304 or 412. Conditions on dates count only without those on tags. */
export function conditionOf(headers: Headers, { etag, modifiedMs }: Validators): 304 | 412 | undefined {
  const text = (name: string) => [headers[name]].flat().find((one) => one !== undefined);
  const [match, unmodified] = [text("if-match"), text("if-unmodified-since")];
  if (match !== undefined) {
    if (!listed(match, etag, false)) return 412;
  } else if (unmodified !== undefined && dateOf(unmodified) < seconds(modifiedMs)) return 412;
  const [noneMatch, since] = [text("if-none-match"), text("if-modified-since")];
  if (noneMatch !== undefined) return listed(noneMatch, etag, true) ? 304 : undefined;
  return since !== undefined && dateOf(since) >= seconds(modifiedMs) ? 304 : undefined;
}

/** Whether a range holds: `If-Range` names the object that the client has a part of, by its tag or by its date. */
export function isSameRange(header: string | undefined, { etag, modifiedMs }: Validators): boolean {
  if (header === undefined) return true;
  const text = header.trim();
  return text.startsWith('"') || text.startsWith("W/") ? text === etag : dateOf(text) === seconds(modifiedMs);
}
