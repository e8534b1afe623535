/** Files in S3, on a stand-in that verifies signatures: what clients may send and fetch, what functions ask, and what faults do. */
import { request } from "node:http";
import { s3Store } from "../../apigateway/s3_store.ts";
import { systemClock } from "../../functions/_app.ts";
import { type FileStore, fetchMs, type UploadForm, type UploadRequest, uploadMs } from "../../shared/file_store.ts";
import { TestClock } from "../_house.ts";
import { type Fault, type S3, type S3Options, startS3 } from "../_s3.ts";

const clock = new TestClock();
const opened: S3[] = [];
afterEach(async () => {
  for (const s3 of opened.splice(0)) await s3.close();
});

interface Opened {
  readonly s3: S3;
  readonly store: FileStore;
  readonly pauses: number[];
}

async function open(options: S3Options = {}, bucket: object = {}): Promise<Opened> {
  const s3 = await startS3({ now: clock.now, ...options });
  opened.push(s3);
  const pauses: number[] = [];
  const { region, accessKeyId, secretAccessKey, endpoint } = s3;
  const of = { region, accessKeyId, secretAccessKey, bucket: s3.bucket, endpoint, now: clock.now, ...bucket };
  const sleep = async (ms: number) => void pauses.push(ms);
  return { s3, store: s3Store(of, { sleep, fraction: () => 0.5 }), pauses };
}

const path = "files/AAAAAAAAAAAAAAAAAAAAAA";
const incoming = "incoming/AAAAAAAAAAAAAAAAAAAAAA";
const png = Buffer.from("\x89PNG\r\n\x1a\n and so on", "latin1");
const object = { path, type: "image/png", bytes: png.length };

async function put({ url, headers }: UploadRequest, body: Uint8Array, changed: Record<string, string> = {}) {
  const answer = await fetch(url, { method: "PUT", headers: { ...headers, ...changed }, body: body as never });
  return [answer.status, /<Code>(\w+)/.exec(await answer.text())?.[1] ?? ""];
}

async function post({ url, fields, fileField }: UploadForm, body: Uint8Array, changed: Record<string, string> = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries({ ...fields, ...changed })) form.append(name, value);
  form.append(fileField, new Blob([body as never]), "photo of me.png");
  const answer = await fetch(url, { method: "POST", body: form });
  return [answer.status, /<Code>(\w+)/.exec(await answer.text())?.[1] ?? ""];
}

describe("a whole upload to S3", () => {
  it("is stored with its type, once: a second one is refused, and changes nothing", async () => {
    const { s3, store } = await open();
    const place = await store.put(object);
    expect(place.headers).toEqual({ "content-type": "image/png", "if-none-match": "*" });
    expect(await store.find(path)).toBeUndefined();
    expect(await put(place, png)).toEqual([200, ""]);
    const other = Buffer.from(png).fill(0);
    expect(await put(place, other)).toEqual([412, "PreconditionFailed"]);
    expect(s3.objects.get(path)).toMatchObject({ bytes: png, type: "image/png" });
    expect(await store.find(path)).toEqual({ bytes: png.length, etag: s3.objects.get(path)?.etag });
  });

  it.each<[string, (place: UploadRequest) => Promise<unknown[]>]>([
    ["a byte more", (place) => put(place, Buffer.concat([png, Buffer.from("x")]))],
    ["a byte less", (place) => put(place, png.subarray(1))],
    ["another type", (place) => put(place, png, { "content-type": "text/html" })],
    ["another place", (place) => put({ ...place, url: place.url.replace("AAAA", "AAAB") }, png)],
    ["a header of Amazon's", (place) => put(place, png, { "x-amz-acl": "public-read" })],
    ["no condition", (place) => put({ ...place, headers: { "content-type": "image/png" } }, png)],
    ["a longer life", (place) => put({ ...place, url: place.url.replace("Expires=3600", "Expires=7200") }, png)],
  ])("is refused with %s, and nothing of it stays", async (_, send) => {
    const { s3, store } = await open();
    expect((await send(await store.put(object)))[0]).toBe(403);
    expect([...s3.objects.keys()]).toEqual([]);
  });

  it("is refused with a client's own authorization beside it", async () => {
    const { store } = await open();
    const headers = { authorization: "Bearer a-session" };
    expect(await put(await store.put(object), png, headers)).toEqual([400, "InvalidArgument"]);
  });

  it("ends an hour after it was signed", async () => {
    const { store } = await open();
    const place = await store.put(object);
    clock.forward(uploadMs - 5_000);
    expect(await put(place, png)).toEqual([200, ""]);
    clock.forward(10_000);
    expect(await put(place, png)).toEqual([403, "AccessDenied"]);
  });
});

