/** Serves the dishes' pictures from before files out of their folder. */
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import { RouteUnknown } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import { type PictureType, typeOfPicture } from "../../shared/old_pictures.ts";
import { toAppError } from "../../shared/to_app_error.ts";

export interface PicturesOptions {
  readonly folder: string;
  readonly log: Log;
}

export interface Pictures {
  /** Serves pictures. @returns false for any other request */
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

export function localPictures({ folder, log }: PicturesOptions): Pictures {
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

  async function answer({ method = "", url = "" }: IncomingMessage, response: ServerResponse): Promise<void> {
    const [path = ""] = url.slice(prefix.length).split("?");
    // Only names of the form that we made: nothing is decoded, so no name leads out of the folder.
    const type = typeOfPicture(path);
    if (type === undefined) throw new RouteUnknown(method, prefix + path.slice(0, 80));
    await send(path, type, method === "HEAD", response);
  }

  return {
    serve(request, response) {
      const { method = "", url = "" } = request;
      if (!url.startsWith(prefix) || !["GET", "HEAD"].includes(method)) return false;
      answer(request, response).catch((error) => sendError(response, toAppError({ log }, error)));
      return true;
    },
  };
}

function sendError(response: ServerResponse, { status, code, message }: ReturnType<typeof toAppError>): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, {
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  const title = code.charAt(0) + code.slice(1).toLowerCase().replaceAll("_", " ");
  response.end(JSON.stringify({ type: `/errors#${code}`, title, status, detail: message, code }));
}
