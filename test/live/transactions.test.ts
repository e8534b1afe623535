/** Transactions: what they read stays as it was, or they end in a conflict; what they write is there at once or not at all. */

import { readHeads } from "../../db/streams.ts";
import {
  CollectionFull,
  Forbidden,
  SessionMissing,
  TransactionConflict,
  TransactionUnknown,
} from "../../shared/errors.ts";
import type { Caller } from "../../shared/live/caller.ts";
import { readCommits } from "../../shared/live/changes.ts";
import { getDocuments } from "../../shared/live/read_documents.ts";
import { abortTransaction, commitTransaction, startTransaction } from "../../shared/live/transactions.ts";
import { addDocuments, removeDocuments, updateDocuments } from "../../shared/live/write_documents.ts";
import { onEveryDialect } from "../_engines.ts";
import { admin, me, nobody, openShelf, type Shelf, you } from "./_collections.ts";

const declaration = `
accounts: { permission: READONLY, indexes: [sum] }
log: { permission: READONLY, limits: { documents: 4 } }
rooms: { permission: ADMINWRITE }
messages: { rules: { read: true, create: "auth.uid in get(\`database.rooms.\${doc.room}\`).members" } }
`;

onEveryDialect((engine) => {
  let shelf: Shelf;
  beforeAll(async () => {
    shelf = await openShelf(engine, declaration);
  });
  afterAll(() => shelf.close());

  let transaction: string | undefined;
  beforeEach(async () => {
    transaction = undefined;
    for (const name of ["accounts", "log", "rooms", "messages"])
      await removeDocuments(shelf.app, admin, name, { query: {}, multi: true });
    await addDocuments(shelf.app, me, "accounts", [
      { _id: "a", sum: 10 },
      { _id: "b", sum: 0 },
    ]);
  });

  const start = async (caller: Caller = me) => (transaction = await startTransaction(shelf.app, caller));
  const commit = (caller: Caller = me, id = transaction ?? "") => commitTransaction(shelf.app, caller, id);
  const sums = async (id?: string, query: object = {}) =>
    Object.fromEntries(
      (await getDocuments(shelf.app, me, "accounts", { query }, id)).documents.map(({ _id, sum }) => [_id, sum]),
    );
  /** @param id null: outside of a transaction */
  const inc = (_id: string, by: number, id: string | null | undefined = transaction) =>
    updateDocuments(shelf.app, me, "accounts", {
      query: { _id },
      data: { $inc: { sum: by } },
      multi: false,
      upsert: false,
      replace: false,
      transaction: id ?? undefined,
    });

  it("sees its own writes before they are there for others, and writes them in one commit", async () => {
    const id = await start();
    const [heads] = await shelf.db.read([readHeads(["collection:accounts"])]);
    const before = Number(heads[0]?.seq);
    expect(await inc("a", -3)).toEqual({ matched: 1, updated: 1 });
    await inc("b", 3);
    await inc("b", 1);
    await addDocuments(shelf.app, me, "accounts", [{ _id: "c", sum: 0 }], undefined, id);
    await addDocuments(shelf.app, me, "log", [{ _id: "l1" }], undefined, id);
    expect(await sums(id)).toEqual({ a: 7, b: 4, c: 0 });
    expect(await sums(id, { sum: { $gt: 5 } })).toEqual({ a: 7 });
    expect(await sums()).toEqual({ a: 10, b: 0 });
    expect(
      await removeDocuments(shelf.app, me, "accounts", { query: { _id: "c" }, multi: false, transaction: id }),
    ).toBe(1);
    await commit();
    expect(await sums()).toEqual({ a: 7, b: 4 });
    const commits = await readCommits(shelf.app, "accounts", before, before + 1);
    expect(commits?.[0]?.changes.map(({ id: doc }) => doc).toSorted()).toEqual(["a", "b"]);
    await expect(commit()).rejects.toThrow(TransactionUnknown);
    await expect(inc("a", 1)).rejects.toThrow(TransactionUnknown);
  });

  it("of two that read and write one document, the second to commit is refused", async () => {
    const first = await startTransaction(shelf.app, me);
    const second = await startTransaction(shelf.app, me);
    await inc("a", 1, first);
    await inc("a", 5, second);
    await commit(me, first);
    await expect(commit(me, second)).rejects.toThrow(TransactionConflict);
    await expect(commit(me, second)).rejects.toMatchObject({ code: "DATABASE_TRANSACTION_CONFLICT", status: 409 });
    await abortTransaction(shelf.app, me, second);
    expect(await sums()).toEqual({ a: 11, b: 0 });
  });

  it.each<[string, () => Promise<unknown>]>([
    ["a document that it read was changed", () => inc("a", 1, null)],
    [
      "a document that it read was removed and made again",
      async () => {
        await removeDocuments(shelf.app, me, "accounts", { query: { _id: "a" }, multi: false });
        await addDocuments(shelf.app, me, "accounts", [{ _id: "a", sum: 10 }]);
      },
    ],
    ["a document that it missed is there", () => addDocuments(shelf.app, you, "accounts", [{ _id: "none" }])],
  ])("is refused when %s", async (_, meanwhile) => {
    const id = await start();
    await sums(id, { _id: { $in: ["a", "none"] } });
    await addDocuments(shelf.app, me, "log", [{ _id: "l" }], undefined, id);
    await meanwhile();
    await expect(commit()).rejects.toThrow(TransactionConflict);
    expect((await getDocuments(shelf.app, me, "log", {})).documents).toEqual([]);
  });

  it("is refused at the next look, when what it had read is another by then", async () => {
    const id = await start();
    await sums(id, { _id: "a" });
    await inc("a", 1, null);
    await expect(sums(id, { _id: "a" })).rejects.toThrow(TransactionConflict);
    await expect(inc("a", 1)).rejects.toThrow(TransactionConflict);
  });

  it("that asked a query is refused by any commit of the collection, and by no other", async () => {
    for (const [name, isRefused] of [
      ["accounts", true],
      ["log", false],
    ] as const) {
      const id = await start();
      await sums(id, { sum: { $gt: 5 } });
      await addDocuments(shelf.app, you, name, [{ sum: 1 }]);
      const done = commit().then(
        () => false,
        (error) => error instanceof TransactionConflict,
      );
      expect(await done).toBe(isRefused);
    }
  });

  it("holds the permissions of each write, and what they depend on", async () => {
    await addDocuments(shelf.app, admin, "rooms", [{ _id: "r", members: ["me"] }]);
    const id = await start();
    await expect(addDocuments(shelf.app, me, "rooms", [{}], undefined, id)).rejects.toThrow(Forbidden);
    await expect(addDocuments(shelf.app, me, "messages", [{ room: "none" }], undefined, id)).rejects.toThrow(Forbidden);
    await addDocuments(shelf.app, me, "messages", [{ room: "r" }], undefined, id);
    await updateDocuments(shelf.app, admin, "rooms", {
      query: { _id: "r" },
      data: { $set: { members: [] } },
      multi: false,
      upsert: false,
      replace: false,
    });
    await expect(commit()).rejects.toThrow(TransactionConflict);
  });

  it("writes nothing at all when a limit forbids one of its writes", async () => {
    const id = await start();
    await inc("a", 1);
    await addDocuments(shelf.app, me, "log", [{}, {}, {}, {}, {}], undefined, id);
    await expect(commit()).rejects.toThrow(CollectionFull);
    expect(await sums()).toEqual({ a: 10, b: 0 });
    expect((await getDocuments(shelf.app, me, "log", {})).documents).toEqual([]);
  });

  it("is one's own, ends after 30 seconds, and needs a session or a key", async () => {
    const id = await start();
    for (const other of [id.replace(/.$/, "!"), "", "x".repeat(26), "' OR 1=1"])
      await expect(commit(me, other)).rejects.toThrow(TransactionUnknown);
    await expect(commit(you, id)).rejects.toThrow(TransactionUnknown);
    await expect(abortTransaction(shelf.app, you, id)).rejects.toThrow(TransactionUnknown);
    await expect(startTransaction(shelf.app, nobody)).rejects.toThrow(SessionMissing);
    await inc("a", 1);
    shelf.clock.forward(31_000);
    await expect(commit()).rejects.toThrow(TransactionUnknown);
    const open = [];
    for (let count = 0; count < 20; count++) open.push(await startTransaction(shelf.app, you));
    await expect(startTransaction(shelf.app, you)).rejects.toThrow("too many requests");
    for (const one of open) await abortTransaction(shelf.app, you, one);
    await expect(abortTransaction(shelf.app, you, String(open[0]))).rejects.toThrow(TransactionUnknown);
  });

  it("keeps every write of requests that run at once", async () => {
    const id = await start();
    await Promise.all(Array.from({ length: 5 }, () => inc("a", 1)));
    await commit(me, id);
    expect(await sums()).toEqual({ a: 15, b: 0 });
  });

  it("repeated on conflicts, many at once lose no change", async () => {
    const add = (_id: string, by: number, id: string) =>
      updateDocuments(shelf.app, admin, "accounts", {
        query: { _id },
        data: { $inc: { sum: by } },
        multi: false,
        upsert: false,
        replace: false,
        transaction: id,
      });
    let conflicts = 0;
    const transfer = async (from: string, to: string): Promise<void> => {
      for (;;) {
        const id = await startTransaction(shelf.app, admin);
        try {
          await add(from, -1, id);
          await add(to, 1, id);
          return await commitTransaction(shelf.app, admin, id);
        } catch (error) {
          if (!(error instanceof TransactionConflict)) throw error;
          conflicts++;
          await abortTransaction(shelf.app, admin, id);
        }
      }
    };
    const pairs = Array.from({ length: 12 }, (_, n): [string, string] => (n % 3 === 0 ? ["b", "a"] : ["a", "b"]));
    await Promise.all(pairs.map(([from, to]) => transfer(from, to)));
    expect(await sums()).toEqual({ a: 6, b: 4 });
    expect(conflicts).toBeGreaterThan(0);
  });
});
