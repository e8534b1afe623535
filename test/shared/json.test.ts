/** JSON from outside, and JSON to compare values by. */
import fc from "fast-check";
import { Malformed } from "../../shared/errors.ts";
import { canonical, parseJson } from "../../shared/json.ts";

const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

it("JSON is read as JSON.parse reads it", () => {
  fc.assert(
    fc.property(fc.json({ depthSize: "medium", maxDepth: 8 }), (text) => {
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

it.each(["", " ", "{", "nothing", "{'a':1}", '{"a":1,}', "[1] 2", "NaN", '"\n"'])("JSON of %j is refused", (text) => {
  expect(() => parseJson(text)).toThrow(Malformed);
  expect(() => parseJson(text)).toThrow("the text is not JSON");
});

it("JSON with half characters is refused", () => {
  expect(() => parseJson('"\uD83C"')).toThrow("the text is not well-formed");
  expect(parseJson('"🍜"')).toBe("🍜");
});

it("JSON of 32 levels is read and of 33 refused, however many brackets", () => {
  expect(parseJson(nested(32))).toEqual(JSON.parse(nested(32)));
  for (const depth of [33, 1_000, 200_000]) expect(() => parseJson(nested(depth))).toThrow("nested more than 32 deep");
  expect(() => parseJson(`${'{"a":'.repeat(33)}1${"}".repeat(33)}`)).toThrow("nested more than 32 deep");
  expect(() => parseJson("[".repeat(100_000))).toThrow(Malformed);
});

it("JSON's brackets in texts do not count as levels", () => {
  for (const text of [nested(100), `${nested(100)}\\`, `"${nested(100)}`, `\\"${nested(40)}\\`])
    expect(parseJson(JSON.stringify({ text }))).toEqual({ text });
  // A quote that is escaped does not end the text.
  expect(() => parseJson(`["\\\\", ${nested(33)}]`)).toThrow("nested more than 32 deep");
});

it("JSON's names of Object.prototype become own members", () => {
  const parsed = parseJson('{"__proto__":{"polluted":true},"constructor":1}') as object;
  expect(Object.keys(parsed)).toEqual(["__proto__", "constructor"]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

it.each([
  '{"a":1,"a":1}',
  '{"a":{"b":1,"\\u0062":2}}',
  '[{"1":1,"1":2}]',
  '{"__proto__":1,"__proto__":2}',
  '{"a":{"x":1},"a":{"x":1,"y":2}}',
])("JSON with a field twice is refused: %s", (text) => {
  expect(() => parseJson(text)).toThrow("a field stands twice in its object");
});

it("JSON's colons and quotes in texts are no fields", () => {
  for (const value of ['a":"b', "::", '\\":', '{"a":1,"a":2}'])
    expect(parseJson(JSON.stringify({ value }))).toEqual({ value });
});

it("JSON of any value is read, and refused with one more field that it has already", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (value) => {
      const text = JSON.stringify(value);
      expect(parseJson(text)).toEqual(JSON.parse(text));
      const [name = ""] = Object.keys(value);
      expect(() => parseJson(`${text.slice(0, -1)},${JSON.stringify(name)}:0}`)).toThrow("a field stands twice");
    }),
  );
});

/** Keys of orders are stored with the hash of this text: it must not change with a release. */
const byReplacer = (value: unknown) =>
  JSON.stringify(value, (_, part: unknown) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

it("JSON to compare by has its fields in order, at every depth, and is what releases before made", () => {
  expect(canonical({ b: [{ d: 1, c: null }], a: "x", 10: 1, 9: 2 })).toBe(
    '{"9":2,"10":1,"a":"x","b":[{"c":null,"d":1}]}',
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(canonical(value)).toBe(byReplacer(value));
    }),
  );
});

it("JSON's errors never repeat the input", () => {
  try {
    parseJson('{"phone":"13900001234",');
    throw new Error("it was taken");
  } catch (error) {
    expect((error as Error).message).not.toContain("13900001234");
  }
});
