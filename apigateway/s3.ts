/** Files adapter for S3: pages upload and fetch pictures there themselves, at addresses that a function has signed. */
import { AwsClient } from "aws4fetch";
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

/** Requests within the same quarter of an hour get the same address, so that the browser can use its cache. */
const windowMs = 15 * 60_000;
/** An address is valid for two quarters, so for at least 15 minutes after it was given; a redirect is cached for less. */
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

/** `20261121T061530Z` */
const stamp = (at: number) => new Date(at).toISOString().replace(/[:-]|\.\d{3}/g, "");
