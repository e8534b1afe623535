/** The local store's folder after a crash at any step, and with two processes at work in it. */
import { createRequire } from "node:module";
import type { NewObject, StoredPart } from "../../shared/file_store.ts";
import { digest, newPath, someBytes } from "../contracts/file_store.ts";
import { type FilesServer, openFiles } from "./_files.ts";

const type = "video/mp4";
const MB = 1_024 * 1_024;
const dayMs = 24 * 3_600_000;

const object = (bytes: Uint8Array, path = newPath()): NewObject => ({ path, type, bytes: bytes.length });

async function put(files: FilesServer, one: NewObject, bytes: Uint8Array): Promise<number> {
  const { url, headers } = await files.store.put(one);
  return (await fetch(files.base + url, { method: "PUT", headers, body: bytes as never })).status;
}

async function fetched(files: FilesServer, path: string): Promise<string> {
  const { url } = await files.store.fetch({ path, type, disposition: "inline" });
  const answer = await fetch(files.base + url);
  if (answer.status !== 200) return String(answer.status);
  return digest(new Uint8Array(await answer.arrayBuffer()));
}

const partsOf = (bytes: Buffer) => [bytes.subarray(0, 5 * MB), bytes.subarray(5 * MB)];

async function sendParts(files: FilesServer, one: NewObject, bytes: Buffer): Promise<string> {
  const upload = await files.store.beginParts(one);
  for (const [nth, part] of partsOf(bytes).entries()) {
    const { url } = await files.store.part(one, upload, nth + 1, part.length);
    expect((await fetch(files.base + url, { method: "PUT", body: part as never })).status).toBe(200);
  }
  return upload;
}

/** What changes a folder. */
const steps = ["link", "rename", "rm", "mkdir", "writeFile"] as const;
type Steps = Record<(typeof steps)[number], (...given: never[]) => Promise<unknown>>;
const fs = createRequire(import.meta.url)("node:fs/promises") as Steps;

/** Lets the process do so many more steps; those after them never happen. @returns how many were asked for */
function crashAfter(allowed: number): () => number {
  let done = 0;
  for (const step of steps) {
    const real = fs[step];
    jest.spyOn(fs, step).mockImplementation(async (...given) => {
      done += 1;
      if (done > allowed) throw new Error("crashed");
      return real(...given);
    });
  }
  return () => done;
}

interface Told {
  readonly files: FilesServer;
  readonly one: NewObject;
  readonly bytes: Buffer;
  /** Made before the crash. */
  readonly before: { readonly upload: string; readonly parts: StoredPart[]; readonly from: string };
}

/** Name → what is done, what is done again after the crash, and whether the object is there in the end. */
const works: Readonly<
  Record<string, { once: (told: Told) => Promise<unknown>; again: (told: Told) => Promise<unknown>; stays: boolean }>
> = {
  "a PUT": {
    once: async ({ files, one, bytes }) => expect(await put(files, one, bytes)).toBe(200),
    again: async ({ files, one, bytes }) => expect([200, 412]).toContain(await put(files, one, bytes)),
    stays: true,
  },
  "a write": {
    once: ({ files, one, bytes }) => files.store.write(one, bytes),
    again: async ({ files, one, bytes }) => (await files.store.find(one.path)) ?? files.store.write(one, bytes),
    stays: true,
  },
  "a move": {
    once: ({ files, one, before }) => files.store.move(before.from, one),
    again: ({ files, one, before }) => files.store.move(before.from, one),
    stays: true,
  },
  "a join": {
    once: ({ files, one, before }) => files.store.joinParts(one.path, before.upload, before.parts),
    again: ({ files, one, before }) => files.store.joinParts(one.path, before.upload, before.parts),
    stays: true,
  },
  "a removal": {
    once: async ({ files, one, bytes }) => {
      await put(files, one, bytes);
      await files.store.remove([one.path]);
    },
    again: ({ files, one }) => files.store.remove([one.path]),
    stays: false,
  },
};

afterEach(() => jest.restoreAllMocks());

describe.each(Object.entries(works))("after a crash at any step of %s", (name, { once, again, stays }) => {
  let files: FilesServer;
  const isJoin = name === "a join";
  const bytes = someBytes((isJoin ? 5 * MB : 0) + 1_000, 3);
  beforeAll(async () => {
    files = await openFiles();
  });
  afterAll(() => files.close());

  it("the object is whole or absent; the repetition succeeds; after a day nothing else is left", async () => {
    let points = 0;
    for (let allowed = 0, ended = false; !ended; allowed++) {
      const one = object(bytes);
      const from = newPath("incoming");
      await files.store.write(object(bytes, from), bytes);
      const upload = isJoin ? await sendParts(files, one, bytes) : "";
      const before = { upload, parts: await files.store.parts(one.path, upload), from };
      const told = { files, one, bytes, before };
      const asked = crashAfter(allowed);
      await once(told).then(
        () => {
          ended = asked() <= allowed;
        },
        () => {},
      );
      jest.restoreAllMocks();
      points = allowed;
      const found = await files.store.find(one.path);
      if (found !== undefined) expect([allowed, await fetched(files, one.path)]).toEqual([allowed, digest(bytes)]);
      await again(told);
      expect([allowed, await fetched(files, one.path)]).toEqual([allowed, stays ? digest(bytes) : "404"]);
      await files.store.remove([one.path]);
    }
    // As many as there are steps; fewer would mean that nothing crashed.
    expect(points).toBeGreaterThan(1);
    await files.sweep();
    files.forward(dayMs + 60_000);
    await files.sweep();
    expect(await files.files()).toEqual([]);
  });
});

