/** Values of the wire, selections: order, pages, projections. */
import fc from "fast-check";
import { InvalidInput } from "../../shared/errors.ts";
import { maxDocumentBytes, maxDocumentDepth, maxLimit } from "../../shared/live/limits.ts";
import { count, parseSelection, type SelectionInput, select } from "../../shared/live/select.ts";
import type { Document } from "../../shared/live/value.ts";
import { decode, decodeFields, decodeStored, encode } from "../../shared/live/wire_value.ts";
import { context, document, now, query, value } from "./_arbitrary.ts";

describe("a value", () => {
  it("is stored and read again as it was", () => {
    fc.assert(
      fc.property(value, (one) => {
        expect(decodeStored(JSON.parse(JSON.stringify(encode(one))))).toEqual(one);
        expect(decode(encode(one), now)).toEqual(one);
      }),
    );
  });

  it.each<[input: unknown, expected: unknown]>([
    [{ $date: 7 }, new Date(7)],
    [{ $date: { $numberInt: "7" } }, new Date(7)],
    [{ $date: { $numberLong: "7" } }, new Date(7)],
    [{ $date: { offset: 1000 } }, new Date(now + 1000)],
    [{ $date: { offset: { $numberInt: "-1000" } } }, new Date(now - 1000)],
    [{ $date: "1970-01-01T00:00:00.007Z" }, new Date(7)],
    [{ $numberInt: "5" }, 5],
    [{ $numberLong: "-5" }, -5],
    [{ $numberDouble: "2.5" }, 2.5],
    [{ $numberDouble: "1e3" }, 1000],
    [{ $oid: "0123" }, "0123"],
    [-0, 0],
    [{ a: [{ $date: 7 }] }, { a: [new Date(7)] }],
  ])("%j is %j", (input, expected) => {
    expect(decode(input, now)).toEqual(expected);
  });

  it.each<[message: string, input: unknown]>([
    ["$date holds", { $date: null }],
    ["$date holds", { $date: { offset: { toString: [] } } }],
    ["$date is no date", { $date: 1e300 }],
    ["not exact", { $numberLong: "9007199254740993" }],
    ["a number as text", { $numberInt: "1.5" }],
    ["a number as text", { $numberDouble: "NaN" }],
    ["finite", { $numberDouble: "1e999" }],
    ["not supported", { $timestamp: {} }],
    ["begin with $", { $foo: 1, b: 2 }],
    ["no dot", { "a.b": 1 }],
    ["empty", { "": 1 }],
    ["reserved", JSON.parse('{"__proto__":1}')],
    ["reserved", { constructor: 1 }],
    ["well-formed", "\0"],
    ["well-formed", "\uD800"],
    ["well-formed", { "a\0": 1 }],
    ["a JSON value", undefined],
  ])("is refused as %j", (message, input) => {
    expect(() => decode(input, now)).toThrow(message);
  });

  it("is refused beyond its depth, and a document beyond its bytes", () => {
    const nested = (depth: number) => Array.from({ length: depth }).reduce<unknown>((inner) => [inner], 1);
    expect(() => decode(nested(maxDocumentDepth), now)).not.toThrow();
    expect(() => decode(nested(maxDocumentDepth + 1), now)).toThrow("nested more than");
    expect(() => decode(nested(100_000), now)).toThrow("nested more than");
    expect(() => decodeFields({ a: "x".repeat(maxDocumentBytes) }, now)).toThrow(`at most ${maxDocumentBytes}`);
    expect(() => decodeFields({ a: "面".repeat(maxDocumentBytes / 2) }, now)).toThrow(InvalidInput);
    expect(() => decodeFields([], now)).toThrow("an object");
  });
});

const documents: readonly Document[] = [
  { _id: "1", n: 3, t: "x", o: { k: 1, l: 2 }, tags: [5, 1], list: [{ a: 1, b: 1 }, { a: 2 }] },
  { _id: "2", n: 1, t: "y", o: { k: 2 }, tags: [3] },
  { _id: "3", n: 2, t: "x" },
  { _id: "4", n: 2, t: "y", tags: [] },
];
const selected = (input: SelectionInput) => select(documents, parseSelection(input, context));
const ids = (input: SelectionInput) => selected(input).map(({ _id }) => _id);

