/**
 * A form that stores an object in S3 (`POST Object`): the fields carry a policy, and a signature of it (Signature Version 4).
 * Source: Amazon S3 API Reference, "Browser-Based Uploads Using POST".
 */
import { createHmac } from "node:crypto";
import type { NewObject, UploadForm } from "../shared/file_store.ts";
import { lifeSec, type S3Bucket, stamp } from "./s3_bucket.ts";

/** @returns a form for exactly these bytes of this type under exactly this key, valid for `lastsMs` */
export function signForm(bucket: S3Bucket, { path, type, bytes }: NewObject, lastsMs: number): UploadForm {
  const at = bucket.now();
  const until = at + lifeSec(bucket, at, lastsMs) * 1_000;
  const date = stamp(at);
  const fields = {
    key: path,
    // Written as in every document of S3: not each store that speaks its language reads names of fields in another case.
    "Content-Type": type,
    // wx.uploadFile and fetch get the same answer from every store.
    success_action_status: "204",
    "x-amz-algorithm": "AWS4-HMAC-SHA256",
    "x-amz-credential": `${bucket.accessKeyId}/${date.slice(0, 8)}/${bucket.region}/s3/aws4_request`,
    "x-amz-date": date,
    ...(bucket.sessionToken === undefined ? {} : { "x-amz-security-token": bucket.sessionToken }),
  };
  // Every field must have a condition.
  const conditions = [
    { bucket: bucket.bucket },
    ...Object.entries(fields).map(([name, value]) => ({ [name]: value })),
    ["content-length-range", bytes, bytes],
  ];
  const document = JSON.stringify({ expiration: new Date(until).toISOString(), conditions });
  const policy = Buffer.from(document).toString("base64");
  return {
    method: "POST",
    // With a slash only where the bucket has a host of its own.
    url: new URL(bucket.endpoint).href,
    fields: { ...fields, policy, "x-amz-signature": signPolicy(bucket, date.slice(0, 8), policy) },
    fileField: "file",
  };
}

/** The signature of a policy: the same key as that of a request, over the encoded policy. */
export function signPolicy(
  { secretAccessKey, region }: Pick<S3Bucket, "secretAccessKey" | "region">,
  day: string,
  policy: string,
): string {
  const key = [day, region, "s3", "aws4_request"].reduce<string | Buffer>(
    (from, part) => createHmac("sha256", from).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  return createHmac("sha256", key).update(policy).digest("hex");
}
