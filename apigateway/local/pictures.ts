/** Files adapter for this machine: a folder, and the addresses at which pictures are uploaded and shown. */
import { createHmac } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import {
  type AppError,
  BodyTooLarge,
  Forbidden,
  InvalidInput,
  MediaTypeUnsupported,
  RouteUnknown,
} from "../../shared/errors.ts";
import { beginsAs, type Files, type PictureType, typeOf, uploadMs } from "../../shared/files.ts";
import type { Log } from "../../shared/log.ts";
import { derive, equal } from "../../shared/secrets.ts";
import { toAppError } from "../../shared/to_app_error.ts";

export interface PicturesOptions {
  /** Created with the first picture. */
  readonly folder: string;
  readonly signingKey: string;
  readonly now: () => number;
  /** For names of files that are not complete yet. */
  readonly tag: () => string;
  readonly log: Log;
}

export interface Pictures {
  readonly port: Files;
  /** Serves and receives pictures. @returns false for any other request */
  serve(request: IncomingMessage, response: ServerResponse): boolean;
}

const prefix = "/pictures/";

/** Anyone can request names that never existed: at most this many are logged. */
const maxMissed = 100;

/** A browser treats the file as a picture only, also if it contains something else. */
const guard = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; sandbox",
} as const;

export function localPictures({ folder, signingKey, now, tag, log }: PicturesOptions): Pictures {
  const key = derive(signingKey, "picture");
  const sign = (path: string, bytes: number, until: number) =>
    createHmac("sha256", key).update(`PUT ${path} ${bytes} ${until}`).digest("base64url");

  const port: Files = {
    async upload(path, type, bytes) {
      const until = now() + uploadMs;
      const query = new URLSearchParams({
        bytes: String(bytes),
        until: String(until),
        signature: sign(path, bytes, until),
      });
      return { method: "PUT", url: `${prefix}${path}?${query}`, headers: { "content-type": type } };
    },
    urlOf: (path) => prefix + path,
  };

  // --- In ------------------------------------------------------------------------------------------------------------

  /** Stores an uploaded picture. @throws AppError when it is not the one that was signed */
  async function receive(
    request: IncomingMessage,
    path: string,
    type: PictureType,
    query: URLSearchParams,
  ): Promise<void> {
    const [bytes, until] = [Number(query.get("bytes")), Number(query.get("until"))];
    if (!equal(query.get("signature") ?? "", sign(path, bytes, until)))
      throw new Forbidden("this address was not made here");
    if (until <= now()) throw new Forbidden("this address has expired");
    if (request.headers["content-type"] !== type)
      throw new MediaTypeUnsupported(request.headers["content-type"] ?? "", type);
    const body = await bodyOf(request, bytes);
    if (body.length !== bytes) throw new InvalidInput("body", `expected ${bytes} bytes`);
    if (!beginsAs(type, body)) throw new InvalidInput("body", `is not ${type}`);
    await store(join(folder, path), body);
  }

  /** Writes the whole file or nothing. A file that exists is not replaced: browsers may cache it for ever. */
  async function store(file: string, body: Buffer): Promise<void> {
    await mkdir(dirname(file), { recursive: true });
    const partial = `${file}.${tag()}`;
    try {
      await writeFile(partial, body, { flag: "wx" });
      await link(partial, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      // The client uploads again if the answer was lost.
      if (!body.equals(await readFile(file))) throw new Forbidden("there is another picture at this address");
    } finally {
      await rm(partial, { force: true });
    }
  }

  // --- Out -----------------------------------------------------------------------------------------------------------

  const missing = new Set<string>();

  /** Logged once for each path: every page that shows it asks again. */
  function logMissing(path: string): void {
    if (missing.has(path) || missing.size === maxMissed) return;
    missing.add(path);
    const hint = "every server needs the same folder of pictures, and a backup of the database is not one of it";
    log.warn("pictures.missing", { path, folder, hint });
  }

  async function send(path: string, type: PictureType, isHead: boolean, response: ServerResponse): Promise<void> {
    const body = await readFile(join(folder, path)).catch(() => undefined);
    if (body === undefined) {
      logMissing(path);
      throw new RouteUnknown("GET", prefix + path);
    }
    response.writeHead(200, {
      ...guard,
      "content-type": type,
      "content-length": body.length,
      "cache-control": "public, max-age=31536000, immutable",
    });
    response.end(isHead ? undefined : body);
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url = "" } = request;
    const [path = "", query = ""] = url.slice(prefix.length).split(/\?(.*)/s);
    // Only names of the form that we make: nothing is decoded, so no name leads out of the folder.
    const type = typeOf(path);
    if (type === undefined) throw new RouteUnknown(method, prefix + path.slice(0, 80));
    if (method !== "PUT") return send(path, type, method === "HEAD", response);
    await receive(request, path, type, new URLSearchParams(query));
    response.writeHead(204).end();
  }

  return {
    port,
    serve(request, response) {
      const { method = "", url = "" } = request;
      if (!url.startsWith(prefix) || !["GET", "HEAD", "PUT"].includes(method)) return false;
      answer(request, response).catch((error) => {
        // The client left before its request was complete.
        if (request.destroyed && !request.complete) return void response.destroy();
        sendError(response, toAppError({ log }, error));
      });
      return true;
    },
  };
}

/** A body that is too large is read to its end and dropped: a client that still writes would not see the answer. @throws BodyTooLarge */
async function bodyOf(request: IncomingMessage, bytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let read = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    read += chunk.length;
    if (read <= bytes) chunks.push(chunk);
  }
  if (read > bytes) throw new BodyTooLarge(bytes);
  return Buffer.concat(chunks);
}

function sendError(response: ServerResponse, { status, code, message, retryAfterSec }: AppError): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...(retryAfterSec === undefined ? {} : { "retry-after": String(retryAfterSec) }),
  });
  const title = code.charAt(0) + code.slice(1).toLowerCase().replaceAll("_", " ");
  response.end(JSON.stringify({ type: `/errors#${code}`, title, status, detail: message, code }));
}