describe("a form to S3", () => {
  const asked = { ...object, path: incoming };

  it("is stored under incoming/, and is moved from there with its type", async () => {
    const { s3, store } = await open();
    expect(await post(await store.form(asked), png)).toEqual([204, ""]);
    await store.move(incoming, object);
    expect([...s3.objects.keys()]).toEqual([path]);
    expect(s3.objects.get(path)).toMatchObject({ bytes: png, type: "image/png" });
  });

  it("is moved once: what is there stays, and a repeated move is no error", async () => {
    const { s3, store } = await open();
    const form = await store.form(asked);
    await post(form, png);
    await store.move(incoming, object);
    await store.move(incoming, object);
    // The form may be sent again, with other bytes.
    expect(await post(form, Buffer.from(png).fill(0))).toEqual([204, ""]);
    await store.move(incoming, object);
    expect(s3.objects.get(path)?.bytes).toEqual(png);
    expect([...s3.objects.keys()]).toEqual([path]);
    await expect(store.move("incoming/none", { ...object, path: "files/none" })).rejects.toMatchObject({
      code: "FILES_AWAY",
      cause: { code: "NoSuchKey" },
    });
  });

  it.each<[string, Uint8Array, Record<string, string>, number, string]>([
    ["a byte more", Buffer.concat([png, Buffer.from("x")]), {}, 400, "EntityTooLarge"],
    ["a byte less", png.subarray(1), {}, 400, "EntityTooSmall"],
    ["another type", png, { "Content-Type": "text/html" }, 403, "AccessDenied"],
    ["another place", png, { key: "files/another" }, 403, "AccessDenied"],
    ["a further field", png, { acl: "public-read" }, 403, "AccessDenied"],
    [
      "a policy of one's own",
      png,
      { policy: Buffer.from('{"conditions":[]}').toString("base64") },
      403,
      "SignatureDoesNotMatch",
    ],
  ])("is refused with %s", async (_, body, changed, status, code) => {
    const { s3, store } = await open();
    expect(await post(await store.form(asked), body, changed)).toEqual([status, code]);
    expect(s3.objects.size).toBe(0);
  });

  it("ends an hour after it was signed", async () => {
    const { store } = await open();
    const form = await store.form(asked);
    clock.forward(uploadMs + 1_000);
    expect(await post(form, png)).toEqual([403, "AccessDenied"]);
  });
});

