/** What every store of files promises, over HTTP as clients see it. Run for a folder in test/apigateway/file_store.test.ts, for S3 in s3_contract.test.ts. */
import { createCipheriv, createHash } from "node:crypto";
import {
  type Fetch,
  type FileStore,
  fetchMs,
  type NewObject,
  type UploadForm,
  type UploadRequest,
  uploadMs,
} from "../../shared/file_store.ts";

export interface OpenStore {
  readonly store: FileStore;
  /** What relative addresses are resolved against. */
  readonly base: string;
  /** Moves the clock of the store and of what serves it. */
  forward(ms: number): void;
  close(): Promise<void>;
}

let count = 0;
/** A new path, such as shared/files/ makes them. */
export const newPath = (folder = "files"): string => `${folder}/aB_-${String(count++).padStart(18, "0")}`;

/** Bytes that tell where they are from. */
export const someBytes = (length: number, seed = 1): Buffer =>
  createCipheriv("aes-128-ctr", Buffer.alloc(16, seed), Buffer.alloc(16)).update(Buffer.alloc(length));

export const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const type = "video/mp4";
const disposition = `inline; filename="a film.mp4"; filename*=UTF-8''%E7%94%B5%E5%BD%B1.mp4`;
/** S3's smallest part but the last. */
const partBytes = 5 * 1_024 * 1_024;
const seconds = 1_000;
/** 403, or 400 for what cannot even be read. */
const isRefusal = (status: number) => status === 400 || status === 403;

