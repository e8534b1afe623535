/** Files of the SDK in a mini-program: forms, parts out of the file system, downloads, and WeChat's limits. */
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiError } from "../../clients/api.ts";
import { type Client, makeClient } from "../../clients/client.ts";
import { downloadFile, type UploadOptions, upload } from "../../clients/files.ts";
import { wechatPlatform } from "../../clients/wechat.ts";
import { until } from "../_until.ts";
import { type FileServer, type FileServerOptions, startFileServer } from "./_file_server.ts";
import { type FakeWx, type FakeWxOptions, fakeWx } from "./_wx.ts";

let server: FileServer;
let folder: string;
let wx: FakeWx;
let client: Client;
/** Faults that a test expects. */
let expected: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "orderbell-wx-files-"));
});
afterAll(() => rm(folder, { recursive: true }));
afterEach(async () => {
  client.close();
  await server.close();
  Reflect.deleteProperty(globalThis, "wx");
  expect(wx.faults).toEqual(expected);
});

async function begin(options: FileServerOptions = {}, limits: (host: string) => Partial<FakeWxOptions> = () => ({})) {
  expected = [];
  server = await startFileServer(options);
  wx = fakeWx({ newCode: () => "code", suspendMs: 20, ...limits(new URL(server.url).host) });
  Object.assign(globalThis, { wx });
  const platform = wechatPlatform(wx as never);
  client = makeClient(
    { ...platform, later: (work, ms) => platform.later(work, ms / 50) },
    { url: server.url, begin: async () => ({ method: "POST", path: "/login/guest" }) },
  );
}

const bytesOf = (length: number) => Buffer.from(Array.from({ length }, (_, at) => (at * 7) % 256));
async function chosen(name: string, length: number): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, bytesOf(length));
  return wx.choose(file);
}
const storeLines = () => server.said.filter((line) => /whole|part \d|form/.test(line));
const failed = (work: Promise<unknown>): Promise<ApiError> =>
  work.then(
    () => {
      throw new Error("it did not fail");
    },
    (error) => error,
  );

function shown(path: string, options: Partial<UploadOptions> = {}) {
  const sent: number[] = [];
  const waits: string[] = [];
  const onProgress = (bytes: number) => sent.push(bytes);
  const onRetry = ({ message }: ApiError) => waits.push(message);
  return { work: upload(client, path, { purpose: "picture", onProgress, onRetry, ...options }), sent, waits };
}

