/** Files of the SDK: what an upload does when the network, the store and the person do what they like. */
import { createReadStream } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiError } from "../../clients/api.ts";
import { type Client, makeClient } from "../../clients/client.ts";
import { files, type Uploadable, type UploadOptions, upload } from "../../clients/files.ts";
import { fileStore, nodePlatform } from "../../clients/node.ts";
import { until } from "../_until.ts";
import { type Fault, type FileServer, type FileServerOptions, startFileServer } from "./_file_server.ts";

let server: FileServer;
let folder: string;
const open: Client[] = [];

/** A client whose time runs faster, so that no test waits for its patience. */
function person({ store = nodePlatform().store, factor = 50 } = {}): Client {
  const platform = nodePlatform(store);
  const began = platform.now();
  const client = makeClient(
    {
      ...platform,
      now: () => began + (platform.now() - began) * factor,
      later: (work, ms) => platform.later(work, ms / factor),
    },
    { url: server.url, begin: async () => ({ method: "POST", path: "/login/guest" }) },
  );
  open.push(client);
  return client;
}

const begin = async (options?: FileServerOptions) => {
  server = await startFileServer(options);
};
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "orderbell-files-"));
});
afterEach(async () => {
  for (const client of open.splice(0)) client.close();
  await server.close();
});
afterAll(() => rm(folder, { recursive: true }));

const bytesOf = (length: number) => Buffer.from(Array.from({ length }, (_, at) => (at * 7) % 256));
async function onDisk(name: string, length: number): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytesOf(length));
  return path;
}
const storeLines = () => server.said.filter((line) => /whole|part \d|form/.test(line));
const failed = (work: Promise<unknown>): Promise<ApiError> =>
  work.then(
    () => {
      throw new Error("it did not fail");
    },
    (error) => error,
  );

/** An upload with what its bar showed. */
function shown(client: Client, file: Uploadable, options: Partial<UploadOptions> = {}) {
  const sent: number[] = [];
  const waits: string[] = [];
  const work = upload(client, file, {
    purpose: "file",
    onProgress: (bytes) => sent.push(bytes),
    onRetry: ({ code }) => waits.push(code),
    ...options,
  });
  return { work, sent, waits };
}

