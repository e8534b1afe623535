/** What the database answers is what the query's definition says of all documents, with indexes and without, also while others write. */
import fc from "fast-check";
import type { Collection } from "../../shared/collection.ts";
import { readCommits } from "../../shared/live/changes.ts";
import { collectionOf } from "../../shared/live/declared.ts";
import { parseQuery } from "../../shared/live/query.ts";
import { authorizeRead, countDocuments, getDocuments, readMatching } from "../../shared/live/read_documents.ts";
import { count, parseSelection, select } from "../../shared/live/select.ts";
import { comparator } from "../../shared/live/sort.ts";
import type { Document } from "../../shared/live/value.ts";
import { encode } from "../../shared/live/wire_value.ts";
import { addDocuments, removeDocuments, updateDocuments } from "../../shared/live/write_documents.ts";
import { onEveryDialect } from "../_engines.ts";
import { context, fields, query } from "./_arbitrary.ts";
import { admin, me, openShelf, type Shelf, you } from "./_collections.ts";

const declaration = `
plain: { permission: READONLY }
indexed: { permission: READONLY, indexes: [a, b, a.b, b.c] }
own: { permission: PRIVATE, indexes: [a, b] }
busy: { permission: READONLY, indexes: [n, kind] }
`;

const order = fc.oneof(
  fc.constant([]),
  fc.array(
    fc.record({ field: fc.constantFrom("a", "b", "a.b", "_id", "c"), direction: fc.constantFrom("asc", "desc") }),
    { minLength: 1, maxLength: 2 },
  ),
);

/** More than a page, and more than are counted before an index is walked over in order. */
const size = 2_600;

onEveryDialect((engine) => {
  let shelf: Shelf;
  let documents: Document[];
  beforeAll(async () => {
    shelf = await openShelf(engine, declaration);
    documents = fc.sample(fc.tuple(fields, fc.constantFrom("me", "you")), size).map(([one, owner], n) => ({
      ...one,
      _id: `d${(n * 7_919) % size}`,
      _openid: owner,
    }));
    for (const name of ["plain", "indexed", "own"])
      for (let at = 0; at < size; at += 900)
        await addDocuments(shelf.app, admin, name, documents.slice(at, at + 900).map(encode));
  }, 120_000);
  afterAll(() => shelf.close());

  it("the answer to any query is the same as over all documents", async () => {
    let found = 0;
    const own = documents.filter(({ _openid }) => _openid === "me");
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(query, query, fc.constantFrom({}, { a: { $gte: 0 } }, { a: null })),
        order,
        fc.constantFrom(0, 0, 3, 700),
        fc.constantFrom(1, 20, 1_000),
        async (query, order, skip, limit) => {
          const input = { query, order, skip, limit };
          const selection = parseSelection(input, context);
          const expected = select(documents, selection);
          found += expected.length;
          const read = async (name: string) => (await getDocuments(shelf.app, me, name, input)).documents;
          expect(await read("plain")).toEqual(expected);
          expect(await read("indexed")).toEqual(expected);
          expect(await read("own")).toEqual(select(own, selection));
          expect(await countDocuments(shelf.app, me, "indexed", query)).toBe(count(documents, selection.condition));
          expect(await countDocuments(shelf.app, me, "own", query)).toBe(count(own, selection.condition));
        },
      ),
      {
        numRuns: 9,
        examples: [
          [{}, [{ field: "a", direction: "desc" }], 3, 20],
          [{ a: { $gte: 0 } }, [], 3, 1_000],
        ],
      },
    );
    // The two examples alone find more.
    expect(found).toBeGreaterThan(20);
  }, 240_000);

  it("a read is exact as of its head, while others write", async () => {
    const { app } = shelf;
    const collection: Collection = collectionOf(app, "busy");
    const kinds = ["x", "y", "z"];
    const newOnes = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, n) => ({ _id: `b${from + n}`, n: (from + n) % 97, kind: kinds[n % 3] }));
    await addDocuments(app, me, "busy", newOnes(0, 900));
    await addDocuments(app, me, "busy", newOnes(900, 1_800));
    let isOver = false;
    const random = fc.sample(fc.nat(), 3_000);
    const next = () => random.pop() ?? 0;
    const writer = async (n: number): Promise<void> => {
      for (let turn = 0; !isOver && turn < 200; turn++) {
        const id = `b${next() % 1_800}`;
        const one = { query: { _id: id }, multi: false };
        if (turn % 5 === 0) await removeDocuments(app, me, "busy", one);
        else {
          const data = { $set: { n: next() % 97, kind: kinds[next() % 3] } };
          await updateDocuments(app, me, "busy", { ...one, data, upsert: n === 0, replace: false });
        }
      }
    };
    const queries = [
      { query: {} },
      { query: { kind: "x" } },
      { query: { n: { $gt: 40 }, kind: { $ne: "y" } } },
      { query: { kind: "z" }, limit: 25, order: [{ field: "n", direction: "desc" }] },
      { query: {}, limit: 30, order: [{ field: "n", direction: "asc" }] },
      { query: {}, limit: 700, order: [{ field: "kind", direction: "desc" }] },
      { query: { n: 5 }, limit: 10 },
    ] as const;
    const readers = queries.map(async ({ query, ...more }) => {
      const results = [];
      for (let turn = 0; turn < 5; turn++) {
        const { order } = parseSelection({ query, ...more }, context);
        const condition = await authorizeRead(app, you, collection, parseQuery(query, context));
        const limit = "limit" in more ? more.limit : undefined;
        const { documents, head } = await readMatching(app, you, collection, condition, { order, limit, most: 5_000 });
        results.push({ query, order, limit, documents, head });
      }
      return results;
    });
    const writers = [0, 1, 2].map(writer);
    const results = (await Promise.all(readers)).flat();
    isOver = true;
    await Promise.all(writers);
    const last = Math.max(...results.map(({ head }) => head.seq));
    const commits = (await readCommits(app, "busy", 2, last)) ?? [];
    expect(commits).toHaveLength(last - 2);
    expect(new Set(results.map(({ head }) => head.seq)).size).toBeGreaterThan(3);
    const state = new Map(
      [...newOnes(0, 900), ...newOnes(900, 1_800)].map((one) => [one._id, { ...one, _openid: "me" } as Document]),
    );
    let at = 0;
    for (const { query, order, limit, documents, head } of results.toSorted((a, b) => a.head.seq - b.head.seq)) {
      for (; (commits[at]?.seq ?? Number.POSITIVE_INFINITY) <= head.seq; at++)
        for (const { id, before, after } of commits[at]?.changes ?? []) {
          expect(before).toEqual(state.get(id));
          if (after === undefined) state.delete(id);
          else state.set(id, after);
        }
      const condition = parseQuery(query, context);
      const expected = select(state.values(), {
        condition,
        order,
        skip: 0,
        limit: limit ?? 5_000,
        project: (document) => document,
      });
      expect(documents.toSorted(comparator(order))).toEqual(expected);
    }
  }, 240_000);
});
