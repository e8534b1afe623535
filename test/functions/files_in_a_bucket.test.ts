/** Files of a server whose storage is a bucket: the routes with real uploads and addresses, by an S3 that verifies signatures. */
import { bucketStore, warnOfBucket } from "../../cli/bucket_store.ts";
import { makeApp } from "../../functions/_app.ts";
import type { FileStore } from "../../shared/file_store.ts";
import { storeHealth } from "../../shared/files/store_health.ts";
import { parseFilesUrl } from "../../shared/files_url.ts";
import { makeLog } from "../../shared/log.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse, type Person, TestClock } from "../_house.ts";
import { type S3, startS3 } from "../_s3.ts";

const clock = new TestClock();
const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const html = Buffer.from("<!doctype html><script>alert(1)</script>");

let s3: S3;
let house: House;
let guest: Person;

function bucketAt({ url, accessKeyId, secretAccessKey, bucket, region }: S3): FileStore {
  const keys = `${accessKeyId}:${encodeURIComponent(secretAccessKey)}`;
  const found = bucketStore(parseFilesUrl(`s3://${keys}@${new URL(url).host}/${bucket}?region=${region}&tls=off`));
  if (found === undefined) throw new Error("a bucket is no folder");
  return found.store;
}

beforeAll(async () => {
  s3 = await startS3();
  house = await openHouse(anyEngine, { clock, store: bucketAt(s3) });
  guest = await house.guest();
});
afterAll(async () => {
  await house.close();
  await s3.close();
});

interface Place {
  readonly file: { readonly id: string; readonly path: string | null };
  // biome-ignore lint/suspicious/noExplicitAny: one of three forms; the assertions tell them apart
  readonly upload: any;
}

async function place(more: object = {}): Promise<Place> {
  const body = { purpose: "picture", name: "a 花.png", type: "image/png", bytes: png.length, ...more };
  const answer = await guest.http("POST", "/files", { body });
  expect([answer.status, answer.body.code]).toEqual([201, undefined]);
  return answer.body;
}

const put = async ({ url, headers }: { url: string; headers: Record<string, string> }, body: Uint8Array) =>
  (await fetch(url, { method: "PUT", headers, body: body as never })).status;
const complete = (id: string) => guest.http("POST", `/files/${id}/complete`);

async function shown(path: string): Promise<Response> {
  const { status, headers } = await house.http("GET", path);
  expect(status).toBe(302);
  return fetch(headers.get("location") ?? "");
}

it("a picture is put into the bucket, completed, and shown by its lasting address", async () => {
  const { file, upload } = await place();
  expect(new URL(upload.url).origin).toBe(s3.url);
  expect(await put(upload, png)).toBe(200);
  expect(await put(upload, png)).toBe(412);
  expect((await complete(file.id)).body.file.state).toBe("stored");
  const answer = await shown(String(file.path));
  expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "image/png"]);
  expect(answer.headers.get("content-disposition")).toContain("filename*=UTF-8''a%20%E8%8A%B1.png");
  expect(Buffer.from(await answer.arrayBuffer())).toEqual(png);
  expect((await guest.http("DELETE", `/files/${file.id}`)).status).toBe(204);
  expect(s3.objects.size).toBe(0);
});

