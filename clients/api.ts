/** HTTP: one request, one answer, errors by their stable code. */
import type { CloudbaseCode, ErrorExtras, ServerCode } from "./api_types.ts";
import type { Platform, Request, Response } from "./platform.ts";

/** Codes that the SDK itself gives: no answer came; the client was closed; an upload or a download was cancelled. */
type OwnCode = "NO_ANSWER" | "CLOSED" | "CANCELLED";

/** `code` of an ApiError: the server's, those that collections share with CloudBase, and the SDK's own. */
export type ErrorCode = ServerCode | CloudbaseCode | OwnCode;

interface ErrorOf<Code extends ErrorCode, Extra> extends Error {
  readonly code: Code;
  /** HTTP's; 0 where nothing came. */
  readonly status: number;
  /** Milliseconds to wait before another try, where waiting helps. */
  readonly retryAfterMs: number | undefined;
  /** The problem document's further members; `code` says which. */
  readonly extra: Extra & Readonly<Record<string, unknown>>;
  /** The server's `X-Request-Id`, which its log has too. */
  readonly requestId: string | undefined;
}

/** An error that the server answered, or that no answer came. `error.code === "SOLD_OUT"` says that `error.extra` is `{dish, left}`. */
export type ApiError =
  | { [Code in keyof ErrorExtras]: ErrorOf<Code, Readonly<ErrorExtras[Code]>> }[keyof ErrorExtras]
  | ErrorOf<Exclude<ErrorCode, keyof ErrorExtras>, unknown>;

interface ApiErrorClass {
  new (
    code: ErrorCode | (string & {}),
    status: number,
    message: string,
    retryAfterMs?: number,
    extra?: Record<string, unknown>,
    more?: { requestId?: string | undefined; cause?: unknown },
  ): ApiError;
  readonly prototype: ApiError;
}

export const ApiError = class extends Error {
  constructor(
    code: string,
    status: number,
    message: string,
    retryAfterMs?: number,
    extra: Record<string, unknown> = {},
    more?: { requestId?: string | undefined; cause?: unknown },
  ) {
    super(message);
    Object.assign(this, { name: "ApiError", code, status, retryAfterMs, extra, ...more });
  }
} as unknown as ApiErrorClass;

/** No answer came, or one that is not the API's: a proxy's page. */
export const noAnswer = "NO_ANSWER";

/** Codes for answers without one, by status: none, a proxy's, API Gateway's own. */
const bareCode = (status: number) =>
  status < 400 ? noAnswer : status === 429 || status > 502 ? "OVERLOADED" : "INTERNAL";

/** @returns whether the same request, unchanged, may succeed later */
export const mayRetry = (error: unknown): boolean =>
  error instanceof ApiError &&
  (error.code === noAnswer || error.status >= 500 || (error.status === 429 && error.code !== "TOO_MANY_UNACCEPTED"));

export interface ApiRequest {
  method: Request["method"];
  path: string;
  body?: unknown;
  headers?: Record<string, string> | undefined;
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
    // The query may name people.
    const what = `${method} ${path.split("?")[0]}`;
    const {
      status,
      headers: got,
      body: text,
      cause,
    }: Response & { cause?: unknown } = await platform
      .request({
        method,
        url: url + path,
        timeoutMs,
        headers: {
          ...headers,
          ...(bearer && { authorization: `Bearer ${bearer}` }),
          ...(!!body && { "content-type": "application/json" }),
        },
        body: JSON.stringify(body),
      } as Request)
      .catch((cause = noAnswer) => ({ status: 0, headers: {}, body: "", cause }));
    const said = parse(text) as Record<string, unknown> | undefined;
    const about = { status, requestId: got["x-request-id"], cause };
    platform.log?.(what, about);
    if (status && status < 400 && (said || !text)) return said as T;
    const { code, detail, ...extra } = said ?? {};
    throw new ApiError(
      `${code ?? bareCode(status)}`,
      status,
      `${detail ?? `${what}: ${cause ?? status + (said ? "" : ", no JSON")}`}`,
      Number(got["retry-after"]) * 1_000 || undefined,
      extra,
      about,
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
        const other = isSignedOut(error) && !wanted.once && (await renew(bearer));
        if (!other) throw error;
        return send<T>(wanted, other);
      }
    },
  };
}

/** The user must sign in. */
export const signedOut = (code: string): ApiError => new ApiError(code, 401, "signed out");

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
    .flatMap(([name, value]) => (value === undefined ? [] : `${name}=${encodeURIComponent(value as string)}`))
    .join("&");
