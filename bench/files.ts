/** Workload: one large file into the local store and out again: MB a second, and how far the memory of its process grows. See README.md. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localFileStore } from "../apigateway/local/file_store.ts";
import { makeLog } from "../shared/log.ts";
import type { Bench, Measured, Workload } from "./_workload.ts";

const contenders = ["orderbell", "pipe_files"] as const;

const MB = 1_024 * 1_024;
/** Transferred before memory is read: code is compiled, buffers are there. */
const warmMB = 64;
const type = "video/mp4";
const signingKey = Buffer.alloc(32, 7).toString("base64");

interface Addresses {
  readonly put: string;
  readonly get: string;
}

/** Signed in this process: the server has the same key. */
async function signed(name: string, bytes: number): Promise<Addresses> {
  const log = makeLog("info", Date.now, () => {});
  const secret = (length: number) => randomBytes(length).toString("base64url");
  const { port } = localFileStore({ folder: "", signingKey, now: Date.now, fileTime: Date.now, secret, log });
  const path = `files/${name}`;
  const { url: put } = await port.put({ path, type, bytes });
  return { put, get: (await port.fetch({ path, type, disposition: "inline" })).url };
}

const chunk = randomBytes(MB);

async function put(url: string, bytes: number): Promise<void> {
  const sent = request(url, {
    method: "PUT",
    headers: { "content-type": type, "content-length": bytes },
    agent: false,
  });
  const answered = once(sent, "response") as Promise<[IncomingMessage]>;
  for (let left = bytes; left > 0; left -= MB) if (!sent.write(chunk)) await once(sent, "drain");
  sent.end();
  const [answer] = await answered;
  answer.resume();
  if (answer.statusCode !== 200) throw new Error(`PUT: ${answer.statusCode}`);
}

async function get(url: string): Promise<number> {
  const [answer] = (await once(request(url, { agent: false }).end(), "response")) as [IncomingMessage];
  let read = 0;
  for await (const part of answer as AsyncIterable<Buffer>) read += part.length;
  return read;
}

const status = (pid: number, name: string) =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1_024;

/** @returns MB a second, and MB by which the highest memory meanwhile is above that before */
async function measured(pid: number, megabytes: number, work: () => Promise<unknown>): Promise<[number, number]> {
  const before = status(pid, "VmRSS");
  // Forgets the highest memory so far.
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1_000;
  return [megabytes / seconds, Math.max(0, status(pid, "VmHWM") - before)];
}

async function play(bench: Bench, contender: string, megabytes: number): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), "ob-bench-files-"));
  const script = contender === "orderbell" ? "_file_store" : `peers/${contender}`;
  const server = await bench.start<object>(script, { needsDatabase: false, args: [folder, signingKey] });
  const base = `http://127.0.0.1:${server.port}`;
  try {
    const warm = await signed("warm", warmMB * MB);
    await put(base + pathFor(contender, warm.put), warmMB * MB);
    await get(base + pathFor(contender, warm.get));
    const { put: to, get: from } = await signed("large", megabytes * MB);
    const [putRate, putGrowth] = await measured(server.pid, megabytes, () =>
      put(base + pathFor(contender, to), megabytes * MB),
    );
    let read = 0;
    const [getRate, getGrowth] = await measured(server.pid, megabytes, async () => {
      read = await get(base + pathFor(contender, from));
    });
    if (read !== megabytes * MB) bench.fail(`files, ${contender}: ${read} bytes came back of ${megabytes} MB`);
    return {
      "PUT, MB": [putRate, "/s"],
      "GET, MB": [getRate, "/s"],
      "memory of PUT": [putGrowth, "MB"],
      "memory of GET": [getGrowth, "MB"],
    };
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
}

/** The peer has no signatures. */
const pathFor = (contender: string, url: string) => (contender === "orderbell" ? url : (url.split("?")[0] as string));

export const files: Workload = {
  name: "files",
  says: "One large file into the local store and out again: MB a second, and MB by which its process grows.",
  seconds: { short: 60, full: 240 },
  async run(bench) {
    if (process.platform !== "linux") return bench.note("files: measured on Linux only, by /proc");
    const megabytes = bench.number("megabytes", { short: 256, full: 2_048 });
    const chosen = bench.list("contenders", contenders);
    const rounds = bench.number("rounds", { short: 3, full: 3 });
    await bench.play({
      case: `${megabytes} MB`,
      contenders: chosen,
      rounds,
      play: (one) => play(bench, one, megabytes),
    });
  },
};