describe("two processes in one folder", () => {
  let one: FilesServer;
  let two: FilesServer;
  beforeAll(async () => {
    one = await openFiles();
    two = await openFiles({ folder: one.folder });
  });
  afterAll(async () => {
    await two.close();
    await one.close();
  });
  const rounds = 8;

  it("store one of two objects that come at once to one path, whole", async () => {
    for (let round = 0; round < rounds; round++) {
      const both = [someBytes(200_000, 1), someBytes(200_000, 2)] as const;
      const place = object(both[0]);
      const statuses = await Promise.all([put(one, place, both[0]), put(two, place, both[1])]);
      expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 412]);
      const winner = digest(both[statuses.indexOf(200)] as Buffer);
      expect([await fetched(one, place.path), await fetched(two, place.path)]).toEqual([winner, winner]);
    }
  });

  it("join an upload once, and take what the other has begun", async () => {
    for (let round = 0; round < rounds; round++) {
      const bytes = someBytes(5 * MB + 10, round + 1);
      const place = object(bytes);
      const upload = await sendParts(one, place, bytes);
      const parts = await two.store.parts(place.path, upload);
      const joined = await Promise.all([one, two].map(({ store }) => store.joinParts(place.path, upload, parts)));
      expect(joined.toSorted()).toEqual([false, true]);
      expect(await fetched(one, place.path)).toBe(digest(bytes));
    }
  });

  it("join an upload or abandon it, but not half of both", async () => {
    for (let round = 0; round < rounds; round++) {
      const bytes = someBytes(5 * MB + 10, round + 1);
      const place = object(bytes);
      const upload = await sendParts(one, place, bytes);
      const parts = await one.store.parts(place.path, upload);
      const [joined] = await Promise.all([
        one.store.joinParts(place.path, upload, parts).catch(() => false),
        two.store.abandonParts(place.path, upload),
      ]);
      expect(await fetched(two, place.path)).toBe(joined ? digest(bytes) : "404");
      expect(await one.store.parts(place.path, upload)).toEqual([]);
    }
  });

  it("join what was told while a part is sent again", async () => {
    for (let round = 0; round < rounds; round++) {
      const bytes = someBytes(5 * MB + 10, 1);
      const place = object(bytes);
      const upload = await sendParts(one, place, bytes);
      const parts = await one.store.parts(place.path, upload);
      const { url } = await two.store.part(place, upload, 2, 10);
      const [joined] = await Promise.all([
        one.store.joinParts(place.path, upload, parts).catch(() => "other part"),
        fetch(two.base + url, { method: "PUT", body: someBytes(10, 9) as never }),
      ]);
      expect([true, "other part"]).toContain(joined);
      expect(await fetched(two, place.path)).toBe(joined === true ? digest(bytes) : "404");
    }
  });

  it("move an object to one place, whichever does it", async () => {
    for (let round = 0; round < rounds; round++) {
      const bytes = someBytes(1_000, round + 1);
      const from = newPath("incoming");
      await one.store.write(object(bytes, from), bytes);
      const to = object(bytes);
      await Promise.all([one.store.move(from, to), two.store.move(from, to)]);
      expect(await fetched(two, to.path)).toBe(digest(bytes));
      expect(await one.store.find(from)).toBeUndefined();
    }
  });

  it("remove an object while the other sends, or stores, another one", async () => {
    for (let round = 0; round < rounds; round++) {
      const bytes = someBytes(100_000, round + 1);
      const place = object(bytes);
      await put(one, place, bytes);
      const [, status] = await Promise.all([one.store.remove([place.path]), put(two, place, bytes)]);
      expect([200, 412]).toContain(status);
      expect(await fetched(one, place.path)).toBe(status === 200 ? digest(bytes) : "404");
    }
  });

  it("send an object whole, or say that it is missing, while the other removes it", async () => {
    const answers = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      const bytes = someBytes(300_000);
      const place = object(bytes);
      expect(await put(one, place, bytes)).toBe(200);
      const reads = Promise.all(Array.from({ length: 8 }, () => fetched(one, place.path)));
      await two.store.remove([place.path]);
      for (const answer of await reads) answers.add(answer === digest(bytes) ? "whole" : answer);
    }
    expect([...answers].filter((answer) => !["whole", "404"].includes(answer))).toEqual([]);
  });

  it("remove what is old, and leave what runs", async () => {
    const bytes = someBytes(5 * MB + 10);
    const place = object(bytes);
    const upload = await sendParts(one, place, bytes);
    const kept = object(bytes);
    await put(one, kept, bytes);
    const from = newPath("incoming");
    await one.store.write(object(bytes, from), bytes);
    await Promise.all([one.sweep(), two.sweep()]);
    expect((await two.store.parts(place.path, upload)).length).toBe(2);
    for (const server of [one, two]) server.forward(dayMs + 60_000);
    await Promise.all([one.sweep(), two.sweep()]);
    expect(await two.store.parts(place.path, upload)).toEqual([]);
    expect(await two.store.find(from)).toBeUndefined();
    expect(await fetched(two, kept.path)).toBe(digest(bytes));
    const swept = [...one.lines, ...two.lines].map((line) => JSON.parse(line));
    expect(swept.every(({ event, removed }) => event === "files.swept" && removed > 0)).toBe(true);
    expect(swept.reduce((sum, { removed }) => sum + removed, 0)).toBeGreaterThanOrEqual(2);
  });
});
