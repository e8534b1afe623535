/** Documents in the database: reads, writes, permissions, limits, on every engine. */

import { insertSession, insertUser } from "../../db/sessions.ts";
import { raw, sql } from "../../db/sql.ts";
import { readHeads } from "../../db/streams.ts";
import {
  CollectionFull,
  CollectionUnknown,
  DocumentExists,
  Forbidden,
  InvalidInput,
  OwnerFull,
  TooManyDocuments,
  TransactionUnknown,
} from "../../shared/errors.ts";
import type { Caller } from "../../shared/live/caller.ts";
import { readCommits } from "../../shared/live/changes.ts";
import { aggregateDocuments, countDocuments, getDocuments } from "../../shared/live/read_documents.ts";
import { commitTransaction, startTransaction } from "../../shared/live/transactions.ts";
import type { Fields } from "../../shared/live/value.ts";
import { addDocuments, removeDocuments, updateDocuments } from "../../shared/live/write_documents.ts";
import { trim } from "../../shared/shop/sweep.ts";
import { onEveryEngine } from "../_engines.ts";
import { admin, me, nobody, openShelf, type Shelf, someone, you } from "./_collections.ts";

const declaration = `
notes: { permission: PRIVATE, indexes: [n, tags, author.id] }
posts: { permission: READONLY, indexes: [film] }
news: { permission: ADMINWRITE }
secrets: { permission: ADMINONLY }
tiny: { permission: READONLY, limits: { documents: 3, documentBytes: 200 } }
shared: { permission: READONLY, limits: { documentsOfOne: 2 } }
rooms: { rules: { read: true, write: "auth.uid in doc.members" } }
messages:
  rules:
    read: "auth.uid in get(\`database.rooms.\${doc.room}\`).members"
    create: "auth.uid in get(\`database.rooms.\${doc.room}\`).members && request.data.text != null"
    update: "doc._openid == auth.uid && request.data.stars <= 5"
    delete: "doc._openid == auth.uid"
`;

