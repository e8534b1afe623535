/** Completing files: in every way of sending, twice at once, after a crash, and while the file is removed. */
import { partBytes, type StoredPart } from "../../shared/file_store.ts";
import { onEveryDialect } from "../_engines.ts";
import type { Person } from "../_house.ts";
import { codeOf, type Files, openFiles, png } from "./_files.ts";

const ways = ["put", "form", "parts"] as const;

onEveryDialect((engine) => {
  let files: Files;
  let guest: Person;
  beforeAll(async () => {
    files = await openFiles(engine, { mayFail: true });
    guest = await files.house.guest();
  });
  afterEach(() => {
    for (const name of Object.keys(files.broken)) delete files.broken[name as keyof typeof files.broken];
  });
  afterAll(() => files.close());

  const show = async (id: string) => (await guest.http("GET", `/files/${id}`)).body;

  describe.each(ways)("a file that was sent by %s", (by) => {
    it("is completed, and again with the same answer", async () => {
      const { id, path } = await files.sent(guest, { by });
      const first = await files.complete(guest, id);
      expect(first.body.file).toMatchObject({ id, state: "stored" });
      expect((await files.complete(guest, id)).body).toEqual(first.body);
      expect(files.store.objects.get(path)).toEqual(png);
      expect([...files.store.objects.keys()].filter((one) => one.startsWith("incoming/"))).toEqual([]);
    });

    it("is completed once by ten requests at once, which all get the same answer", async () => {
      const { id } = await files.sent(guest, { by });
      const answers = await Promise.all(Array.from({ length: 10 }, () => files.complete(guest, id)));
      expect(answers.map(codeOf)).toEqual(Array(10).fill("200"));
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    });

    it("is completed by the first reader of its address, whoever that is", async () => {
      const [one, two] = [await files.sent(guest, { by }), await files.sent(guest, { by })];
      expect((await files.house.http("GET", `/files/${one.id}`)).body).toMatchObject({
        file: { state: "stored" },
        address: { url: expect.any(String) },
      });
      expect((await files.house.http("GET", `/files/${two.id}/content`)).status).toBe(302);
      expect((await show(two.id)).file.state).toBe("stored");
    });

    it("waits for its bytes: readers see it without an address, and its stable address leads nowhere", async () => {
      const { id } = (await files.place(guest, { by })).body.file;
      expect(codeOf(await files.complete(guest, id))).toBe("409 FILE_NOT_STORED");
      expect(await show(id)).toMatchObject({ file: { state: "waiting", storedAt: null }, address: null });
      expect(codeOf(await guest.http("GET", `/files/${id}/content`))).toBe("404 FILE_UNKNOWN");
    });

    it("is refused and gone with its bytes when it is not what was declared", async () => {
      const html = Buffer.from("<html><script>alert(1)</script>");
      for (const end of [
        (id: string) => files.complete(guest, id),
        (id: string) => files.house.http("GET", `/files/${id}`),
      ]) {
        const { id, path } = await files.sent(guest, { by }, html);
        expect(codeOf(await end(id))).toBe("400 FILE_CONTENT_WRONG");
        expect(files.store.objects.has(path)).toBe(false);
        expect(codeOf(await files.complete(guest, id))).toBe("404 FILE_UNKNOWN");
      }
      const { id } = await files.sent(guest, { by }, html);
      expect(codeOf(await files.house.http("GET", `/files/${id}/content`))).toBe("404 FILE_UNKNOWN");
      expect(codeOf(await guest.http("GET", `/files/${id}`))).toBe("404 FILE_UNKNOWN");
    });

    it("of other bytes than declared is refused, should the store have taken it", async () => {
      const { id, path } = await files.sent(guest, { by });
      files.store.objects.set(path, Buffer.concat([png, png]));
      expect((await files.complete(guest, id)).body.detail).toContain(`${2 * png.length} bytes instead of`);
      expect(files.store.objects.has(path)).toBe(false);
    });

    it("is stored or gone, never half, when it is removed at the same time", async () => {
      for (let n = 0; n < 8; n++) {
        const { id, path } = await files.sent(guest, { by });
        const [completed, removed] = await Promise.all([
          files.complete(guest, id),
          guest.http("DELETE", `/files/${id}`),
        ]);
        expect(removed.status).toBe(204);
        expect(["200", "404 FILE_UNKNOWN", "409 FILE_NOT_STORED"]).toContain(codeOf(completed));
        expect([...files.store.objects.keys()]).not.toContain(path);
        expect(codeOf(await guest.http("GET", `/files/${id}`))).toBe("404 FILE_UNKNOWN");
      }
    });

    it("that was removed between its check and its row is removed again", async () => {
      const { id, path } = await files.sent(guest, { by });
      files.broken.read = async (at, most) => {
        const head = await files.store.read(at, most);
        expect((await guest.http("DELETE", `/files/${id}`)).status).toBe(204);
        // As if it had been joined or moved after the removal.
        await files.store.write({ path, type: "image/png", bytes: png.length }, png);
        return head;
      };
      expect(codeOf(await files.complete(guest, id))).toBe("404 FILE_UNKNOWN");
      expect(files.store.objects.has(path)).toBe(false);
    });

    it("goes on where a crash interrupted its completion", async () => {
      const { id } = await files.sent(guest, { by });
      files.broken.read = async () => {
        throw new Error("planted");
      };
      expect(codeOf(await files.complete(guest, id))).toBe("500 INTERNAL");
      delete files.broken.read;
      expect(codeOf(await files.complete(guest, id))).toBe("200");
    });
  });

  it("a form's bytes are checked where nobody can replace them any more", async () => {
    const made = (await files.place(guest, { by: "form" })).body;
    files.store.send(made.upload.url, png);
    // Between the move and the check, the form is sent once more with a page in it.
    files.broken.move = async (from, to) => {
      await files.store.move(from, to);
      expect(files.store.send(made.upload.url, Buffer.alloc(png.length, "<"))).toBe(200);
    };
    expect(codeOf(await files.complete(guest, made.file.id))).toBe("200");
    const { address } = await show(made.file.id);
    expect(files.store.objects.get(new URL(address.url, "http://x").pathname.slice("/store/".length))).toEqual(png);
  });

  it("of a request that lost the race to join or to move, the other's result counts", async () => {
    const [joined, moved] = [await files.sent(guest, { by: "parts" }), await files.sent(guest, { by: "form" })];
    files.broken.joinParts = async (path, upload, parts) => {
      await files.store.joinParts(path, upload, parts);
      return files.store.joinParts(path, upload, parts);
    };
    files.broken.move = async (from, to) => {
      await files.store.move(from, to);
      await files.store.move(from, to);
    };
    expect([codeOf(await files.complete(guest, joined.id)), codeOf(await files.complete(guest, moved.id))]).toEqual([
      "200",
      "200",
    ]);
  });

  describe("an upload in parts", () => {
    const [whole, rest] = [partBytes, 1_000];
    /** Only what `parts` says of it: no test needs 16 MB. */
    const pretend = (stored: readonly StoredPart[]) => {
      files.broken.parts = async () => [...stored];
    };
    const large = { by: "parts", purpose: "file", name: "a.zip", type: "application/zip", bytes: whole + rest };
    const part = (n: number, bytes: number): StoredPart => ({ part: n, bytes, etag: `"${n}"` });

    it("says how many parts there are, and signs each with its size", async () => {
      const made = (await files.place(guest, large)).body;
      expect(made.upload).toEqual({ partBytes, parts: 2 });
      const sizes: number[] = [];
      files.broken.part = async (object, upload, n, bytes) => {
        sizes.push(bytes);
        return files.store.part(object, upload, n, bytes);
      };
      const signed = await guest.http("POST", `/files/${made.file.id}/parts`, { body: { parts: [2, 1] } });
      expect(signed.body.uploads.map((one: { part: number }) => one.part)).toEqual([2, 1]);
      expect([sizes, signed.body.stored]).toEqual([[rest, whole], []]);
      const wrong = await guest.http("POST", `/files/${made.file.id}/parts`, { body: { parts: [1, 3] } });
      expect([codeOf(wrong), wrong.body.field]).toEqual(["400 INVALID_INPUT", "parts.1"]);
    });

    it("goes on with what is missing after the network was lost", async () => {
      const { id } = (await files.place(guest, large)).body.file;
      pretend([part(1, whole)]);
      const resumed = await guest.http("POST", `/files/${id}/parts`, { body: { parts: [] } });
      expect(resumed.body).toEqual({ uploads: [], stored: [{ part: 1, bytes: whole }] });
      const early = await files.complete(guest, id);
      expect([codeOf(early), early.body.stored]).toEqual(["409 FILE_NOT_STORED", [{ part: 1, bytes: whole }]]);
    });

    it("is not joined while a part has another size or is missing", async () => {
      const { id } = (await files.place(guest, large)).body.file;
      files.broken.joinParts = async () => {
        throw new Error("it was joined");
      };
      for (const parts of [[part(1, whole), part(2, rest - 1)], [part(2, rest)], [part(1, rest), part(2, whole)]]) {
        pretend(parts);
        expect(codeOf(await files.complete(guest, id))).toBe("409 FILE_NOT_STORED");
      }
    });

    it("begins again where a crash lost its beginning", async () => {
      files.broken.beginParts = async () => {
        throw new Error("planted");
      };
      const before = await files.rows();
      expect(codeOf(await files.place(guest, { by: "parts" }))).toBe("500 INTERNAL");
      delete files.broken.beginParts;
      const id = [...(await files.rows()).keys()].find((one) => !before.has(one)) as string;
      const signed = await guest.http("POST", `/files/${id}/parts`, { body: { parts: [1] } });
      expect(files.store.send(signed.body.uploads[0].url, png)).toBe(200);
      expect(codeOf(await files.complete(guest, id))).toBe("200");
    });

    it("is not offered for a file that comes in one request, nor for a complete one", async () => {
      const { id } = (await files.place(guest)).body.file;
      expect(codeOf(await guest.http("POST", `/files/${id}/parts`, { body: { parts: [] } }))).toBe("400 INVALID_INPUT");
      const done = await files.stored(guest, { by: "parts" });
      const asked = await guest.http("POST", `/files/${done.id}/parts`, { body: { parts: [1] } });
      expect(asked.body).toEqual({ uploads: [], stored: [] });
    });
  });
});
