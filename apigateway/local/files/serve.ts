/** HTTP of the local store at `/store/…`: answers as S3 does, but with problem documents of JSON. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Forbidden } from "../../../shared/errors.ts";
import type { Log } from "../../../shared/log.ts";
import { toAppError } from "../../../shared/to_app_error.ts";
import { CallerLeft } from "../bulkhead.ts";
import { allow, isPreflight, preflight, Refused, refuse } from "./answers.ts";
import { receiveForm } from "./form.ts";
import { isObjectPath, ObjectExists, type ObjectFolder, ObjectMissing } from "./object_folder.ts";
import { receive, WrongSize } from "./receive.ts";
import { send } from "./send.ts";
import { type Signer, storePrefix } from "./signed.ts";
import { boundTime, type UploadTimes, uploadTimes } from "./upload_times.ts";
import { UploadGone, type UploadsInParts } from "./uploads_in_parts.ts";

export interface StoreHttpOptions {
  readonly objects: ObjectFolder;
  readonly uploads: UploadsInParts;
  readonly signer: Signer;
  readonly now: () => number;
  readonly log: Log;
  /** Makes an error for the client of one of the file system. */
  readonly away: (error: unknown) => unknown;
  readonly times?: UploadTimes | undefined;
}

/** To be called when a request has shown that it may send. @returns to be called when it has its answer */
export type Begin = () => () => void;

export type StoreHttp = (request: IncomingMessage, response: ServerResponse, begin: Begin) => void;

/** Files that are written at once: each holds a descriptor and a buffer. */
const maxUploads = 2_000;

export function storeHttp(options: StoreHttpOptions): StoreHttp {
  const { objects, uploads, signer, now, log, times = uploadTimes } = options;
  let running = 0;

  /** Counts an upload, and bounds the time in which it must come. */
  async function received<T>(request: IncomingMessage, begin: Begin, work: () => Promise<T>): Promise<T> {
    if (running >= maxUploads) throw new Refused(503, "too many uploads at once", { "retry-after": "1" });
    running += 1;
    const [end, endTimes] = [begin(), boundTime(request, times)];
    try {
      return await work();
    } finally {
      running -= 1;
      endTimes();
      end();
    }
  }

  async function storeWhole(request: IncomingMessage, path: string, bytes: number): Promise<string> {
    if ((await objects.find(path)) !== undefined) throw new ObjectExists();
    const file = await objects.temporary();
    await receive(request, file, bytes);
    await objects.place(file, path);
    return (await objects.find(path))?.etag ?? "";
  }

  async function put(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
    query: URLSearchParams,
    begin: Begin,
  ) {
    const { type, bytes, upload, part } = signer.verify("PUT", path, query);
    const { "content-length": length, "content-type": sent } = request.headers;
    if (length === undefined) throw new Refused(411, "a request without Content-Length is not taken");
    if (length !== bytes) throw new Forbidden(`this address is for exactly ${bytes} bytes`);
    if (type !== undefined && sent !== type) throw new Forbidden(`this address is for ${type}`);
    const etag = await received(request, begin, () =>
      upload === undefined
        ? storeWhole(request, path, Number(bytes))
        : uploads.receive(request, path, upload, Number(part), Number(bytes)),
    );
    response.writeHead(200, { etag, "content-length": 0 }).end();
  }

  async function post(request: IncomingMessage, response: ServerResponse, path: string, begin: Begin) {
    const file = await objects.temporary();
    const verify = (fields: readonly (readonly [string, string])[]) => signer.verify("POST", path, fields);
    await receiveForm({ request, file, verify, received: (work) => received(request, begin, work) });
    await objects.replace(file, path);
    response.writeHead(204).end();
  }

  async function get(request: IncomingMessage, response: ServerResponse, path: string, query: URLSearchParams) {
    const { type = "", disposition = "", until } = signer.verify("GET", path, query);
    const found = await objects.find(path);
    if (found === undefined) throw new ObjectMissing();
    await send(request, response, found, { type, disposition, keepSec: Math.ceil((Number(until) - now()) / 1_000) });
  }

  async function answer(request: IncomingMessage, response: ServerResponse, begin: Begin): Promise<void> {
    const { method = "", url = "" } = request;
    allow(response);
    if (isPreflight(request)) return preflight(request, response);
    const [path = "", query = ""] = url.slice(storePrefix.length).split(/\?(.*)/s);
    // Nothing is decoded, so no path leads out of the folder.
    if (!isObjectPath(path)) throw new ObjectMissing();
    if (method === "GET" || method === "HEAD") return get(request, response, path, new URLSearchParams(query));
    if (method === "PUT") return put(request, response, path, new URLSearchParams(query), begin);
    if (method === "POST") return post(request, response, path, begin);
    throw new Refused(405, "the store takes GET, HEAD, PUT and POST", { allow: "GET, HEAD, PUT, POST, OPTIONS" });
  }

  return (request, response, begin) => {
    answer(request, response, begin).catch((error) => {
      // The client left before its request was complete, or reads no more.
      if (error instanceof CallerLeft || (request.destroyed && !request.complete) || response.headersSent)
        return void response.destroy();
      refuse(request, response, refusalOf(log, options.away(error)));
    });
  };
}

function refusalOf(log: Log, error: unknown): Refused {
  if (error instanceof Refused) return error;
  if (error instanceof ObjectExists) return new Refused(412, "there is an object at this address");
  if (error instanceof ObjectMissing) return new Refused(404, "there is no object at this address");
  if (error instanceof UploadGone) return new Refused(404, "this upload in parts has ended");
  if (error instanceof WrongSize) return new Refused(400, error.message);
  const { status, message, retryAfterSec } = toAppError({ log }, error);
  return new Refused(status, message, retryAfterSec === undefined ? {} : { "retry-after": String(retryAfterSec) });
}