export function fileStoreContract(open: () => Promise<OpenStore>): void {
  let own: OpenStore;
  let store: FileStore;
  beforeAll(async () => {
    own = await open();
    store = own.store;
  });
  afterAll(() => own.close());

  const absolute = (url: string) => new URL(url, own.base).href;
  const send = (upload: UploadRequest, body: Uint8Array, headers: Record<string, string> = {}) =>
    fetch(absolute(upload.url), {
      method: upload.method,
      headers: { ...upload.headers, ...headers },
      body: body as never,
    });
  const object = (bytes: Uint8Array, path = newPath()): NewObject => ({ path, type, bytes: bytes.length });

  async function stored(bytes: Buffer, path = newPath()): Promise<string> {
    const answer = await send(await store.put(object(bytes, path)), bytes);
    expect([answer.status, await answer.text()]).toEqual([200, ""]);
    return path;
  }
  const addressOf = async (path: string, more: Partial<Fetch> = {}) =>
    absolute((await store.fetch({ path, type, disposition, ...more })).url);
  const get = async (path: string, headers: Record<string, string> = {}) => fetch(await addressOf(path), { headers });
  const bytesOf = async (answer: Response) => Buffer.from(await answer.arrayBuffer());
  const whole = async (path: string) => bytesOf(await get(path));

  /** A form as `wx.uploadFile` sends it: fields first, the file last. */
  function post(form: UploadForm, file: Uint8Array, change: Record<string, string> = {}, name = "tmp_aé6.png") {
    const body = new FormData();
    for (const [field, value] of Object.entries({ ...form.fields, ...change })) body.append(field, value);
    body.append(form.fileField, new Blob([file as never], { type: "image/jpeg" }), name);
    return fetch(absolute(form.url), { method: form.method, body });
  }

  describe("a signed PUT", () => {
    it("stores its bytes, and answers with the ETag that the object has from then on", async () => {
      const bytes = someBytes(100_000);
      const path = newPath();
      expect(await store.find(path)).toBeUndefined();
      const answer = await send(await store.put(object(bytes, path)), bytes);
      expect([answer.status, await answer.text()]).toEqual([200, ""]);
      const etag = answer.headers.get("etag");
      expect(etag).toMatch(/^"[^"]+"$/);
      expect(await store.find(path)).toEqual({ bytes: bytes.length, etag });
      expect(digest(await whole(path))).toBe(digest(bytes));
      expect((await get(path)).headers.get("etag")).toBe(etag);
    });

    it("stores an object of one byte", async () => {
      const path = await stored(Buffer.from("x"));
      expect((await whole(path)).toString()).toBe("x");
    });

    it("never replaces an object: the second is refused with 412", async () => {
      const [first, second] = [someBytes(1_000, 1), someBytes(1_000, 2)];
      const path = newPath();
      const upload = await store.put(object(first, path));
      expect((await send(upload, first)).status).toBe(200);
      for (const again of [upload, await store.put(object(second, path))])
        expect((await send(again, second)).status).toBe(412);
      expect(await whole(path)).toEqual(first);
    });

    it("stores one of two that come at once, whole", async () => {
      const both = [someBytes(2_000_000, 1), someBytes(2_000_000, 2)];
      const path = newPath();
      const uploads = await Promise.all(both.map((bytes) => store.put(object(bytes, path))));
      const answers = await Promise.all(
        uploads.map(async (upload, nth) => (await send(upload, both[nth] as Buffer)).status),
      );
      // S3 may also say that the two were in conflict.
      expect(["200,409", "200,412"]).toContain(answers.toSorted((a, b) => a - b).join());
      expect(digest(await whole(path))).toBe(digest(both[answers.indexOf(200)] as Buffer));
    });

    it.each(["text/html", "video/mp4; a=b", "application/octet-stream"])("takes no %s", async (other) => {
      const bytes = someBytes(100);
      const path = newPath();
      const upload = await store.put(object(bytes, path));
      expect((await send(upload, bytes, { "content-type": other })).status).toBe(403);
      expect(await store.find(path)).toBeUndefined();
    });

    it.each([99, 101, 3_000_000])("for 100 bytes takes no %s", async (length) => {
      const path = newPath();
      const upload = await store.put(object(someBytes(100), path));
      expect((await send(upload, someBytes(length))).status).toBe(403);
      expect(await store.find(path)).toBeUndefined();
    });

    it("is refused when anything of its address was changed", async () => {
      const bytes = someBytes(100);
      const upload = await store.put(object(bytes));
      const url = new URL(absolute(upload.url));
      const changed = [...url.searchParams].map(([name, value]) => {
        const other = new URL(url);
        // The last sign of a base64 text may mean nothing: the first one is changed.
        other.searchParams.set(name, (value.startsWith("1") ? "2" : "1") + value.slice(1));
        return other;
      });
      const elsewhere = new URL(url);
      elsewhere.pathname = elsewhere.pathname.replace(/.$/, (sign) => (sign === "a" ? "b" : "a"));
      const more = new URL(url);
      more.searchParams.set("response-content-type", "text/html");
      for (const other of [...changed, elsewhere, more])
        expect([other.search, isRefusal((await send({ ...upload, url: other.href }, bytes)).status)]).toEqual([
          other.search,
          true,
        ]);
      expect((await fetch(absolute(upload.url))).status).toBe(403);
      expect((await send(upload, bytes)).status).toBe(200);
    });

    it("is refused when its time is over", async () => {
      const bytes = someBytes(100);
      const upload = await store.put(object(bytes));
      own.forward(uploadMs - 5 * seconds);
      const path = await stored(bytes);
      own.forward(10 * seconds);
      expect((await send(upload, bytes)).status).toBe(403);
      expect(await store.find(path)).toBeDefined();
    });
  });

  describe("a signed form", () => {
    it("stores its file below incoming/, from where it is moved", async () => {
      const bytes = someBytes(200_000, 3);
      const from = newPath("incoming");
      const form = await store.form(object(bytes, from));
      expect(form.fileField).toBe("file");
      expect((await post(form, bytes)).status).toBe(204);
      expect((await store.find(from))?.bytes).toBe(bytes.length);
      const to = object(bytes);
      await store.move(from, to);
      expect(await store.find(from)).toBeUndefined();
      expect((await store.find(to.path))?.bytes).toBe(bytes.length);
      expect(digest(await whole(to.path))).toBe(digest(bytes));
    });

    it("may be sent again until it is moved", async () => {
      const [first, second] = [someBytes(500, 1), someBytes(500, 2)];
      const from = newPath("incoming");
      const form = await store.form(object(first, from));
      for (const bytes of [first, second]) expect((await post(form, bytes)).status).toBe(204);
      expect(Buffer.from(await store.read(from, 1_000))).toEqual(second);
    });

    it.each([499, 501, 2_000_000])("for 500 bytes takes no %s", async (length) => {
      const from = newPath("incoming");
      const form = await store.form(object(someBytes(500), from));
      expect((await post(form, someBytes(length))).status).toBe(400);
      expect(await store.find(from)).toBeUndefined();
    });

    it("is refused when a field was changed or left out, or its time is over", async () => {
      const bytes = someBytes(500);
      const from = newPath("incoming");
      const form = await store.form(object(bytes, from));
      for (const [name, value] of Object.entries(form.fields)) {
        const changed = { [name]: (value.startsWith("1") ? "2" : "1") + value.slice(1) };
        expect([name, isRefusal((await post(form, bytes, changed)).status)]).toEqual([name, true]);
        const { [name]: _, ...fields } = form.fields;
        expect([name, isRefusal((await post({ ...form, fields }, bytes)).status)]).toEqual([name, true]);
      }
      own.forward(uploadMs + 5 * seconds);
      expect((await post(form, bytes)).status).toBe(403);
      expect(await store.find(from)).toBeUndefined();
    });
  });

  describe("an upload in parts", () => {
    const bytes = someBytes(2 * partBytes + 1_234, 5);
    const slices = [
      bytes.subarray(0, partBytes),
      bytes.subarray(partBytes, 2 * partBytes),
      bytes.subarray(2 * partBytes),
    ];
    const one = (path: string): NewObject => object(bytes, path);

    async function sendPart(path: string, upload: string, part: number, body = slices[part - 1] as Buffer) {
      return send(await store.part(one(path), upload, part, body.length), body);
    }

    it("is one object after its parts were joined, in whatever order they came", async () => {
      const path = newPath();
      const upload = await store.beginParts(one(path));
      expect(await store.parts(path, upload)).toEqual([]);
      for (const part of [3, 1, 2]) {
        const answer = await sendPart(path, upload, part);
        expect([answer.status, answer.headers.get("etag")]).toEqual([200, expect.stringMatching(/^"[^"]+"$/)]);
      }
      const parts = await store.parts(path, upload);
      expect(parts.map(({ part, bytes }) => [part, bytes])).toEqual(slices.map(({ length }, nth) => [nth + 1, length]));
      expect(await store.find(path)).toBeUndefined();
      expect(await store.joinParts(path, upload, parts)).toBe(true);
      expect(await store.find(path)).toEqual({ bytes: bytes.length, etag: expect.stringMatching(/^"[^"]+"$/) });
      expect(digest(await whole(path))).toBe(digest(bytes));
      expect(digest(await store.read(path, partBytes + 10))).toBe(digest(bytes.subarray(0, partBytes + 10)));
      const across = await get(path, { range: `bytes=${partBytes - 3}-${partBytes + 4}` });
      expect([across.status, await bytesOf(across)]).toEqual([206, bytes.subarray(partBytes - 3, partBytes + 5)]);
    });

    it("is joined once, and is gone afterwards", async () => {
      const path = newPath();
      const upload = await store.beginParts(one(path));
      await Promise.all([1, 2, 3].map((part) => sendPart(path, upload, part)));
      const parts = await store.parts(path, upload);
      expect(await store.joinParts(path, upload, parts)).toBe(true);
      expect(await store.joinParts(path, upload, parts)).toBe(false);
      expect(await store.parts(path, upload)).toEqual([]);
      expect((await sendPart(path, upload, 1)).status).toBe(404);
      await store.abandonParts(path, upload);
      expect((await store.find(path))?.bytes).toBe(bytes.length);
    });

    it("may have a part sent again, and joins the one that it is told", async () => {
      const path = newPath();
      const upload = await store.beginParts(one(path));
      const wrong = someBytes(partBytes, 9);
      expect((await sendPart(path, upload, 1, wrong)).status).toBe(200);
      const before = await store.parts(path, upload);
      for (const part of [1, 2, 3]) expect((await sendPart(path, upload, part)).status).toBe(200);
      const parts = await store.parts(path, upload);
      expect(parts.map(({ part }) => part)).toEqual([1, 2, 3]);
      await expect(store.joinParts(path, upload, [...before, ...parts.slice(1)])).rejects.toThrow();
      expect(await store.joinParts(path, upload, parts)).toBe(true);
      expect(digest(await whole(path))).toBe(digest(bytes));
    });

    it("is gone when it was abandoned", async () => {
      const path = newPath();
      const upload = await store.beginParts(one(path));
      await sendPart(path, upload, 1);
      const parts = await store.parts(path, upload);
      await store.abandonParts(path, upload);
      expect(await store.parts(path, upload)).toEqual([]);
      expect((await sendPart(path, upload, 2)).status).toBe(404);
      expect(await store.joinParts(path, upload, parts)).toBe(false);
      await store.abandonParts(path, upload);
      expect(await store.find(path)).toBeUndefined();
    });

    it("takes a part of the size that was signed, by an address that is as it was given", async () => {
      const path = newPath();
      const upload = await store.beginParts(one(path));
      const request = await store.part(one(path), upload, 1, 1_000);
      for (const length of [999, 1_001]) expect((await send(request, someBytes(length))).status).toBe(403);
      const url = new URL(absolute(request.url));
      for (const [name, value] of url.searchParams)
        if (value === "1" || value === upload) {
          const other = new URL(url);
          other.searchParams.set(name, value === "1" ? "2" : `${value}x`);
          expect((await send({ ...request, url: other.href }, someBytes(1_000))).status).toBe(403);
        }
      expect(await store.parts(path, upload)).toEqual([]);
      own.forward(uploadMs + 5 * seconds);
      expect((await send(request, someBytes(1_000))).status).toBe(403);
    });

    it("refuses to be joined with a part that is not there, or out of order", async () => {
      const path = newPath();
      const upload = await store.beginParts(one(path));
      for (const part of [1, 2]) await sendPart(path, upload, part);
      const [first, second] = (await store.parts(path, upload)) as [never, never];
      const third = { part: 3, bytes: 10, etag: '"none"' };
      for (const wrong of [
        [first, third],
        [second, first],
      ])
        await expect(store.joinParts(path, upload, wrong)).rejects.toThrow();
      expect(await store.find(path)).toBeUndefined();
      expect(await store.joinParts(path, upload, [first, second])).toBe(true);
    });
  });

  describe("an address to fetch", () => {
    const bytes = someBytes(1_000, 7);
    let path: string;
    beforeAll(async () => {
      path = await stored(bytes);
    });

    it("gives type and disposition as they were signed", async () => {
      const { headers } = await get(path);
      expect(Object.fromEntries(headers)).toMatchObject({
        "content-type": type,
        "content-disposition": disposition,
        "content-length": "1000",
        "accept-ranges": "bytes",
        etag: (await store.find(path))?.etag,
      });
      const attached = await fetch(
        await addressOf(path, { type: "application/octet-stream", disposition: "attachment" }),
      );
      expect(attached.headers.get("content-type")).toBe("application/octet-stream");
      expect(attached.headers.get("content-disposition")).toBe("attachment");
    });

    it.each([
      ["bytes=0-0", 0, 1],
      ["bytes=0-99", 0, 100],
      ["bytes=990-", 990, 1_000],
      ["bytes=999-999", 999, 1_000],
      ["bytes=-1", 999, 1_000],
      ["bytes=-5000", 0, 1_000],
      ["bytes=500-4000", 500, 1_000],
      ["bytes=0-", 0, 1_000],
    ])("answers %s with 206 and these bytes alone", async (range, from, to) => {
      const answer = await get(path, { range });
      expect([answer.status, answer.headers.get("content-range"), answer.headers.get("content-length")]).toEqual([
        206,
        `bytes ${from}-${to - 1}/1000`,
        String(to - from),
      ]);
      expect(await bytesOf(answer)).toEqual(bytes.subarray(from, to));
      expect(answer.headers.get("content-type")).toBe(type);
    });

    it.each(["bytes=1000-", "bytes=5000-6000", "bytes=-0"])("answers %s with 416", async (range) => {
      const answer = await get(path, { range });
      expect(answer.status).toBe(416);
      // S3 names the size in its body.
      expect([null, "bytes */1000"]).toContain(answer.headers.get("content-range"));
    });

    it.each(["bytes=9-3", "bytes=a-b", "lines=1-2", "bytes=-"])("answers %s as if it were not there", async (range) => {
      const answer = await get(path, { range });
      expect([answer.status, (await bytesOf(answer)).length]).toEqual([200, 1_000]);
    });

    it("answers 304, 412 or a part by the ETag that the client has", async () => {
      const { etag } = (await store.find(path)) as { etag: string };
      const date = (await get(path)).headers.get("last-modified") as string;
      const earlier = new Date(Date.parse(date) - 3_600_000).toUTCString();
      const range = { range: "bytes=10-19" };
      for (const [status, headers] of [
        [304, { "if-none-match": etag }],
        [304, { "if-none-match": `"other", ${etag}` }],
        [200, { "if-none-match": '"other"' }],
        [304, { "if-modified-since": date }],
        [200, { "if-modified-since": earlier }],
        [200, { "if-none-match": '"other"', "if-modified-since": date }],
        [200, { "if-match": etag }],
        [412, { "if-match": '"other"' }],
        [412, { "if-unmodified-since": earlier }],
        [206, { ...range, "if-range": etag }],
        [200, { ...range, "if-range": '"other"' }],
        [206, { ...range, "if-range": date }],
        [200, { ...range, "if-range": earlier }],
      ] as const) {
        const answer = await get(path, headers);
        expect([headers, answer.status]).toEqual([headers, status]);
        const length = { 200: 1_000, 206: 10, 304: 0, 412: undefined }[status];
        if (length !== undefined) expect((await bytesOf(answer)).length).toBe(length);
        if (status === 304) expect(answer.headers.get("etag")).toBe(etag);
      }
    });

    it("is the same for a while, so that a browser keeps what it has, and then no longer valid", async () => {
      own.forward(fetchMs - (Date.now() % seconds));
      const first = await store.fetch({ path, type, disposition });
      const left = first.expiresAt - fetchMs;
      const now = await store.fetch({ path, type, disposition });
      expect(now.expiresAt - first.expiresAt).toBeLessThanOrEqual(fetchMs);
      if (now.expiresAt === first.expiresAt) expect(now.url).toBe(first.url);
      expect(left).toBeGreaterThan(0);
      expect((await fetch(absolute(first.url))).status).toBe(200);
      own.forward(2 * fetchMs + 5 * seconds);
      expect((await fetch(absolute(first.url))).status).toBe(403);
      expect((await get(path)).status).toBe(200);
    });

    it("is refused when anything of it was changed", async () => {
      const url = new URL(await addressOf(path));
      for (const [name, value] of url.searchParams) {
        const other = new URL(url);
        other.searchParams.set(name, (value.startsWith("1") ? "2" : "1") + value.slice(1));
        expect([name, isRefusal((await fetch(other)).status)]).toEqual([name, true]);
      }
      const elsewhere = new URL(url);
      elsewhere.pathname = elsewhere.pathname.replace(path, await stored(someBytes(10)));
      expect((await fetch(elsewhere)).status).toBe(403);
      expect((await fetch(url, { method: "PUT", body: "x" })).status).toBe(403);
    });

    it("answers 404 when there is no object", async () => {
      expect((await get(newPath())).status).toBe(404);
    });
  });

  describe("a page of another origin", () => {
    const origin = "https://shop.example";

    it("may fetch, and sees what it needs to go on with a part", async () => {
      const path = await stored(someBytes(100));
      const { headers } = await get(path, { origin, range: "bytes=0-9" });
      expect(headers.get("access-control-allow-origin")).toBe("*");
      const exposed = (headers.get("access-control-expose-headers") ?? "").toLowerCase().split(/,\s*/);
      expect(exposed).toEqual(expect.arrayContaining(["etag", "content-range", "accept-ranges", "content-length"]));
    });

    it.each(["PUT", "POST", "GET"])("may ask before a %s", async (method) => {
      const { url } = await store.put(object(someBytes(10)));
      const asked = {
        origin,
        "access-control-request-method": method,
        "access-control-request-headers": "content-type",
      };
      const { status, headers } = await fetch(absolute(url), { method: "OPTIONS", headers: asked });
      expect([200, 204]).toContain(status);
      expect(headers.get("access-control-allow-origin")).toBe("*");
      expect((headers.get("access-control-allow-methods") ?? "").split(/,\s*/)).toContain(method);
      expect(headers.get("access-control-allow-headers")?.toLowerCase()).toMatch(/content-type|\*/);
    });

    it("sees the ETag of what it has stored", async () => {
      const bytes = someBytes(10);
      const answer = await send(await store.put(object(bytes)), bytes, { origin });
      expect(answer.headers.get("access-control-allow-origin")).toBe("*");
      expect((answer.headers.get("access-control-expose-headers") ?? "").toLowerCase()).toContain("etag");
    });
  });

  describe("a function", () => {
    it("reads the first bytes of an object, and all of a small one", async () => {
      const bytes = someBytes(100);
      const path = await stored(bytes);
      expect(Buffer.from(await store.read(path, 16))).toEqual(bytes.subarray(0, 16));
      expect(Buffer.from(await store.read(path, 5_000))).toEqual(bytes);
      await expect(store.read(newPath(), 16)).rejects.toThrow();
    });

    it("writes a small object of its own", async () => {
      const bytes = someBytes(2_000, 8);
      const one = object(bytes);
      await store.write(one, bytes);
      expect((await store.find(one.path))?.bytes).toBe(2_000);
      expect(await whole(one.path)).toEqual(bytes);
    });

    it("moves an object once, and never over another one", async () => {
      const [first, second] = [someBytes(300, 1), someBytes(300, 2)];
      const from = newPath("incoming");
      await store.write(object(first, from), first);
      const to = object(first);
      await store.move(from, to);
      // As after a crash between the two steps.
      await store.write(object(second, from), second);
      await store.move(from, to);
      expect(await whole(to.path)).toEqual(first);
      expect(await store.find(from)).toBeUndefined();
      await store.move(from, to);
      await expect(store.move(from, object(first))).rejects.toThrow();
    });

    it("removes objects, and what is gone is no error", async () => {
      const paths = [await stored(someBytes(10)), await stored(someBytes(20))];
      await store.remove([...paths, newPath()]);
      for (const path of paths) {
        expect(await store.find(path)).toBeUndefined();
        expect((await get(path)).status).toBe(404);
      }
      await store.remove(paths);
      await store.remove([]);
    });
  });
}
