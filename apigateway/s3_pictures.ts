/** Addresses of pictures of dishes that were stored before there were files: menus go on naming them. */
import { quarterMs, quarterOf } from "../shared/file_store.ts";
import type { Pages } from "../shared/page_files.ts";
import { presign, type S3Bucket } from "./s3_bucket.ts";

/** A redirect is cached for less than its address is valid. */
const maxAgeSec = 600;

export const s3Pictures =
  (bucket: S3Bucket): Pages["picture"] =>
  async (path) => {
    const signedAt = quarterOf(bucket.now());
    const asked = { method: "GET", path: `pictures/${path}`, signedAt, lastsMs: 2 * quarterMs } as const;
    return { url: (await presign(bucket, asked)).url, maxAgeSec };
  };