onEveryEngine((engine) => {
  let shelf: Shelf;
  beforeAll(async () => {
    shelf = await openShelf(engine, declaration);
  });
  afterAll(() => shelf.close());

  const add = (name: string, data: object | object[], caller: Caller = me) =>
    addDocuments(shelf.app, caller, name, Array.isArray(data) ? data : [data]);
  const get = async (name: string, query: object = {}, caller: Caller = me, more: object = {}) =>
    (await getDocuments(shelf.app, caller, name, { query, ...more })).documents;
  const update = (name: string, query: object, data: object, more: object = {}, caller: Caller = me) =>
    updateDocuments(shelf.app, caller, name, { query, data, multi: true, upsert: false, replace: false, ...more });
  const remove = (name: string, query: object, caller: Caller = me, multi = true) =>
    removeDocuments(shelf.app, caller, name, { query, multi });
  const ids = (documents: readonly Fields[]) => documents.map(({ _id }) => _id);

  it("nobody fills a collection for all others: not by adding, by an upsert, or in a transaction", async () => {
    await add("shared", [{ _id: "s1" }, { _id: "s2" }]);
    await expect(add("shared", {})).rejects.toThrow(OwnerFull);
    await expect(update("shared", { _id: "s3" }, { a: 1 }, { multi: false, upsert: true })).rejects.toThrow(OwnerFull);
    const transaction = await startTransaction(shelf.app, me);
    await addDocuments(shelf.app, me, "shared", [{}], undefined, transaction);
    await expect(commitTransaction(shelf.app, me, transaction)).rejects.toThrow(OwnerFull);
    // Others go on, an administrator too; and whoever removes one may add one.
    expect(await add("shared", [{}, {}], you)).toHaveLength(2);
    expect(await add("shared", [{}, {}, {}], admin)).toHaveLength(3);
    expect(await update("shared", { _id: "s1" }, { $set: { a: 1 } })).toMatchObject({ updated: 1 });
    await remove("shared", { _id: "s1" });
    expect(await add("shared", {})).toHaveLength(1);
    expect(await countDocuments(shelf.app, nobody, "shared", {})).toBe(7);
  });

  it("a refusal by rules does not tell what stands in another's document", async () => {
    await add("rooms", { _id: "oracle", members: ["me"] }, admin);
    await add("messages", { _id: "mine", room: "oracle", text: "42", stars: 1 });
    for (const text of ["42", "43"])
      for (const multi of [true, false]) {
        const query = { _id: "mine", text };
        await expect(update("messages", query, { $set: { stars: 2 } }, { multi }, you)).rejects.toThrow(Forbidden);
        await expect(remove("messages", query, you, multi)).rejects.toThrow(Forbidden);
      }
    // To whom it belongs it is an ordinary condition.
    expect(await update("messages", { _id: "mine", text: "43" }, { $set: { stars: 2 } })).toMatchObject({ matched: 0 });
    expect(await remove("messages", { _id: "mine", text: "43" })).toBe(0);
    expect(await remove("messages", { _id: "mine", text: "42" })).toBe(1);
    expect(await remove("messages", { _id: "mine", text: "42" }, you)).toBe(0);
  });

  it("a document is added, read, changed, replaced and removed", async () => {
    const at = new Date(1_700_000_000_000);
    const [id] = await add("notes", { _id: "a1", n: 1, 文: "面", at: { $date: at.getTime() }, list: [1, { x: null }] });
    expect(id).toBe("a1");
    expect(await get("notes", { n: 1 })).toEqual([
      { _id: "a1", _openid: "me", n: 1, 文: "面", at, list: [1, { x: null }] },
    ]);
    expect(await update("notes", { _id: "a1" }, { $inc: { n: 2 }, $push: { list: "面" }, $unset: { at: "" } })).toEqual(
      {
        matched: 1,
        updated: 1,
      },
    );
    expect(await get("notes", { n: 3 })).toEqual([
      { _id: "a1", _openid: "me", n: 3, 文: "面", list: [1, { x: null }, "面"] },
    ]);
    expect(await get("notes", { n: 1 })).toEqual([]);
    expect(await update("notes", { _id: "a1" }, { $set: { n: 3 } })).toEqual({ matched: 1, updated: 0 });
    expect(await update("notes", { _id: "a1" }, { other: true }, { multi: false })).toEqual({ matched: 1, updated: 1 });
    expect(await get("notes")).toEqual([{ _id: "a1", _openid: "me", other: true }]);
    expect(await remove("notes", { _id: "a1" })).toBe(1);
    expect(await remove("notes", { _id: "a1" })).toBe(0);
    expect(await get("notes")).toEqual([]);
  });

  it("several documents are added all or none, and ids are given where there are none", async () => {
    const made = await add("posts", [{ n: 1 }, { _id: "p2", n: 2 }]);
    expect(made[0]).toMatch(/^[0-9A-Z]{26}$/);
    expect(made[1]).toBe("p2");
    await expect(add("posts", [{ n: 3 }, { _id: "p2" }])).rejects.toThrow(DocumentExists);
    await expect(add("posts", [{ _id: "x" }, { _id: "x" }])).rejects.toThrow(InvalidInput);
    for (const _id of ["", "a b", "面", "x".repeat(65), 1, {}, "a\n"])
      await expect(add("posts", { _id })).rejects.toThrow(InvalidInput);
    await expect(add("posts", [])).rejects.toThrow(InvalidInput);
    await expect(add("posts", [{}, { $a: 1 }])).rejects.toThrow(InvalidInput);
    await expect(add("posts", [{}, 1 as never])).rejects.toThrow(InvalidInput);
    expect(await countDocuments(shelf.app, me, "posts", {})).toBe(2);
    await remove("posts", {});
  });

  it("collections that were not declared, and orderbell's own, are not written to", async () => {
    for (const name of ["other", "__proto__", "", "x".repeat(2_000)]) {
      await expect(add(name, {})).rejects.toThrow(CollectionUnknown);
      await expect(get(name)).rejects.toThrow(CollectionUnknown);
    }
    await expect(add("orders", {})).rejects.toThrow(Forbidden);
    await expect(update("shops", {}, { $set: { a: 1 } })).rejects.toThrow(Forbidden);
    await expect(remove("menus", {})).rejects.toThrow(Forbidden);
    expect(await get("shops", {}, nobody)).toEqual([]);
  });

  it("presets hold for each write, whoever asks for whatever", async () => {
    await add("posts", { _id: "mine" });
    await add("posts", { _id: "yours" }, you);
    await add("posts", { _id: "none" }, admin);
    expect(ids(await get("posts", {}, nobody))).toEqual(["mine", "none", "yours"]);
    expect((await get("posts", { _id: "none" }, nobody))[0]).toEqual({ _id: "none" });
    expect(await update("posts", {}, { $set: { a: 1 } })).toEqual({ matched: 1, updated: 1 });
    expect(await update("posts", { _id: "yours" }, { $set: { a: 1 } })).toEqual({ matched: 0, updated: 0 });
    expect(await remove("posts", { _id: { $in: ["yours", "none"] } })).toBe(0);
    await expect(update("posts", { _id: "yours" }, { a: 2 }, { multi: false, upsert: true })).rejects.toThrow(
      Forbidden,
    );
    for (const caller of [nobody]) {
      await expect(add("posts", {}, caller)).rejects.toThrow(Forbidden);
      await expect(update("posts", {}, { $set: { a: 1 } }, {}, caller)).rejects.toThrow(Forbidden);
      await expect(remove("posts", {}, caller)).rejects.toThrow(Forbidden);
      await expect(get("notes", {}, caller)).rejects.toThrow(Forbidden);
    }
    for (const name of ["news", "secrets"]) {
      await expect(add(name, {})).rejects.toThrow(Forbidden);
      await expect(update(name, {}, { $set: { a: 1 } })).rejects.toThrow(Forbidden);
      await expect(update(name, { _id: "x" }, { a: 1 }, { multi: false, upsert: true })).rejects.toThrow(Forbidden);
      await expect(remove(name, {})).rejects.toThrow(Forbidden);
      await add(name, { _id: "by-admin" }, admin);
    }
    expect(ids(await get("news", {}, nobody))).toEqual(["by-admin"]);
    await expect(get("secrets")).rejects.toThrow(Forbidden);
    await expect(countDocuments(shelf.app, me, "secrets", {})).rejects.toThrow(Forbidden);
    await expect(aggregateDocuments(shelf.app, me, "secrets", [])).rejects.toThrow(Forbidden);
    await expect(add("posts", { _openid: "you" })).rejects.toThrow(InvalidInput);
    await expect(update("posts", {}, { $set: { _openid: "you" } })).rejects.toThrow(InvalidInput);
    await add("posts", { _id: "given", _openid: "you" }, admin);
    expect(await remove("posts", { _id: "given" }, you)).toBe(1);
    expect(await remove("posts", {}, admin)).toBe(3);
  });

  it("rules hold for each document, with what they read of others", async () => {
    await add(
      "rooms",
      [
        { _id: "r1", members: ["me"] },
        { _id: "r2", members: ["you"] },
      ],
      admin,
    );
    await add("messages", { _id: "m1", room: "r1", text: "hi", stars: 1 });
    await expect(add("messages", { room: "r2", text: "hi" })).rejects.toThrow(Forbidden);
    await expect(add("messages", { room: "none", text: "hi" })).rejects.toThrow(Forbidden);
    await expect(add("messages", { room: "r1" })).rejects.toThrow(Forbidden);
    await expect(
      add("messages", [
        { room: "r1", text: "a" },
        { room: "r2", text: "b" },
      ]),
    ).rejects.toThrow(Forbidden);
    await add("messages", { _id: "m2", room: "r2", text: "hi" }, you);
    expect(ids(await get("messages", { room: "r1" }))).toEqual(["m1"]);
    await expect(get("messages", { room: "r2" })).rejects.toThrow(Forbidden);
    await expect(get("messages")).rejects.toThrow(Forbidden);
    expect(ids(await get("messages", { _id: { $in: ["m1", "m2"] } }))).toEqual(["m1"]);
    expect(await countDocuments(shelf.app, me, "messages", { _id: { $in: ["m1", "m2"] } })).toBe(1);
    expect(await update("messages", { _id: "m1" }, { $inc: { stars: 4 } })).toEqual({ matched: 1, updated: 1 });
    await expect(update("messages", { _id: "m1" }, { $inc: { stars: 1 } })).rejects.toThrow(Forbidden);
    await expect(update("messages", { _id: "m2" }, { $set: { stars: 1 } })).rejects.toThrow(Forbidden);
    await expect(remove("messages", { _id: "m2" })).rejects.toThrow(Forbidden);
    await expect(update("messages", { _id: "m2" }, { $inc: { text: 1 } })).rejects.toThrow(Forbidden);
    await expect(update("messages", { _id: "m1" }, { $inc: { text: 1 } })).rejects.toThrow(Forbidden);
    // Many documents, each with a room of its own: all that the rule reads is read at once.
    const rooms = Array.from({ length: 60 }, (_, n) => ({ _id: `own${n}`, members: n === 59 ? ["you"] : ["me"] }));
    await add("rooms", rooms, admin);
    const texts = rooms.map(({ _id }) => ({ _id: `in-${_id}`, room: _id, text: "x", stars: 0 }));
    await expect(add("messages", texts)).rejects.toThrow(Forbidden);
    await add("messages", texts.slice(0, 59));
    expect(await get("messages", { _id: { $in: texts.map(({ _id }) => _id) } })).toHaveLength(59);
    expect(await remove("messages", { _openid: "me", text: "x" })).toBe(59);
    // Who leaves the room sees nothing any more.
    expect(await update("rooms", { _id: "r1" }, { $pull: { members: "me" } })).toEqual({ matched: 1, updated: 1 });
    expect(await get("messages", { _id: "m1" })).toEqual([]);
    await expect(get("messages", { room: "r1" })).rejects.toThrow(Forbidden);
    expect(await remove("messages", { _openid: "me" })).toBe(1);
    await remove("messages", {}, admin);
  });

  it("an update that finds nothing makes a document of its query, when it is asked to", async () => {
    const upsert = { upsert: true, multi: false };
    const made = await update("notes", { "author.id": "x", n: { $gt: 1 } }, { $set: { a: 1 } }, upsert);
    expect(made).toEqual({ matched: 0, updated: 0, upsertedId: expect.stringMatching(/^[0-9A-Z]{26}$/) });
    expect(await get("notes")).toEqual([{ _id: made.upsertedId, _openid: "me", author: { id: "x" }, a: 1 }]);
    expect(await update("notes", { _id: "set" }, { n: 5 }, upsert)).toEqual({
      matched: 0,
      updated: 0,
      upsertedId: "set",
    });
    expect(await update("notes", { _id: "set" }, { n: 6 }, upsert)).toEqual({ matched: 1, updated: 1 });
    expect(await get("notes", { n: 6 })).toEqual([{ _id: "set", _openid: "me", n: 6 }]);
    await expect(update("notes", { _id: "set", n: 1 }, { $set: { a: 1 } }, upsert)).rejects.toThrow(DocumentExists);
    await expect(update("notes", { _id: "set" }, { n: 6 }, { ...upsert }, you)).rejects.toThrow(Forbidden);
    await expect(update("notes", {}, { n: 6 })).rejects.toThrow(InvalidInput);
    await expect(update("notes", {}, { $set: { n: 6 } }, { replace: true })).rejects.toThrow(InvalidInput);
    await remove("notes", {});
  });

  it("one write changes the first by id, when it is not for all", async () => {
    await add("notes", [
      { _id: "b", n: 1 },
      { _id: "a", n: 1 },
      { _id: "c", n: 1 },
    ]);
    expect(await update("notes", { n: 1 }, { $set: { n: 2 } }, { multi: false })).toEqual({ matched: 1, updated: 1 });
    expect(ids(await get("notes", { n: 2 }))).toEqual(["a"]);
    expect(await remove("notes", { n: 1 }, me, false)).toBe(1);
    expect(ids(await get("notes"))).toEqual(["a", "c"]);
    await remove("notes", {});
  });

  it("limits of a collection and of a write hold", async () => {
    await add("tiny", [{ _id: "1" }, { _id: "2" }]);
    await expect(add("tiny", [{}, {}])).rejects.toThrow(CollectionFull);
    await add("tiny", { _id: "3" });
    await expect(update("tiny", { _id: "4" }, { a: 1 }, { multi: false, upsert: true })).rejects.toThrow(
      CollectionFull,
    );
    expect(await update("tiny", { _id: "1" }, { $set: { a: 1 } })).toEqual({ matched: 1, updated: 1 });
    await expect(update("tiny", {}, { $set: { a: "x".repeat(200) } })).rejects.toThrow(InvalidInput);
    await expect(add("notes", { a: "面".repeat(8_192) })).rejects.toThrow(InvalidInput);
    expect(await remove("tiny", { _id: "1" })).toBe(1);
    await expect(add("tiny", { a: "x".repeat(200) })).rejects.toThrow(InvalidInput);
    expect(await countDocuments(shelf.app, nobody, "tiny", {})).toBe(2);
    await expect(
      add(
        "notes",
        Array.from({ length: 1_001 }, () => ({})),
      ),
    ).rejects.toThrow(TooManyDocuments);
    await remove("tiny", {});
  });

  it("order, skip, limit, projection and aggregation are those of the query", async () => {
    await add(
      "notes",
      Array.from({ length: 12 }, (_, n) => ({ _id: `d${n}`, n: n % 5, tags: [n, "x"] })),
    );
    const page = await getDocuments(shelf.app, me, "notes", {
      query: { n: { $gte: 1 } },
      order: [{ field: "n", direction: "desc" }],
      skip: 1,
      limit: 3,
      projection: { n: 1 },
    });
    expect(page).toEqual({
      documents: [
        { _id: "d9", n: 4 },
        { _id: "d3", n: 3 },
        { _id: "d8", n: 3 },
      ],
      offset: 1,
      limit: 3,
    });
    expect(ids(await get("notes", {}, me, { order: { _id: -1 }, limit: 2 }))).toEqual(["d9", "d8"]);
    expect(ids(await get("notes", { tags: 7 }))).toEqual(["d7"]);
    expect(await countDocuments(shelf.app, me, "notes", { tags: "x", n: 0 })).toBe(3);
    expect(await countDocuments(shelf.app, me, "notes", {})).toBe(12);
    const groups = [
      { $match: { n: { $lt: 2 } } },
      { $group: { _id: "$n", count: { $sum: 1 } } },
      { $sort: { _id: 1 } },
    ];
    expect(await aggregateDocuments(shelf.app, me, "notes", groups)).toEqual([
      { _id: 0, count: 3 },
      { _id: 1, count: 3 },
    ]);
    expect(await aggregateDocuments(shelf.app, you, "notes", groups)).toEqual([]);
    await remove("notes", {});
  });

  it("each write is one commit: one event, and its documents before and after", async () => {
    const head = async () => Number((await shelf.db.read([readHeads(["collection:news"])]))[0][0]?.seq ?? 0);
    const before = await head();
    await add(
      "news",
      [
        { _id: "x", n: 1 },
        { _id: "y", n: 2 },
      ],
      admin,
    );
    await update("news", { _id: { $in: ["x", "y"] } }, { $max: { n: 2 } }, {}, admin);
    await update("news", { _id: "x" }, { $set: { n: 2 } }, {}, admin);
    await remove("news", { _id: "y" }, admin);
    expect(await head()).toBe(before + 3);
    const [x, y] = [
      { _id: "x", n: 1 },
      { _id: "y", n: 2 },
    ];
    expect(await readCommits(shelf.app, "news", before, before + 3)).toEqual([
      {
        seq: before + 1,
        changes: [
          { id: "x", before: undefined, after: x },
          { id: "y", before: undefined, after: y },
        ],
      },
      { seq: before + 2, changes: [{ id: "x", before: x, after: { _id: "x", n: 2 } }] },
      { seq: before + 3, changes: [{ id: "y", before: y, after: undefined }] },
    ]);
    const [events] = await shelf.db.read([
      sql`SELECT type, data FROM events WHERE stream = 'collection:news' AND seq > ${before} ORDER BY seq`,
    ]);
    expect(events).toEqual([2, 1, 1].map((changes) => ({ type: "documents.changed", data: `{"changes":${changes}}` })));
    expect(await readCommits(shelf.app, "news", before + 3, before + 3)).toEqual([]);
    expect(await readCommits(shelf.app, "news", before + 3, before + 4)).toBeUndefined();
    await shelf.db.flight({ statements: [sql`DELETE FROM document_changes WHERE seq = ${before + 2}`] });
    expect(await readCommits(shelf.app, "news", before, before + 3)).toBeUndefined();
    expect(await readCommits(shelf.app, "news", before + 2, before + 3)).toHaveLength(1);
  });

  it("documents and bytes are counted as they are", async () => {
    const [rows, sums] = await shelf.db.read([
      sql`SELECT name, documents, bytes FROM collections ORDER BY name`,
      sql`SELECT collection, count(*) AS documents, sum(octet_length(data)) AS bytes FROM documents GROUP BY collection ORDER BY collection`,
    ]);
    expect(rows.filter(({ documents }) => documents !== 0)).toEqual(
      sums.map(({ collection, documents, bytes }) => ({ name: collection, documents, bytes: Number(bytes) })),
    );
    expect(rows.filter(({ documents }) => documents === 0).every(({ bytes }) => bytes === 0)).toBe(true);
    const [keys] = await shelf.db.read([
      sql`SELECT count(*) AS lost FROM document_keys k WHERE NOT EXISTS (
        SELECT 1 FROM documents d WHERE d.collection = k.collection AND d.doc_id = k.doc_id)`,
    ]);
    expect(keys[0]?.lost).toBe(0);
  });

  it("the sweep removes old changes and transactions, and no guest who keeps documents", async () => {
    const { app, db, clock } = shelf;
    const now = clock.now();
    const guests = ["has-documents", "has-nothing"];
    for (const id of guests) {
      const more = { user: id, kind: "guest", tokenHash: id, addressHash: null, widerHash: null, at: now };
      await db.flight({
        statements: [insertUser(id, null, now), insertSession({ id, ...more, expiresAt: now + 1e10 })],
      });
    }
    await add("notes", { _id: "kept" }, someone("has-documents"));
    const id = await startTransaction(app, me);
    const count = async (table: string) =>
      Number((await db.read([sql`SELECT count(*) AS n FROM ${raw(table)}`]))[0][0]?.n);
    clock.forward(9 * 60_000);
    await trim(app);
    expect(await count("live_transactions")).toBe(0);
    await expect(commitTransaction(app, me, id)).rejects.toThrow(TransactionUnknown);
    expect(await count("document_changes")).toBeGreaterThan(0);
    clock.forward(2 * 60_000);
    await trim(app);
    expect(await count("document_changes")).toBe(0);
    expect(await count("users")).toBe(2);
    clock.forward(3 * 24 * 3_600_000);
    await trim(app);
    const [users, sessions] = await db.read([sql`SELECT id FROM users`, sql`SELECT id FROM sessions`]);
    expect([users, sessions]).toEqual([[{ id: "has-documents" }], [{ id: "has-documents" }]]);
    expect(await get("notes", {}, someone("has-documents"))).toHaveLength(1);
  });
});
