/** The built pages as files, and the answer to whoever asks for one: the same from a folder here and out of a function's zip. */
import { createHash } from "node:crypto";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { type PageHeaders, pageHeaders } from "./pages.ts";

/** The pages port, in the one function that serves what a browser loads by itself. */
export interface Pages {
  /** The answer to a request for this path; undefined for what is neither a page nor a part of one. */
  find(path: string, asked: Asked): PageAnswer | undefined;
  /** Where a browser finds this picture's bytes, and for how long it may come back there. */
  picture(path: string): Promise<{ readonly url: string; readonly maxAgeSec: number }>;
}

export interface PageFile {
  readonly type: string;
  readonly etag: string;
  readonly body: Uint8Array;
  /** Made when the first one asks. */
  br?: Uint8Array;
  gzip?: Uint8Array;
}

/** The two headers of a request that decide. */
export interface Asked {
  readonly acceptEncoding: string | undefined;
  readonly ifNoneMatch: string | undefined;
}

export interface PageAnswer {
  readonly status: 200 | 304;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".jpg": "image/jpeg",
  ".webp": "image/webp",
  ".ico": "image/x-icon",
  ".woff2": "font/woff2",
  ".mp3": "audio/mpeg",
  ".wav": "audio/wav",
};

/** The type by the name's ending; undefined for what is not served. */
export const pageType = (name: string): string | undefined => types[/\.[a-z0-9]+$/.exec(name)?.[0] ?? ""];

export function pageFile(type: string, body: Uint8Array): PageFile {
  return { type, etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`, body };
}

/** `/` is index.html, `/kitchen` is kitchen.html, anything else is what it is called. */
export const pageName = (path: string): string =>
  path === "/" ? "/index.html" : /^\/[a-z]+$/.test(path) ? `${path}.html` : path;

/** @param name the path of the file, with a slash before it */
export function answerPage(name: string, file: PageFile, asked: Asked, guard: PageHeaders = pageHeaders): PageAnswer {
  const { type, etag, body } = file;
  const common = {
    ...guard,
    "cache-control": name.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
    etag,
    vary: "accept-encoding",
  };
  if (asked.ifNoneMatch?.includes(etag)) return { status: 304, headers: common };
  const [encoding, bytes] = encoded(file, asked.acceptEncoding ?? "") ?? [undefined, body];
  const packed = encoding === undefined ? {} : { "content-encoding": encoding };
  return { status: 200, headers: { ...common, "content-type": type, ...packed }, body: bytes };
}

/** A packet holds this much anyway. */
const worthPacking = 1_000;

/** Whether packing makes it smaller. */
export const isPacked = ({ type, body }: PageFile): boolean =>
  body.length >= worthPacking && /^text\/|json|svg/.test(type);

function encoded(file: PageFile, accepted: string): ["br" | "gzip", Uint8Array] | undefined {
  if (!isPacked(file)) return undefined;
  const takes = (name: string) => new RegExp(`\\b${name}\\b(?!\\s*;\\s*q=0(\\.0+)?\\s*(,|$))`).test(accepted);
  if (takes("br")) {
    file.br ??= brotli(file.body, 9);
    return ["br", file.br];
  }
  if (!takes("gzip")) return undefined;
  file.gzip ??= gzipSync(file.body, { level: 9 });
  return ["gzip", file.gzip];
}

/** @param quality 9 while somebody waits, 11 while a deployment is built */
export const brotli = (body: Uint8Array, quality: 9 | 11): Uint8Array =>
  brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } });
