/** The storage of files that FILES_URL names: a bucket, or a folder. */
import { join } from "node:path";
import type { S3Bucket } from "../apigateway/s3_bucket.ts";
import { s3Store } from "../apigateway/s3_store.ts";
import { makeRandom, systemClock } from "../functions/_app.ts";
import type { FileStore } from "../shared/file_store.ts";
import { storeHealth } from "../shared/files/store_health.ts";
import type { FilesPlace } from "../shared/files_url.ts";
import type { Log } from "../shared/log.ts";

/** @returns undefined for a folder, which the machine serves itself */
export function bucketStore(place: FilesPlace | undefined): { store: FileStore; url: string } | undefined {
  if (place === undefined || "folder" in place) return undefined;
  const { now, sleep } = systemClock;
  const bucket: S3Bucket = { ...place, now };
  return { store: s3Store(bucket, { sleep, fraction: makeRandom(systemClock).fraction }), url: place.endpoint };
}

/** Says at the start what is wrong with a bucket. The server goes on: orders need no files. */
export async function warnOfBucket(store: FileStore, log: Log): Promise<void> {
  const reason = await storeHealth({ store, random: makeRandom(systemClock) });
  if (reason !== null && reason !== "ok") log.warn("files.bucket", { setting: "FILES_URL", reason });
}

/** The folder of files: of this machine's home by default. */
export const filesFolder = (place: FilesPlace | undefined, home: string): string =>
  place !== undefined && "folder" in place ? place.folder : join(home, "files");
