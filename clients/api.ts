/** HTTP: one request, one answer, errors by their stable code. */
import type { Platform, Request } from "./platform.ts";

/** A refusal. `code` is orderbell's; what a gateway said by itself is mapped to the nearest one. */
export class ApiError extends Error {
  declare readonly code: string;
  declare readonly status: number;
  /** Milliseconds to wait, where waiting is the cure. */
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

/** There was no answer at all. */
export const noAnswer = "NO_ANSWER";
export const unanswered = (): ApiError => new ApiError(noAnswer, 0, "no answer");

/** API Gateway's bare answers. */
const bareCode = (status: number) =>
  status === 413 ? "BODY_TOO_LARGE" : status === 429 || status > 502 ? "OVERLOADED" : "INTERNAL";

/** Whether the same request, unchanged, may succeed later. */
export const mayRetry = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.code === noAnswer || error.status >= 500 || (error.status === 429 && error.code !== "TOO_MANY_UNACCEPTED"));

export interface Ask {
  method: Request["method"];
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** Without a session. */
  open?: boolean;
  /** A 401 is the answer: no second try under another session. */
  once?: boolean;
  timeoutMs?: number;
}

export interface Api {
  /** @returns the body @throws ApiError */
  ask<T>(ask: Ask): Promise<T>;
}

export interface ApiOptions {
  /** Such as https://api.example.com; empty for the page's own host. */
  url: string;
  token(): string | undefined;
  /** There is no token, or `stale` is refused: gets another one, or undefined when somebody must sign in. */
  renew(stale?: string): Promise<string | undefined>;
}

export function makeApi(platform: Platform, { url, token, renew }: ApiOptions): Api {
  async function send<T>({ method, path, body, headers, timeoutMs = 15_000 }: Ask, bearer?: string): Promise<T> {
    const request: Request = { method, url: url + path, timeoutMs, headers: { ...headers } };
    if (bearer) request.headers.authorization = `Bearer ${bearer}`;
    if (body !== undefined) {
      request.headers["content-type"] = "application/json";
      request.body = JSON.stringify(body);
    }
    const answer = await platform.request(request).catch(() => undefined);
    const said = parse(answer?.body);
    const bare = !said && answer?.body !== "";
    // A proxy's page is no answer of ours, whatever its status says.
    if (!answer || (answer.status < 400 && bare)) throw unanswered();
    if (answer.status < 400) return said as T;
    const { code, detail, ...extra } = (said ?? {}) as Record<string, unknown>;
    const wait = Number(answer.headers["retry-after"]);
    throw new ApiError(
      typeof code === "string" ? code : bareCode(answer.status),
      answer.status,
      String(detail ?? answer.status),
      wait > 0 ? wait * 1_000 : undefined,
      extra,
    );
  }

  return {
    async ask<T>(wanted: Ask): Promise<T> {
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

/** Nobody is signed in, or not any more. */
export const isSignedOut = (error: unknown): boolean => error instanceof ApiError && error.status === 401;

/** JSON of somebody else; undefined when it is none. */
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
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
    .join("&");
