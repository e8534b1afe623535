/** Files of the SDK against a whole server with its local store: from Node and from a mini-program, over lines that are cut. */
import { createHash } from "node:crypto";
import { mkdtemp, open as openFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ApiError } from "../../clients/api.ts";
import { asGuest, type Client, makeClient } from "../../clients/client.ts";
import { downloadFile, files, upload } from "../../clients/files.ts";
import { nodePlatform } from "../../clients/node.ts";
import { wechatPlatform } from "../../clients/wechat.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";
import { startProxy, type Wire } from "../_proxy.ts";
import { contents } from "../functions/_contents.ts";
import { type FakeWx, fakeWx } from "./_wx.ts";

const png = contents["image/png"];
const largeBytes = 66 * 1_024 * 1_024 + 77;

let house: House;
let wire: Wire;
let folder: string;
/** A film that goes in five parts. */
let film: string;
const open: Client[] = [];

beforeAll(async () => {
  house = await openHouse(anyEngine);
  wire = await startProxy({ host: "127.0.0.1", port: Number(new URL(house.url).port) });
  folder = await mkdtemp(join(tmpdir(), "orderbell-whole-"));
  film = join(folder, "拉面 (1).mp4");
  await writeFile(film, contents["video/mp4"]);
  const handle = await openFile(film, "r+");
  await handle.truncate(largeBytes - 3);
  // Something in its last part, too.
  await handle.write(Buffer.from("end"), 0, 3, largeBytes - 3);
  await handle.close();
});
afterEach(() => {
  for (const client of open.splice(0)) client.close();
});
afterAll(async () => {
  await wire.close();
  await house.close();
  await rm(folder, { recursive: true });
});

/** A person on Node, whose time runs faster. */
function person(url = house.url): Client {
  const platform = nodePlatform();
  const later = (work: () => void, ms: number) => platform.later(work, ms / 5);
  const client = makeClient({ ...platform, later }, { url, begin: asGuest });
  open.push(client);
  return client;
}

function phone(): { client: Client; wx: FakeWx } {
  const wx = fakeWx({ newCode: () => "code" });
  Object.assign(globalThis, { wx });
  const client = makeClient(wechatPlatform(wx as never), { url: house.url, begin: asGuest });
  open.push(client);
  return { client, wx };
}

const failed = (work: Promise<unknown>): Promise<ApiError> =>
  work.then(
    () => {
      throw new Error("it did not fail");
    },
    (error) => error,
  );
async function hashAt(url: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of (await fetch(url)).body as AsyncIterable<Uint8Array>) hash.update(chunk);
  return hash.digest("hex");
}
async function hashOf(path: string): Promise<string> {
  const handle = await openFile(path);
  const hash = createHash("sha256");
  for await (const chunk of handle.createReadStream()) hash.update(chunk as Buffer);
  return hash.digest("hex");
}

