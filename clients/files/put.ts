/** One request that brings bytes into the store. */
import { ApiError, parse } from "../api.ts";
import type { Bar } from "./bar.ts";
import { type Job, noAnswer } from "./job.ts";
import { type Sending, type Sent, send, tellsProgress } from "./send.ts";
import type { Body } from "./source.ts";

/** A signed address: of a PUT with headers, or of a form with fields. */
export interface Address {
  method: string;
  url: string;
  headers?: Record<string, string>;
  fields?: Record<string, string>;
  fileField?: string;
}

/** What goes there. */
export interface Load {
  /** From 1. */
  _part: number;
  _bytes: number;
  _body: Body;
  /** For a form. */
  _wxPath?: string | undefined;
}

/** The store refuses the address: it has expired, or the place is gone. */
export class Expired extends Error {}

/** @param base the API's address, which the store's may be relative to @throws Expired, ApiError */
export async function put(job: Job, bar: Bar, base: string, address: Address, load: Load): Promise<void> {
  const { _part, _bytes } = load;
  const sending = sendingOf(job, base, address, load);
  const start = (moved: () => void) =>
    send(sending, (sent) => {
      moved();
      bar._sent(_part, Math.min(sent, _bytes));
    });
  check(await job._watch(start, tellsProgress(sending) ? 0 : _bytes));
  bar._sent(_part, _bytes);
}

export const absolute = (base: string, url: string): string => (/^https?:/.test(url) ? url : base + url);

function sendingOf(job: Job, base: string, address: Address, { _body, _bytes, _wxPath }: Load): Sending {
  const { method, url, headers = {}, fields, fileField = "file" } = address;
  return {
    _method: method,
    _url: absolute(base, url),
    _headers: headers,
    _body,
    _timeoutMs: job._timeout(_bytes),
    ...(fields && _wxPath && { _form: { _path: _wxPath, _field: fileField, _fields: fields } }),
  };
}

/** What a store's answer means. @throws Expired, ApiError */
function check({ status, body }: Sent): void {
  // 412: it is there already; the answer to the request before was lost.
  if ((status >= 200 && status < 300) || status === 412) return;
  const { code, detail } = (parse(body) ?? {}) as { code?: string; detail?: string };
  const said = `the store answered ${status} ${code ?? /<Code>(\w+)/.exec(body)?.[1] ?? ""}`;
  if ([401, 403, 404, 410].includes(status)) throw new Expired(said);
  // S3 calls a body that came too slowly a 400.
  const passes = status >= 500 || status === 429 || status === 408 || /RequestTimeout/.test(body);
  if (passes) throw new ApiError(noAnswer, status, said);
  throw new ApiError(code ?? "FILE_NOT_STORED", status, detail ?? said);
}
