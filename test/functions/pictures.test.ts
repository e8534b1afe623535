/** Pictures: who gets an upload address, and everything that it refuses. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { s3Files } from "../../apigateway/s3.ts";
import { beginsAs, maxPictureBytes, type PictureType, typeOf, type Upload, uploadMs } from "../../shared/files.ts";
import { createShop } from "../../shared/shop/open_shop.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse, type Person, TestClock, testSettings } from "../_house.ts";

/** The smallest that begin as they should. */
const pictures: Readonly<Record<PictureType, Buffer>> = {
  "image/png": Buffer.from(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
    "base64",
  ),
  "image/jpeg": Buffer.from("ffd8ffe000104a46494600010100000100010000ffd9", "hex"),
  "image/webp": Buffer.from("UklGRhYAAABXRUJQVlA4TAkAAAAvAAAAEIiIiP4H", "base64"),
};
const png = pictures["image/png"];
const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');

let house: House;
let owner: Person;
let folder: string;
const clock = new TestClock();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "orderbell-pictures-"));
  house = await openHouse(anyEngine, { clock, pictures: folder });
  owner = await house.staff("owner");
});
afterAll(async () => {
  await house.close();
  await rm(folder, { recursive: true });
});

const ask = (who: Person, body: object, shop = house.shop) => who.http("POST", `/shops/${shop}/pictures`, { body });

async function place(
  type: PictureType = "image/png",
  bytes = png.length,
): Promise<{ upload: Upload; picture: string }> {
  const answer = await ask(owner, { type, bytes });
  expect(answer.status).toBe(201);
  return answer.body;
}

/** The address of a place, changed. */
function changed(url: string, change: (url: URL) => void): string {
  const whole = new URL(url, house.url);
  change(whole);
  return whole.pathname + whole.search;
}

async function put(url: string, body: Uint8Array, type = "image/png") {
  const answer = await fetch(house.url + url, {
    method: "PUT",
    body: body as never,
    headers: { "content-type": type },
  });
  const text = await answer.text();
  return { status: answer.status, code: text === "" ? "" : JSON.parse(text).code };
}

/** As it is written: `fetch` would tidy the path up before it sends it. */
const plain = (method: string, path: string, body?: Uint8Array) =>
  new Promise<number>((resolve, reject) => {
    const sent = request(house.url, { method, path, headers: { "content-type": "image/png" } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode ?? 0);
    });
    sent.on("error", reject);
    sent.end(body);
  });

const stored = async () => (await readdir(folder, { recursive: true })).filter((name) => /\./.test(name)).toSorted();

it.each(Object.entries(pictures) as [PictureType, Buffer][])(
  "a picture of type %s is stored and shown for ever",
  async (type, bytes) => {
    const { upload, picture } = await place(type, bytes.length);
    // Not here, but perhaps on another server of the same database: logged once.
    for (let times = 0; times < 2; times++) expect((await fetch(house.url + picture)).status).toBe(404);
    const missing = house.lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "pictures.missing");
    expect(missing.filter(({ path }) => `/pictures/${path}` === picture)).toMatchObject([{ level: "warn", folder }]);
    const answer = await fetch(house.url + upload.url, { ...upload, body: bytes as never });
    expect(answer.status).toBe(204);
    const shown = await fetch(house.url + picture);
    expect(Buffer.from(await shown.arrayBuffer())).toEqual(bytes);
    expect(Object.fromEntries(shown.headers)).toMatchObject({
      "content-type": type,
      "x-content-type-options": "nosniff",
      "cache-control": "public, max-age=31536000, immutable",
      "content-security-policy": "default-src 'none'; sandbox",
    });
    const head = await fetch(house.url + picture, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(bytes.length)]);
  },
);

it("a picture stands in the menu that customers see", async () => {
  const { upload, picture } = await place();
  expect((await put(upload.url, png)).status).toBe(204);
  const { menu, version } = (await owner.http("GET", `/shops/${house.shop}/menu`)).body;
  const bun = { ...menu.dishes.find(({ id }: { id: string }) => id === "bun"), picture };
  const headers = { "if-match": `"${version}"` };
  expect((await owner.http("PUT", `/shops/${house.shop}/dishes/bun`, { body: bun, headers })).status).toBe(200);
  const info = await house.http("GET", `/get_shop_info?shop=${house.shop}`);
  expect(info.body.menu.dishes).toContainEqual(expect.objectContaining({ id: "bun", picture }));
});

