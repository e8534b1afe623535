/** Storage of files in memory, with the promises of shared/file_store.ts. A test stores bytes with `put`, as a client does at the signed address. */
import { createHash } from "node:crypto";
import type { FileStore, NewObject, StoredObject, StoredPart } from "../shared/file_store.ts";

export interface MemoryStore extends FileStore {
  readonly objects: Map<string, Uint8Array>;
  /** Uploads in parts that are neither joined nor abandoned. */
  readonly uploads: Map<string, Map<number, Uint8Array>>;
  /** What a client sends to an address of `put`, `form` or `part`. @returns the status */
  send(url: string, body: Uint8Array): number;
}

const etagOf = (body: Uint8Array) => `"${createHash("md5").update(body).digest("hex")}"`;

export function memoryStore(): MemoryStore {
  const objects = new Map<string, Uint8Array>();
  const uploads = new Map<string, Map<number, Uint8Array>>();
  const signed = new Map<string, (body: Uint8Array) => number>();
  let made = 0;
  const at = (take: (body: Uint8Array) => number) => {
    const url = `/store/${made++}`;
    signed.set(url, take);
    return url;
  };
  const found = (path: string): StoredObject | undefined => {
    const body = objects.get(path);
    return body === undefined ? undefined : { bytes: body.length, etag: etagOf(body) };
  };
  const take =
    ({ path, bytes }: NewObject, replaces: boolean) =>
    (body: Uint8Array) => {
      if (body.length !== bytes) return 403;
      if (objects.has(path) && !replaces) return 412;
      objects.set(path, body);
      return 200;
    };
  const needed = (path: string): Uint8Array => {
    const body = objects.get(path);
    if (body === undefined) throw new Error(`nothing at ${path}`);
    return body;
  };

  return {
    objects,
    uploads,
    send: (url, body) => signed.get(url)?.(body) ?? 403,
    async put(object) {
      return { method: "PUT", url: at(take(object, false)), headers: { "content-type": object.type } };
    },
    async form(object) {
      return { method: "POST", url: at(take(object, true)), fields: { key: object.path }, fileField: "file" };
    },
    async beginParts() {
      const upload = `upload-${made++}`;
      uploads.set(upload, new Map());
      return upload;
    },
    async part(_, upload, part, bytes) {
      const url = at((body) => {
        if (body.length !== bytes) return 403;
        return uploads.get(upload)?.set(part, body) === undefined ? 404 : 200;
      });
      return { method: "PUT", url, headers: {} };
    },
    async parts(_, upload) {
      const stored = [...(uploads.get(upload) ?? [])].toSorted(([a], [b]) => a - b);
      return stored.map(([part, body]): StoredPart => ({ part, bytes: body.length, etag: etagOf(body) }));
    },
    async joinParts(path, upload, parts) {
      const stored = uploads.get(upload);
      if (stored === undefined) return false;
      uploads.delete(upload);
      objects.set(path, Buffer.concat(parts.map(({ part }) => stored.get(part) ?? new Uint8Array())));
      return true;
    },
    async abandonParts(_, upload) {
      uploads.delete(upload);
    },
    find: async (path) => found(path),
    read: async (path, most) => needed(path).subarray(0, most),
    async write({ path }, body) {
      objects.set(path, body);
    },
    async move(from, { path }) {
      const body = needed(from);
      if (!objects.has(path)) objects.set(path, body);
      objects.delete(from);
    },
    async remove(paths) {
      for (const path of paths) objects.delete(path);
    },
    async fetch({ path, type, disposition }) {
      const query = new URLSearchParams({ type, disposition });
      return { url: `/store/${path}?${query}`, expiresAt: Date.UTC(2026, 10, 21, 5) };
    },
  };
}
