/** What a store that speaks S3's language may do otherwise, and this service relies on. For `npx orderbell doctor`. */
import { boundedFetch } from "../shared/bounded_fetch.ts";
import type { FileStore, UploadRequest } from "../shared/file_store.ts";
import { errorIn } from "./s3_xml.ts";

const bounds = { timeoutMs: 6_000, maxBytes: 65_536 };
const type = "application/octet-stream";

/** @returns what is wrong, and nothing of it stays */
export async function checkS3(store: FileStore, path: string): Promise<string | undefined> {
  const body = Buffer.from("orderbell");
  try {
    const place = await store.put({ path, type, bytes: body.length });
    return (
      (await unless(200, "it refuses a signed upload", put(place, body))) ??
      (await unless(
        412,
        "it replaces objects, so that a file could be exchanged after it was checked",
        put(place, body),
      )) ??
      (await unless(206, "it refuses a signed address", get(store, path)))
    );
  } finally {
    await store.remove([path]);
  }
}

async function unless(status: number, what: string, asked: ReturnType<typeof boundedFetch>) {
  const answer = await asked;
  return answer.status === status
    ? undefined
    : `${what} (${answer.status} ${errorIn(answer.text) ?? ""})`.replace(" )", ")");
}

const put = ({ method, url, headers }: UploadRequest, body: Uint8Array) =>
  boundedFetch(fetch, url, { method, headers, body: body as NonNullable<RequestInit["body"]> }, bounds);

async function get(store: FileStore, path: string) {
  const { url } = await store.fetch({ path, type, disposition: "attachment" });
  return boundedFetch(fetch, url, { headers: { range: "bytes=0-0" } }, bounds);
}
