/** A large file in parts: what the store has already is left out, some go at one time, each is repeated by itself. */
import type { ApiRequest } from "../api.ts";
import type { Bar } from "./bar.ts";
import type { Job } from "./job.ts";
import { type Address, Expired, type Load, put } from "./put.ts";
import type { Begun } from "./records.ts";
import type { Source } from "./source.ts";
import { wxFiles } from "./wx.ts";

/** A mini-program has ten requests at one time, of which the client takes eight. */
const partsAtOnce = () => (wxFiles() ? 2 : 3);
/** Parts whose addresses are asked for together. */
const addressesAtOnce = 12;
/** How often a part gets another address, when the store refuses the one before. */
const maxAddresses = 3;

interface Parts {
  uploads: ({ part: number } & Address)[];
  stored: { part: number; bytes: number }[];
}

export type Ask = <T>(request: ApiRequest) => Promise<T>;

/** @param base the API's address @throws Expired when the upload is gone, ApiError */
export async function sendParts(
  job: Job,
  bar: Bar,
  api: { _ask: Ask; _base: string },
  source: Source,
  { id, partBytes }: Begun,
): Promise<void> {
  const lengthOf = (part: number) => Math.min(partBytes, source._bytes - (part - 1) * partBytes);
  const askFor = (parts: number[]) =>
    job._persist(() => api._ask<Parts>({ method: "POST", path: `/files/${id}/parts`, body: { parts } }));

  const { stored } = await askFor([]);
  const there = new Set(stored.filter(({ part, bytes }) => bytes === lengthOf(part)).map(({ part }) => part));
  for (const part of there) bar._sent(part, lengthOf(part));
  const missing: number[] = [];
  for (let part = 1; (part - 1) * partBytes < source._bytes; part++) if (!there.has(part)) missing.push(part);
  const addresses = makeAddresses(askFor, missing);

  async function sendPart(part: number): Promise<void> {
    const from = (part - 1) * partBytes;
    const _bytes = lengthOf(part);
    const load: Load = { _part: part, _bytes, _body: await source._read(from, from + _bytes) };
    for (let tries = 1; ; tries++) {
      try {
        return await job._persist(async () => {
          const address = await addresses._get(part);
          if (address) await put(job, bar, api._base, address, load);
        });
      } catch (error) {
        if (!(error instanceof Expired) || tries === maxAddresses) throw error;
        addresses._remove(part);
      }
    }
  }
  await inTurn(missing, sendPart);
}

/** Addresses of parts, asked for some in advance. */
function makeAddresses(askFor: (parts: number[]) => Promise<Parts>, missing: readonly number[]) {
  const known = new Map<number, Address>();
  let asking: Promise<void> | undefined;
  const load = async (part: number) => {
    const { uploads } = await askFor([part, ...missing.slice(0, addressesAtOnce - 1)]);
    for (const { part: which, ...address } of uploads) known.set(which, address);
  };
  return {
    /** Undefined when the server signs none: somebody else, such as another tab, has completed the file. */
    async _get(part: number): Promise<Address | undefined> {
      // What another part has asked for may hold this one's.
      while (asking && !known.has(part)) await asking;
      if (!known.has(part)) {
        asking = load(part).finally(() => {
          asking = undefined;
        });
        await asking;
      }
      return known.get(part);
    },
    _remove: (part: number) => known.delete(part),
  };
}

/** Takes one after the other from the list, some at one time; none after the first failure. */
async function inTurn(list: number[], work: (one: number) => Promise<void>): Promise<void> {
  let failed = false;
  const worker = async () => {
    for (let one = list.shift(); one && !failed; one = list.shift())
      try {
        await work(one);
      } catch (error) {
        failed = true;
        throw error;
      }
  };
  await Promise.all(Array.from({ length: partsAtOnce() }, worker));
}
