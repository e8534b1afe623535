/** Many files at once, and large ones, which the process of the local store never holds. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash, type Hash } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { type ClientRequest, type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localFileStore } from "../../apigateway/local/file_store.ts";
import { type FileStore, mostInOneRequest, partBytes } from "../../shared/file_store.ts";
import { makeLog } from "../../shared/log.ts";
import { program } from "../_programs.ts";
import { newPath, someBytes } from "../contracts/file_store.ts";
import { openFiles, signingKey } from "./_files.ts";

const type = "video/mp4";
const MB = 1_024 * 1_024;

it("of 1,000 uploads at once from one network all are stored, and each byte is right", async () => {
  // Far fewer than that may wait for a function.
  const files = await openFiles({ limits: { headersMs: 900, requestMs: 1_000, receivingPerNetwork: 20 } });
  const count = 1_000;
  const each = 20_000;
  const paths = Array.from({ length: count }, () => newPath());
  const sending = await Promise.all(
    paths.map(async (path, nth) => {
      const { url, headers } = await files.store.put({ path, type, bytes: each });
      const sent = request(files.base + url, {
        method: "PUT",
        headers: { ...headers, "content-length": each },
        agent: false,
      });
      const answer = new Promise<number>((resolve, reject) => {
        sent.on("response", (one) => resolve(one.resume().statusCode ?? 0)).on("error", reject);
      });
      sent.write(someBytes(each, nth % 251).subarray(0, each / 2));
      return { sent, answer, rest: someBytes(each, nth % 251).subarray(each / 2) };
    }),
  );
  let begun = 0;
  for (let tries = 0; begun < count && tries < 4_000; tries++) {
    begun = (await readdir(join(files.folder, "uploading")).catch(() => [])).length;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  expect(begun).toBe(count);
  for (const { sent, rest } of sending) sent.end(rest);
  const statuses = await Promise.all(sending.map(({ answer }) => answer));
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
  const wrong: number[] = [];
  for (const [nth, path] of paths.entries())
    if (!Buffer.from(await files.store.read(path, each)).equals(someBytes(each, nth % 251))) wrong.push(nth);
  expect(wrong).toEqual([]);
  expect((await files.files()).length).toBe(count);
  expect(files.lines).toEqual([]);
  await files.close();
});

const onLinux = process.platform === "linux" ? describe : describe.skip;

onLinux("the process of the store", () => {
  let child: ChildProcess;
  let folder: string;
  let base: string;
  let store: FileStore;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "orderbell-files-"));
    child = spawn(process.execPath, [...program("test/apigateway/_files_process.ts"), folder], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, NODE_OPTIONS: "" },
    });
    const [port] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    base = `http://127.0.0.1:${Number(port)}`;
    const log = makeLog("info", Date.now, () => {});
    const secret = () => newPath().slice(6);
    store = localFileStore({ folder, signingKey, now: Date.now, fileTime: Date.now, secret, log }).port;
  });
  afterAll(async () => {
    child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  });

  const status = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1]) / 1_024;

  const chunk = someBytes(MB, 6);
  /** Sends so many bytes, as fast as they are taken. */
  async function pour(sent: ClientRequest, bytes: number, digest: Hash): Promise<number> {
    const answer = new Promise<number>((resolve, reject) => {
      sent.on("response", (one) => resolve(one.resume().statusCode ?? 0)).on("error", reject);
    });
    for (let left = bytes; left > 0; left -= chunk.length) {
      const next = chunk.subarray(0, Math.min(left, chunk.length));
      digest.update(next);
      if (!sent.write(next)) await once(sent, "drain");
    }
    sent.end();
    return answer;
  }
  const opened = (url: string, bytes: number, headers = {}) =>
    request(base + url, { method: "PUT", headers: { ...headers, "content-length": bytes }, agent: false });

  async function read(path: string, pause = false): Promise<string> {
    const { url } = await store.fetch({ path, type, disposition: "inline" });
    const answer = await new Promise<IncomingMessage>((resolve, reject) =>
      request(base + url, resolve)
        .on("error", reject)
        .end(),
    );
    const digest = createHash("sha256");
    for await (const part of answer) {
      digest.update(part as Buffer);
      // A client that does not read for a while: the store must not read on for it.
      if (pause) await new Promise((resolve) => setTimeout(resolve, 0));
    }
    return digest.digest("hex");
  }

  async function roundTrip(bytes: number): Promise<void> {
    const digest = createHash("sha256");
    const path = newPath();
    const { url, headers } = await store.put({ path, type, bytes });
    expect(await pour(opened(url, bytes, headers), bytes, digest)).toBe(200);
    expect(await read(path, true)).toBe(digest.digest("hex"));
    await store.remove([path]);
  }

  it("needs no more memory for 256 MB than for 16 MB, by one PUT and by parts", async () => {
    await roundTrip(16 * MB);
    const before = status("VmRSS");
    await roundTrip(256 * MB);
    const object = { path: newPath(), type, bytes: mostInOneRequest };
    const upload = await store.beginParts(object);
    const digest = createHash("sha256");
    for (let part = 1; part <= mostInOneRequest / partBytes; part++) {
      const { url } = await store.part(object, upload, part, partBytes);
      expect(await pour(opened(url, partBytes), partBytes, digest)).toBe(200);
    }
    expect(await store.joinParts(object.path, upload, await store.parts(object.path, upload))).toBe(true);
    expect(await read(object.path)).toBe(digest.digest("hex"));
    // Buffers and garbage that is not collected yet; the file would be four times as much.
    expect(status("VmHWM") - before).toBeLessThan(64);
  });

  it("reads no further for clients that do not", async () => {
    const path = newPath();
    const bytes = 64 * MB;
    const { url, headers } = await store.put({ path, type, bytes });
    expect(await pour(opened(url, bytes, headers), bytes, createHash("sha256"))).toBe(200);
    const before = status("VmRSS");
    const address = (await store.fetch({ path, type, disposition: "inline" })).url;
    const idle = await Promise.all(
      Array.from(
        { length: 50 },
        () =>
          new Promise<IncomingMessage>((resolve, reject) => {
            request(base + address, { agent: false }, resolve)
              .on("error", reject)
              .end();
          }),
      ),
    );
    // Meanwhile others are served.
    await roundTrip(16 * MB);
    expect(status("VmRSS") - before).toBeLessThan(128);
    for (const answer of idle) answer.destroy();
  });
});
