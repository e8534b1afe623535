/** A bucket of S3, or of a store that speaks its language: its address, and addresses in it that this server has signed. */
import { AwsV4Signer } from "aws4fetch";

export interface S3Bucket {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials, such as a function's. */
  readonly sessionToken?: string | undefined;
  /** When temporary credentials end, if that is known: what they have signed ends then too. */
  readonly credentialsUntil?: number | undefined;
  readonly bucket: string;
  /** Of the bucket itself: `https://bucket.s3.eu-central-1.amazonaws.com`, or `http://nas.lan:9000/bucket`. */
  readonly endpoint: string;
  readonly now: () => number;
}

/** The values of `AwsV4Signer`; `allHeaders`: length and type are signed as well. */
export const signerOf = ({ accessKeyId, secretAccessKey, sessionToken, region }: S3Bucket) => ({
  accessKeyId,
  secretAccessKey,
  ...(sessionToken === undefined ? {} : { sessionToken }),
  region,
  service: "s3",
  allHeaders: true,
});

/** `20261121T061530Z` */
export const stamp = (at: number) => new Date(at).toISOString().replace(/[:-]|\.\d{3}/g, "");

/** Keys are of our own making, but whatever one holds, it is one path. */
export const addressOf = ({ endpoint }: Pick<S3Bucket, "endpoint">, path: string): string =>
  `${endpoint}/${path.split("/").map(encodeURIComponent).join("/")}`;

export interface SignedRequest {
  readonly method: "GET" | "PUT";
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
  /** Signed: S3 refuses the request with others. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Default: now. */
  readonly signedAt?: number;
  readonly lastsMs: number;
}

/** Signs a request that somebody else will send: the whole signature is in its address. */
export async function presign(bucket: S3Bucket, request: SignedRequest): Promise<{ url: string; expiresAt: number }> {
  const { method, path, query = {}, headers = {}, signedAt = bucket.now() } = request;
  const seconds = lifeSec(bucket, signedAt, request.lastsMs);
  const url = new URL(addressOf(bucket, path));
  for (const [name, value] of Object.entries({ ...query, "X-Amz-Expires": String(seconds) }))
    url.searchParams.set(name, value);
  const signer = new AwsV4Signer({
    ...signerOf(bucket),
    method,
    url: url.href,
    headers,
    signQuery: true,
    datetime: stamp(signedAt),
  });
  const signed = (await signer.sign()).url;
  // Signed as %20, and not every store takes a plus for it.
  signed.search = signed.search.replaceAll("+", "%20");
  return { url: signed.href, expiresAt: Math.floor(signedAt / 1_000) * 1_000 + seconds * 1_000 };
}

/** S3 refuses an address whose credentials have ended, so it must not promise more. One second at least: 0 is no address. */
export function lifeSec({ credentialsUntil }: S3Bucket, signedAt: number, lastsMs: number): number {
  const until = Math.min(signedAt + lastsMs, credentialsUntil ?? Number.POSITIVE_INFINITY);
  return Math.max(1, Math.floor((until - signedAt) / 1_000));
}
