import { ApiError } from "../api.ts";

/**
 * Checks here what the server would answer to, or what a gateway would close the socket for.
 * @param maxBytes of the JSON @throws TypeError, ApiError EVENT_TOO_LARGE
 */
export function checkJson(data: unknown, maxBytes: number): void {
  const text: string | undefined = JSON.stringify(data);
  if (text === undefined) throw new TypeError("this is no JSON");
  // In UTF-8: two bytes, half of four, three.
  const bytes = text.replace(/[\u0080-\u07ff\ud800-\udfff]/g, "xx").replace(/[\u0800-\uffff]/g, "xxx").length;
  if (bytes > maxBytes) throw new ApiError("EVENT_TOO_LARGE", 422, `${bytes} bytes of at most ${maxBytes}`);
}
