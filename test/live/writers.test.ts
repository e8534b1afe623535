/** Many writers at once: every commit is whole, and sees all that was committed before it. */

import { CollectionFull, DocumentExists, TooManyDocuments } from "../../shared/errors.ts";
import { readCommits } from "../../shared/live/changes.ts";
import { countDocuments, getDocuments } from "../../shared/live/read_documents.ts";
import type { Document } from "../../shared/live/value.ts";
import { addDocuments, removeDocuments, type UpdateAsk, updateDocuments } from "../../shared/live/write_documents.ts";
import { onEveryDialect } from "../_engines.ts";
import { admin, me, openShelf, type Shelf } from "./_collections.ts";

const declaration = `
jobs: { permission: READONLY, indexes: [state] }
full: { permission: READONLY, limits: { documents: 5 } }
`;

onEveryDialect((engine) => {
  let shelf: Shelf;
  beforeAll(async () => {
    shelf = await openShelf(engine, declaration);
  });
  afterAll(() => shelf.close());

  const update = (ask: Partial<UpdateAsk>, name = "jobs") =>
    updateDocuments(shelf.app, me, name, { query: {}, data: {}, multi: true, upsert: false, replace: false, ...ask });

  it("increments of one document all count, and of several who make it one does", async () => {
    const one = { query: { _id: "count" }, data: { $inc: { n: 1 } }, multi: false, upsert: true };
    const results = await Promise.all(Array.from({ length: 15 }, () => update(one)));
    expect(results.filter(({ upsertedId }) => upsertedId !== undefined)).toHaveLength(1);
    const { documents } = await getDocuments(shelf.app, me, "jobs", { query: { _id: "count" } });
    expect(documents).toEqual([{ _id: "count", _openid: "me", n: 15 }]);
    const added = await Promise.allSettled(
      Array.from({ length: 5 }, () => addDocuments(shelf.app, me, "jobs", [{ _id: "once" }])),
    );
    const refused = added.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
    expect(refused).toHaveLength(4);
    for (const reason of refused) expect(reason).toBeInstanceOf(DocumentExists);
    await removeDocuments(shelf.app, admin, "jobs", { query: {}, multi: true });
  });

  it("the limit of documents holds for all who add at once", async () => {
    const added = await Promise.allSettled(Array.from({ length: 9 }, () => addDocuments(shelf.app, me, "full", [{}])));
    expect(added.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
    for (const one of added) if (one.status === "rejected") expect(one.reason).toBeInstanceOf(CollectionFull);
    expect(await countDocuments(shelf.app, me, "full", {})).toBe(5);
  });

  it("an update of more documents than are read at once misses none, whatever is added and changed meanwhile", async () => {
    const { app } = shelf;
    const fresh = (from: number, count: number) =>
      Array.from({ length: count }, (_, n) => ({ _id: `j${from + n}`, state: "new" }));
    await addDocuments(app, me, "jobs", fresh(0, 500));
    const adders = [1, 2].map(async (who) => {
      for (let turn = 0; turn < 12; turn++) {
        await addDocuments(app, me, "jobs", fresh(1_000 * who + 3 * turn, 3));
        await update({ query: { _id: `j${turn * 7}` }, data: { $set: { state: "new", again: turn } }, multi: false });
      }
    });
    const workers = [1, 2].map(async (who) => {
      const numbers = [];
      // By the index, and by a condition that no index helps with.
      const query = who === 1 ? { state: "new" } : { state: { $regex: "^new$" } };
      for (let turn = 0; turn < 4; turn++)
        numbers.push((await update({ query, data: { $set: { state: "done", by: `${who}.${turn}` } } })).updated);
      return numbers;
    });
    const numbers = (await Promise.all(workers)).flat();
    await Promise.all(adders);
    expect(Math.max(...numbers)).toBeGreaterThan(200);
    const [{ seq: first = 0 } = {}] = (await readAll(1)) ?? [];
    const state = new Map<string, Document>();
    for (const { seq, changes } of (await readAll(first)) ?? []) {
      for (const { id, before, after } of changes) {
        expect([seq, before]).toEqual([seq, state.get(id)]);
        if (after === undefined) state.delete(id);
        else state.set(id, after);
      }
      // A worker's commit leaves nothing that it was to change.
      const isWorkers = changes.every(({ after }) => after?.state === "done");
      if (isWorkers && changes.length > 0)
        expect([...state.values()].filter((one) => one.state === "new").map(({ _id }) => [seq, _id])).toEqual([]);
    }
    const { documents } = await getDocuments(app, me, "jobs", { query: {}, limit: 1_000 });
    expect(documents).toHaveLength(572);
    expect(new Map(documents.map((one) => [String(one._id), one]))).toEqual(state);
  }, 120_000);

  const readAll = async (from: number) => {
    const [heads] = await shelf.db.read([(await import("../../db/streams.ts")).readHeads(["collection:jobs"])]);
    return readCommits(shelf.app, "jobs", from - 1, Number(heads[0]?.seq));
  };

  it("a write that would change too much changes nothing", async () => {
    await addDocuments(
      shelf.app,
      me,
      "jobs",
      Array.from({ length: 600 }, (_, n) => ({ _id: `m${n}`, state: "more" })),
    );
    await expect(update({ query: {}, data: { $set: { x: 1 } } })).rejects.toThrow(TooManyDocuments);
    await expect(removeDocuments(shelf.app, me, "jobs", { query: {}, multi: true })).rejects.toThrow(TooManyDocuments);
    const large = { $set: { text: "x".repeat(20_000) } };
    await expect(update({ query: { state: "more" }, data: large })).rejects.toThrow(TooManyDocuments);
    expect(await countDocuments(shelf.app, me, "jobs", { $or: [{ x: 1 }, { text: { $exists: true } }] })).toBe(0);
    expect((await update({ query: { _id: { $lt: "m2" } }, data: { $set: { x: 1 } }, multi: false })).updated).toBe(1);
    expect(await removeDocuments(shelf.app, me, "jobs", { query: { state: "more", x: null }, multi: true })).toBe(600);
  }, 60_000);
});
