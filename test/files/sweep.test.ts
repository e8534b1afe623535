/** The sweep of files: what goes by itself, what stays, and that a crash at any point leaves no object without a row and no row without an end. */
import { sql } from "../../db/sql.ts";
import { uploadMs } from "../../shared/file_store.ts";
import { trimFiles } from "../../shared/files/sweep_files.ts";
import { onEveryDialect } from "../_engines.ts";
import { type Person, testMenu } from "../_house.ts";
import { contents } from "../functions/_contents.ts";
import { codeOf, type Files, openFiles, png } from "./_files.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const ways = ["put", "form", "parts"] as const;

onEveryDialect((engine) => {
  let files: Files;
  let guest: Person;
  beforeAll(async () => {
    files = await openFiles(engine, {
      mayFail: true,
      environment: { GUEST_SESSION_DAYS: "365", STAFF_SESSION_DAYS: "365" },
    });
    guest = await files.house.guest();
  });
  afterEach(() => {
    for (const name of Object.keys(files.broken)) delete files.broken[name as keyof typeof files.broken];
  });
  afterAll(() => files.close());

  const sweep = () => trimFiles(files.house.app);
  const later = async (ms: number) => {
    files.house.clock.forward(ms);
    await sweep();
  };
  const stateOf = async (id: string) => (await files.rows()).get(id);

  it.each(ways)("a place by %s that is not used goes after a day, with its count and its row", async (by) => {
    const before = await files.counted(guest.user);
    const { id } = (await files.place(guest, { by })).body.file;
    await later(23 * hourMs);
    expect(await stateOf(id)).toBe("waiting");
    await later(2 * hourMs);
    expect(await stateOf(id)).toBeUndefined();
    expect(await files.counted(guest.user)).toEqual(before);
    expect(files.store.uploads.size).toBe(0);
  });

  it("a place whose parts are signed again and again stays", async () => {
    const { id } = (await files.place(guest, { by: "parts" })).body.file;
    for (let day = 0; day < 3; day++) {
      await later(20 * hourMs);
      expect((await guest.http("POST", `/files/${id}/parts`, { body: { parts: [1] } })).status).toBe(200);
    }
    await later(20 * hourMs);
    expect(await stateOf(id)).toBe("waiting");
    await later(dayMs);
    expect(await stateOf(id)).toBeUndefined();
  });

  it.each(ways)("a file that was sent by %s and never completed is completed, and a wrong one goes", async (by) => {
    const [right, wrong] = [await files.sent(guest, { by }), await files.sent(guest, { by }, Buffer.from("<html>"))];
    await later(25 * hourMs);
    expect([await stateOf(right.id), files.store.objects.has(right.path)]).toEqual(["stored", true]);
    expect([await stateOf(wrong.id), files.store.objects.has(wrong.path)]).toEqual([undefined, false]);
  });

  it("a stored file stays", async () => {
    const { id } = await files.stored(guest);
    await later(100 * dayMs);
    expect(await stateOf(id)).toBe("stored");
  });

  it("an upload that comes after the removal is removed too: the row stays until no address is valid any more", async () => {
    const { file, upload } = (await files.place(guest)).body;
    expect((await guest.http("DELETE", `/files/${file.id}`)).status).toBe(204);
    await later(uploadMs);
    const objects = files.store.objects.size;
    expect(files.store.send(upload.url, png)).toBe(200);
    expect([await stateOf(file.id), files.store.objects.size]).toEqual(["ended", objects + 1]);
    await later(uploadMs + 1_000);
    expect([await stateOf(file.id), files.store.objects.size]).toEqual([undefined, objects]);
  });

  describe.each([
    ["before the objects are removed", "remove", "before"],
    ["after the objects are removed", "remove", "after"],
    ["before the parts are abandoned", "abandonParts", "before"],
    ["after the parts are abandoned", "abandonParts", "after"],
  ] as const)("a removal that a crash interrupts %s", (_, method, when) => {
    it("is finished by the sweep: neither object nor row nor count is left", async () => {
      const { store, broken } = files;
      const counts = await files.counted(guest.user);
      const [put, waits] = [await files.stored(guest), await files.sent(guest, { by: "parts" })];
      broken[method] = async (...given: unknown[]) => {
        if (when === "after") await (store[method] as (...given: unknown[]) => Promise<void>)(...given);
        throw new Error("planted");
      };
      for (const { id } of [put, waits]) {
        expect((await guest.http("DELETE", `/files/${id}`)).status).toBe(204);
        expect(codeOf(await guest.http("GET", `/files/${id}`))).toBe("404 FILE_UNKNOWN");
      }
      expect(await files.counted(guest.user)).toEqual(counts);
      await later(dayMs);
      delete broken[method];
      await sweep();
      expect([await stateOf(put.id), await stateOf(waits.id)]).toEqual([undefined, undefined]);
      expect([store.objects.has(put.path), store.objects.has(waits.path), store.uploads.size]).toEqual([
        false,
        false,
        0,
      ]);
    });
  });

  it("a storage that refuses one file does not keep the others, and is asked again", async () => {
    const [one, two] = [await files.stored(guest), await files.stored(guest)];
    for (const { id } of [one, two]) await guest.http("DELETE", `/files/${id}`);
    await files.store.write({ path: one.path, type: "image/png", bytes: png.length }, png);
    files.broken.remove = async (paths) => {
      if (paths.includes(one.path)) throw new Error("planted");
      return files.store.remove(paths);
    };
    await later(dayMs);
    expect([await stateOf(one.id), await stateOf(two.id)]).toEqual(["ended", undefined]);
    expect(files.house.lines.filter((line) => line.includes('"files.sweep"')).at(-1)).toContain(one.id);
    delete files.broken.remove;
    await sweep();
    expect([await stateOf(one.id), files.store.objects.has(one.path)]).toEqual([undefined, false]);
  });

  it("two sweeps at once do what one does", async () => {
    const before = await files.counted();
    const places = await Promise.all(Array.from({ length: 12 }, () => files.place(guest)));
    files.house.clock.forward(26 * hourMs);
    await Promise.all([sweep(), sweep(), sweep()]);
    for (const { body } of places) expect(await stateOf(body.file.id)).toBeUndefined();
    expect(await files.counted()).toEqual(before);
  });

  it("private files of a guest who can sign in no more go; others' and what is shown stays", async () => {
    const gone = await files.house.guest();
    const [hidden, shown] = [await files.stored(gone, { visibility: "private" }), await files.stored(gone)];
    const kept = await files.stored(guest, { visibility: "private" });
    await files.house.db.flight({ statements: [sql`DELETE FROM sessions WHERE user_id = ${gone.user}`] });
    await sweep();
    expect([await stateOf(hidden.id), await stateOf(shown.id), await stateOf(kept.id)]).toEqual([
      "ended",
      "stored",
      "stored",
    ]);
  });

  describe("a dish's picture", () => {
    let owner: Person;
    beforeAll(async () => {
      owner = await files.house.staff("owner");
    });
    const dish = { purpose: "dish", name: "bun.png" };
    const menuWith = async (picture: string | undefined) => {
      const path = `/shops/${files.house.shop}/dishes/bun`;
      const body = { ...testMenu.dishes[1], ...(picture === undefined ? {} : { picture }) };
      expect((await owner.http("PUT", path, { body })).status).toBe(200);
    };

    it("that no menu names goes after seven days; one that a menu names stays", async () => {
      const [named, unnamed] = [await files.stored(owner, dish), await files.stored(owner, dish)];
      await menuWith(`/files/${named.id}/content`);
      await later(6 * dayMs);
      expect([await stateOf(named.id), await stateOf(unnamed.id)]).toEqual(["stored", "stored"]);
      await later(dayMs + hourMs);
      expect([await stateOf(named.id), await stateOf(unnamed.id)]).toEqual(["stored", undefined]);
      await later(100 * dayMs);
      expect(await stateOf(named.id)).toBe("stored");
      await menuWith(undefined);
      await later(6 * dayMs);
      expect(await stateOf(named.id)).toBe("stored");
      await later(2 * dayMs);
      expect([await stateOf(named.id), files.store.objects.has(named.path)]).toEqual([undefined, false]);
    });

    it("of the other dishes of a long menu stays too", async () => {
      const all = await Promise.all(Array.from({ length: 5 }, () => files.stored(owner, dish)));
      const [first] = testMenu.dishes;
      const dishes = all.map(({ id }, nth) => ({ ...first, id: `d${nth}`, picture: `files/${id}/content` }));
      const body = { ...testMenu, dishes };
      expect((await owner.http("PUT", `/shops/${files.house.shop}/menu`, { body })).status).toBe(200);
      await later(8 * dayMs);
      expect(await Promise.all(all.map(({ id }) => stateOf(id)))).toEqual(Array(5).fill("stored"));
      expect((await owner.http("PUT", `/shops/${files.house.shop}/menu`, { body: testMenu })).status).toBe(200);
    });

    it("that a menu begins to name while the sweep runs is not removed under it", async () => {
      for (let n = 0; n < 4; n++) {
        const { id } = await files.stored(owner, dish);
        files.house.clock.forward(8 * dayMs);
        const [named] = await Promise.all([
          owner.http("PUT", `/shops/${files.house.shop}/dishes/bun`, {
            body: { ...testMenu.dishes[1], picture: `/files/${id}/content` },
          }),
          sweep(),
        ]);
        expect(named.status).toBe(200);
        // Whichever was first: a picture that was named before the sweep looked is there.
        await sweep();
        if ((await stateOf(id)) === "stored")
          expect(codeOf(await files.house.http("GET", `/files/${id}/content`))).toBe("302");
      }
    });
  });

  it("a film without a menu stays", async () => {
    const owner = await files.house.staff("owner");
    const film = { purpose: "film", name: "film.mp4", type: "video/mp4" };
    const { id } = await files.stored(owner, film, contents["video/mp4"]);
    await later(50 * dayMs);
    expect(await stateOf(id)).toBe("stored");
  });
});
