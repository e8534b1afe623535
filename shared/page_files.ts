/** Built pages as files, and HTTP answers to requests for them: from a folder on this machine, or from a function's zip. */
import { createHash } from "node:crypto";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { PageHeaders } from "./pages.ts";

/** Port of the pages, for the function that serves what a browser loads by itself. */
export interface Pages {
  /** The answer to a request for this path; undefined when there is no such file. */
  find(path: string, request: PageRequest): PageAnswer | undefined;
  /** Where a browser finds this picture's bytes, and how long it may use that address. */
  picture(path: string): Promise<{ readonly url: string; readonly maxAgeSec: number }>;
}

export interface PageFile {
  readonly type: string;
  readonly etag: string;
  readonly body: Uint8Array;
  /** Compressed at the first request. */
  br?: Uint8Array;
  gzip?: Uint8Array;
}

/** Request headers that the answer depends on. */
export interface PageRequest {
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

/** The type by the name's ending; undefined for files that are not served. */
export const pageType = (name: string): string | undefined => types[/\.[a-z0-9]+$/.exec(name)?.[0] ?? ""];

export function pageFile(type: string, body: Uint8Array): PageFile {
  return { type, etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 22)}"`, body };
}

/** `/` is index.html, `/kitchen` is kitchen.html, any other path is the file's name. */
export const pageName = (path: string): string =>
  path === "/" ? "/index.html" : /^\/[a-z]+$/.test(path) ? `${path}.html` : path;

/** @param name the path of the file, with a slash before it */
export function answerPage(name: string, file: PageFile, request: PageRequest, guard: PageHeaders): PageAnswer {
  const { type, etag, body } = file;
  const common = {
    ...guard,
    "cache-control": name.startsWith("/assets/") ? "public, max-age=31536000, immutable" : "no-cache",
    etag,
    vary: "accept-encoding",
  };
  if (request.ifNoneMatch?.includes(etag)) return { status: 304, headers: common };
  const [encoding, bytes] = encoded(file, request.acceptEncoding ?? "") ?? [undefined, body];
  const contentEncoding = encoding === undefined ? {} : { "content-encoding": encoding };
  return { status: 200, headers: { ...common, "content-type": type, ...contentEncoding }, body: bytes };
}

/** Below this size compression saves no TCP packet. */
export const minCompressedBytes = 1_000;

/** Whether compression is worth it. */
export const isPacked = ({ type, body }: PageFile): boolean =>
  body.length >= minCompressedBytes && /^text\/|json|svg/.test(type);

export type Encoding = "br" | "gzip";

/** @param accepted the request's `Accept-Encoding` @returns the better one of those that it names; undefined for none */
export function acceptedEncoding(accepted: string): Encoding | undefined {
  const takes = (name: string) => new RegExp(`\\b${name}\\b(?!\\s*;\\s*q=0(\\.0+)?\\s*(,|$))`).test(accepted);
  return takes("br") ? "br" : takes("gzip") ? "gzip" : undefined;
}

function encoded(file: PageFile, accepted: string): [Encoding, Uint8Array] | undefined {
  const encoding = isPacked(file) ? acceptedEncoding(accepted) : undefined;
  if (encoding === undefined) return undefined;
  if (encoding === "br") file.br ??= brotli(file.body, 9);
  else file.gzip ??= gzipSync(file.body, { level: 9 });
  return [encoding, file[encoding] as Uint8Array];
}

/** @param quality 9 at a request, 11 when a deployment is built */
export const brotli = (body: Uint8Array, quality: 9 | 11): Uint8Array =>
  brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } });
