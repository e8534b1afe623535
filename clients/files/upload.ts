/** An upload: a place is asked for, the bytes go there in one request or in parts, and the server checks them. */
import { ApiError } from "../api.ts";
import type { Client } from "../client.ts";
import { safely } from "../emitter.ts";
import { makeBar } from "./bar.ts";
import { type Job, noAnswer, startWork } from "./job.ts";
import { type Ask, sendParts } from "./parts.ts";
import { type Address, Expired, put } from "./put.ts";
import { type Begun, recordsIn } from "./records.ts";
import { type Body, type Source, sourceOf } from "./source.ts";
import type { FileView, Uploadable, UploadOptions, Work } from "./types.ts";

export type Asker = Pick<Client, "ask" | "channel" | "session" | "url">;

/** A form carries no more. */
const mostInOneForm = 64 * 1_024 * 1_024;
/** Places that are tried, and how often parts that the store misses are sent again. */
const maxRounds = 3;
/** Joining thousands of parts takes a store a while. */
const completeMs = 60_000;

interface Place {
  file: FileView;
  upload: Address | { partBytes: number; parts: number };
}

export function uploadFile(client: Asker, file: Uploadable, options: UploadOptions): Work<FileView> {
  const { platform } = client.channel;
  const ask = client.ask as Ask;
  const records = recordsIn(platform);
  /** The place that is there on the server, and where it is remembered. */
  let id: string | undefined;
  let key: string | undefined;
  let cancelled = false;

  const remember = (begun: Begun) => key && records._put(key, begun);
  const forget = () => key && records._remove(key);
  const drop = () => {
    forget();
    if (id) void ask({ method: "DELETE", path: `/files/${id}` }).catch(() => {});
    id = undefined;
  };

  async function begin(source: Source): Promise<Place["upload"]> {
    const place = await ask<Place>({ method: "POST", path: "/files", body: bodyOf(source, options) });
    id = place.file.id;
    if (cancelled) drop();
    key = keyOf(client, source, options);
    return place.upload;
  }

  async function run(job: Job): Promise<FileView> {
    const source = await sourceOf(file, options);
    const bar = makeBar(source._bytes, (sent) => {
      void safely(platform, () => options.onProgress?.(sent, source._bytes));
    });
    key = keyOf(client, source, options);
    let begun = key === undefined ? undefined : records._find(key);
    let whole: Promise<Body> | undefined;

    /** In one request: a small file, or a form, whose bytes `wx` reads. */
    async function sendWhole(address: Address): Promise<void> {
      whole ??= address.fields ? Promise.resolve(new Uint8Array()) : source._read(0, source._bytes);
      const load = { _part: 1, _bytes: source._bytes, _body: await whole, _wxPath: source._wxPath };
      bar._sent(1, 0);
      await job._persist(() => put(job, bar, client.url, address, load));
    }

    async function deliver(): Promise<void> {
      if (begun) id = begun.id;
      else {
        const upload = await job._persist(() => begin(source));
        if (!("partBytes" in upload)) return sendWhole(upload);
        begun = { id: id as string, partBytes: upload.partBytes };
        remember(begun);
      }
      const { file: now } = await job._persist(() => ask<{ file: FileView }>({ method: "GET", path: `/files/${id}` }));
      // Stored: the answer to the last step was lost.
      if (now.state === "waiting") await sendParts(job, bar, { _ask: ask, _base: client.url }, source, begun);
    }

    for (let round = 1; ; round++) {
      try {
        await deliver();
        const complete = { method: "POST", path: `/files/${id}/complete`, timeoutMs: completeMs } as const;
        const { file: stored } = await job._persist(() => ask<{ file: FileView }>(complete));
        bar._full();
        forget();
        return stored;
      } catch (error) {
        const { code, status } = error as Partial<ApiError>;
        const isLast = cancelled || round === maxRounds;
        // A part was lost on its way: what is missing goes again.
        if (!isLast && begun && code === "FILE_NOT_STORED" && status === 409) continue;
        // The record stays: the next upload of this file goes on there.
        if (code !== noAnswer || !begun) drop();
        const isGone = error instanceof Expired || (begun && code === "FILE_UNKNOWN");
        if (isLast || !isGone)
          throw error instanceof Expired ? new ApiError("FILE_NOT_STORED", 403, error.message) : error;
        begun = undefined;
        bar._restart();
      }
    }
  }

  return startWork(platform, options, run, () => {
    cancelled = true;
    drop();
  });
}

function bodyOf({ _name: name, _type: type, _bytes: bytes, _wxPath }: Source, options: UploadOptions) {
  const { purpose, visibility, shop, of, about } = options;
  const by = _wxPath && bytes <= mostInOneForm ? "form" : undefined;
  return { purpose, name, type, bytes, visibility, by, shop, of, about };
}

/** The same file again, by the same user and for the same use. Undefined where it cannot be known again. */
function keyOf(client: Asker, { _name, _bytes, _modified }: Source, options: UploadOptions): string | undefined {
  const { purpose, visibility, shop, of, about, resume } = options;
  if (resume === false || _modified === undefined) return undefined;
  return JSON.stringify([client.session()?.user.id, _name, _bytes, _modified, purpose, visibility, shop, of, about]);
}
