/** Pictures of dishes: who gets a place for one, and that the old ones are still shown. */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { typeOfPicture } from "../../shared/old_pictures.ts";
import { createShop } from "../../shared/shop/open_shop.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse, type Person, testSettings } from "../_house.ts";
import { contents } from "./_contents.ts";

const png = contents["image/png"];
const types = ["image/jpeg", "image/png", "image/webp"] as const;

let house: House;
let owner: Person;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "orderbell-pictures-"));
  house = await openHouse(anyEngine, { pictures: folder });
  owner = await house.staff("owner");
});
afterAll(async () => {
  await house.close();
  await rm(folder, { recursive: true });
});

const ask = (who: Person, body: object, shop = house.shop) => who.http("POST", `/shops/${shop}/pictures`, { body });

/** A picture that was sent. @returns its address */
async function sent(body: Uint8Array, type: string): Promise<string> {
  const answer = await ask(owner, { type, bytes: body.length });
  expect(answer.status).toBe(201);
  const { upload, picture } = answer.body;
  const { method, headers } = upload;
  const stored = await fetch(new URL(upload.url, house.url), { method, headers, body: body as never });
  expect(stored.status).toBe(200);
  return picture;
}

it.each(types)("a picture of type %s is sent to its place, and shown at the address for the menu", async (type) => {
  const picture = await sent(contents[type], type);
  expect(picture).toMatch(/^\/files\/[0-9A-Z]{26}\/content$/);
  const completed = await owner.http("POST", picture.replace(/content$/, "complete"));
  expect(completed.body.file).toMatchObject({ purpose: "dish", shop: house.shop, type, visibility: "public" });
  const shown = await fetch(house.url + picture);
  expect(Buffer.from(await shown.arrayBuffer())).toEqual(contents[type]);
  expect(Object.fromEntries(shown.headers)).toMatchObject({
    "content-type": type,
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; sandbox",
  });
});

it("a picture is shown also to the first one who asks, before anybody has completed it", async () => {
  expect((await fetch(house.url + (await sent(png, "image/png")))).status).toBe(200);
});

it("a picture stands in the menu that customers see", async () => {
  const picture = await sent(png, "image/png");
  const { menu, version } = (await owner.http("GET", `/shops/${house.shop}/menu`)).body;
  const bun = { ...menu.dishes.find(({ id }: { id: string }) => id === "bun"), picture };
  const headers = { "if-match": `"${version}"` };
  expect((await owner.http("PUT", `/shops/${house.shop}/dishes/bun`, { body: bun, headers })).status).toBe(200);
  const info = await house.http("GET", `/get_shop_info?shop=${house.shop}`);
  expect(info.body.menu.dishes).toContainEqual(expect.objectContaining({ id: "bun", picture }));
});

it("a picture gets a place for this shop's owner only", async () => {
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
  ["too much", { type: "image/png", bytes: 2 * 1_024 * 1_024 + 1 }],
  ["nothing", { type: "image/png", bytes: 0 }],
  ["half a byte", { type: "image/png", bytes: 1.5 }],
  ["a name of one's own", { type: "image/png", bytes: 10, path: "../../owner.html" }],
])("a picture gets no place for %s", async (_, body) => {
  const answer = await ask(owner, body);
  expect([answer.status, answer.body.code]).toEqual([400, "INVALID_INPUT"]);
});

it("a picture of the largest allowed size is taken", async () => {
  const large = Buffer.concat([png, Buffer.alloc(2 * 1_024 * 1_024 - png.length)]);
  const shown = await fetch(house.url + (await sent(large, "image/png")));
  expect((await shown.arrayBuffer()).byteLength).toBe(large.length);
});

describe("a picture from before files", () => {
  const path = `noodle-house/${"a".repeat(22)}.png`;
  beforeAll(async () => {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), png);
  });

  /** As it is written: `fetch` would tidy the path up before it sends it. */
  const plain = (method: string, at: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      const { hostname, port } = new URL(house.url);
      const sent = request({ hostname, port, method, path: at }, (answer) => {
        answer.resume().on("end", () => resolve(answer.statusCode));
      });
      sent.on("error", reject);
      sent.end();
    });

  it("is shown at its address for ever", async () => {
    const shown = await fetch(`${house.url}/pictures/${path}`);
    expect(Buffer.from(await shown.arrayBuffer())).toEqual(png);
    expect(Object.fromEntries(shown.headers)).toMatchObject({
      "content-type": "image/png",
      "x-content-type-options": "nosniff",
      "cache-control": "public, max-age=31536000, immutable",
      "content-security-policy": "default-src 'none'; sandbox",
    });
    const head = await fetch(`${house.url}/pictures/${path}`, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(png.length)]);
  });

  it("cannot be replaced, and no other one put beside it", async () => {
    for (const at of [path, path.replace("a", "b")]) expect(await plain("PUT", `/pictures/${at}`)).toBe(404);
  });

  it("that is not here, but perhaps on another server of the same database, is logged once", async () => {
    const lost = `noodle-house/${"c".repeat(22)}.png`;
    for (let times = 0; times < 2; times++) expect(await plain("GET", `/pictures/${lost}`)).toBe(404);
    const missing = house.lines.map((line) => JSON.parse(line)).filter(({ event }) => event === "pictures.missing");
    expect(missing.filter((one) => one.path === lost)).toMatchObject([{ level: "warn", folder }]);
  });

  it("leads to no other file", async () => {
    for (const at of [
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
    ])
      expect([at, await plain("GET", at)]).toEqual([at, 404]);
  });

  it("is known by its name", () => {
    expect(typeOfPicture(`shop/${"a".repeat(22)}.webp`)).toBe("image/webp");
    for (const name of [`shop/${"a".repeat(21)}.png`, `a/b/${"a".repeat(22)}.png`, `shop/${"a".repeat(22)}.png\n`])
      expect(typeOfPicture(name)).toBeUndefined();
  });
});
