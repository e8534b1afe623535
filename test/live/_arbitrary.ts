/** Generated documents, queries and updates: few names and values, so that they meet. */
import fc from "fast-check";
import type { Document, Fields, Value } from "../../shared/live/value.ts";
import { encode, type Json } from "../../shared/live/wire_value.ts";

export const now = 1_800_000_000_000;
export const context = { now, owner: "me" };

const scalar: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom<Value>(
    null,
    true,
    false,
    0,
    1,
    2,
    3,
    -1,
    2.5,
    "",
    "x",
    "xy",
    "面",
    "a long text of more than forty characters, A",
  ),
  fc.constantFrom("a long text of more than forty characters, B", "\u{1F35C}", "\uFFFD"),
  fc.constantFrom(0, 1, 5).map((ms) => new Date(ms)),
);

export const value: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", maxDepth: 3, withCrossShrink: true },
    scalar,
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom("a", "b", "c"), tie("value"), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value;

export const fields: fc.Arbitrary<Fields> = fc.dictionary(fc.constantFrom("a", "b", "c", "d"), value, {
  maxKeys: 4,
  noNullPrototype: true,
});

export const document: fc.Arbitrary<Document> = fc
  .tuple(fc.constantFrom("1", "2", "3"), fc.constantFrom(undefined, "me", "you"), fields)
  .map(([_id, owner, rest]) => ({ _id, ...(owner === undefined ? {} : { _openid: owner }), ...rest }));

export const path = fc.constantFrom("a", "b", "c", "a.b", "b.c", "a.b.c", "a.0", "b.1.c");

const json: fc.Arbitrary<Json> = value.map(encode);
const scalarJson: fc.Arbitrary<Json> = scalar.map(encode);

const operators: fc.Arbitrary<Json> = fc
  .oneof(
    fc.tuple(fc.constantFrom("$eq", "$ne"), json),
    fc.tuple(fc.constantFrom("$gt", "$gte", "$lt", "$lte"), scalarJson),
    fc.tuple(fc.constantFrom("$in", "$nin", "$all"), fc.array(json, { maxLength: 3 })),
    fc.tuple(fc.constant("$exists"), fc.boolean()),
    fc.tuple(fc.constant("$size"), fc.nat(3)),
    fc.tuple(fc.constant("$mod"), fc.constantFrom([2, 0], [2, 1], [3, -1])),
    fc.tuple(fc.constant("$regex"), fc.constantFrom("x", "^x$", "y|面", "")),
    fc.tuple(fc.constant("$not"), fc.constantFrom<Json>({ $gt: 1 }, { $in: [1, null] }, { $regex: "x" })),
    fc.tuple(
      fc.constant("$elemMatch"),
      fc.constantFrom<Json>({ $gt: 1, $lt: 3 }, { a: 1 }, { "b.c": null }, { $eq: "x" }),
    ),
  )
  .map(([name, one]) => ({ [name]: one }) as Json);

const field: fc.Arbitrary<Json> = fc
  .tuple(
    fc.oneof(path, path, path, fc.constantFrom("_id", "_openid")),
    fc.oneof(
      json,
      operators,
      operators,
      fc.tuple(operators, operators).map(([a, b]) => Object.assign({}, a, b) as Json),
    ),
  )
  .map(([name, one]) => ({ [name]: one }));

export const query: fc.Arbitrary<Json> = fc.letrec<{ query: Json }>((tie) => ({
  query: fc.oneof(
    { depthSize: "small", maxDepth: 3 },
    field,
    fc.tuple(field, field).map(([a, b]) => Object.assign({}, a, b) as Json),
    fc.record({ $and: fc.array(tie("query"), { minLength: 1, maxLength: 3 }) }) as fc.Arbitrary<Json>,
    fc.record({ $or: fc.array(tie("query"), { minLength: 1, maxLength: 3 }) }) as fc.Arbitrary<Json>,
    fc.record({ $nor: fc.array(tie("query"), { minLength: 1, maxLength: 2 }) }) as fc.Arbitrary<Json>,
  ),
})).query;

const by = (name: string, one: fc.Arbitrary<Json>) =>
  fc.tuple(path, one).map(([to, argument]) => ({ [name]: { [to]: argument } }) as Readonly<Record<string, Json>>);
const number = fc.constantFrom<Json>(1, -2, 0.5, 3);

export const update: fc.Arbitrary<Json> = fc
  .array(
    fc.oneof(
      by("$set", json),
      by("$set", json),
      by("$unset", fc.constant("")),
      by("$inc", number),
      by("$mul", number),
      by("$min", json),
      by("$max", json),
      by("$push", json),
      by(
        "$push",
        fc.record({
          $each: fc.array(json, { maxLength: 3 }),
          $position: fc.constantFrom(0, 1, -1),
          $slice: fc.constantFrom(2, -2, 0),
          $sort: fc.constantFrom<Json>(1, -1, { a: 1 }),
        }) as fc.Arbitrary<Json>,
      ),
      by("$addToSet", json),
      by("$addToSet", fc.record({ $each: fc.array(json, { maxLength: 3 }) }) as fc.Arbitrary<Json>),
      by("$pull", fc.oneof(scalarJson, fc.constantFrom<Json>({ $gt: 1 }, { a: 1 }, { $in: ["x", null] }))),
      by("$pullAll", fc.array(json, { maxLength: 3 })),
      by("$pop", fc.constantFrom<Json>(1, -1)),
      by("$bit", fc.constantFrom<Json>({ or: 4 }, { and: 1 }, { xor: 3 })),
      by("$rename", fc.constantFrom<Json>("d", "d.a", "c")),
    ),
    { minLength: 1, maxLength: 3 },
  )
  .map((parts) => {
    const merged: Record<string, Json> = {};
    for (const part of parts)
      for (const [name, one] of Object.entries(part)) merged[name] = Object.assign({}, merged[name], one) as Json;
    return merged;
  });
