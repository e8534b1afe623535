/**
 * The files' storage in a folder of this machine, and its addresses at `/store/…`. Several processes may share the folder, also by a
 * network file system: nothing is held in memory.
 */
import { type FileStore, fetchMs, type NewObject, quarterMs, quarterOf, uploadMs } from "../../shared/file_store.ts";
import type { Log } from "../../shared/log.ts";
import { awayOf } from "./files/away.ts";
import { beginningOf, ObjectMissing, objectFolder, written } from "./files/object_folder.ts";
import { type StoreHttp, storeHttp } from "./files/serve.ts";
import { makeSigner, storePrefix } from "./files/signed.ts";
import { sweepFolder } from "./files/sweep.ts";
import type { UploadTimes } from "./files/upload_times.ts";
import { uploadsInParts } from "./files/uploads_in_parts.ts";

export interface FileStoreOptions {
  /** Created with the first file. */
  readonly folder: string;
  readonly signingKey: string;
  readonly now: () => number;
  /** The time that this machine gives its files. */
  readonly fileTime: () => number;
  /** For names of files that are not complete yet, and for ids of uploads. */
  readonly secret: (bytes: number) => string;
  readonly log: Log;
  readonly times?: UploadTimes;
}

export interface LocalFileStore {
  readonly port: FileStore;
  readonly serve: StoreHttp;
  /** Removes what was begun and never ended. */
  sweep(): Promise<void>;
}

export function localFileStore(options: FileStoreOptions): LocalFileStore {
  const { folder, signingKey, now, fileTime, secret, log, times } = options;
  const objects = objectFolder(folder, () => secret(16));
  const uploads = uploadsInParts(folder, objects, secret);
  const signer = makeSigner(signingKey, now);

  const away = awayOf(log, folder);
  /** The same, with errors of the file system as errors for callers. */
  const safe =
    <Given extends unknown[], Answer>(work: (...given: Given) => Promise<Answer>) =>
    (...given: Given): Promise<Answer> =>
      work(...given).catch((error) => {
        throw away(error);
      });

  const port: FileStore = {
    ignoresAuthorization: true,
    async put({ path, type, bytes }) {
      const url = signer.address("PUT", path, { type, bytes: String(bytes) }, now() + uploadMs);
      return { method: "PUT", url, headers: { "content-type": type } };
    },
    async form({ path, type, bytes }) {
      const fields = signer.fields("POST", path, { type, bytes: String(bytes) }, now() + uploadMs);
      return { method: "POST", url: storePrefix + path, fields, fileField: "file" };
    },
    beginParts: safe(({ path }) => uploads.begin(path)),
    async part({ path }, upload, part, bytes) {
      const fields = { upload, part: String(part), bytes: String(bytes) };
      return { method: "PUT", url: signer.address("PUT", path, fields, now() + uploadMs), headers: {} };
    },
    parts: safe(uploads.list),
    joinParts: safe(uploads.join),
    abandonParts: safe(uploads.abandon),
    find: safe(async (path) => {
      const found = await objects.find(path);
      return found && { bytes: found.bytes, etag: found.etag };
    }),
    read: safe(async (path, most) => {
      const found = await objects.find(path);
      if (found === undefined) throw new ObjectMissing();
      return beginningOf(found, most);
    }),
    write: safe(async (object, body) => {
      checkSize(object, body);
      const file = await objects.temporary();
      await written(file, body);
      await objects.place(file, object.path);
    }),
    move: safe((from, { path }) => objects.move(from, path)),
    remove: safe(async (paths) => {
      for (const path of paths) await objects.remove(path);
    }),
    async fetch({ path, type, disposition }) {
      const expiresAt = quarterOf(now()) + quarterMs + fetchMs;
      return { url: signer.address("GET", path, { type, disposition }, expiresAt), expiresAt };
    },
  };

  return {
    port,
    serve: storeHttp({ objects, uploads, signer, now, log, away, times }),
    async sweep() {
      const removed = await sweepFolder(folder, objects, fileTime);
      if (removed > 0) log.info("files.swept", { removed });
    },
  };
}

function checkSize({ bytes }: NewObject, body: Uint8Array): void {
  if (body.length !== bytes) throw new TypeError(`${body.length} bytes are not the ${bytes} of the object`);
}