describe("an upload in a mini-program", () => {
  it("is a form with its fields first, by wx.uploadFile, and its bar rises by the bytes of the file", async () => {
    await begin();
    const { work, sent } = shown(await chosen("photo.jpg", 100_000));
    const file = await work;
    expect(storeLines()).toEqual(["POST form"]);
    expect(file).toMatchObject({ type: "image/jpeg", bytes: 100_000, state: "stored" });
    // A temporary file has no name of its own.
    expect(file.name).toMatch(/^tmp_\w+\.jpg$/);
    expect(server.bytesOf(file.id)).toEqual(bytesOf(100_000));
    expect(sent.length).toBeGreaterThan(3);
    expect([...sent].sort((a, b) => a - b)).toEqual(sent);
    expect(sent.at(-1)).toBe(100_000);
    expect((await shown(await chosen("b.jpg", 10), { name: "菜.jpg" }).work).name).toBe("菜.jpg");
  });

  it("goes again after a lost answer, and after the app was in the background", async () => {
    await begin();
    server.fault = (what, nth) => (what !== "POST form" || nth > 2 ? undefined : nth === 1 ? "answer lost" : "silent");
    const { work, waits } = shown(await chosen("photo.jpg", 1_000));
    await until(() => storeLines().length === 2, "a second form");
    wx.hide();
    await until(() => waits.length > 1, "interrupted");
    wx.show();
    const file = await work;
    expect(server.bytesOf(file.id)).toEqual(bytesOf(1_000));
    expect(waits[1]).toMatch(/interrupted/);
  });

  it("is cancelled: the form ends, its place is given back", async () => {
    await begin();
    server.fault = (what) => (what === "POST form" ? "silent" : undefined);
    const { work } = shown(await chosen("photo.jpg", 1_000));
    const end = failed(work);
    await until(() => storeLines().length === 1, "the form");
    work.cancel();
    expect((await end).code).toBe("CANCELLED");
    await until(() => server.files.size === 0, "no place");
  });

  it("says at once that the store's host is missing in WeChat's console", async () => {
    await begin({}, (host) => ({ domains: { upload: ["files.example.com"], download: [host] } }));
    expected = ["uploadFile:fail url not in domain list"];
    const error = await failed(shown(await chosen("photo.jpg", 1_000)).work);
    expect(error).toMatchObject({ code: "NO_ANSWER", message: expect.stringContaining("url not in domain list") });
    expect(storeLines()).toEqual([]);
  });

  it("goes in parts above 64 MB, read one by one, two at one time, with at most ten requests in all", async () => {
    await begin({ partBytes: 16 * 1_024 * 1_024 });
    const file = join(folder, "film.mp4");
    const bytes = 65 * 1_024 * 1_024;
    await writeFile(file, bytesOf(5_000));
    await truncate(file, bytes);
    const stored = await shown(wx.choose(file), { purpose: "film" }).work;
    expect(storeLines().sort()).toEqual([1, 2, 3, 4, 5].map((part) => `PUT part ${part}`));
    expect(server.mostAtOnce()).toBeLessThanOrEqual(2);
    expect(server.bytesOf(stored.id).length).toBe(bytes);
    expect(server.bytesOf(stored.id).subarray(0, 5_000)).toEqual(bytesOf(5_000));
    expect(wx.reads).toEqual({ readFile: 5, read: 0 });
    expect(wx.mostRequests()).toBeLessThanOrEqual(10);
  });

  it("reads a file above 100 MB, which readFile refuses, by open and read", async () => {
    await begin({ partBytes: 40 * 1_024 * 1_024 });
    const file = join(folder, "long.mp4");
    const bytes = 101 * 1_024 * 1_024;
    await writeFile(file, bytesOf(5_000));
    await truncate(file, bytes);
    const stored = await shown(wx.choose(file), { purpose: "film" }).work;
    expect(server.bytesOf(stored.id).length).toBe(bytes);
    expect(server.bytesOf(stored.id).subarray(0, 5_000)).toEqual(bytesOf(5_000));
    expect(wx.reads).toEqual({ readFile: 0, read: 3 });
  });

  it("takes bytes too, by wx.request", async () => {
    await begin();
    // A part of a larger buffer: wx would send all of it.
    const bytes = new Uint8Array(bytesOf(300)).subarray(100, 200);
    const file = await upload(client, bytes, { purpose: "picture", name: "a.png" });
    expect(server.bytesOf(file.id)).toEqual(Buffer.from(bytes));
    expect(storeLines()).toEqual(["PUT whole"]);
  });
});

describe("a download in a mini-program", () => {
  it("is at a temporary path, or where it was wanted, and tells how far it is", async () => {
    await begin();
    const { id } = await shown(await chosen("photo.jpg", 50_000)).work;
    const got: number[] = [];
    const path = await downloadFile(client, id, { onProgress: (bytes) => got.push(bytes) });
    expect(path).toMatch(/^wxfile:\/\/tmp/);
    expect(wx.contentOf(path)).toEqual(bytesOf(50_000));
    expect(got.at(-1)).toBe(50_000);
    expect(await downloadFile(client, id, { filePath: "wxfile://usr/a.jpg" })).toBe("wxfile://usr/a.jpg");
  });

  it("asks for another address when the answer is an error, and ends with the code when the file is unknown", async () => {
    await begin();
    const { id } = await shown(await chosen("photo.jpg", 500)).work;
    server.fault = (what) => {
      if (what === "GET content") {
        server.fault = () => undefined;
        server.expire();
      }
      return undefined;
    };
    expect(wx.contentOf(await downloadFile(client, id))).toEqual(bytesOf(500));
    expect(await failed(downloadFile(client, "FILE99"))).toMatchObject({ code: "FILE_UNKNOWN" });
  });

  it("can be cancelled", async () => {
    await begin();
    const { id } = await shown(await chosen("photo.jpg", 500)).work;
    server.fault = (what) => (what === "GET content" ? "silent" : undefined);
    const work = downloadFile(client, id);
    const end = failed(work);
    await until(() => server.said.includes("GET content"), "the download");
    work.cancel();
    expect((await end).code).toBe("CANCELLED");
  });
});