it("a form is stored, moved and completed", async () => {
  const { file, upload } = await place({ by: "form" });
  const form = new FormData();
  for (const [name, value] of Object.entries(upload.fields)) form.append(name, String(value));
  form.append(upload.fileField, new Blob([png]), "whatever.png");
  expect((await fetch(upload.url, { method: "POST", body: form })).status).toBe(204);
  expect((await complete(file.id)).body.file).toMatchObject({ state: "stored", bytes: png.length });
  expect([...s3.objects.keys()]).toEqual([expect.stringMatching(/^files\//)]);
  expect((await shown(String(file.path))).status).toBe(200);
  await guest.http("DELETE", `/files/${file.id}`);
});

it("a page that says that it is a picture is removed from the bucket", async () => {
  const { file, upload } = await place({ bytes: html.length });
  expect(await put(upload, html)).toBe(200);
  expect((await complete(file.id)).body.code).toBe("FILE_CONTENT_WRONG");
  expect(s3.objects.size).toBe(0);
});

it("parts are joined when all are there, and a private file has a signed address alone", async () => {
  const bytes = 16 * 1_024 * 1_024 + 5;
  const { file, upload } = await place({
    ...{ purpose: "file", name: "a.zip", type: "application/zip", bytes, by: "parts", visibility: "private" },
  });
  expect([upload.parts, upload.partBytes]).toEqual([2, 16 * 1_024 * 1_024]);
  const whole = Buffer.alloc(bytes);
  whole.write("PK\x03\x04", "latin1");
  const ask = async (parts: number[]) =>
    (await guest.http("POST", `/files/${file.id}/parts`, { body: { parts } })).body;
  const { uploads } = await ask([1, 2]);
  expect(await put(uploads[1], whole.subarray(upload.partBytes))).toBe(200);
  expect((await complete(file.id)).body.code).toBe("FILE_NOT_STORED");
  expect((await ask([])).stored).toEqual([{ part: 2, bytes: 5 }]);
  expect(await put(uploads[0], whole.subarray(0, upload.partBytes))).toBe(200);
  expect((await complete(file.id)).body.file).toMatchObject({ state: "stored", path: null });
  const { address } = (await guest.http("GET", `/files/${file.id}`)).body;
  const part = await fetch(address.url, { headers: { range: `bytes=${bytes - 5}-` } });
  expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes ${bytes - 5}-${bytes - 1}/${bytes}`]);
  expect(part.headers.get("content-disposition")).toMatch(/^attachment/);
  await guest.http("DELETE", `/files/${file.id}`);
  expect([s3.objects.size, s3.uploads.size]).toEqual([0, 0]);
});

it("the storage that is away is 503 with a code, and nothing secret is logged", async () => {
  const { file, upload } = await place();
  await put(upload, png);
  s3.faults.push({ on: "HEAD object", is: [503, "SlowDown"], times: 4 });
  const answer = await complete(file.id);
  expect([answer.status, answer.body.code, answer.headers.get("retry-after")]).toEqual([503, "FILES_AWAY", "3"]);
  const lines = house.lines.filter((line) => line.includes("FILES_AWAY"));
  expect(lines.some((line) => line.includes("S3Refused"))).toBe(true);
  expect(house.lines.join("")).not.toMatch(/X-Amz-Signature|a\/secret/);
  expect((await complete(file.id)).status).toBe(200);
});

it("the doctor says that files can be stored, and what is wrong with a bucket that is not there", async () => {
  const ask = async () => (await house.call("admin", { command: "doctor", args: {} })) as { ok: { files: string } };
  expect((await ask()).ok.files).toBe("ok");
  s3.faults.push({ on: "PUT object", is: [404, "NoSuchBucket"] });
  expect((await ask()).ok.files).toBe("cannot be written: NoSuchBucket");
  const { config, db, gateway, invoke, log } = house.app;
  expect(await storeHealth(makeApp({ config, db, gateway, invoke, log }))).toBeNull();
});

it("a bucket that replaces objects, or is not there, is warned of at the start; one that works is not", async () => {
  const lines: string[] = [];
  const log = makeLog("info", clock.now, (line) => lines.push(line));
  const old = await startS3({ conditions: "none" });
  for (const one of [s3, old]) await warnOfBucket(bucketAt(one), log);
  await old.close();
  await warnOfBucket(bucketAt(old), log);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    {
      level: "warn",
      event: "files.bucket",
      setting: "FILES_URL",
      reason: expect.stringContaining("it replaces objects"),
    },
    { level: "warn", event: "files.bucket", reason: expect.stringContaining("cannot be written") },
  ]);
});
