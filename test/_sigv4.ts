/**
 * Verifies Signature Version 4 as S3 does, written from AWS's documents and independent of what signs in this project.
 * Sources: Amazon S3 API Reference, "Authenticating Requests: Using the Authorization Header", "… Using Query Parameters".
 */
import { createHash, createHmac } from "node:crypto";

export interface Received {
  readonly method: string;
  /** Path and query as they came. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface Credentials {
  readonly secretAccessKey: string;
  /** Temporary ones: requests must carry it. */
  readonly sessionToken?: string | undefined;
  readonly until?: number | undefined;
}

export interface Verifier {
  readonly region: string;
  readonly now: () => number;
  readonly credentialsOf: (accessKeyId: string) => Credentials | undefined;
}

/** A refusal with S3's status and code. */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

const skewMs = 15 * 60_000;
const weekSec = 7 * 24 * 3_600;

const sha256 = (data: string | Uint8Array) => createHash("sha256").update(data).digest("hex");
export const hmac = (key: string | Buffer, data: string) => createHmac("sha256", key).update(data).digest();
export const signingKey = (secret: string, scope: readonly string[]) =>
  scope.reduce<string | Buffer>((key, part) => hmac(key, part), `AWS4${secret}`) as Buffer;

/** RFC 3986's unreserved characters stay, every other byte is percent-encoded. */
const encode = (text: string) =>
  [...Buffer.from(text)]
    .map((byte) =>
      /[A-Za-z0-9\-._~]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`,
    )
    .join("");

const decode = (text: string) => decodeURIComponent(text.replaceAll("+", " "));

/** The query, decoded, in its order. */
export function queryOf(url: string): [string, string][] {
  const query = url.split("?").slice(1).join("?");
  return query === ""
    ? []
    : query.split("&").map((pair) => {
        const [name = "", ...value] = pair.split("=");
        return [decode(name), decode(value.join("="))];
      });
}

/** `20261121T061530Z` → milliseconds; NaN for anything else. */
export function timeOf(stamp: string): number {
  const [, y, mo, d, h, mi, s] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(stamp) ?? [];
  return Date.UTC(Number(y), Number(mo) - 1, Number(d), Number(h), Number(mi), Number(s));
}

export function canonicalRequest({ method, url, headers }: Received, signed: readonly string[], hash: string): string {
  const path = (url.split("?")[0] ?? "").split("/").map((part) => encode(decodeURIComponent(part)));
  const query = queryOf(url)
    .filter(([name]) => name !== "X-Amz-Signature")
    .map(([name, value]) => [encode(name), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : x > y ? 1 : 0))
    .map((pair) => pair.join("="));
  const lines = signed.map((name) => `${name}:${(headers[name] ?? "").trim().replace(/ +/g, " ")}\n`);
  return [method, path.join("/"), query.join("&"), lines.join(""), signed.join(";"), hash].join("\n");
}

interface Claims {
  readonly credential: string;
  readonly date: string;
  readonly signed: readonly string[];
  readonly signature: string;
  readonly token: string | undefined;
}

/** @returns the access key of a right signature @throws Refusal */
export function verifySignature(received: Received, verifier: Verifier): string {
  const query = new Map(queryOf(received.url));
  const isInQuery = query.has("X-Amz-Algorithm") || query.has("X-Amz-Signature");
  if (received.headers.authorization !== undefined) {
    if (isInQuery) throw new Refusal(400, "InvalidArgument", "Only one auth mechanism allowed");
    return verifyHeader(received, verifier);
  }
  if (isInQuery) return verifyQuery(received, query, verifier);
  throw new Refusal(403, "AccessDenied", "not signed");
}

function verifyHeader(received: Received, verifier: Verifier): string {
  const { headers, body } = received;
  const [, credential, signed, signature] =
    /^AWS4-HMAC-SHA256 Credential=([^,\s]+),\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/.exec(
      headers.authorization ?? "",
    ) ?? [];
  if (credential === undefined || signed === undefined || signature === undefined)
    throw new Refusal(400, "AuthorizationHeaderMalformed");
  const hash = headers["x-amz-content-sha256"];
  if (hash === undefined) throw new Refusal(400, "InvalidRequest", "x-amz-content-sha256 is missing");
  const date = headers["x-amz-date"] ?? "";
  if (!(Math.abs(verifier.now() - timeOf(date)) <= skewMs)) throw new Refusal(403, "RequestTimeTooSkewed");
  const token = headers["x-amz-security-token"];
  const key = verifyClaims(received, { credential, date, signed: signed.split(";"), signature, token }, hash, verifier);
  if (/^[0-9a-f]{64}$/.test(hash) && hash !== sha256(body)) throw new Refusal(400, "XAmzContentSHA256Mismatch");
  return key;
}

function verifyQuery(received: Received, query: ReadonlyMap<string, string>, verifier: Verifier): string {
  const wrong = (message: string) => new Refusal(400, "AuthorizationQueryParametersError", message);
  const [algorithm, credential, date, expires, signed, signature] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-SignedHeaders",
    "X-Amz-Signature",
  ].map((name) => query.get(name));
  if (credential === undefined || date === undefined || signed === undefined || signature === undefined)
    throw wrong("a parameter is missing");
  if (algorithm !== "AWS4-HMAC-SHA256") throw wrong("another algorithm");
  const seconds = Number(expires);
  if (!/^\d+$/.test(expires ?? "") || seconds < 1 || seconds > weekSec) throw wrong("X-Amz-Expires");
  if (verifier.now() + skewMs < timeOf(date)) throw new Refusal(403, "AccessDenied", "not valid yet");
  if (!(verifier.now() <= timeOf(date) + seconds * 1_000)) throw new Refusal(403, "AccessDenied", "has expired");
  const claims = { credential, date, signed: signed.split(";"), signature, token: query.get("X-Amz-Security-Token") };
  return verifyClaims(received, claims, "UNSIGNED-PAYLOAD", verifier);
}

function verifyClaims(received: Received, claims: Claims, hash: string, verifier: Verifier): string {
  const { credential, date, signed, signature, token } = claims;
  const { accessKeyId, scope, secretAccessKey } = checkCredential(credential, date, token, verifier);
  if (!signed.includes("host")) throw new Refusal(403, "AccessDenied", "host is not signed");
  const unsigned = Object.keys(received.headers).filter((name) => name.startsWith("x-amz-") && !signed.includes(name));
  if (unsigned.length > 0) throw new Refusal(403, "AccessDenied", `not signed: ${unsigned.join()}`);
  const text = ["AWS4-HMAC-SHA256", date, scope.join("/"), sha256(canonicalRequest(received, signed, hash))].join("\n");
  if (hmac(signingKey(secretAccessKey, scope), text).toString("hex") !== signature)
    throw new Refusal(403, "SignatureDoesNotMatch");
  return accessKeyId;
}

/** Key, scope and token, as requests and policies carry them. @throws Refusal */
export function checkCredential(credential: string, date: string, token: string | undefined, verifier: Verifier) {
  const [accessKeyId = "", ...scope] = credential.split("/");
  if (scope.join("/") !== `${date.slice(0, 8)}/${verifier.region}/s3/aws4_request`)
    throw new Refusal(400, "AuthorizationHeaderMalformed", `the scope ${scope.join("/")} is wrong`);
  const known = verifier.credentialsOf(accessKeyId);
  if (known === undefined) throw new Refusal(403, "InvalidAccessKeyId");
  if (token !== known.sessionToken) throw new Refusal(400, "InvalidToken");
  if (known.until !== undefined && verifier.now() > known.until) throw new Refusal(400, "ExpiredToken");
  return { accessKeyId, scope, secretAccessKey: known.secretAccessKey };
}
