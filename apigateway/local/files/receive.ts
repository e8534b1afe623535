/** Receives bytes into a new file, never faster than the disk takes them. */
import { createWriteStream } from "node:fs";
import { rm } from "node:fs/promises";
import type { Readable } from "node:stream";
import { finished } from "node:stream/promises";
import { CallerLeft } from "../bulkhead.ts";

/** Waits in memory for the disk, of each upload. */
const bufferBytes = 64 * 1_024;

/** The client has sent more or less than was signed. */
export class WrongSize extends Error {
  override readonly name = "WrongSize";
  readonly tooLarge: boolean;
  constructor(tooLarge: boolean) {
    super(tooLarge ? "more bytes than were signed" : "fewer bytes than were signed");
    this.tooLarge = tooLarge;
  }
}

/**
 * Resolves when the file has exactly so many bytes and they are on the disk. Otherwise there is no file, and the source is left as it
 * is, so that its client can still be given an answer.
 * @throws WrongSize; CallerLeft when the source ends early; an error of the file system
 */
export async function receive(source: Readable, file: string, bytes: number): Promise<void> {
  const target = createWriteStream(file, { flags: "wx", flush: true, highWaterMark: bufferBytes });
  let read = 0;
  const count = (chunk: Buffer) => {
    read += chunk.length;
    if (read > bytes) target.destroy(new WrongSize(true));
  };
  const left = () => {
    if (!source.readableEnded) target.destroy(new CallerLeft());
  };
  source.on("data", count).once("close", left).once("error", left).pipe(target);
  if (source.destroyed) left();
  try {
    await finished(target);
    if (read < bytes) throw new WrongSize(false);
  } catch (error) {
    await rm(file, { force: true });
    throw error;
  } finally {
    source.unpipe(target).off("data", count).off("close", left).off("error", left);
  }
}