describe("a selection", () => {
  it.each<[input: SelectionInput, expected: readonly string[]]>([
    [{}, ["1", "2", "3", "4"]],
    [{ order: [{ field: "n", direction: "asc" }] }, ["2", "3", "4", "1"]],
    [{ order: { n: "desc" } }, ["1", "3", "4", "2"]],
    [{ order: { t: "asc", n: "desc" } }, ["1", "3", "4", "2"]],
    [{ order: { "o.k": "desc" } }, ["2", "1", "3", "4"]],
    [{ order: { tags: "asc" } }, ["3", "4", "1", "2"]],
    [{ order: { tags: "desc" } }, ["1", "2", "3", "4"]],
    [{ order: { n: 1 }, skip: 1, limit: 2 }, ["3", "4"]],
    [{ order: { n: 1 }, skip: "1", limit: "2" }, ["3", "4"]],
    [{ query: { n: { $gt: 1 } }, limit: 1 }, ["1"]],
  ])("%j gives %j", (input, expected) => {
    expect(ids(input)).toEqual(expected);
  });

  it.each<[projection: unknown, expected: unknown]>([
    [{ n: true }, { _id: "1", n: 3 }],
    [{ n: 1, _id: 0 }, { n: 3 }],
    [{ n: { $numberInt: "1" } }, { _id: "1", n: 3 }],
    [{ "o.k": true }, { _id: "1", o: { k: 1 } }],
    [
      { o: false, tags: false, list: false },
      { _id: "1", n: 3, t: "x" },
    ],
    [
      { "o.k": false, tags: false, list: false },
      { _id: "1", n: 3, t: "x", o: { l: 2 } },
    ],
    [{ "list.a": true }, { _id: "1", list: [{ a: 1 }, { a: 2 }] }],
    [{ _id: true }, { _id: "1" }],
    [
      { n: true, tags: { $slice: 1 } },
      { _id: "1", n: 3, tags: [5] },
    ],
    [
      { n: true, tags: { $slice: [-1, 1] } },
      { _id: "1", n: 3, tags: [1] },
    ],
    [{ list: { $elemMatch: { a: 2 } } }, { _id: "1", list: [{ a: 2 }] }],
    [{ list: { $elemMatch: { a: 9 } } }, { _id: "1" }],
  ])("with the fields %j gives %j", (projection, expected) => {
    expect(selected({ query: { _id: "1" }, projection })).toEqual([expected]);
  });

  it("counts what it would give without a limit", () => {
    fc.assert(
      fc.property(query, fc.uniqueArray(document, { selector: ({ _id }) => _id }), (input, all) => {
        const selection = parseSelection({ query: input, limit: maxLimit }, context);
        expect(count(all, selection.condition)).toBe(select(all, selection).length);
      }),
    );
  });

  it("in pages gives each document once", () => {
    const pages = [0, 1, 2, 3].flatMap((skip) => ids({ order: { t: "asc" }, skip, limit: 1 }));
    expect(pages.toSorted()).toEqual(["1", "2", "3", "4"]);
  });

  it.each<[message: string, input: SelectionInput]>([
    [`from 1 to ${maxLimit}`, { limit: maxLimit + 1 }],
    ["an integer", { limit: 1.5 }],
    ["an integer", { limit: "x" }],
    ["an integer", { skip: -1 }],
    ["asc or desc", { order: { n: "up" } }],
    ["a field and a direction", { order: ["n"] }],
    ["at most 8 fields", { order: Object.fromEntries("abcdefghi".split("").map((name) => [name, 1])) }],
    ["a list or an object", { order: "n" }],
    ["not both", { projection: { a: true, b: false } }],
    ["true or false", { projection: { a: "x" } }],
    ["is not supported", { projection: { a: { $meta: "x" } } }],
    ["a count", { projection: { a: { $slice: "x" } } }],
    ["an object", { projection: [] }],
  ])("is refused as %j", (message, input) => {
    expect(() => parseSelection(input, context)).toThrow(message);
  });
});
