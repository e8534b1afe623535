/** Compression of JSON answers, as a CDN does it in front of a gateway of a cloud. Its CPU is bounded: beyond that, answers go as they are. */
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { acceptedEncoding, type Encoding, minCompressedBytes } from "../../shared/page_files.ts";

/** Compressions at once, each in a thread of its own beside the event loop. */
const maxRunning = 2;
/** Answers with an ETag are the same for many callers; compressed ones are kept, up to this many characters of text. */
const maxKept = 8_000_000;

/** A tenth of the time of the best quality, for a tenth more bytes. */
const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } };
const run: Readonly<Record<Encoding, (text: string) => Promise<Buffer>>> = {
  br: (text) => promisify(brotliCompress)(text, quality),
  gzip: promisify<string, Buffer>(gzip),
};

type Headers = Readonly<Record<string, string>>;

export class Compressor {
  /** By encoding, then by the text itself: an ETag alone names no body of another shop. The oldest first. */
  readonly #kept = { br: new Map<string, Buffer>(), gzip: new Map<string, Buffer>() };
  #keptCharacters = 0;
  #running = 0;

  /** Whether this answer is compressed for those who accept it. */
  static isFor(method: string | undefined, status: number, headers: Headers, body: string | Buffer): body is string {
    const isJson = /^application\/([a-z.-]+\+)?json\b/.test(headers["content-type"] ?? "");
    return (
      method === "GET" && status === 200 && isJson && typeof body === "string" && body.length >= minCompressedBytes
    );
  }

  /** @returns the headers and the body to send */
  async answer(accepted: string, headers: Headers, text: string): Promise<[Headers, Buffer | string]> {
    const varied = { ...headers, vary: [headers.vary, "accept-encoding"].filter(Boolean).join(", ") };
    const encoding = acceptedEncoding(accepted);
    const body = encoding && (await this.#compressed(encoding, text, headers.etag !== undefined));
    return body === undefined ? [varied, text] : [{ ...varied, "content-encoding": encoding as Encoding }, body];
  }

  async #compressed(encoding: Encoding, text: string, isShared: boolean): Promise<Buffer | undefined> {
    const kept = this.#kept[encoding].get(text);
    if (kept !== undefined || this.#running >= maxRunning) return kept;
    this.#running += 1;
    try {
      const body = await run[encoding](text);
      if (isShared) this.#keep(encoding, text, body);
      return body;
    } finally {
      this.#running -= 1;
    }
  }

  #keep(encoding: Encoding, text: string, body: Buffer): void {
    const mine = this.#kept[encoding];
    if (mine.has(text)) return;
    mine.set(text, body);
    this.#keptCharacters += text.length;
    for (const [old] of mine) {
      if (this.#keptCharacters <= maxKept || old === text) break;
      mine.delete(old);
      this.#keptCharacters -= old.length;
    }
  }
}
