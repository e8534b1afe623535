/** The SDK's uploads to a real server whose files lie in a bucket: from Node and from a mini-program, with the bucket's faults. */
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { s3Store } from "../../apigateway/s3_store.ts";
import { type Client, makeClient } from "../../clients/client.ts";
import { files, upload } from "../../clients/files.ts";
import { nodePlatform } from "../../clients/node.ts";
import type { Platform } from "../../clients/platform.ts";
import { wechatPlatform } from "../../clients/wechat.ts";
import { systemClock } from "../../functions/_app.ts";
import { mostInOneRequest, partBytes } from "../../shared/file_store.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { type S3, startS3 } from "../_s3.ts";
import { fakeWx } from "./_wx.ts";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

let s3: S3;
let house: House;
let folder: string;
let client: Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "orderbell-bucket-"));
  s3 = await startS3();
  const { region, accessKeyId, secretAccessKey, endpoint, bucket } = s3;
  const { now, sleep } = systemClock;
  const store = s3Store({ region, accessKeyId, secretAccessKey, endpoint, bucket, now }, { sleep, fraction: () => 0 });
  house = await openHouse(anyEngine, { store });
});
afterEach(() => {
  client.close();
  s3.objects.clear();
  Reflect.deleteProperty(globalThis, "wx");
});
afterAll(async () => {
  await house.close();
  await s3.close();
  await rm(folder, { recursive: true });
});

/** Its time runs faster, so that no test waits for its patience. */
function begin(platform: Platform): void {
  client = makeClient(
    { ...platform, later: (work, ms) => platform.later(work, ms / 50) },
    { url: house.url, begin: async () => ({ method: "POST", path: "/login/guest" }) },
  );
}

it("a small file goes in one request, and again when its answer was lost", async () => {
  begin(nodePlatform());
  const path = join(folder, "面.png");
  await writeFile(path, png);
  s3.faults.push({ on: "PUT object", is: "lost" });
  const file = await upload(client, path, { purpose: "picture" });
  expect(file).toMatchObject({ name: "面.png", state: "stored", bytes: png.length });
  const shown = await fetch(String(files(client).addressOf(file)));
  expect([shown.status, Buffer.from(await shown.arrayBuffer())]).toEqual([200, png]);
  await files(client).remove(file.id);
  expect(s3.objects.size).toBe(0);
});

it("a large file goes in parts, those again that the bucket refused, cut off or lost", async () => {
  begin(nodePlatform());
  const path = join(folder, "film.zip");
  await writeFile(path, "PK\x03\x04", "latin1");
  const bytes = mostInOneRequest + 1_000;
  await truncate(path, bytes);
  s3.faults.push(
    { on: "PUT part", is: [503, "SlowDown"] },
    { on: "PUT part", is: "cut" },
    { on: "PUT part", is: "lost" },
    { on: "POST upload", is: "late" },
  );
  const seen: number[] = [];
  const file = await upload(client, path, { purpose: "file", onProgress: (sent) => seen.push(sent) });
  expect(file).toMatchObject({ state: "stored", bytes, type: "application/zip" });
  expect([...s3.objects.values()].map((one) => one.bytes.length)).toEqual([bytes]);
  expect(seen.at(-1)).toBe(bytes);
  expect(s3.asked.filter((line) => /^PUT part.*: 200$/.test(line)).length).toBeGreaterThanOrEqual(
    bytes / partBytes - 1,
  );
  await files(client).remove(file.id);
}, 120_000);

it("a mini-program's picture goes as a form, and is moved to its place", async () => {
  const wx = fakeWx({ newCode: () => "code", suspendMs: 20 });
  Object.assign(globalThis, { wx });
  begin(wechatPlatform(wx as never));
  const path = join(folder, "photo.png");
  await writeFile(path, png);
  const file = await upload(client, wx.choose(path), { purpose: "picture" });
  expect(file).toMatchObject({ state: "stored", bytes: png.length });
  expect(s3.asked.filter((line) => line.startsWith("POST form"))).toEqual(["POST form : 204"]);
  expect([...s3.objects.keys()]).toEqual([expect.stringMatching(/^files\//)]);
  expect(wx.faults).toEqual([]);
});
