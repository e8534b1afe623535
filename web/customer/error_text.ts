/** Texts for a refused bill: the limit that was reached, and when to try again. */
import type { ApiError } from "../../clients/index.ts";
import { timeOf, words } from "./dictionary.ts";

export function errorText({ code, extra, retryAfterMs = 60_000 }: ApiError): string {
  if (code === "TOO_MANY_UNACCEPTED") return words.tooMany[String(extra.of)] ?? words.tooMany.shop;
  if (code === "TOO_MANY_SESSIONS")
    return words.tooManyVisitors(timeOf(new Date(Date.now() + retryAfterMs + 59_000).toISOString()));
  if (code === "INVALID_INPUT") {
    const field = fieldName(String(extra.field));
    if (field !== undefined) return words.wrongField(field);
  }
  return words.refusal[code] ?? words.refusedOtherwise(code);
}

/** The page's name for a field of the bill, such as `lines.0.note`. */
function fieldName(path: string): string | undefined {
  if (path === "note") return words.orderNote;
  if (/^lines\.\d+\.note$/.test(path)) return words.dishNote;
  const [, contact] = /^delivery\.(name|phone|address)$/.exec(path) ?? [];
  return contact === undefined ? undefined : words[contact as "name" | "phone" | "address"];
}
