/** Sends an object, or a range of it, as fast as its client reads. */
import { createReadStream, type ReadStream } from "node:fs";
import { open } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import { type FoundObject, ObjectMissing, type Piece } from "./object_folder.ts";
import { conditionOf, isSameRange, type Range, rangeOf } from "./ranges.ts";
import { codeOf } from "./synced_folder.ts";

/** Read at once. Of a client that does not read, so much waits in memory. */
const chunkBytes = 256 * 1_024;

/** Whatever an object contains, no page may act as one of this origin by it. */
const guard = {
  "x-content-type-options": "nosniff",
  "content-security-policy": "default-src 'none'; sandbox",
  "cross-origin-resource-policy": "cross-origin",
} as const;

export interface SentAs {
  readonly type: string;
  readonly disposition: string;
  /** How long a browser may keep the answer: as long as the address holds. */
  readonly keepSec: number;
}

/** Answers a GET or HEAD. Resolves when the answer is out, or the client has left. */
export async function send(
  { method, headers: asked }: IncomingMessage,
  response: ServerResponse,
  found: FoundObject,
  { type, disposition, keepSec }: SentAs,
): Promise<void> {
  const headers = {
    etag: found.etag,
    "last-modified": new Date(found.modifiedMs).toUTCString(),
    "accept-ranges": "bytes",
    "cache-control": `private, max-age=${keepSec}`,
    ...guard,
  };
  const content = { ...headers, "content-type": type, "content-disposition": disposition };
  const whole = { from: 0, to: found.bytes - 1 };
  const condition = conditionOf(asked, found);
  if (condition !== undefined) return void response.writeHead(condition, headers).end();
  if (method === "HEAD") return void response.writeHead(200, { ...content, "content-length": found.bytes }).end();
  const range = isSameRange(asked["if-range"]?.toString(), found) ? rangeOf(asked.range, found.bytes) : "all";
  if (range === "none")
    return void response.writeHead(416, { ...headers, "content-range": `bytes */${found.bytes}` }).end();
  const isWhole = range === "all";
  const wanted = isWhole ? whole : range;
  const bytes = await openBytes(found.pieces, wanted);
  response.writeHead(isWhole ? 200 : 206, {
    ...content,
    "content-length": wanted.to - wanted.from + 1,
    ...(isWhole ? {} : { "content-range": `bytes ${wanted.from}-${wanted.to}/${found.bytes}` }),
  });
  return pour(bytes, response);
}

/** The pieces' files with the bytes of each that lie in the range. */
function* slicesOf(
  pieces: readonly Piece[],
  { from, to }: Range,
): Generator<{ file: string; start: number; end: number }> {
  let at = 0;
  for (const { file, bytes } of pieces) {
    const [start, end] = [Math.max(from - at, 0), Math.min(to - at, bytes - 1)];
    if (start <= end) yield { file, start, end };
    at += bytes;
  }
}

interface OpenBytes {
  readonly first: ReadStream | undefined;
  readonly rest: Iterable<{ readonly file: string; readonly start: number; readonly end: number }>;
}

/**
 * Opens the first file before anything is answered: an object that is removed at this moment is missing, and what is open is read to
 * its end although it has gone.
 * @throws ObjectMissing
 */
async function openBytes(pieces: readonly Piece[], range: Range): Promise<OpenBytes> {
  const [slice, ...rest] = slicesOf(pieces, range);
  if (slice === undefined) return { first: undefined, rest };
  const handle = await open(slice.file).catch((error) => {
    throw codeOf(error) === "ENOENT" ? new ObjectMissing() : error;
  });
  return { first: handle.createReadStream({ start: slice.start, end: slice.end, highWaterMark: chunkBytes }), rest };
}

async function* bytesOf({ first, rest }: OpenBytes): AsyncGenerator<Buffer> {
  if (first !== undefined) yield* first;
  for (const { file, start, end } of rest) yield* createReadStream(file, { start, end, highWaterMark: chunkBytes });
}

async function pour(bytes: OpenBytes, response: ServerResponse): Promise<void> {
  if (bytes.first === undefined) return void response.end();
  try {
    await pipeline(bytesOf(bytes), response);
  } catch (error) {
    // The client has left, or does not read any more.
    if (codeOf(error) !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  } finally {
    bytes.first.destroy();
  }
}