describe("an upload to S3 in parts", () => {
  const [one, two, three] = [Buffer.alloc(10, "a"), Buffer.alloc(10, "b"), Buffer.alloc(3, "c")] as const;
  const large = { path, type: "video/mp4", bytes: 23 };
  const send = async (store: FileStore, upload: string, nth: number, body: Buffer) =>
    put(await store.part(large, upload, nth, body.length), body);

  it("is joined in order, whatever order the parts came in", async () => {
    const { s3, store } = await open({ minPartBytes: 10, partsPerPage: 2 });
    const upload = await store.beginParts(large);
    expect(await store.parts(path, upload)).toEqual([]);
    for (const [nth, body] of [
      [3, three],
      [1, two],
      [2, two],
      [1, one],
    ] as const)
      expect(await send(store, upload, nth, body)).toEqual([200, ""]);
    const parts = await store.parts(path, upload);
    // Three parts come in two pages.
    expect(parts.map(({ part, bytes }) => [part, bytes])).toEqual([
      [1, 10],
      [2, 10],
      [3, 3],
    ]);
    expect(await store.find(path)).toBeUndefined();
    expect(await store.joinParts(path, upload, parts)).toBe(true);
    expect(s3.objects.get(path)).toMatchObject({ bytes: Buffer.concat([one, two, three]), type: "video/mp4" });
    expect(await store.joinParts(path, upload, parts)).toBe(false);
    expect(await store.parts(path, upload)).toEqual([]);
    await store.abandonParts(path, upload);
  });

  it("takes parts of the signed length and number only", async () => {
    const { store } = await open();
    const upload = await store.beginParts(large);
    const part = await store.part(large, upload, 1, 10);
    expect(await put(part, three)).toEqual([403, "SignatureDoesNotMatch"]);
    expect(await put({ ...part, url: part.url.replace("partNumber=1", "partNumber=2") }, one)).toEqual([
      403,
      "SignatureDoesNotMatch",
    ]);
    expect(await store.parts(path, upload)).toEqual([]);
  });

  it("never replaces an object, and its parts go", async () => {
    const { s3, store } = await open({ minPartBytes: 1 });
    const upload = await store.beginParts(large);
    await send(store, upload, 1, one);
    await put(await store.put(object), png);
    expect(await store.joinParts(path, upload, await store.parts(path, upload))).toBe(false);
    expect(s3.objects.get(path)?.bytes).toEqual(png);
    expect(s3.uploads.size).toBe(0);
  });

  it("is gone when it is abandoned", async () => {
    const { s3, store } = await open();
    const upload = await store.beginParts(large);
    await send(store, upload, 1, one);
    await store.abandonParts(path, upload);
    expect(s3.uploads.size).toBe(0);
    expect(await send(store, upload, 2, two)).toEqual([404, "NoSuchUpload"]);
    expect(await store.joinParts(path, upload, [{ part: 1, bytes: 10, etag: '"x"' }])).toBe(false);
  });

  it("has a thousand parts and more", async () => {
    const { store, s3 } = await open();
    const upload = await store.beginParts(large);
    const parts = s3.uploads.get(upload)?.parts;
    for (let nth = 1; nth <= 2_345; nth++) parts?.set(nth, { bytes: one, type: "", etag: `"${nth}"`, at: 0 });
    const listed = await store.parts(path, upload);
    expect([listed.length, listed.at(-1)]).toEqual([2_345, { part: 2_345, bytes: 10, etag: '"2345"' }]);
    expect(s3.asked.filter((line) => line.startsWith("GET parts")).length).toBe(3);
  });
});

describe("an object in S3", () => {
  it("is written, read from its beginning, and removed, also when it is gone already", async () => {
    const { s3, store } = await open();
    await store.write(object, png);
    expect(Buffer.from(await store.read(path, 8))).toEqual(png.subarray(0, 8));
    expect(Buffer.from(await store.read(path, 1_000))).toEqual(png);
    await store.write({ ...object, path: "files/empty" }, new Uint8Array());
    expect(await store.read("files/empty", 10)).toEqual(new Uint8Array());
    await store.remove([path, "files/empty", "files/never"]);
    await store.remove([]);
    expect(s3.objects.size).toBe(0);
    await expect(store.read(path, 8)).rejects.toMatchObject({ code: "FILES_AWAY" });
  });

  it("is removed with two thousand others, a thousand at a time", async () => {
    const { s3, store } = await open();
    const paths = Array.from({ length: 2_001 }, (_, nth) => `files/${nth}`);
    for (const one of paths) s3.objects.set(one, { bytes: png, type: "", etag: "", at: 0 });
    await store.remove(paths);
    expect([s3.objects.size, s3.asked.length]).toEqual([0, 3]);
  });

  it("that may not be removed is an error, not a silence", async () => {
    const { store } = await open({ allows: (_, action) => action !== "s3:DeleteObject" });
    await store.write(object, png);
    await expect(store.remove([path])).rejects.toMatchObject({ code: "FILES_AWAY", cause: { code: "AccessDenied" } });
  });

  it("that is missing is told from a store that refuses to say", async () => {
    const { store } = await open({ allows: (_, action) => action !== "s3:ListBucket" });
    await expect(store.find(path)).rejects.toMatchObject({ code: "FILES_AWAY", cause: { code: "403" } });
  });
});

