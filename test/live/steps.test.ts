/** A query costs bounded time, whatever is in it and in the documents: lists in documents and tests in a query multiply. */
import { compileMatch } from "../../shared/live/match.ts";
import { matchingOf } from "../../shared/live/matching_of.ts";
import { parseQuery } from "../../shared/live/query.ts";
import { Steps } from "../../shared/live/steps.ts";

const list = Array.from({ length: 4_000 }, (_, n) => n);
const document = { _id: "1", list, text: "ab".repeat(11_000) };
const many = (make: (nth: number) => object) => ({ $or: Array.from({ length: 150 }, (_, nth) => make(nth)) });
const map = { $map: { input: "$list", in: { $add: ["$$this", 1] } } };

it.each([
  ["$elemMatch", many((n) => ({ list: { $elemMatch: { $gt: 4_000 + n } } }))],
  ["$mod", many((n) => ({ list: { $mod: [10_000, 9_000 + n] } }))],
  ["$in", many((n) => ({ list: { $in: [-n - 1, "x"] } }))],
  ["$expr", many((n) => ({ $expr: { $gte: [{ $max: map }, 4_001 + n] } }))],
  ["paths through lists", many((n) => ({ "deep.n": 10_000 + n }))],
])("many %s on long lists are refused instead of taking minutes", (_, query) => {
  const match = compileMatch(parseQuery(query, { now: 0 }));
  const deep = list.map((n) => ({ n }));
  expect(() => match({ ...document, deep })).toThrow("steps");
  // And what is not too much is answered.
  expect(match({ _id: "2", list: [4_000, 9_000, -1], deep: [{ n: 10_000 }] })).toBe(true);
});

it("one test of a document's longest list, and a pattern on its longest text, are not too much", () => {
  const longest = Array.from({ length: 12_000 }, () => 1);
  for (const query of [{ list: { $all: [1, 1, 1] } }, { list: { $elemMatch: { $gt: 0 } } }, { text: { $regex: "c$" } }])
    expect(typeof compileMatch(parseQuery(query, { now: 0 }))({ ...document, list: longest })).toBe("boolean");
});

it("a page of documents lets others have the processor, and a read has a total", async () => {
  const steps = new Steps(10 * 4_001 * 50);
  const match = compileMatch(parseQuery({ list: { $elemMatch: { $lt: 0 } } }, { now: 0 }), steps);
  const page = Array.from({ length: 100 }, () => ({ document }));
  let turns = 0;
  let isOver = false;
  const others = () => {
    turns += 1;
    if (!isOver) setImmediate(others);
  };
  setImmediate(others);
  expect(await matchingOf(page, match, steps)).toEqual([]);
  expect(turns).toBeGreaterThan(10);
  await expect(
    (async () => {
      for (;;) await matchingOf(page, match, steps);
    })(),
  ).rejects.toThrow("steps");
  isOver = true;
});
