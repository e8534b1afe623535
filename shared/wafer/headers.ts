/** Wafer's headers of a session, beside `Authorization`. They are read here and nowhere else. */
import { SessionInvalid } from "../errors.ts";
import { userOf } from "../sessions/session.ts";

/** The member by which Wafer's first generation knows an answer about sessions. */
export const magicId = "F2C224D4-2BCE-4C64-AF9F-A6D872000D1A";

type Headers = Readonly<Record<string, string | string[] | undefined>>;

/**
 * `Authorization`; without it the session of `X-WX-Skey`, in the same form.
 * @throws SessionInvalid when `X-WX-Id` is not the session's user
 */
export function authorizationOf(headers: Headers): string | undefined {
  const { authorization } = headers;
  if (typeof authorization === "string") return authorization;
  const { id, skey } = sessionHeaders(headers);
  if (skey === undefined) return undefined;
  if (id !== undefined && id !== userOf(skey)) throw new SessionInvalid();
  return `Bearer ${skey}`;
}

/** Members of an error of status 401, by which clients of the first generation sign in again. */
export function membersFor401(headers: Headers): Readonly<Record<string, unknown>> {
  const { id, skey } = sessionHeaders(headers);
  return id === undefined && skey === undefined ? {} : { [magicId]: 1, error: "ERR_INVALID_SESSION" };
}

/** Whether the request is of the first generation, as far as its headers tell. */
export const hasId = (headers: Headers) => sessionHeaders(headers).id !== undefined;

/** Clients without a session may send both empty. */
function sessionHeaders(headers: Headers): { id: string | undefined; skey: string | undefined } {
  const text = (name: string) => String(headers[name] ?? "") || undefined;
  return { id: text("x-wx-id"), skey: text("x-wx-skey") };
}