describe("an address to fetch from S3", () => {
  const what = {
    path,
    type: "video/mp4",
    disposition: "attachment; filename=\"a 1.mp4\"; filename*=UTF-8''%E7%94%B5%E5%BD%B1%20(1)%2B.mp4",
  };

  it("answers with type, name and ranges as they were signed", async () => {
    const { store } = await open();
    await store.write(object, png);
    const { url } = await store.fetch(what);
    const whole = await fetch(url);
    expect(Buffer.from(await whole.arrayBuffer())).toEqual(png);
    expect([whole.headers.get("content-type"), whole.headers.get("content-disposition")]).toEqual([
      what.type,
      what.disposition,
    ]);
    expect(whole.headers.get("cache-control")).toBe("private, max-age=900, immutable");
    const etag = whole.headers.get("etag") ?? "";
    const ask = async (headers: Record<string, string>) => {
      const answer = await fetch(url, { headers });
      return [answer.status, answer.headers.get("content-range"), await answer.text().then((text) => text.length)];
    };
    expect(await ask({ range: "bytes=1-3" })).toEqual([206, `bytes 1-3/${png.length}`, 3]);
    expect(await ask({ range: "bytes=1-3", "if-range": etag })).toEqual([206, `bytes 1-3/${png.length}`, 3]);
    expect((await ask({ range: "bytes=1-3", "if-range": '"old"' }))[0]).toBe(200);
    expect((await ask({ range: "bytes=999-" }))[0]).toBe(416);
    expect((await ask({ "if-none-match": etag }))[0]).toBe(304);
  });

  it("is the same within a quarter of an hour, and is valid as long as it says, at least a quarter", async () => {
    const { store } = await open();
    await store.write(object, png);
    const windowMs = 15 * 60_000;
    clock.forward(windowMs - (clock.now() % windowMs) + 1_000);
    const first = await store.fetch(what);
    clock.forward(windowMs - 60_000);
    const second = await store.fetch(what);
    expect(second).toEqual(first);
    expect(second.expiresAt - clock.now()).toBeGreaterThanOrEqual(fetchMs);
    clock.forward(60_000);
    expect((await store.fetch(what)).url).not.toBe(first.url);
    clock.forward(first.expiresAt - clock.now() - 2_000);
    expect((await fetch(first.url)).status).toBe(200);
    clock.forward(4_000);
    expect((await fetch(first.url)).status).toBe(403);
  });

  it("shows another object, type or name to nobody", async () => {
    const { store } = await open();
    await store.write(object, png);
    const { url } = await store.fetch(what);
    for (const [from, to] of [
      ["AAAA", "AAAB"],
      ["video%2Fmp4", "text%2Fhtml"],
      ["attachment", "inline"],
      ["UTF-8", "utf-8"],
    ] as const) {
      expect(url).toContain(from);
      expect((await fetch(url.replace(from, to))).status).toBe(403);
    }
    expect((await fetch(url, { method: "DELETE" })).status).toBe(403);
    expect((await fetch(url, { method: "HEAD" })).status).toBe(403);
  });

  it("has the bucket as its host where that is the bucket's address", async () => {
    const { s3, store } = await open({}, { endpoint: "https://files-of-a-shop.s3.eu-central-1.amazonaws.com" });
    const place = await store.put(object);
    const { host, pathname, search, protocol } = new URL(place.url);
    expect([protocol, host, pathname]).toEqual(["https:", "files-of-a-shop.s3.eu-central-1.amazonaws.com", `/${path}`]);
    const headers = { ...place.headers, host, "content-length": String(png.length) };
    const status = await new Promise((resolve, reject) => {
      const sent = request(s3.url, { method: "PUT", path: pathname + search, headers }, (answer) =>
        resolve(answer.resume().statusCode),
      );
      sent.on("error", reject).end(png);
    });
    expect([status, s3.objects.get(path)?.bytes]).toEqual([200, png]);
    const form = await store.form({ ...object, path: incoming });
    expect(form.url).toBe("https://files-of-a-shop.s3.eu-central-1.amazonaws.com/");
  });
});

