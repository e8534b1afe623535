/** What is uploaded: its name, type and length, and any part of it. One form for all platforms. */
import type { Chosen, Uploadable, UploadOptions } from "./types.ts";
import { asked, readPart, wxFiles } from "./wx.ts";

/** What one request carries. */
export type Body = Chosen | Uint8Array;

export interface Source {
  _name: string;
  _type: string;
  _bytes: number;
  /** When it was changed, ms; undefined where it cannot be known again after a reload. */
  _modified: number | undefined;
  /** The path that `wx.uploadFile` takes. */
  _wxPath?: string;
  /** Parts of a stream are read once, in their order. */
  _read(from: number, to: number): Promise<Body>;
}

type Wishes = Pick<UploadOptions, "name" | "type" | "bytes" | "purpose">;

/** @throws TypeError, or the platform's error when the path cannot be read */
export async function sourceOf(file: Uploadable, wishes: Wishes): Promise<Source> {
  const { _name, _type, ...rest } = await known(file, wishes.bytes);
  const name = wishes.name ?? (_name || wishes.purpose);
  return { ...rest, _name: name, _type: wishes.type ?? (_type || typeOf(name)) };
}

type Known = Omit<Source, "_name" | "_type"> & { _name?: string | undefined; _type?: string };

async function known(file: Uploadable, bytes: number | undefined): Promise<Known> {
  if (typeof file === "string") return wxFiles() ? ofWx(file) : ofDisk(file);
  if (ArrayBuffer.isView(file))
    return { _bytes: file.length, _modified: undefined, _read: async (from, to) => file.subarray(from, to) };
  if ("size" in file)
    return {
      _name: file.name,
      _type: file.type,
      _bytes: file.size,
      _modified: file.lastModified,
      _read: async (from, to) => file.slice(from, to),
    };
  if (bytes === undefined) throw new TypeError("a stream needs its length: bytes");
  return { _bytes: bytes, _modified: undefined, _read: readerOf(file) };
}

async function ofWx(path: string): Promise<Known> {
  const app = wxFiles() as NonNullable<ReturnType<typeof wxFiles>>;
  const { stats } = await asked<{ stats: { size: number; lastModifiedTime: number } }>((back) =>
    app.getFileSystemManager().stat({ path, ...back }),
  );
  return {
    _name: lastPart(path),
    _bytes: stats.size,
    _modified: stats.lastModifiedTime,
    _wxPath: path,
    _read: (from, to) => readPart(app, path, stats.size, from, to),
  };
}

interface Handle {
  stat(): Promise<{ size: number; mtimeMs: number }>;
  read(into: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }>;
  close(): Promise<void>;
}
declare const process:
  | { getBuiltinModule?(name: string): { open(path: string, flag: "r"): Promise<Handle> } }
  | undefined;

/** Node's own module, without an import that a bundler for pages would stumble over. */
async function ofDisk(path: string): Promise<Known> {
  const disk = typeof process === "object" ? process?.getBuiltinModule?.("node:fs/promises") : undefined;
  if (!disk) throw new TypeError("a path can be uploaded in a mini-program and on Node");
  const opened = async <T>(work: (handle: Handle) => Promise<T>) => {
    const handle = await disk.open(path, "r");
    return work(handle).finally(() => handle.close());
  };
  const { size, mtimeMs } = await opened((handle) => handle.stat());
  return {
    _name: lastPart(path),
    _bytes: size,
    _modified: mtimeMs,
    _read: (from, to) =>
      opened(async (handle) => {
        const body = new Uint8Array(to - from);
        for (let at = 0; at < body.length; ) {
          const { bytesRead } = await handle.read(body, at, body.length - at, from + at);
          if (!bytesRead) throw new Error("the file has become shorter");
          at += bytesRead;
        }
        return body;
      }),
  };
}

/** Reads a stream part by part, whoever asks. */
function readerOf(stream: AsyncIterable<Uint8Array>): Source["_read"] {
  const chunks = stream[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array(0);
  let turn: Promise<unknown> = Promise.resolve();
  const take = async (length: number) => {
    const body = new Uint8Array(length);
    for (let at = 0; at < length; ) {
      if (!rest.length) {
        const { value, done } = await chunks.next();
        if (done) throw new TypeError("the stream is shorter than its bytes");
        rest = value;
      }
      const some = rest.subarray(0, length - at);
      body.set(some, at);
      at += some.length;
      rest = rest.subarray(some.length);
    }
    return body;
  };
  return (from, to) => {
    const mine = turn.then(() => take(to - from));
    turn = mine;
    return mine;
  };
}

const lastPart = (path: string) => path.split(/[\\/]/).pop();

const office = "application/vnd.openxmlformats-officedocument.";
const types: Record<string, string> = {
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  png: "image/png",
  webp: "image/webp",
  gif: "image/gif",
  mp4: "video/mp4",
  mov: "video/quicktime",
  webm: "video/webm",
  m3u8: "application/vnd.apple.mpegurl",
  ts: "video/mp2t",
  m4s: "video/iso.segment",
  vtt: "text/vtt",
  mp3: "audio/mpeg",
  m4a: "audio/mp4",
  aac: "audio/aac",
  ogg: "audio/ogg",
  wav: "audio/wav",
  flac: "audio/flac",
  pdf: "application/pdf",
  zip: "application/zip",
  txt: "text/plain",
  csv: "text/csv",
  docx: `${office}wordprocessingml.document`,
  xlsx: `${office}spreadsheetml.sheet`,
  pptx: `${office}presentationml.presentation`,
  doc: "application/msword",
  xls: "application/vnd.ms-excel",
  ppt: "application/vnd.ms-powerpoint",
};

/** By the name's ending: a path has no type of its own. */
const typeOf = (name: string) => types[name.replace(/.*\./, "").toLowerCase()] ?? "application/octet-stream";
