/** fetch with bounds of time and size, for requests to other services. Follows no redirect. */

export interface Bounds {
  /** From the request to the last byte of the answer. */
  readonly timeoutMs: number;
  readonly maxBytes: number;
}

export interface BoundedAnswer {
  readonly status: number;
  readonly ok: boolean;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  /** The bytes as UTF-8. */
  readonly text: string;
}

/** The answer is larger than any valid one. */
export class AnswerTooLarge extends Error {
  override readonly name = "AnswerTooLarge";
  constructor(maxBytes: number) {
    super(`an answer of more than ${maxBytes} bytes was cut`);
  }
}

type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** @param send `fetch`, or a variant that signs @throws AnswerTooLarge, and what `fetch` throws */
export async function boundedFetch(
  send: Fetch,
  url: string,
  init: RequestInit,
  { timeoutMs, maxBytes }: Bounds,
): Promise<BoundedAnswer> {
  const answer = await send(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(timeoutMs) });
  const { status, ok, headers } = answer;
  const chunks: Uint8Array[] = [];
  let read = 0;
  const reader = answer.body?.getReader();
  for (;;) {
    const part = await reader?.read();
    if (part === undefined || part.done) break;
    read += part.value.byteLength;
    if (read > maxBytes) {
      await reader?.cancel().catch(() => {});
      throw new AnswerTooLarge(maxBytes);
    }
    chunks.push(part.value);
  }
  const bytes = Buffer.concat(chunks);
  return { status, ok, headers, bytes, text: bytes.toString("utf8") };
}