describe("temporary credentials", () => {
  const temporary = (until: number) => ({
    credentialsOf: () => ({ secretAccessKey: "a/secret+of=the-stand-in", sessionToken: "a-token/+=", until }),
  });

  it("are sent with requests, addresses and forms", async () => {
    const { store } = await open(temporary(clock.now() + uploadMs), { sessionToken: "a-token/+=" });
    expect(await put(await store.put(object), png)).toEqual([200, ""]);
    expect(await post(await store.form({ ...object, path: incoming }), png)).toEqual([204, ""]);
    const { url } = await store.fetch({ path, type: "image/png", disposition: "inline" });
    expect((await fetch(url)).status).toBe(200);
    await store.remove([path, incoming]);
  });

  it("end what they have signed: an address says so, where their end is known", async () => {
    const until = Math.floor(clock.now() / 1_000) * 1_000 + 120_000;
    const { store } = await open(temporary(until), { sessionToken: "a-token/+=", credentialsUntil: until });
    const place = await store.put(object);
    expect(Number(new URL(place.url).searchParams.get("X-Amz-Expires"))).toBeLessThanOrEqual(120);
    const { url, expiresAt } = await store.fetch({ path, type: "image/png", disposition: "inline" });
    expect(expiresAt).toBeLessThanOrEqual(until);
    clock.forward(121_000);
    expect((await put(place, png))[0]).toBe(403);
    expect((await fetch(url)).status).toBe(403);
    await expect(store.find(path)).rejects.toMatchObject({ code: "FILES_AWAY", cause: { code: "400" } });
  });
});

