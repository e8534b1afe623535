/** Files adapter for S3 and stores that speak its language: clients send and fetch bytes there, at addresses signed here. */
import { createHash } from "node:crypto";
import { FilesAway } from "../shared/errors.ts";
import {
  type FileStore,
  fetchMs,
  type NewObject,
  quarterMs,
  quarterOf,
  type StoredPart,
  uploadMs,
} from "../shared/file_store.ts";
import { addressOf, presign, type S3Bucket } from "./s3_bucket.ts";
import { type S3Answer, type S3CallOptions, S3Refused, type S3Request, s3Caller } from "./s3_call.ts";
import { checkS3 } from "./s3_check.ts";
import { signForm } from "./s3_form.ts";
import { keysToDelete, partsIn, partsToJoin, textOf } from "./s3_xml.ts";

/** DeleteObjects takes no more. */
const keysAtOnce = 1_000;
/** Refuses to replace an object. */
const onlyNew = { "if-none-match": "*" };

export function s3Store(bucket: S3Bucket, more: Omit<S3CallOptions, "bucket">): FileStore {
  const call = s3Caller({ bucket, ...more });

  /** @returns undefined when S3 refused with one of these codes @throws FilesAway when it refused otherwise */
  async function ask(request: S3Request, ...expected: string[]): Promise<S3Answer | undefined> {
    const answer = await call(request);
    if (answer.code === undefined) return answer;
    if (expected.includes(answer.code)) return undefined;
    throw new FilesAway(new S3Refused(answer));
  }

  /** Writes where nothing is yet. @returns false where something is */
  async function writeNew(request: S3Request & { path: string }, ...gone: string[]): Promise<boolean> {
    const asked = { ...request, headers: { ...request.headers, ...onlyNew } };
    const answer = await call(asked);
    if (answer.code === undefined) return true;
    if (answer.code === "PreconditionFailed" || gone.includes(answer.code)) return false;
    if (answer.code !== "NotImplemented") throw new FilesAway(new S3Refused(answer));
    // A store that knows the condition for whole uploads only.
    if ((await find(request.path)) !== undefined) return false;
    return (await ask(request, ...gone)) !== undefined;
  }

  async function find(path: string) {
    const answer = await ask({ method: "HEAD", path }, "404", "NoSuchKey");
    if (answer === undefined) return undefined;
    return { bytes: Number(answer.headers.get("content-length")), etag: answer.headers.get("etag") ?? "" };
  }

  async function abandonParts(path: string, upload: string): Promise<void> {
    await ask({ method: "DELETE", path, query: { uploadId: upload } }, "NoSuchUpload");
  }

  async function removeSome(keys: readonly string[]): Promise<void> {
    const body = keysToDelete(keys);
    const headers = { "content-md5": createHash("md5").update(body).digest("base64") };
    await ask({ method: "POST", query: { delete: "" }, headers, body, root: "DeleteResult" });
  }

  async function remove(paths: readonly string[]): Promise<void> {
    for (let at = 0; at < paths.length; at += keysAtOnce) await removeSome(paths.slice(at, at + keysAtOnce));
  }

  const own: FileStore = {
    async put({ path, type, bytes }) {
      const headers = { "content-type": type, ...onlyNew };
      // A client cannot set the length; what sends for it does.
      const signed = { ...headers, "content-length": String(bytes) };
      const { url } = await presign(bucket, { method: "PUT", path, headers: signed, lastsMs: uploadMs });
      return { method: "PUT", url, headers };
    },
    form: async (object) => signForm(bucket, object, uploadMs),

    async beginParts({ path, type }) {
      const headers = { "content-type": type };
      const root = "InitiateMultipartUploadResult";
      const answer = await ask({ method: "POST", path, query: { uploads: "" }, headers, root });
      const upload = textOf(answer?.text ?? "", "UploadId");
      if (upload === undefined) throw new FilesAway(new S3Refused({ status: 200, code: "NoUploadId" }));
      return upload;
    },
    async part({ path }, upload, part, bytes) {
      const query = { partNumber: String(part), uploadId: upload };
      const headers = { "content-length": String(bytes) };
      const { url } = await presign(bucket, { method: "PUT", path, query, headers, lastsMs: uploadMs });
      return { method: "PUT", url, headers: {} };
    },
    async parts(path, upload) {
      const all: StoredPart[] = [];
      for (let after: string | undefined = "0"; after !== undefined; ) {
        const query: Record<string, string> = { uploadId: upload, "part-number-marker": after };
        const page = await ask({ method: "GET", path, query, root: "ListPartsResult" }, "NoSuchUpload");
        const { parts, next } = partsIn(page?.text ?? "");
        all.push(...parts);
        after = parts.length === 0 ? undefined : next;
      }
      return all;
    },
    async joinParts(path, upload, parts) {
      const joined = await writeNew(
        {
          method: "POST",
          path,
          query: { uploadId: upload },
          body: partsToJoin(parts),
          root: "CompleteMultipartUploadResult",
          isLong: true,
        },
        "NoSuchUpload",
      );
      // Parts of an upload that lost its object to another one would be kept, and paid for, for a day.
      if (!joined) await abandonParts(path, upload);
      return joined;
    },
    abandonParts,

    find,
    async read(path, most) {
      const headers = { range: `bytes=0-${most - 1}` };
      // An empty object has no first byte.
      const answer = await ask({ method: "GET", path, headers, maxBytes: most }, "InvalidRange");
      return answer?.bytes.subarray(0, most) ?? new Uint8Array();
    },
    async write({ path, type }, body) {
      await ask({ method: "PUT", path, headers: { "content-type": type }, body });
    },
    async move(from, { path, type }: NewObject) {
      const headers = {
        "content-type": type,
        "x-amz-metadata-directive": "REPLACE",
        "x-amz-copy-source": addressOf({ endpoint: `/${bucket.bucket}` }, from),
      };
      const copied = await writeNew(
        { method: "PUT", path, headers, root: "CopyObjectResult", isLong: true },
        "NoSuchKey",
      );
      // Moved before, or there was nothing: the difference is whether it is there now.
      if (!copied && (await find(path)) === undefined)
        throw new FilesAway(new S3Refused({ status: 404, code: "NoSuchKey" }));
      await remove([from]);
    },
    remove,

    async fetch({ path, type, disposition }) {
      const query = {
        "response-content-type": type,
        "response-content-disposition": disposition,
        // An object never changes; its address does, after half an hour.
        "response-cache-control": `private, max-age=${fetchMs / 1_000}, immutable`,
      };
      const signedAt = quarterOf(bucket.now());
      return presign(bucket, { method: "GET", path, query, signedAt, lastsMs: quarterMs + fetchMs });
    },
    check: (path) => checkS3(own, path),
  };
  return own;
}