it("a picture is uploaded by this shop's owner only", async () => {
  const elsewhere = { id: "elsewhere", names: { zh: "别处" }, zone: "Asia/Shanghai", rolloverMinutes: 0 };
  await createShop(house.app, { ...elsewhere, settings: testSettings() });
  const others = [house.staff("owner", "elsewhere"), house.staff("cashier"), house.staff("kitchen"), house.guest()];
  for (const who of await Promise.all(others))
    expect((await ask(who, { type: "image/png", bytes: 1 })).body.code).toBe("FORBIDDEN");
  expect((await ask(owner, { type: "image/png", bytes: 1 }, "elsewhere")).body.code).toBe("FORBIDDEN");
});

it.each([
  ["svg", { type: "image/svg+xml", bytes: 10 }],
  ["html", { type: "text/html", bytes: 10 }],
  ["a type with a rider", { type: "image/png, text/html", bytes: 10 }],
  ["too much", { type: "image/png", bytes: maxPictureBytes + 1 }],
  ["nothing", { type: "image/png", bytes: 0 }],
  ["half a byte", { type: "image/png", bytes: 1.5 }],
  ["a name of one's own", { type: "image/png", bytes: 10, path: "../../owner.html" }],
])("a picture gets no upload address for %s", async (_, body) => {
  const answer = await ask(owner, body);
  expect([answer.status, answer.body.code]).toEqual([400, "INVALID_INPUT"]);
});

it("a picture of the largest allowed size is taken", async () => {
  const large = Buffer.concat([png, Buffer.alloc(maxPictureBytes - png.length)]);
  const { upload, picture } = await place("image/png", large.length);
  expect((await put(upload.url, large)).status).toBe(204);
  expect((await (await fetch(house.url + picture)).arrayBuffer()).byteLength).toBe(maxPictureBytes);
});

describe("an upload address", () => {
  let before: string[];
  beforeEach(async () => {
    before = await stored();
  });
  // Nothing of what is refused stays anywhere.
  afterEach(async () => expect(await stored()).toEqual(before));

  it("takes nothing but pictures, whatever they are called", async () => {
    for (const [body, type] of [
      [svg, "image/png"],
      [Buffer.from("<!doctype html><script>alert(1)</script>"), "image/jpeg"],
      [Buffer.from("RIFF0000WAVEfmt and so on"), "image/webp"],
      [png, "image/jpeg"],
    ] as const) {
      const { upload } = await place(type, body.length);
      expect(await put(upload.url, body, type)).toEqual({ status: 400, code: "INVALID_INPUT" });
    }
  });

  it("takes only the type and the size that were announced", async () => {
    const { upload } = await place();
    expect(await put(upload.url, png, "text/html")).toEqual({ status: 415, code: "MEDIA_TYPE_UNSUPPORTED" });
    expect(await put(upload.url, png, "image/jpeg")).toEqual({ status: 415, code: "MEDIA_TYPE_UNSUPPORTED" });
    expect(await put(upload.url, Buffer.concat([png, png]))).toEqual({ status: 413, code: "BODY_TOO_LARGE" });
    expect(await put(upload.url, png.subarray(0, 20))).toEqual({ status: 400, code: "INVALID_INPUT" });
    // Far more than announced: it is not kept in memory, and the answer arrives.
    expect((await put(upload.url, Buffer.alloc(20_000_000))).status).toBe(413);
  });

  it("cannot be altered", async () => {
    const { upload } = await place();
    const other = await place();
    const forged = [
      (url: URL) => url.searchParams.set("bytes", String(png.length + 1)),
      (url: URL) => url.searchParams.set("until", String(clock.now() + 10 * uploadMs)),
      (url: URL) => url.searchParams.set("signature", "x".repeat(43)),
      (url: URL) => url.searchParams.delete("signature"),
      (url: URL) => {
        url.search = "";
      },
      (url: URL) => {
        url.pathname = other.picture;
      },
      (url: URL) => {
        url.pathname = url.pathname.replace(house.shop, "elsewhere");
      },
      (url: URL) => {
        url.pathname = url.pathname.replace(".png", ".jpg");
      },
    ];
    for (const change of forged) {
      const type = change === forged.at(-1) ? "image/jpeg" : "image/png";
      expect(await put(changed(upload.url, change), png, type)).toEqual({ status: 403, code: "FORBIDDEN" });
    }
  });

  it("expires after five minutes", async () => {
    const { upload } = await place();
    clock.forward(uploadMs);
    expect(await put(upload.url, png)).toEqual({ status: 403, code: "FORBIDDEN" });
  });

  it("leads to no other file", async () => {
    const { upload } = await place();
    const query = upload.url.slice(upload.url.indexOf("?"));
    for (const path of [
      "/pictures/../keys.json",
      "/pictures/%2e%2e/%2e%2e/etc/passwd",
      "/pictures/..%2fkeys.json",
      "/pictures/noodle-house/../../keys.json",
      "/pictures/noodle-house/..%5c..%5ckeys.json",
      "/pictures//etc/passwd",
      "/pictures/noodle-house/",
      "/pictures/noodle-house",
      "/pictures/",
      `/pictures/noodle-house/${"a".repeat(22)}.svg`,
      `/pictures/noodle-house/${"a".repeat(22)}.png%00.html`,
    ]) {
      expect([path, await plain("GET", path)]).toEqual([path, 404]);
      expect([path, await plain("PUT", path + query, png)]).toEqual([path, 404]);
    }
  });
});

