/** HTTP: one request, one answer, errors by their stable code. */
import type { Platform, Request } from "./platform.ts";

/** An error that the server answered. `code` is one of orderbell's; a gateway's own answers are mapped to the nearest one. */
export class ApiError extends Error {
  declare readonly code: string;
  declare readonly status: number;
  /** Milliseconds to wait before another try, where waiting helps. */
  declare readonly retryAfterMs: number | undefined;
  /** The problem document's further members. */
  declare readonly extra: Record<string, unknown>;
  constructor(
    code: string,
    status: number,
    message: string,
    retryAfterMs?: number,
    extra: Record<string, unknown> = {},
  ) {
    super(message);
    Object.assign(this, { name: "ApiError", code, status, retryAfterMs, extra });
  }
}

/** No answer came. */
export const noAnswer = "NO_ANSWER";
export const unanswered = (): ApiError => new ApiError(noAnswer, 0, "no answer");

/** Codes for API Gateway's own answers, by status. */
const bareCode = (status: number) =>
  status === 413 ? "BODY_TOO_LARGE" : status === 429 || status > 502 ? "OVERLOADED" : "INTERNAL";

/** @returns whether the same request, unchanged, may succeed later */
export const mayRetry = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.code === noAnswer || error.status >= 500 || (error.status === 429 && error.code !== "TOO_MANY_UNACCEPTED"));

export interface ApiRequest {
  method: Request["method"];
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** Without a session. */
  open?: boolean;
  /** A 401 is returned as the answer, without a second try under another session. */
  once?: boolean;
  timeoutMs?: number;
}

export interface Api {
  /** The API's address. */
  url: string;
  /** @returns the body @throws ApiError */
  ask<T>(ask: ApiRequest): Promise<T>;
}

export interface ApiOptions {
  /** Such as https://api.example.com; empty for the page's own host. */
  url: string;
  token(): string | undefined;
  /** Called without a token, or when `stale` was refused: gets another one, or undefined when the user must sign in. */
  renew(stale?: string): Promise<string | undefined>;
}

export function makeApi(platform: Platform, { url, token, renew }: ApiOptions): Api {
  async function send<T>({ method, path, body, headers, timeoutMs = 15_000 }: ApiRequest, bearer?: string): Promise<T> {
    const answer = await platform
      .request({
        method,
        url: url + path,
        timeoutMs,
        headers: {
          ...headers,
          ...(bearer && { authorization: `Bearer ${bearer}` }),
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        body: JSON.stringify(body),
      } as Request)
      .catch(() => undefined);
    const said = parse(answer?.body);
    // A body that is not JSON comes from a proxy: no answer of the API, whatever its status.
    if (!answer || (answer.status < 400 && !said && answer.body)) throw unanswered();
    if (answer.status < 400) return said as T;
    const { code, detail, ...extra } = (said ?? {}) as Record<string, unknown>;
    const wait = Number(answer.headers["retry-after"]);
    throw new ApiError(
      typeof code === "string" ? code : bareCode(answer.status),
      answer.status,
      `${detail ?? answer.status}`,
      wait > 0 ? wait * 1_000 : undefined,
      extra,
    );
  }

  return {
    url,
    async ask<T>(wanted: ApiRequest): Promise<T> {
      if (wanted.open) return send<T>(wanted);
      const bearer = token() ?? (await renew());
      try {
        return await send<T>(wanted, bearer);
      } catch (error) {
        if (!isSignedOut(error) || wanted.once) throw error;
        const other = await renew(bearer);
        if (!other) throw error;
        return send<T>(wanted, other);
      }
    },
  };
}

/** There is no session, or it has ended. */
export const isSignedOut = (error: unknown): boolean => error instanceof ApiError && error.status === 401;

/** Parses JSON from outside; undefined when it is malformed. */
export function parse(text: string | undefined): unknown {
  try {
    return JSON.parse(text as string);
  } catch {
    return undefined;
  }
}

/** URLSearchParams is not everywhere. Fields that are undefined are left out. */
export const query = (fields: Record<string, string | number | readonly string[] | undefined>): string =>
  Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${encodeURIComponent(value as string)}`)
    .join("&");
