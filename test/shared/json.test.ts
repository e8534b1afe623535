/** JSON from outside. */
import fc from "fast-check";
import { Malformed } from "../../shared/errors.ts";
import { parseJson } from "../../shared/json.ts";

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

it("JSON's errors never repeat the input", () => {
  try {
    parseJson('{"phone":"13900001234",');
    throw new Error("it was taken");
  } catch (error) {
    expect((error as Error).message).not.toContain("13900001234");
  }
});
