/** Indexes that a declaration adds or drops: reads are right before, while and after the keys are made. */
import { readCollection } from "../../db/documents.ts";
import { sql } from "../../db/sql.ts";
import { ensureIndexes } from "../../shared/live/ensure_indexes.ts";
import { getDocuments } from "../../shared/live/read_documents.ts";
import { addDocuments, removeDocuments, updateDocuments } from "../../shared/live/write_documents.ts";
import { onEveryDialect } from "../_engines.ts";
import { me, openShelf, type Shelf } from "./_collections.ts";

onEveryDialect((engine) => {
  let shelf: Shelf;
  beforeEach(async () => {
    shelf = await openShelf(engine, "notes: { permission: READONLY }");
    for (const from of [0, 250])
      await addDocuments(
        shelf.app,
        me,
        "notes",
        Array.from({ length: 250 }, (_, n) => ({ _id: `d${from + n}`, n: n % 10, kind: `k${n % 3}` })),
      );
  });
  afterEach(() => shelf.close());

  const state = async () => {
    const [[row]] = await shelf.db.read([readCollection("notes")]);
    return { indexed: JSON.parse(String(row?.indexed)), indexing: JSON.parse(String(row?.indexing)).fields };
  };
  const keys = async (field: string) => {
    const [rows] = await shelf.db.read([sql`SELECT count(*) AS keys_of FROM document_keys WHERE field = ${field}`]);
    return Number(rows[0]?.keys_of);
  };

  it("keys of a new field are made for all documents, and those written meanwhile", async () => {
    const app = shelf.declared("notes: { permission: READONLY, indexes: [n, kind] }");
    const found = async (query: object) => {
      const { documents } = await getDocuments(app, me, "notes", { query, limit: 1_000 });
      return documents.length;
    };
    expect(await found({ n: 3 })).toBe(50);
    expect(await keys("n")).toBe(0);
    const made = ensureIndexes(app);
    const writes = (async () => {
      for (let turn = 0; turn < 20; turn++) {
        // By a process that knows nothing of the index, and by one that does.
        await addDocuments(turn % 2 === 0 ? shelf.app : app, me, "notes", [{ _id: `w${turn}`, n: 3, kind: "k9" }]);
        await updateDocuments(shelf.app, me, "notes", {
          query: { _id: `d${turn * 10}` },
          data: { $set: { n: 3 } },
          multi: false,
          upsert: false,
          replace: false,
        });
        expect(await found({ n: 3 })).toBe(50 + 2 * (turn + 1));
      }
      await removeDocuments(shelf.app, me, "notes", { query: { _id: "d3" }, multi: false });
    })();
    await Promise.all([made, writes]);
    await ensureIndexes(app);
    expect(await state()).toEqual({ indexed: ["n", "kind"], indexing: [] });
    expect(await keys("n")).toBe(519);
    expect(await keys("kind")).toBe(519);
    expect(await found({ n: 3 })).toBe(89);
    expect(await found({ kind: "k9" })).toBe(20);
    expect(await found({ n: 3, kind: "k0" })).toBe(
      (await getDocuments(shelf.app, me, "notes", { query: { n: 3, kind: "k0" }, limit: 1_000 })).documents.length,
    );
  });

  it("two processes that start at once, and one that was stopped in between, end with the same", async () => {
    const app = shelf.declared("notes: { permission: READONLY, indexes: [n] }");
    await ensureIndexes(app, -1);
    expect(await state()).toEqual({ indexed: [], indexing: ["n"] });
    await Promise.all([ensureIndexes(app), ensureIndexes(app), ensureIndexes(app)]);
    await ensureIndexes(app);
    expect(await state()).toEqual({ indexed: ["n"], indexing: [] });
    expect(await keys("n")).toBe(500);
  });

  it("a field that is dropped and declared again finds what was written meanwhile", async () => {
    const first = shelf.declared("notes: { permission: READONLY, indexes: [n] }");
    const second = shelf.declared("notes: { permission: READONLY, indexes: [kind] }");
    const found = async (app: typeof first, query: object) =>
      (await getDocuments(app, me, "notes", { query, limit: 1_000 })).documents.length;
    await ensureIndexes(first);
    await ensureIndexes(second);
    expect(await state()).toEqual({ indexed: ["kind"], indexing: [] });
    await updateDocuments(second, me, "notes", {
      query: { n: 1 },
      data: { $set: { n: 2 } },
      multi: true,
      upsert: false,
      replace: false,
    });
    expect([await found(first, { n: 2 }), await found(second, { n: 2 })]).toEqual([100, 100]);
    await ensureIndexes(first);
    expect(await state()).toEqual({ indexed: ["n"], indexing: [] });
    expect([await found(first, { n: 2 }), await found(first, { n: 1 })]).toEqual([100, 0]);
    expect(await keys("n")).toBe(500);
  });
});
