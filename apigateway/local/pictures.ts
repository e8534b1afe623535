/** The files port on this machine: a folder, and the addresses under which pictures are put into it and found. */
import { createHmac } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { dirname, join } from "node:path";
import {
  AppError,
  BodyTooLarge,
  Forbidden,
  Internal,
  InvalidInput,
  MediaTypeUnsupported,
  RouteUnknown,
} from "../../shared/errors.ts";
import { beginsAs, type Files, type PictureType, typeOf, uploadMs } from "../../shared/files.ts";
import type { Log } from "../../shared/log.ts";
import { derive, equal } from "../../shared/secrets.ts";

export interface PicturesOptions {
  /** Made when the first picture comes. */
  readonly folder: string;
  readonly signingKey: string;
  readonly now: () => number;
  /** For names of files that are not whole yet. */
  readonly tag: () => string;
  readonly log: () => Log;
}

export interface Pictures {
  readonly port: Files;
  /** Serves and takes pictures; gives back false for what is none of its business. */
  serve(request: IncomingMessage, response: ServerResponse): boolean;
}

const prefix = "/pictures/";

/** What is shown is a picture and nothing else, whatever is in it. */
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

  /** @throws AppError when it is not what was signed */
  async function take(
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
    await keep(join(folder, path), body);
  }

  /** Whole or not at all; and what is there stays as it is, since the world may keep it for ever. */
  async function keep(file: string, body: Buffer): Promise<void> {
    await mkdir(dirname(file), { recursive: true });
    const half = `${file}.${tag()}`;
    try {
      await writeFile(half, body, { flag: "wx" });
      await link(half, file);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      // Put again because the answer was lost.
      if (!body.equals(await readFile(file))) throw new Forbidden("there is another picture at this address");
    } finally {
      await rm(half, { force: true });
    }
  }

  // --- Out -----------------------------------------------------------------------------------------------------------

  async function show(path: string, type: PictureType, isHead: boolean, response: ServerResponse): Promise<void> {
    const body = await readFile(join(folder, path)).catch(() => undefined);
    if (body === undefined) throw new RouteUnknown("GET", prefix + path);
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
    // Only names that we have made: nothing is decoded, so nothing can lead out of the folder.
    const type = typeOf(path);
    if (type === undefined) throw new RouteUnknown(method, prefix + path.slice(0, 80));
    if (method !== "PUT") return show(path, type, method === "HEAD", response);
    await take(request, path, type, new URLSearchParams(query));
    response.writeHead(204).end();
  }

  return {
    port,
    serve(request, response) {
      const { method = "", url = "" } = request;
      if (!url.startsWith(prefix) || !["GET", "HEAD", "PUT"].includes(method)) return false;
      answer(request, response).catch((error) => {
        // The client left before it had said all.
        if (request.destroyed && !request.complete) return void response.destroy();
        if (!(error instanceof AppError)) log().error("pictures", {}, error);
        refuse(response, error instanceof AppError ? error : new Internal(error));
      });
      return true;
    },
  };
}

/** What is too much is read all the same and thrown away: a client that still writes would not see the answer. @throws BodyTooLarge */
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

function refuse(response: ServerResponse, { status, code, message }: AppError): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  const title = code.charAt(0) + code.slice(1).toLowerCase().replaceAll("_", " ");
  response.end(
    JSON.stringify({ type: `urn:orderbell:error:${code.toLowerCase()}`, title, status, detail: message, code }),
  );
}
