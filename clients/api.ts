/** HTTP: one request, one answer, errors by their stable code. */
import type { Platform, Request } from "./platform.ts";

/** A refusal. `code` is orderbell's; what a gateway said by itself is mapped to the nearest one. */
export class ApiError extends Error {
  readonly code: string;
  readonly status: number;
  /** Milliseconds to wait, where waiting is the cure. */
  readonly retryAfterMs: number | undefined;
  /** The problem document's further members. */
  readonly extra: Record<string, unknown>;
  constructor(
    code: string,
    status: number,
    message: string,
    retryAfterMs?: number,
    extra: Record<string, unknown> = {},
  ) {
    super(message);
    this.name = "ApiError";
    this.code = code;
    this.status = status;
    this.retryAfterMs = retryAfterMs;
    this.extra = extra;
  }
}

/** There was no answer at all. */
export const noAnswer = "NO_ANSWER";

/** API Gateway's bare answers. */
const bareCodes: Record<number, string> = {
  404: "ROUTE_UNKNOWN",
  413: "BODY_TOO_LARGE",
  429: "OVERLOADED",
  503: "OVERLOADED",
  504: "OVERLOADED",
};

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
  /** The session is gone: gets a new token, or undefined when somebody must sign in. Asked once for all who wait. */
  renew(): Promise<string | undefined>;
}

export function makeApi(platform: Platform, { url, token, renew }: ApiOptions): Api {
  async function once<T>({ method, path, body, headers = {}, open = false, timeoutMs = 15_000 }: Ask): Promise<T> {
    const bearer = open ? undefined : token();
    const request: Request = {
      method,
      url: url + path,
      timeoutMs,
      headers: {
        ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
    };
    if (body !== undefined) request.body = JSON.stringify(body);
    const answer = await platform.request(request).catch(() => {
      throw new ApiError(noAnswer, 0, "no answer");
    });
    if (answer.status < 400) return (answer.body === "" ? undefined : parse(answer.body)) as T;
    const { code, detail, ...extra } = (parse(answer.body) ?? {}) as Record<string, unknown>;
    const wait = Number(answer.headers["retry-after"]);
    throw new ApiError(
      typeof code === "string" ? code : (bareCodes[answer.status] ?? "INTERNAL"),
      answer.status,
      String(detail ?? answer.status),
      wait > 0 ? wait * 1_000 : undefined,
      extra,
    );
  }

  return {
    async ask<T>(wanted: Ask): Promise<T> {
      try {
        return await once<T>(wanted);
      } catch (error) {
        const mine = error instanceof ApiError && error.status === 401 && wanted.open !== true;
        if (!mine || (await renew()) === undefined) throw error;
        return once<T>(wanted);
      }
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