describe("a fault of S3", () => {
  const slow = (on: string, times = 1): Fault => ({ on, is: [503, "SlowDown"], times });

  it.each<[string, Fault]>([
    ["SlowDown", slow("HEAD object")],
    ["InternalError", { on: "HEAD object", is: [500, "InternalError"] }],
    ["a cut connection", { on: "HEAD object", is: "cut" }],
  ])("passes: %s is asked again after a pause", async (_, fault) => {
    const { s3, store, pauses } = await open();
    await store.write(object, png);
    s3.faults.push(fault);
    expect(await store.find(path)).toMatchObject({ bytes: png.length });
    expect(pauses).toEqual([100]);
  });

  it("that goes on is an error that may be tried again, after pauses that double", async () => {
    const { s3, store, pauses } = await open();
    s3.faults.push(slow("HEAD object", 99));
    await expect(store.find(path)).rejects.toMatchObject({
      code: "FILES_AWAY",
      status: 503,
      retry: true,
      cause: { code: "503" },
    });
    expect(pauses).toEqual([100, 200, 400]);
  });

  it("is no reason to ask again when S3 has refused", async () => {
    const { s3, store, pauses } = await open({}, { secretAccessKey: "wrong" });
    await expect(store.write(object, png)).rejects.toMatchObject({
      cause: { name: "S3Refused", code: "SignatureDoesNotMatch" },
    });
    expect([s3.asked.length, pauses.length]).toEqual([1, 0]);
  });

  it.each<Fault["is"]>(["late", "unfinished", "cut", "lost"])(
    "in the joining of parts leaves one whole object: %s",
    async (is) => {
      const { s3, store } = await open({ minPartBytes: 1 });
      const upload = await store.beginParts(object);
      await put(await store.part(object, upload, 1, png.length), png);
      s3.faults.push({ on: "POST upload", is });
      // After a lost answer the upload is gone, and the object there.
      expect(await store.joinParts(path, upload, await store.parts(path, upload))).toBe(is !== "lost");
      expect(s3.objects.get(path)?.bytes).toEqual(png);
      expect(s3.uploads.size).toBe(0);
    },
  );

  it.each<Fault["is"]>(["late", "unfinished", "cut", "lost"])(
    "in a move leaves the object at its new path: %s",
    async (is) => {
      const { s3, store } = await open();
      await store.write({ ...object, path: incoming }, png);
      s3.faults.push({ on: "PUT copy", is });
      await store.move(incoming, object);
      expect([...s3.objects.keys()]).toEqual([path]);
    },
  );

  it("of a server that never answers comes in bounded time", async () => {
    const { s3 } = await open();
    const { region, accessKeyId, secretAccessKey, endpoint, bucket } = s3;
    const of = { region, accessKeyId, secretAccessKey, bucket, endpoint, now: clock.now };
    const store = s3Store(of, { sleep: async () => {}, fraction: () => 0, timeoutMs: 50 });
    s3.faults.push({ on: "HEAD object", is: "silent", times: 4 });
    await expect(store.find(path)).rejects.toMatchObject({ code: "FILES_AWAY", cause: { name: "TimeoutError" } });
    expect(s3.asked.length).toBe(4);
  });

  it("of a server that is not there comes in bounded time", async () => {
    const { s3, store, pauses } = await open();
    await s3.close();
    await expect(store.find(path)).rejects.toMatchObject({ code: "FILES_AWAY" });
    expect(pauses.length).toBe(3);
  });
});

describe("a store that knows conditions for whole uploads only", () => {
  it("joins and moves all the same, and replaces nothing that is there", async () => {
    const { s3, store } = await open({ conditions: "put", minPartBytes: 1 });
    await store.write({ ...object, path: incoming }, png);
    await store.move(incoming, object);
    const upload = await store.beginParts(object);
    await put(await store.part(object, upload, 1, png.length), Buffer.from(png).fill(0));
    expect(await store.joinParts(path, upload, await store.parts(path, upload))).toBe(false);
    expect(s3.objects.get(path)?.bytes).toEqual(png);
    await store.remove([path]);
    const again = await store.beginParts(object);
    await put(await store.part(object, again, 1, png.length), png);
    expect(await store.joinParts(path, again, await store.parts(path, again))).toBe(true);
  });
});

describe("the check of a store", () => {
  it("finds nothing to say of S3, and leaves nothing there", async () => {
    const { s3, store } = await open();
    expect(await store.check?.(incoming)).toBeUndefined();
    expect(s3.objects.size).toBe(0);
  });

  it("finds a store that replaces objects", async () => {
    const { s3, store } = await open({ conditions: "none" });
    expect(await store.check?.(incoming)).toBe(
      "it replaces objects, so that a file could be exchanged after it was checked (200)",
    );
    expect(s3.objects.size).toBe(0);
  });

  it("finds a clock that is wrong", async () => {
    const { store } = await open({ now: () => clock.now() + 3_600_000 * 2 });
    await expect(store.check?.(incoming)).rejects.toMatchObject({ cause: { code: "RequestTimeTooSkewed" } });
  });
});

it("the real clock's sleep is what pauses are made of", async () => {
  const s3 = await startS3();
  opened.push(s3);
  const { region, accessKeyId, secretAccessKey, endpoint, bucket } = s3;
  const of = { region, accessKeyId, secretAccessKey, bucket, endpoint, now: systemClock.now };
  s3.faults.push({ on: "HEAD object", is: [503, "SlowDown"] });
  expect(await s3Store(of, { sleep: systemClock.sleep, fraction: () => 0 }).find(path)).toBeUndefined();
});
