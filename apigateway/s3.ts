/** The adapter to S3: pictures are put and fetched there by the page itself, at addresses that a function has signed. */
import { AwsClient } from "aws4fetch";
import { type Files, uploadMs } from "../shared/files.ts";
import type { Pages } from "../shared/page_files.ts";

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
export function s3Files(options: S3Options): Files {
  const { now } = options;
  const { root, client } = bucketOf(options);
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

/** Whoever asks within the same quarter of an hour is sent to the same address, and finds the bytes in the browser's cache. */
const windowMs = 15 * 60_000;
/** The address lives for two of these quarters, so at least one more after it was told; nobody may keep it that long. */
const maxAgeSec = 600;

export function s3Pictures(options: S3Options): Pages["picture"] {
  const { root, client } = bucketOf(options);
  return async (path) => {
    const url = new URL(`${root}/pictures/${path}`);
    url.searchParams.set("X-Amz-Expires", String((2 * windowMs) / 1_000));
    const signedAt = Math.floor(options.now() / windowMs) * windowMs;
    const signed = await client.sign(url.href, { aws: { signQuery: true, datetime: stamp(signedAt) } });
    return { url: signed.url, maxAgeSec };
  };
}

function bucketOf({ bucket, endpoint, region, accessKeyId, secretAccessKey, sessionToken }: S3Options) {
  const client = new AwsClient({
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === undefined ? {} : { sessionToken }),
    region,
    service: "s3",
  });
  return { client, root: endpoint ?? `https://${bucket}.s3.${region}.amazonaws.com` };
}

const immutable = "public, max-age=31536000, immutable";

/** `20261121T061530Z` */
const stamp = (at: number) => new Date(at).toISOString().replace(/[:-]|\.\d{3}/g, "");
