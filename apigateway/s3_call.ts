/** Requests to S3 with a signature in their headers, with time limits, and again where S3 says so. */
import { createHash } from "node:crypto";
import { AwsV4Signer } from "aws4fetch";
import type { Clock } from "../shared/app.ts";
import { AnswerTooLarge, boundedFetch } from "../shared/bounded_fetch.ts";
import { FilesAway } from "../shared/errors.ts";
import { addressOf, type S3Bucket, signerOf, stamp } from "./s3_bucket.ts";
import { errorIn, isWhole } from "./s3_xml.ts";

export interface S3Request {
  readonly method: "GET" | "HEAD" | "PUT" | "POST" | "DELETE";
  /** Without it the request is about the bucket. */
  readonly path?: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** The answer's root. S3 begins some answers with 200 before it knows how they end, and an error is in the body. */
  readonly root?: string;
  /** Work on a whole object takes longer, and is tried less often. */
  readonly isLong?: boolean;
  readonly maxBytes?: number;
}

export interface S3Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly bytes: Uint8Array;
  readonly text: string;
  /** S3's code where it refuses, or the status where it gives none. */
  readonly code: string | undefined;
}

export type S3Call = (request: S3Request) => Promise<S3Answer>;

/** All tries together end before a function's time does, which is 29 s: a long request has half the tries and twice the time. */
const tryMs = 6_000;
const tries = 4;
/** The first pause; it doubles. */
const pauseMs = 100;
/** A list of a thousand parts, or of keys that could not be removed; and why a request for a few bytes is refused. */
const maxDocumentBytes = 1_048_576;

/** What passes: S3's own words for "again, a little later". */
const passing = new Set(["InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout", "OperationAborted"]);
const passes = (status: number, code: string | undefined) =>
  status === 429 ||
  status >= 500 ||
  // A deletion at the same moment: neither written nor refused.
  code === "ConditionalRequestConflict" ||
  (code !== undefined && passing.has(code));

/** Not again: what a store does not know, it will not know later. */
const isFinal = (status: number, code: string | undefined) => status === 501 || !passes(status, code);

export interface S3CallOptions {
  readonly bucket: S3Bucket;
  readonly sleep: Clock["sleep"];
  /** From 0 to 1: callers that were refused together do not come back together. */
  readonly fraction: () => number;
  /** Of one try. */
  readonly timeoutMs?: number;
}

/** Every request may be sent twice: what it does the second time is the same, or is refused. @throws FilesAway */
export function s3Caller({ bucket, sleep, fraction, timeoutMs = tryMs }: S3CallOptions): S3Call {
  async function once(request: S3Request): Promise<S3Answer> {
    const maxBytes = Math.max(request.maxBytes ?? 0, maxDocumentBytes);
    const [url, init] = await signed(bucket, request);
    const bounds = { timeoutMs: request.isLong ? 2 * timeoutMs : timeoutMs, maxBytes };
    const answer = await boundedFetch(fetch, url, init, bounds);
    return { ...answer, code: codeOf(request, answer) };
  }
  return async (request) => {
    const last = request.isLong ? tries / 2 : tries;
    for (let nth = 1; ; nth++) {
      const answer = await once(request).catch((error: unknown) => (nth < last ? undefined : giveUp(error)));
      if (answer !== undefined && isFinal(answer.status, answer.code)) return answer;
      if (answer !== undefined && nth >= last) throw new FilesAway(new S3Refused(answer));
      await sleep(pauseMs * 2 ** (nth - 1) * (0.5 + fraction()));
    }
  };
}

/** Connection and time are what may fail; an address that is none is our own mistake, and looks the same. */
function giveUp(error: unknown): never {
  throw error instanceof AnswerTooLarge ? error : new FilesAway(error);
}

async function signed(bucket: S3Bucket, request: S3Request): Promise<[string, RequestInit]> {
  const { method, path, query = {}, headers = {}, body } = request;
  const url = new URL(path === undefined ? bucket.endpoint : addressOf(bucket, path));
  for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
  // The body is signed too: a store of a LAN may be without TLS.
  const hash = createHash("sha256")
    .update(body ?? "")
    .digest("hex");
  const signer = new AwsV4Signer({
    ...signerOf(bucket),
    method,
    url: url.href,
    headers: { ...headers, "x-amz-content-sha256": hash },
    datetime: stamp(bucket.now()),
  });
  const { url: at, headers: all } = await signer.sign();
  return [
    at.href,
    { method, headers: all, ...(body === undefined ? {} : { body: body as NonNullable<RequestInit["body"]> }) },
  ];
}

function codeOf({ root }: S3Request, { ok, status, text }: { ok: boolean; status: number; text: string }) {
  if (!ok) return errorIn(text) ?? String(status);
  if (root === undefined) return undefined;
  // A body that was cut off says neither: it is asked for again.
  return errorIn(text) ?? (isWhole(text, root) ? undefined : "InternalError");
}

/** S3 refuses. Its message quotes the request; only the code is kept. */
export class S3Refused extends Error {
  override readonly name = "S3Refused";
  readonly code: string;
  constructor({ status, code = "" }: Pick<S3Answer, "status" | "code">) {
    super(`S3 answered ${status} ${code}`);
    this.code = code;
  }
}
