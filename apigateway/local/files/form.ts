/** Uploads by a form, as `wx.uploadFile` sends them: signed fields first, the file last. */

import { rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import type { Readable } from "node:stream";
import { Busboy } from "@fastify/busboy";
import { CallerLeft } from "../bulkhead.ts";
import { Refused } from "./answers.ts";
import { receive } from "./receive.ts";

/** A form has four fields of ours; a client may have some of its own. */
const limits = {
  fieldNameSize: 100,
  fieldSize: 4_096,
  fields: 20,
  files: 1,
  parts: 21,
  headerPairs: 20,
  headerSize: 4_096,
};
/** What a form has beside its file. */
const maxBytesAround = 128 * 1_024;

type Field = readonly [string, string];

export interface FormOptions {
  readonly request: IncomingMessage;
  /** Where the file is written. */
  readonly file: string;
  /** @returns what was signed @throws when the fields are not */
  readonly verify: (fields: readonly Field[]) => Readonly<Record<string, string>>;
  /** Runs the storing of a form whose fields are right. */
  readonly received: (work: () => Promise<void>) => Promise<void>;
}

/** Resolves when the form is complete and its file stored. Otherwise there is no file. @throws Refused; what `verify` and `receive` throw */
export async function receiveForm(options: FormOptions): Promise<void> {
  const { request, file } = options;
  const length = request.headers["content-length"];
  if (length === undefined) throw new Refused(411, "a request without Content-Length is not taken");
  const parser = parserOf(request);
  const reading = new Reading(options, Number(length));
  try {
    await reading.whole(parser);
  } catch (error) {
    request.unpipe(parser);
    await reading.end();
    await rm(file, { force: true });
    throw error;
  }
}

function parserOf({ headers }: IncomingMessage): Busboy {
  try {
    return new Busboy({
      headers: { ...headers, "content-type": headers["content-type"] ?? "" },
      limits,
      isPartAFile: (name, _type, filename) => name === "file" || filename !== undefined,
    });
  } catch {
    throw new Refused(400, "a form is sent as multipart/form-data with a boundary");
  }
}

class Reading {
  readonly #options: FormOptions;
  readonly #length: number;
  readonly #fields: Field[] = [];
  #stream: Readable | undefined;
  #stored: Promise<void> | undefined;

  constructor(options: FormOptions, length: number) {
    this.#options = options;
    this.#length = length;
  }

  whole(parser: Busboy): Promise<void> {
    const { request } = this.#options;
    return new Promise((resolve, reject) => {
      const malformed = () => reject(new Refused(400, "the form is malformed, or has too many or too large fields"));
      parser.on("field", (name, value, nameIsCut, valueIsCut) => {
        if (nameIsCut || valueIsCut) malformed();
        this.#fields.push([name, value]);
      });
      parser.on("file", (name, stream) => {
        // Its end can be an error, of which the parser tells too.
        stream.on("error", malformed);
        this.#stored = this.#store(name, stream);
        this.#stored.catch(reject);
      });
      parser.on("finish", () => (this.#stored === undefined ? malformed() : this.#stored.then(resolve, reject)));
      parser
        .on("error", malformed)
        .on("partsLimit", malformed)
        .on("fieldsLimit", malformed)
        .on("filesLimit", malformed);
      request.once("close", () => {
        if (!request.complete) reject(new CallerLeft());
      });
      request.pipe(parser);
    });
  }

  async #store(name: string, stream: Readable): Promise<void> {
    const { verify, received, file } = this.#options;
    this.#stream = stream;
    const bytes = Number(verify(this.#fields).bytes);
    if (name !== "file") throw new Refused(400, 'the file\'s field is "file"');
    if (this.#length > bytes + maxBytesAround) throw new Refused(400, "more bytes than were signed");
    await received(() => receive(stream, file, bytes));
  }

  /** Resolves when nothing is written any more. */
  async end(): Promise<void> {
    this.#stream?.destroy();
    await this.#stored?.catch(() => {});
  }
}
