/** The adapter to S3: pictures are put there by the page itself, at an address that this function has signed. */
import { AwsClient } from "aws4fetch";
import { type Files, uploadMs } from "../shared/files.ts";

export interface S3Options {
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  readonly bucket: string;
  /** For stores that speak S3's language elsewhere. Default: the bucket's own host. */
  readonly endpoint?: string | undefined;
  readonly now: () => number;
}

/** Objects lie under `pictures/`, so that whoever serves the pages can serve `/pictures/*` out of the bucket. */
export function s3Files({
  bucket,
  endpoint,
  now,
  region,
  accessKeyId,
  secretAccessKey,
  sessionToken,
}: S3Options): Files {
  const root = endpoint ?? `https://${bucket}.s3.${region}.amazonaws.com`;
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    region,
    service: "s3",
  });
  return {
    async upload(path, type, bytes) {
      const headers = { "content-type": type, "cache-control": immutable };
      const url = new URL(`${root}/pictures/${path}`);
      url.searchParams.set("X-Amz-Expires", String(uploadMs / 1_000));
      const signed = await client.sign(url.href, {
        method: "PUT",
        // Length and type are part of the signature: another size or type is another request, and refused.
        headers: { ...headers, "content-length": String(bytes) },
        aws: { signQuery: true, allHeaders: true, datetime: stamp(now()) },
      });
      // A page cannot set the length; its browser says how long the body is.
      return { method: "PUT", url: signed.url, headers };
    },
    urlOf: (path) => `/pictures/${path}`,
  };
}

const immutable = "public, max-age=31536000, immutable";

/** `20261121T061530Z` */
const stamp = (at: number) => new Date(at).toISOString().replace(/[:-]|\.\d{3}/g, "");
