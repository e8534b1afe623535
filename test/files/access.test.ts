/** Who may store, see, list and remove which file; sets; names that come back exactly. */
import { newApiKey } from "../../shared/sessions/api_key.ts";
import { onEveryDialect } from "../_engines.ts";
import type { Person } from "../_house.ts";
import { contents } from "../functions/_contents.ts";
import { codeOf, type Files, openFiles, png } from "./_files.ts";

const film = { purpose: "film", name: "film.mp4", type: "video/mp4" };
const mp4 = contents["video/mp4"];

onEveryDialect((engine) => {
  let files: Files;
  let guest: Person;
  let other: Person;
  let owner: Person;
  let cook: Person;
  let neighbour: Person;
  beforeAll(async () => {
    files = await openFiles(engine);
    const { house } = files;
    [guest, other] = [await house.guest(), await house.guest()];
    [owner, cook] = [await house.staff("owner"), await house.staff("kitchen")];
    const { newShop } = await import("../attacks/_scene.ts");
    await newShop(house, "next-door");
    neighbour = await house.staff("owner", "next-door");
  });
  afterAll(() => files.close());

  const codes = (asks: readonly Promise<Parameters<typeof codeOf>[0]>[]) =>
    Promise.all(asks).then((answers) => answers.map(codeOf));
  const names = async (who: Person, query = "") =>
    (await who.http("GET", `/files${query}`)).body.files.map(({ name }: { name: string }) => name);

  describe("a place", () => {
    it("is made by those whom the purpose names", async () => {
      expect(
        await codes([
          files.place(guest, film),
          files.place(cook, film),
          files.place(owner, film),
          files.place(guest),
          files.place(guest, { purpose: "selfies" }),
        ]),
      ).toEqual(["403 FORBIDDEN", "403 FORBIDDEN", "201", "201", "400 PURPOSE_UNKNOWN"]);
    });

    it("of a shop's purpose is its shop's, and of no other", async () => {
      expect((await files.place(owner, film)).body.file.shop).toBe(files.house.shop);
      expect(codeOf(await files.place(owner, { ...film, shop: "next-door" }))).toBe("403 FORBIDDEN");
      const { key } = await newApiKey(files.house.app, "unbound", ["menu:write"], null);
      const dish = { purpose: "dish", name: "a.png", type: "image/png", bytes: png.length };
      const { house } = files;
      expect(codeOf(await house.http("POST", "/files", { token: key, body: dish }))).toBe("403 FORBIDDEN");
      const { key: bound } = await newApiKey(house.app, "bound", ["menu:write"], house.shop);
      expect((await house.http("POST", "/files", { token: bound, body: dish })).body.file.shop).toBe(house.shop);
    });

    it("for a shop is refused a guest where everybody would see it, and where there is no shop", async () => {
      const { shop } = files.house;
      expect(
        await codes([
          files.place(guest, { shop, visibility: "public" }),
          files.place(guest, { shop, visibility: "private" }),
          files.place(guest, { shop: "nowhere", visibility: "private" }),
        ]),
      ).toEqual(["403 FORBIDDEN", "201", "404 SHOP_UNKNOWN"]);
    });

    it("is refused for another type, visibility and way than the purpose has", async () => {
      const svg = await files.place(guest, { type: "image/svg+xml" });
      expect([codeOf(svg), svg.body.types]).toEqual([
        "415 FILE_TYPE_REFUSED",
        ["image/jpeg", "image/png", "image/webp", "image/gif"],
      ]);
      expect(codeOf(await files.place(owner, { ...film, visibility: "private" }))).toBe("400 INVALID_INPUT");
      const large = { purpose: "file", name: "a.zip", type: "application/zip", bytes: 65 * 1_048_576 };
      const form = await files.place(guest, { ...large, by: "form" });
      expect([codeOf(form), form.body.maxBytes]).toEqual(["413 FILE_TOO_LARGE", 67_108_864]);
      expect((await files.place(guest, large)).body.upload).toEqual({ partBytes: 16_777_216, parts: 5 });
    });
  });

  describe("a private file", () => {
    it("is its owner's, and does not exist for anybody else", async () => {
      const { id } = await files.stored(guest, { visibility: "private" });
      const { http } = files.house;
      expect(
        await codes([
          guest.http("GET", `/files/${id}`),
          other.http("GET", `/files/${id}`),
          http("GET", `/files/${id}`),
          owner.http("GET", `/files/${id}`),
          guest.http("GET", `/files/${id}/content`),
          other.http("POST", `/files/${id}/complete`),
          other.http("POST", `/files/${id}/parts`, { body: { parts: [] } }),
          other.http("DELETE", `/files/${id}`),
        ]),
      ).toEqual(["200", ...Array(7).fill("404 FILE_UNKNOWN")]);
    });

    it("for a shop is seen by its staff, and by no other shop's", async () => {
      const { id } = await files.stored(guest, { visibility: "private", shop: files.house.shop });
      expect(
        await codes([
          cook.http("GET", `/files/${id}`),
          owner.http("GET", `/files/${id}`),
          neighbour.http("GET", `/files/${id}`),
          cook.http("DELETE", `/files/${id}`),
          neighbour.http("DELETE", `/files/${id}`),
          owner.http("DELETE", `/files/${id}`),
        ]),
      ).toEqual(["200", "200", "404 FILE_UNKNOWN", "403 FORBIDDEN", "404 FILE_UNKNOWN", "204"]);
    });
  });

  it("an unlisted file is seen by everybody who has its id, and changed by its owner alone", async () => {
    const { id } = await files.stored(guest);
    const { http } = files.house;
    expect(
      await codes([
        http("GET", `/files/${id}`),
        http("GET", `/files/${id}/content`),
        other.http("POST", `/files/${id}/complete`),
        other.http("DELETE", `/files/${id}`),
        http("DELETE", `/files/${id}`),
      ]),
    ).toEqual(["200", "302", "403 FORBIDDEN", "403 FORBIDDEN", "401 SESSION_MISSING"]);
    const remove = () => guest.http("DELETE", `/files/${id}`);
    expect([codeOf(await remove()), codeOf(await remove())]).toEqual(["204", "404 FILE_UNKNOWN"]);
  });

  describe("a list", () => {
    it("has one's own files, the newest first, in pages, of one purpose", async () => {
      const who = await files.house.guest();
      for (const name of ["1", "2", "3"]) {
        await files.stored(who, { name });
        files.house.clock.forward(1);
      }
      await files.place(who, { name: "4", purpose: "file", type: "image/png" });
      expect(await names(who)).toEqual(["4", "3", "2", "1"]);
      expect(await names(who, "?purpose=picture")).toEqual(["3", "2", "1"]);
      const first = (await who.http("GET", "/files?limit=2&purpose=picture")).body;
      expect([first.files.length, first.more]).toEqual([2, true]);
      const rest = (await who.http("GET", `/files?limit=2&purpose=picture&before=${first.files[1].id}`)).body;
      expect([rest.files.map(({ name }: { name: string }) => name), rest.more]).toEqual([["1"], false]);
    });

    it("of a shop has its public files for everybody, and all of them for its staff", async () => {
      const { house } = files;
      const path = `/files?shop=${house.shop}&purpose=film`;
      const { id } = await files.stored(owner, { ...film, name: "shown.mp4" }, mp4);
      await files.place(owner, { ...film, name: "waits.mp4" });
      await files.stored(guest, { visibility: "unlisted", shop: house.shop });
      const shown = (await house.http("GET", path)).body.files;
      expect(shown.map((one: { id: string }) => one.id)).toEqual([id]);
      expect(await names(cook, path.slice("/files".length))).toContain("waits.mp4");
      expect(await names(neighbour, path.slice("/files".length))).toEqual(["shown.mp4"]);
      expect((await house.http("GET", `/files?shop=${house.shop}&purpose=picture`)).body.files).toEqual([]);
      expect(codeOf(await house.http("GET", `/files?shop=${house.shop}`))).toBe("400 INVALID_INPUT");
      expect(codeOf(await house.http("GET", "/files"))).toBe("401 SESSION_MISSING");
      expect(codeOf(await house.http("GET", path, { token: "nonsense" }))).toBe("401 SESSION_INVALID");
    });
  });

  describe("a set", () => {
    const playlist = contents["application/vnd.apple.mpegurl"];
    let id: string;
    const member = (name: string, type: string, body: Uint8Array, more: object = {}) =>
      files.stored(owner, { ...film, name, type, of: id, ...more }, body);
    beforeAll(async () => {
      ({ id } = await files.stored(owner, film, mp4));
    });

    it("serves a playlist as it is, and its segments beside it", async () => {
      await member("index.m3u8", "application/x-mpegURL", playlist);
      await member("seg1.ts", "video/mp2t", contents["video/mp2t"]);
      const { http } = files.house;
      const listed = await http("GET", `/files/${id}/index.m3u8`);
      expect([listed.status, listed.text]).toEqual([200, playlist.toString()]);
      expect(Object.fromEntries(listed.headers)).toMatchObject({
        "content-type": "application/vnd.apple.mpegurl",
        "content-security-policy": "default-src 'none'; sandbox",
        "x-content-type-options": "nosniff",
        "cache-control": "public, max-age=600",
      });
      const segment = await http("GET", `/files/${id}/seg1.ts`);
      expect([segment.status, segment.headers.get("location")]).toEqual([
        302,
        expect.stringContaining("type=video%2Fmp2t"),
      ]);
      expect(codeOf(await http("GET", `/files/${id}/seg2.ts`))).toBe("404 FILE_UNKNOWN");
    });

    it("is not listed among the files, but by itself", async () => {
      const mine = (await owner.http("GET", "/files?purpose=film")).body.files;
      expect(mine.filter(({ of }: { of: unknown }) => of !== null)).toEqual([]);
      expect((await names(owner, `?of=${id}`)).toSorted()).toEqual(["index.m3u8", "seg1.ts"]);
    });

    it("answers with the newest stored file of a name", async () => {
      const newer = Buffer.concat([playlist, Buffer.from("# newer\n")]);
      files.house.clock.forward(10);
      await member("index.m3u8", "application/vnd.apple.mpegurl", newer);
      await files.place(owner, { ...film, name: "index.m3u8", type: "application/vnd.apple.mpegurl", of: id });
      expect((await files.house.http("GET", `/files/${id}/index.m3u8`)).text).toBe(newer.toString());
    });

    it("takes what the purpose names for it, by the file's own owner, in the same purpose and visibility", async () => {
      const ask = (more: object, who = owner) => files.place(who, { ...film, of: id, ...more });
      expect(
        await codes([
          ask({ type: "video/webm" }),
          ask({ type: "application/pdf" }),
          ask({ purpose: "picture", type: "image/png" }),
          ask({}, neighbour),
          ask({ of: "01M7Y5YCX0DV05B7NH4DVY729V" }),
          ask({ name: "x.m3u8", type: "application/x-mpegurl", bytes: 2_000_000 }),
        ]),
      ).toEqual([
        "415 FILE_TYPE_REFUSED",
        "415 FILE_TYPE_REFUSED",
        "415 FILE_TYPE_REFUSED",
        "403 FORBIDDEN",
        "404 FILE_UNKNOWN",
        "413 FILE_TOO_LARGE",
      ]);
      const [first] = (await owner.http("GET", `/files?of=${id}`)).body.files;
      expect(codeOf(await ask({ of: first.id }))).toBe("400 INVALID_INPUT");
    });

    it("counts by its bytes, and goes with its file", async () => {
      const before = await files.counted("all", "film");
      const { id: whole } = await files.stored(owner, film, mp4);
      await files.stored(owner, { ...film, name: "seg.ts", type: "video/mp2t", of: whole }, contents["video/mp2t"]);
      const objects = files.store.objects.size;
      expect(await files.counted("all", "film")).toEqual([before[0] + 1, before[1] + mp4.length + 376]);
      expect((await owner.http("DELETE", `/files/${whole}`)).status).toBe(204);
      expect(await files.counted("all", "film")).toEqual(before);
      expect(files.store.objects.size).toBe(objects - 2);
      expect(codeOf(await files.house.http("GET", `/files/${whole}/seg.ts`))).toBe("404 FILE_UNKNOWN");
    });
  });

  it.each([
    "一笔到底.png",
    "e\u0301.png",
    "קובץ\u200f.png",
    '"; filename="x.html',
    "👩‍👩‍👧.png",
    "100%41.png",
    "面".repeat(255),
  ])("the name %s comes back exactly", async (name) => {
    const { id } = await files.stored(guest, { name });
    expect((await names(guest, "?limit=1"))[0]).toBe(name);
    const { file, address } = (await guest.http("GET", `/files/${id}`)).body;
    expect(file.name).toBe(name);
    const header = new URL(address.url, "http://x").searchParams.get("disposition") as string;
    expect(header.startsWith("inline; ")).toBe(true);
    expect(decodeURIComponent(/filename\*=UTF-8''(.*)$/.exec(header)?.[1] ?? "")).toBe(name);
  });

  it.each([
    ["application/pdf", "attachment"],
    ["text/plain", "attachment"],
    ["application/zip", "attachment"],
    ["image/png", "inline"],
    ["video/mp4", "inline"],
    ["audio/mpeg", "inline"],
  ] as const)("a file of %s is sent as %s", async (type, how) => {
    const { id } = await files.stored(guest, { purpose: "file", name: "a", type }, contents[type]);
    const { url } = (await guest.http("GET", `/files/${id}`)).body.address;
    expect(new URL(url, "http://x").searchParams.get("disposition")).toMatch(new RegExp(`^${how}; `));
  });

  it("a file that nobody knows the type of is saved as bytes, where the purpose takes any", async () => {
    const { id } = await files.stored(
      guest,
      { purpose: "cloud", name: "a.html", type: "text/html" },
      Buffer.from("<p>"),
    );
    const { file, address } = (await guest.http("GET", `/files/${id}`)).body;
    expect(file.type).toBe("application/octet-stream");
    expect(new URL(address.url, "http://x").searchParams.get("type")).toBe("application/octet-stream");
    expect(address.url).toContain("disposition=attachment");
  });

  it("what is about a file comes back, and no more than a kilobyte of it is taken", async () => {
    const about = { title: "一笔", seconds: 12.5, done: false };
    const { id } = await files.stored(guest, { about });
    expect((await guest.http("GET", `/files/${id}`)).body.file.about).toEqual(about);
    for (const wrong of [{ text: "x".repeat(1_024) }, { a: { b: 1 } }, { a: null }, { "a b": 1 }, []])
      expect(codeOf(await files.place(guest, { about: wrong }))).toBe("400 INVALID_INPUT");
  });
});
