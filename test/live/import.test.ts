/** Import and export of documents in every dialect of SQL: all or nothing, beside other writers, and what is left is removed. */

import { readCollections } from "../../db/documents.ts";
import { moveDocuments, readBounds, removeAllDocuments } from "../../db/imports.ts";
import { sql } from "../../db/sql.ts";
import { readHeads } from "../../db/streams.ts";
import { parseCollections } from "../../shared/live/collections.ts";
import { exportPage } from "../../shared/live/export_documents.ts";
import { commitImport, stageLines, trimImports } from "../../shared/live/import_documents.ts";
import type { Json } from "../../shared/live/wire_value.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse } from "../_house.ts";

const { collections } = parseCollections(
  "notes: { permission: PRIVATE, indexes: [tags, n], limits: { documents: 3000 } }",
);

onEveryDialect((engine) => {
  let house: House;
  beforeAll(async () => {
    house = await openHouse(engine, { config: { collections } });
  });
  afterAll(() => house?.close());

  const lines = (documents: readonly object[], from = 1) => ({
    from,
    lines: documents.map((one) => JSON.stringify(one)),
  });
  const stage = async (documents: readonly object[], replace = false) =>
    (await stageLines(house.app, "notes", { id: undefined, replace, lines: lines(documents) })).import;
  const put = async (documents: readonly object[]) =>
    commitImport(house.app, "notes", { id: await stage(documents, true), replace: true });

  async function exported(): Promise<Json[]> {
    const all: Json[] = [];
    for (let after: string | null | undefined; after !== null; ) {
      const page = await exportPage(house.app, "notes", after);
      all.push(...page.documents);
      after = page.next;
    }
    return all;
  }

  /** Every row of the import's tables, by collection. */
  async function rows(): Promise<Record<string, number>> {
    const found = await house.db.read([
      sql`SELECT collection, count(*) AS n FROM documents GROUP BY collection`,
      sql`SELECT collection, count(*) AS n FROM document_keys GROUP BY collection`,
      readCollections(),
    ]);
    const [documents = [], keys = [], counted = []] = found;
    return {
      ...Object.fromEntries(documents.map((row) => [`documents of ${row.collection}`, Number(row.n)])),
      ...Object.fromEntries(keys.map((row) => [`keys of ${row.collection}`, Number(row.n)])),
      ...Object.fromEntries(counted.map((row) => [`counted in ${row.name}`, Number(row.documents)])),
    };
  }

  it("many documents come in by one event and go out in pages, with keys of the indexed fields", async () => {
    const many = Array.from({ length: 2_345 }, (_, nth) => ({
      _id: `d${String(nth).padStart(4, "0")}`,
      n: nth,
      tags: ["a", "b"],
    }));
    const [before] = await house.db.read([readHeads(["collection:notes"])]);
    let id: string | undefined;
    for (let at = 0; at < many.length; at += 500)
      id = (
        await stageLines(house.app, "notes", { id, replace: false, lines: lines(many.slice(at, at + 500), at + 1) })
      ).import;
    expect(await exported()).toEqual([]);
    expect(await commitImport(house.app, "notes", { id: id ?? "", replace: false })).toEqual({
      collection: "notes",
      imported: 2_345,
      removed: 0,
    });
    expect(await exported()).toEqual(many);
    expect(await rows()).toEqual({
      "documents of notes": 2_345,
      "keys of notes": 3 * 2_345,
      "counted in notes": 2_345,
    });
    const seq = Number(before[0]?.seq ?? 0);
    const [events] = await house.db.read([
      sql`SELECT seq, data FROM events WHERE stream = ${"collection:notes"} AND seq > ${seq}`,
    ]);
    expect(events.map((row) => JSON.parse(String(row.data)))).toEqual([{ changes: 2_345 }]);
  });

  it("of two imports of one _id at once the later one is refused whole", async () => {
    await put([]);
    const [one, other] = [
      await stage([{ _id: "a", by: 1 }, { _id: "b" }]),
      await stage([{ _id: "c" }, { _id: "a", by: 2 }]),
    ];
    const ended = await Promise.allSettled(
      [one, other].map((id) => commitImport(house.app, "notes", { id, replace: false })),
    );
    expect(ended.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(ended.find((end) => end.status === "rejected")).toMatchObject({
      reason: { code: "INVALID_INPUT", message: 'the _id "a" is in "notes" already' },
    });
    expect((await exported()).length).toBe(2);
    // The same once more has nothing left to commit.
    const winner = ended[0]?.status === "fulfilled" ? one : other;
    await expect(commitImport(house.app, "notes", { id: winner, replace: false })).rejects.toThrow(
      "this import has ended",
    );
  });

  it("an import of its own cannot go beyond the limit together with what is there", async () => {
    await put(Array.from({ length: 2_000 }, () => ({})));
    const id = await stage(Array.from({ length: 1_001 }, () => ({})));
    await expect(commitImport(house.app, "notes", { id, replace: false })).rejects.toMatchObject({
      code: "COLLECTION_FULL",
    });
    expect((await exported()).length).toBe(2_000);
    expect(await commitImport(house.app, "notes", { id, replace: true })).toMatchObject({
      imported: 1_001,
      removed: 2_000,
    });
    expect(await rows()).toMatchObject({ "documents of notes": 1_001, "counted in notes": 1_001 });
  });

  it("what interrupted imports have left is removed after a day, and no younger one", async () => {
    await put([{ _id: "kept", n: 1 }]);
    await stage([{ _id: "old", n: 1 }]);
    house.clock.forward(25 * 3_600_000);
    const young = await stage([{ _id: "young", n: 1 }]);
    await trimImports(house.app);
    const left = Object.keys(await rows()).filter((name) => name.includes("import:"));
    expect(left.toSorted()).toEqual(["counted in", "documents of", "keys of"].map((what) => `${what} import:${young}`));
    await commitImport(house.app, "notes", { id: young, replace: false });
    expect(await exported()).toEqual([
      { _id: "kept", n: 1 },
      { _id: "young", n: 1 },
    ]);
  });

  it("many documents are moved and removed part by part, and none is left", async () => {
    await put([]);
    const id = await stage(Array.from({ length: 1_000 }, (_, nth) => ({ _id: `p${1_000 + nth}`, n: nth })));
    const [bounds] = await house.db.read([readBounds(`import:${id}`, 300)]);
    const ids = bounds.map((row) => String(row.doc_id));
    expect(ids).toEqual(["p1299", "p1599", "p1899"]);
    await house.db.flight({ statements: moveDocuments(`import:${id}`, "parts", 1, ids) });
    expect(await rows()).toMatchObject({ "documents of parts": 1_000, "keys of parts": 2_000 });
    await house.db.flight({ statements: removeAllDocuments("parts", ids) });
    expect(Object.keys(await rows()).filter((name) => /parts|import/.test(name))).toEqual([]);
  });

  it("neither an import's own name nor an unknown collection is exported", async () => {
    const id = await stage([{ _id: "secret" }]);
    await expect(exportPage(house.app, `import:${id}`)).rejects.toMatchObject({ code: "COLLECTION_UNKNOWN" });
    await expect(exportPage(house.app, "none")).rejects.toMatchObject({ code: "COLLECTION_UNKNOWN" });
  });
});
