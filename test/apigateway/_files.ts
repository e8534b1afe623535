/** The local gateway with a store of files in a folder, and nothing else. */

import { randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { localFileStore } from "../../apigateway/local/file_store.ts";
import type { UploadTimes } from "../../apigateway/local/files/upload_times.ts";
import type { FileStore } from "../../shared/file_store.ts";
import { makeLog } from "../../shared/log.ts";
import type { OpenStore } from "../contracts/file_store.ts";
import { openServer, type TestServer, type TestServerOptions } from "./_server.ts";

export interface FilesServer extends OpenStore {
  readonly store: FileStore;
  readonly folder: string;
  readonly server: TestServer;
  /** What the store has logged. */
  readonly lines: string[];
  sweep(): Promise<void>;
  /** Every file below the folder, sorted. */
  files(): Promise<string[]>;
}

export const signingKey = Buffer.alloc(32, 7).toString("base64");

interface FilesOptions extends TestServerOptions {
  /** Of another server, for the second one of a folder. */
  readonly folder?: string;
  readonly times?: UploadTimes;
}

export async function openFiles({ folder: shared, times, ...options }: FilesOptions = {}): Promise<FilesServer> {
  const folder = shared ?? (await mkdtemp(join(tmpdir(), "orderbell-files-")));
  const lines: string[] = [];
  let ahead = 0;
  const local = localFileStore({
    folder,
    signingKey,
    now: () => Date.now() + ahead,
    fileTime: () => Date.now() + ahead,
    secret: (bytes) => randomBytes(bytes).toString("base64url"),
    log: makeLog("debug", Date.now, (line) => void lines.push(line)),
    ...(times === undefined ? {} : { times }),
  });
  const server = await openServer({ ...options, store: local.serve });
  return {
    store: local.port,
    base: server.url,
    folder,
    server,
    lines,
    sweep: local.sweep,
    forward(ms) {
      ahead += ms;
    },
    async files() {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true });
      return entries
        .flatMap((one) => (one.isFile() ? [join(one.parentPath, one.name).slice(folder.length + 1)] : []))
        .toSorted();
    },
    async close() {
      await server.stop();
      if (shared === undefined) await rm(folder, { recursive: true, force: true });
    },
  };
}
