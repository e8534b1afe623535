/** Files: places, completion, lists, addresses, removal. */
import { everybody } from "../../db/files.ts";
import { sql } from "../../db/sql.ts";
import { onEveryDialect } from "../_engines.ts";
import { type Answer, type House, openHouse, type Person, TestClock } from "../_house.ts";
import { type MemoryStore, memoryStore } from "../_memory_store.ts";
import { contents } from "./_contents.ts";

const png = contents["image/png"];

onEveryDialect((engine) => {
  let house: House;
  let store: MemoryStore;
  let guest: Person;
  let other: Person;
  const clock = new TestClock();

  beforeAll(async () => {
    store = memoryStore();
    house = await openHouse(engine, { clock, store });
    [guest, other] = [await house.guest(), await house.guest()];
  });
  afterAll(() => house.close());

  const asked = { purpose: "picture", name: "一笔.png", type: "image/png", bytes: png.length };
  const place = (more: object = {}, who = guest) => who.http("POST", "/files", { body: { ...asked, ...more } });

  /** A file that is stored and complete. */
  async function stored(more: object = {}, who = guest, body: Uint8Array = png): Promise<Answer["body"]["file"]> {
    const { status, body: made, text } = await place({ bytes: body.length, ...more }, who);
    if (status !== 201) throw new Error(text);
    expect(store.send(made.upload.url, body)).toBe(200);
    return (await who.http("POST", `/files/${made.file.id}/complete`)).body.file;
  }

  const counted = async (holder: string, purpose = "picture") => {
    const [rows] = await house.db.read([
      sql`SELECT files, bytes FROM file_counts WHERE holder = ${holder} AND purpose = ${purpose}`,
    ]);
    return [Number(rows[0]?.files ?? 0), Number(rows[0]?.bytes ?? 0)];
  };

  it("a file is stored by a PUT, completed, listed, fetched and removed", async () => {
    const made = (await place({ about: { title: "一笔到底", seconds: 12, done: true } })).body;
    expect(made.file).toMatchObject({ state: "waiting", visibility: "unlisted", storedAt: null, name: "一笔.png" });
    const { id } = made.file;
    const early = await guest.http("POST", `/files/${id}/complete`);
    expect([early.status, early.body.code, early.body.stored]).toEqual([409, "FILE_NOT_STORED", []]);
    expect(store.send(made.upload.url, png)).toBe(200);
    const done = await guest.http("POST", `/files/${id}/complete`);
    expect(done.body.file).toMatchObject({ state: "stored", about: { title: "一笔到底", seconds: 12, done: true } });
    expect((await guest.http("POST", `/files/${id}/complete`)).body).toEqual(done.body);
    expect((await guest.http("GET", "/files?purpose=picture")).body).toEqual({ files: [done.body.file], more: false });
    const shown = (await house.http("GET", `/files/${id}`)).body;
    expect(shown.file).toEqual(done.body.file);
    expect(shown.address.url).toContain("disposition=inline");
    const fetched = await house.http("GET", done.body.file.path);
    expect([fetched.status, fetched.headers.get("location")]).toEqual([302, shown.address.url]);
    expect(await counted(guest.user)).toEqual([1, png.length]);
    expect((await guest.http("DELETE", `/files/${id}`)).status).toBe(204);
    expect((await guest.http("GET", `/files/${id}`)).body.code).toBe("FILE_UNKNOWN");
    expect([await counted(guest.user), await counted(everybody)]).toEqual([
      [0, 0],
      [0, 0],
    ]);
    expect(store.objects.size).toBe(0);
  });

  it("a file of another kind than declared is refused and removed", async () => {
    const { file, upload } = (await place({ bytes: 5 })).body;
    store.send(upload.url, Buffer.from("<svg>"));
    const answer = await guest.http("POST", `/files/${file.id}/complete`);
    expect([answer.status, answer.body.code]).toEqual([400, "FILE_CONTENT_WRONG"]);
    expect(store.objects.size).toBe(0);
    expect(await counted(guest.user)).toEqual([0, 0]);
  });

  it("a private file is its owner's alone", async () => {
    const { id, path } = await stored({ visibility: "private" });
    expect(path).toBeNull();
    expect((await guest.http("GET", `/files/${id}`)).status).toBe(200);
    for (const answer of [
      await other.http("GET", `/files/${id}`),
      await house.http("GET", `/files/${id}`),
      await guest.http("GET", `/files/${id}/content`),
      await other.http("DELETE", `/files/${id}`),
    ])
      expect([answer.status, answer.body.code]).toEqual([404, "FILE_UNKNOWN"]);
  });
});