describe("a file from Node to a whole server", () => {
  it("is stored, listed, fetched with its name, and removed", async () => {
    const client = person();
    const body = contents["application/pdf"];
    const stored = await upload(client, body, { purpose: "file", name: "菜单 (冬).pdf", about: { title: "冬" } });
    expect(stored).toMatchObject({ state: "stored", visibility: "private", path: null, about: { title: "冬" } });
    const mine = files(client);
    expect((await mine.list({ purpose: "file" })).files).toEqual([stored]);
    const { address } = await mine.get(stored.id);
    const shown = await fetch(new URL(address?.url ?? "", client.url));
    expect(new Uint8Array(await shown.arrayBuffer())).toEqual(new Uint8Array(body));
    expect(shown.headers.get("content-disposition")).toContain(encodeURIComponent("菜单 "));
    // A stranger cannot see it.
    expect(await failed(files(person()).get(stored.id))).toMatchObject({ code: "FILE_UNKNOWN" });
    await mine.remove(stored.id);
    expect((await mine.list()).files).toEqual([]);
  });

  it("is shown at an address that stays, to somebody without a session", async () => {
    const client = person();
    const picture = await upload(client, png, { purpose: "picture", name: "a.png" });
    const shown = await fetch(files(client).addressOf(picture) ?? "");
    expect([shown.status, shown.headers.get("content-type")]).toEqual([200, "image/png"]);
  });

  it("goes in parts over a line that is cut in the middle, byte for byte", async () => {
    const client = person(`http://127.0.0.1:${wire.port}`);
    let cuts = 0;
    const work = upload(client, film, {
      purpose: "file",
      visibility: "unlisted",
      onProgress(sent) {
        // After one part, and after three.
        if (sent < largeBytes && Math.floor(sent / 33_000_000) === cuts) {
          cuts += 1;
          wire.cut();
          setTimeout(wire.mend, 50);
        }
      },
    });
    const stored = await work;
    expect(cuts).toBeGreaterThan(1);
    expect(stored).toMatchObject({ name: "拉面 (1).mp4", bytes: largeBytes, state: "stored" });
    expect(await hashAt(`${house.url}${stored.path}`)).toBe(await hashOf(film));
  });

  it("gives its quota back when it is cancelled in the middle", async () => {
    const client = person();
    const work = upload(client, film, { purpose: "file", onProgress: (sent) => sent > 0 && work.cancel() });
    expect((await failed(work)).code).toBe("CANCELLED");
    await eventually(async () => (await files(client).list()).files.length === 0);
  });

  it("is refused by its size, its type and its content, each with what is allowed", async () => {
    const client = person();
    const large = new Uint8Array(10 * 1_024 * 1_024 + 1);
    expect(await failed(upload(client, large, { purpose: "picture", name: "a.png" }))).toMatchObject({
      code: "FILE_TOO_LARGE",
      extra: { maxBytes: 10 * 1_024 * 1_024 },
    });
    const svg = new TextEncoder().encode("<svg onload=alert(1)>");
    const options = { purpose: "picture", name: "a.svg", type: "image/svg+xml" };
    const refused = await failed(upload(client, svg, options));
    expect(refused).toMatchObject({
      code: "FILE_TYPE_REFUSED",
      extra: { types: expect.arrayContaining(["image/png"]) },
    });
    expect(await failed(upload(client, svg, { ...options, type: "image/png" }))).toMatchObject({
      code: "FILE_CONTENT_WRONG",
    });
    expect(await failed(upload(client, png, { purpose: "film", name: "a.mp4" }))).toMatchObject({ code: "FORBIDDEN" });
    expect(await failed(upload(client, png, { purpose: "nothing" }))).toMatchObject({ code: "PURPOSE_UNKNOWN" });
    expect((await files(client).list()).files).toEqual([]);
  });
});

describe("a file from a mini-program to a whole server", () => {
  afterEach(() => Reflect.deleteProperty(globalThis, "wx"));

  it("is a form by wx.uploadFile, and comes back by wx.downloadFile", async () => {
    const { client, wx } = phone();
    const photo = join(folder, "photo.png");
    await writeFile(photo, png);
    const stored = await upload(client, wx.choose(photo), { purpose: "picture", name: "面.png" });
    expect(stored).toMatchObject({ name: "面.png", type: "image/png", state: "stored" });
    expect(new Uint8Array(wx.contentOf(await downloadFile(client, stored.id)))).toEqual(new Uint8Array(png));
    expect(wx.faults).toEqual([]);
  });

  it("goes in parts above 64 MB, byte for byte", async () => {
    const { client, wx } = phone();
    const stored = await upload(client, wx.choose(film), { purpose: "file", visibility: "unlisted" });
    expect(await hashAt(`${house.url}${stored.path}`)).toBe(await hashOf(film));
    expect(wx.reads).toEqual({ readFile: 5, read: 0 });
    expect(wx.faults).toEqual([]);
  });
});

async function eventually(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}
