/** JSON Lines from a file or standard input, portion by portion: of a large file only one portion is in memory. */
import { createReadStream } from "node:fs";
import { TextDecoder } from "node:util";

/** Lines of a file that follow each other. */
export interface Portion {
  /** The number of the first one, from 1. */
  readonly from: number;
  readonly lines: readonly string[];
}

/** The file is not made of lines that can be read; the message names the line. */
export class LinesUnreadable extends Error {
  override readonly name = "LinesUnreadable";
}

/** There is no such file, or it may not be read. */
export class FileUnreadable extends Error {
  override readonly name = "FileUnreadable";
}

/** A document as JSON is smaller, even if every character is escaped. */
const maxLineCharacters = 256 * 1_024;
const maxPortionLines = 200;
const maxPortionCharacters = 512 * 1_024;

/** @param path `-` is standard input @throws LinesUnreadable, FileUnreadable */
export async function* portionsOf(path: string): AsyncGenerator<Portion> {
  let from = 1;
  let lines: string[] = [];
  let characters = 0;
  for await (const line of linesOf(path)) {
    if (lines.length >= maxPortionLines || (lines.length > 0 && characters + line.length > maxPortionCharacters)) {
      yield { from, lines };
      from += lines.length;
      [lines, characters] = [[], 0];
    }
    lines.push(line);
    characters += line.length;
  }
  yield { from, lines };
}

async function* linesOf(path: string): AsyncGenerator<string> {
  // A byte order mark at the beginning is left out by the decoder.
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let nth = 1;
  for await (const bytes of bytesOf(path)) {
    const parts = (rest + decode(decoder, bytes, nth)).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) {
      yield bounded(part, nth);
      nth++;
    }
    bounded(rest, nth);
  }
  rest += decode(decoder, undefined, nth);
  if (rest !== "") yield bounded(rest, nth);
}

async function* bytesOf(path: string): AsyncGenerator<Buffer> {
  try {
    for await (const bytes of path === "-" ? process.stdin : createReadStream(path)) yield bytes as Buffer;
  } catch (error) {
    throw new FileUnreadable((error as Error).message);
  }
}

function decode(decoder: TextDecoder, bytes: Buffer | undefined, nth: number): string {
  try {
    return bytes === undefined ? decoder.decode() : decoder.decode(bytes, { stream: true });
  } catch {
    throw new LinesUnreadable(`line ${nth} or one soon after it is not UTF-8`);
  }
}

function bounded(line: string, nth: number): string {
  if (line.length > maxLineCharacters)
    throw new LinesUnreadable(`line ${nth} is too long: each line holds one document as JSON`);
  return line.replace(/\r$/, "");
}