describe("an upload on Node", () => {
  it("sends a small file in one request, with its name and its type by the name's ending", async () => {
    await begin();
    const { work, sent } = shown(person(), await onDisk("面 菜单.pdf", 900), {
      about: { title: "菜单" },
      visibility: "private",
    });
    const file = await work;
    expect(file).toMatchObject({
      name: "面 菜单.pdf",
      type: "application/pdf",
      bytes: 900,
      state: "stored",
      path: null,
      about: { title: "菜单" },
    });
    expect(server.bytesOf(file.id)).toEqual(bytesOf(900));
    expect(storeLines()).toEqual(["PUT whole"]);
    expect(sent).toEqual([0, 900]);
  });

  it("sends a large file in parts, three at one time, and the bar rises to its end", async () => {
    await begin();
    const three = until(
      () => server.said.filter((line) => /part \d/.test(line)).length === 3,
      "three parts at one time",
    );
    server.fault = (what) => (/part \d/.test(what) ? three.then(() => undefined) : undefined);
    const { work, sent } = shown(person(), await onDisk("a.mp4", 5_000));
    const file = await work;
    expect(server.bytesOf(file.id)).toEqual(bytesOf(5_000));
    expect(storeLines().sort()).toEqual(Array.from({ length: 13 }, (_, at) => `PUT part ${at + 1}`).sort());
    expect(server.mostAtOnce()).toBe(3);
    expect(sent.at(-1)).toBe(5_000);
    expect([...sent].sort((a, b) => a - b)).toEqual(sent);
    // Addresses are asked for a dozen at a time.
    expect(server.said.filter((line) => line === "POST files parts").length).toBeLessThanOrEqual(4);
  });

  it("takes a Blob, bytes, and a stream whose length is told", async () => {
    await begin();
    const client = person();
    const path = await onDisk("b.bin", 3_000);
    const blob = await shown(client, new Blob([bytesOf(3_000)], { type: "image/png" }), { name: "b.png" }).work;
    expect(blob).toMatchObject({ name: "b.png", type: "image/png" });
    const bytes = await shown(client, bytesOf(3_000), { name: "b.txt" }).work;
    expect(bytes).toMatchObject({ type: "text/plain" });
    const stream = await shown(client, createReadStream(path, { highWaterMark: 333 }), { bytes: 3_000 }).work;
    expect(stream).toMatchObject({ name: "file", type: "application/octet-stream" });
    for (const { id } of [blob, bytes, stream]) expect(server.bytesOf(id)).toEqual(bytesOf(3_000));
    expect(await failed(shown(client, createReadStream(path)).work)).toBeInstanceOf(TypeError);
    const short = await failed(shown(client, createReadStream(path), { bytes: 4_000 }).work);
    expect(short.message).toBe("the stream is shorter than its bytes");
    // Its place is given back.
    await until(() => server.files.size === 3, "three places");
  });

  it("goes on over lost requests, lost answers and a store in trouble, part by part", async () => {
    await begin();
    const faults: Record<string, Fault> = {
      "PUT part 1 1": "lost",
      "PUT part 2 1": "answer lost",
      "PUT part 3 1": { status: 503, body: "<Error><Code>SlowDown</Code></Error>" },
      "PUT part 4 1": { status: 400, body: "<Error><Code>RequestTimeout</Code></Error>" },
      "POST files 1": "answer lost",
      "POST files parts 1": "lost",
      "POST files complete 1": "answer lost",
    };
    server.fault = (what, nth) => faults[`${what} ${nth}`];
    const { work, waits, sent } = shown(person(), await onDisk("c.mp4", 2_000));
    const file = await work;
    expect(server.bytesOf(file.id)).toEqual(bytesOf(2_000));
    expect(waits).toEqual(Array(7).fill("NO_ANSWER"));
    expect([...sent].sort((a, b) => a - b)).toEqual(sent);
    expect(storeLines().filter((line) => line === "PUT part 5")).toHaveLength(1);
  });

  it("is done when the store has the file already and only the answer was lost", async () => {
    await begin();
    server.fault = (what, nth) => (what === "PUT whole" && nth === 1 ? "answer lost" : undefined);
    const file = await shown(person(), bytesOf(100)).work;
    expect(file.state).toBe("stored");
    expect(storeLines()).toEqual(["PUT whole", "PUT whole"]);
  });

  it("ends a request in which nothing moves, and sends it again", async () => {
    await begin();
    server.fault = (what, nth) => (what === "PUT whole" && nth === 1 ? "silent" : undefined);
    const { work, waits } = shown(person({ factor: 100 }), bytesOf(100));
    expect((await work).state).toBe("stored");
    expect(waits).toEqual(["NO_ANSWER"]);
  });

  it("asks for another address when one has expired: of a part, and of a whole file", async () => {
    await begin();
    const client = person();
    server.fault = (what) => {
      if (what === "PUT part 2") {
        server.fault = () => undefined;
        server.expire();
      }
      return undefined;
    };
    const large = await shown(client, bytesOf(2_000)).work;
    expect(server.bytesOf(large.id)).toEqual(bytesOf(2_000));
    expect(server.said.filter((line) => line === "POST files")).toHaveLength(1);
    server.fault = (what) => {
      if (what === "PUT whole") {
        server.fault = () => undefined;
        server.expire();
      }
      return undefined;
    };
    const small = await shown(client, bytesOf(200)).work;
    expect(server.bytesOf(small.id)).toEqual(bytesOf(200));
    // The place that could not be used any more is given back.
    await until(() => server.files.size === 2, "two files");
  });

  it("sends the parts again that the server misses in the end", async () => {
    await begin();
    // The store says that it has the part, and has nothing.
    server.fault = (what, nth) => (what === "PUT part 2" && nth === 1 ? { status: 200 } : undefined);
    const file = await shown(person(), bytesOf(1_500)).work;
    expect(server.bytesOf(file.id)).toEqual(bytesOf(1_500));
    expect(storeLines().filter((line) => line === "PUT part 2")).toHaveLength(2);
    expect(storeLines().filter((line) => line === "PUT part 1")).toHaveLength(1);
  });

  it("goes on after the process has ended with what is there, once, and not for another file or purpose", async () => {
    await begin();
    const path = await onDisk("film.mp4", 4_000);
    const store = fileStore(join(folder, "store"));
    server.fault = (what) => (/part [4-9]|part 10/.test(what) ? "silent" : undefined);
    // With the true time it stays at these three requests: nothing of it comes between what follows.
    const begun = shown(person({ store, factor: 1 }), path);
    begun.work.catch(() => {});
    await until(
      () => begun.sent.at(-1) === 1_200 && storeLines().length === 6,
      "three parts, and three without an answer",
      () => [begun.sent, server.said],
    );
    // The process ends here, without a word.
    server.fault = (what) => (what === "DELETE files one" ? "lost" : undefined);
    const [id] = [...server.files.keys()];
    const another = await shown(person({ store }), await onDisk("other.mp4", 4_000)).work;
    const other = await shown(person({ store }), path, { purpose: "film" }).work;
    expect([another.id, other.id]).not.toContain(id);
    server.said.length = 0;

    const second = shown(person({ store }), path);
    const file = await second.work;
    expect(file.id).toBe(id);
    expect(second.sent[0]).toBeGreaterThan(0);
    expect(storeLines().sort()).toEqual([4, 5, 6, 7, 8, 9, 10].map((part) => `PUT part ${part}`).sort());
    expect(server.bytesOf(file.id)).toEqual(bytesOf(4_000));
    begun.work.cancel();

    const again = await shown(person({ store }), path).work;
    expect(again.id).not.toBe(id);
  });

  it("is done when another tab has completed the same file, and no address is given any more", async () => {
    await begin();
    const path = await onDisk("tabs.mp4", 4_000);
    const store = nodePlatform().store;
    let go = () => {};
    const held = new Promise<undefined>((resolve) => {
      go = () => resolve(undefined);
    });
    server.fault = (what, nth) => (what === "PUT part 5" && nth === 1 ? held : undefined);
    const first = shown(person({ store, factor: 1 }), path);
    await until(
      () => first.sent.at(-1) === 3_600,
      "all parts but one",
      () => [first.sent, server.said],
    );
    const { id } = await shown(person({ store }), path).work;
    server.expire();
    go();
    expect(await first.work).toMatchObject({ id, state: "stored" });
    expect(first.sent.at(-1)).toBe(4_000);
    expect(storeLines().filter((line) => line === "PUT part 5")).toHaveLength(2);
  });

  it("begins anew when the server has forgotten what was begun", async () => {
    await begin();
    const path = await onDisk("old.mp4", 2_000);
    const store = nodePlatform().store;
    const first = shown(person({ store }), path);
    server.fault = (what) => (/part 2/.test(what) ? "lost" : undefined);
    first.work.catch(() => {});
    await until(() => storeLines().includes("PUT part 2"), "some parts");
    const names = store.names();
    const record = store.get("orderbell.uploads") as string;
    first.work.cancel();
    await until(() => server.files.size === 0, "no place");
    expect(names).toContain("orderbell.uploads");
    expect(store.names()).not.toContain("orderbell.uploads");
    store.set("orderbell.uploads", record);
    server.fault = () => undefined;
    const file = await shown(person({ store }), path).work;
    expect(server.bytesOf(file.id)).toEqual(bytesOf(2_000));
  });

  it("is cancelled by cancel() or a signal, at any moment: the promise ends at once, the place is given back", async () => {
    await begin();
    const client = person();
    for (const at of ["POST files", "POST files parts", "PUT part 1", "PUT part 3", "POST files complete"]) {
      server.fault = (what) => (what === at ? "silent" : undefined);
      server.said.length = 0;
      const { work } = shown(client, await onDisk("d.mp4", 1_500));
      const end = failed(work);
      await until(() => server.said.includes(at), at);
      work.cancel();
      expect((await end).code).toBe("CANCELLED");
      await until(
        () => server.files.size === 0,
        "no place",
        () => [at, server.said],
      );
    }
    server.fault = (what) => (what === "PUT whole" ? "silent" : undefined);
    const abort = new AbortController();
    const { work } = shown(client, bytesOf(10), { signal: abort.signal });
    const end = failed(work);
    await until(() => storeLines().includes("PUT whole"), "the request");
    abort.abort();
    expect((await end).code).toBe("CANCELLED");
    server.said.length = 0;
    expect((await failed(shown(client, bytesOf(10), { signal: abort.signal }).work)).code).toBe("CANCELLED");
    expect(server.said.filter((line) => line === "POST files")).toEqual([]);
  });

  it("gives a place back that comes after it was cancelled", async () => {
    await begin();
    let go = () => {};
    const held = new Promise<undefined>((resolve) => {
      go = () => resolve(undefined);
    });
    server.fault = (what) => (what === "POST files" ? held : undefined);
    const { work } = shown(person(), bytesOf(10));
    const end = failed(work);
    await until(() => server.said.includes("POST files"), "the request");
    work.cancel();
    expect((await end).code).toBe("CANCELLED");
    go();
    await until(() => server.said.includes("DELETE files one"), "the removal");
    await until(() => server.files.size === 0, "no place");
  });

  it("sends nothing again when only the answer to its last step was lost", async () => {
    await begin();
    const path = await onDisk("f.mp4", 2_000);
    const client = person({ factor: 200 });
    server.fault = (what) => (what === "POST files complete" ? "answer lost" : undefined);
    expect((await failed(shown(client, path).work)).code).toBe("NO_ANSWER");
    const [id] = [...server.files.keys()];
    server.fault = () => undefined;
    server.said.length = 0;
    const { work, sent } = shown(client, path);
    expect((await work).id).toBe(id);
    expect(storeLines()).toEqual([]);
    expect(sent).toEqual([2_000]);
  });

  it("says what the server refuses, by its code and without another try", async () => {
    for (const [status, code, extra] of [
      [413, "FILE_TOO_LARGE", { maxBytes: 5 }],
      [415, "FILE_TYPE_REFUSED", { types: ["image/png"] }],
      [429, "FILES_FULL", { maxFiles: 3, maxBytes: 10 }],
      [400, "PURPOSE_UNKNOWN", {}],
    ] as const) {
      await begin({ refuse: { status, body: { code, detail: code, ...extra } } });
      const error = await failed(shown(person(), bytesOf(10)).work);
      expect(error).toMatchObject({ name: "ApiError", code, status, extra });
      expect(server.said.filter((line) => line === "POST files")).toHaveLength(1);
      if (code !== "PURPOSE_UNKNOWN") await server.close();
    }
  });

  it("says what the store refuses, without its address, and stops the other parts", async () => {
    await begin();
    server.fault = (what) =>
      what === "PUT part 2"
        ? { status: 400, body: "<Error><Code>EntityTooLarge</Code></Error>" }
        : /part/.test(what) && what !== "POST files parts"
          ? "silent"
          : undefined;
    const error = await failed(shown(person(), bytesOf(8_000)).work);
    expect(error).toMatchObject({
      code: "FILE_NOT_STORED",
      status: 400,
      message: "the store answered 400 EntityTooLarge",
    });
    await until(() => server.files.size === 0, "no place");
    expect(storeLines().length).toBeLessThanOrEqual(3);
  });

  it("gives up when nothing has moved for minutes, and goes on from there the next time", async () => {
    await begin();
    const path = await onDisk("e.mp4", 2_000);
    const client = person({ factor: 200 });
    server.fault = (what) => (what === "PUT part 3" ? "lost" : undefined);
    expect((await failed(shown(client, path).work)).code).toBe("NO_ANSWER");
    const [id] = [...server.files.keys()];
    server.fault = () => undefined;
    server.said.length = 0;
    expect((await shown(client, path).work).id).toBe(id);
    expect(storeLines()).not.toContain("PUT part 1");
  });
});

describe("files of a client", () => {
  it("are listed, addressed, fetched and removed", async () => {
    await begin();
    const client = person();
    const first = await shown(client, bytesOf(10), { name: "a.png" }).work;
    const second = await shown(client, bytesOf(20), { name: "b.png", visibility: "private" }).work;
    const mine = files(client);
    expect((await mine.list({ purpose: "file" })).files.map(({ id }) => id)).toEqual([second.id, first.id]);
    expect(mine.addressOf(first)).toBe(`${server.url}/files/${first.id}/content`);
    expect(mine.addressOf(first, "海报.jpg")).toBe(`${server.url}/files/${first.id}/%E6%B5%B7%E6%8A%A5.jpg`);
    expect(mine.addressOf(second)).toBeUndefined();
    expect((await mine.get(second.id)).address?.url).toContain("signed");
    await mine.remove(second.id);
    expect(await failed(mine.get(second.id))).toMatchObject({ code: "FILE_UNKNOWN", status: 404 });
  });
});
