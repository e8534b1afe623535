/** Narrowing: what the database leaves out can never match. */
import fc from "fast-check";
import { keyOf, keysOf } from "../../shared/live/index_key.ts";
import { compileMatch } from "../../shared/live/match.ts";
import { narrow, satisfies } from "../../shared/live/narrow.ts";
import { parseQuery } from "../../shared/live/query.ts";
import { compare, isScalar, type Scalar } from "../../shared/live/value.ts";
import { context, document, query, value } from "./_arbitrary.ts";

const narrowed = (input: unknown, indexes: readonly string[] = []) => narrow(parseQuery(input, context), indexes);

it("narrowing never loses a document that matches", () => {
  let matched = 0;
  fc.assert(
    fc.property(query, fc.array(document, { minLength: 1, maxLength: 12 }), (input, documents) => {
      const condition = parseQuery(input, context);
      const match = compileMatch(condition);
      const narrowed = narrow(condition, ["a", "b", "a.b", "b.c", "a.b.c"]);
      for (const one of documents.filter(match)) {
        matched++;
        expect(satisfies(one, narrowed)).toBe(true);
      }
    }),
    { numRuns: 1_000 },
  );
  expect(matched).toBeGreaterThan(300);
});

it("the keys of values have their order, as far as the beginning of a text says it", () => {
  const texts = fc.string({ unit: "binary", maxLength: 50 });
  const scalars = fc.oneof(
    value.filter((one): one is Scalar => isScalar(one)),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.integer(),
    texts,
    fc.date({ noInvalidDate: true }),
  );
  fc.assert(
    fc.property(scalars, scalars, (a, b) => {
      if (keyOf(a).charAt(0) !== keyOf(b).charAt(0)) return;
      const order = compare(a, b);
      if (order < 0) expect(keyOf(a) <= keyOf(b)).toBe(true);
      if (order === 0) expect(keyOf(a)).toBe(keyOf(b));
      expect(keyOf(a)).toMatch(/^[ -~]{1,161}$/);
    }),
    { numRuns: 700 },
  );
});

it("owner, ids and fields of a conjunction narrow; alternatives, negations and other fields do not", () => {
  expect(narrowed({ _openid: "me", _id: { $in: ["1", "2"] }, a: 1, z: 1 }, ["a"])).toEqual({
    none: false,
    owner: "me",
    ids: ["1", "2"],
    fields: [{ field: "a", keys: [keyOf(1)] }],
  });
  expect(narrowed({ a: { $gt: 1, $lte: 5 } }, ["a"]).fields).toEqual([
    { field: "a", from: keyOf(1), to: "n~" },
    { field: "a", from: "n", to: keyOf(5) },
  ]);
  for (const input of [{}, { $or: [{ a: 1 }, { b: 1 }] }, { a: { $ne: 1 } }, { a: { b: 1 } }, { a: { $regex: "x" } }])
    expect(narrowed(input, ["a"])).toEqual({ none: false, fields: [] });
});

it("a contradiction is known before the database is asked", () => {
  for (const input of [
    { $and: [{ _id: "1" }, { _id: "2" }] },
    { $and: [{ _openid: "me" }, { _openid: "you" }] },
    { _id: { $in: [] } },
    { a: { $in: [] } },
    { a: { $all: [] } },
    { a: { $gt: null } },
  ])
    expect(narrowed(input, ["a"]).none).toBe(true);
  // Documents of the server have no owner.
  expect(narrowed({ _openid: null }).none).toBe(false);
});

it("a list is found by each of its elements, a missing field by null", () => {
  expect(keysOf({ a: [{ b: 1 }, { b: [2, 3] }, {}] }, "a.b").toSorted()).toEqual([1, 2, 3, null].map(keyOf).toSorted());
  expect(keysOf({}, "a.b")).toEqual([keyOf(null)]);
});