it("a picture's address keeps its first picture, and takes the same again", async () => {
  const { upload, picture } = await place();
  const both = await Promise.all([put(upload.url, png), put(upload.url, png)]);
  expect(both.map(({ status }) => status)).toEqual([204, 204]);
  const other = Buffer.from(png);
  other[other.length - 1] = 0;
  expect(await put(upload.url, other)).toEqual({ status: 403, code: "FORBIDDEN" });
  expect(await readFile(join(folder, picture.slice("/pictures/".length)))).toEqual(png);
  expect((await stored()).filter((name) => !/\.(png|jpg|webp)$/.test(name))).toEqual([]);
});

it("a picture's name and first bytes are told from others", () => {
  expect(typeOf(`shop/${"a".repeat(22)}.webp`)).toBe("image/webp");
  for (const name of [`shop/${"a".repeat(21)}.png`, `a/b/${"a".repeat(22)}.png`, `shop/${"a".repeat(22)}.png\n`])
    expect(typeOf(name)).toBeUndefined();
  for (const [type, bytes] of Object.entries(pictures) as [PictureType, Buffer][])
    for (const other of Object.keys(pictures) as PictureType[]) expect(beginsAs(other, bytes)).toBe(other === type);
  expect(beginsAs("image/png", new Uint8Array())).toBe(false);
});

describe("an upload address in the cloud", () => {
  const s3 = s3Files({
    region: "eu-central-1",
    accessKeyId: "AKIAEXAMPLE",
    secretAccessKey: "example",
    sessionToken: "session",
    bucket: "pictures-of-a-shop",
    now: () => Date.UTC(2026, 10, 21, 6, 15, 30),
  });
  const path = `shop/${"a".repeat(22)}.png`;

  it("is an address of S3 that holds for five minutes, this type and this size", async () => {
    const { method, url, headers } = await s3.upload(path, "image/png", 100);
    expect(method).toBe("PUT");
    const { origin, pathname, searchParams } = new URL(url);
    expect(origin + pathname).toBe(`https://pictures-of-a-shop.s3.eu-central-1.amazonaws.com/pictures/${path}`);
    expect(Object.fromEntries(searchParams)).toMatchObject({
      "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
      "X-Amz-Credential": "AKIAEXAMPLE/20261121/eu-central-1/s3/aws4_request",
      "X-Amz-Date": "20261121T061530Z",
      "X-Amz-Expires": "300",
      "X-Amz-Security-Token": "session",
      "X-Amz-SignedHeaders": "cache-control;content-length;content-type;host",
    });
    expect(headers).toEqual({ "content-type": "image/png", "cache-control": "public, max-age=31536000, immutable" });
    expect(s3.urlOf(path)).toBe(`/pictures/${path}`);
  });

  it("is another one for another size or type", async () => {
    const signature = async (...[type, bytes]: [PictureType, number]) =>
      new URL((await s3.upload(path, type, bytes)).url).searchParams.get("X-Amz-Signature");
    const all = await Promise.all([signature("image/png", 1), signature("image/png", 2), signature("image/webp", 1)]);
    expect(new Set(all).size).toBe(3);
    expect(await signature("image/png", 1)).toBe(all[0]);
  });
});
