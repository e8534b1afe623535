/** JSON from outside. */
import fc from "fast-check";
import { Malformed } from "../../shared/errors.ts";
import { parseJson } from "../../shared/json.ts";

const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;

it("reads what JSON.parse reads", () => {
  fc.assert(
    fc.property(fc.json({ depthSize: "medium", maxDepth: 8 }), (text) => {
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

it.each(["", " ", "{", "nothing", "{'a':1}", '{"a":1,}', "[1] 2", "NaN", '"\n"', "\uFEFF{}"])("refuses %j", (text) => {
  expect(() => parseJson(text)).toThrow(Malformed);
  expect(() => parseJson(text)).toThrow("the text is not JSON");
});

it("refuses half characters", () => {
  expect(() => parseJson('"\uD83C"')).toThrow("the text is not well-formed");
  expect(parseJson('"🍜"')).toBe("🍜");
});

it("takes 32 levels and refuses 33, however many", () => {
  expect(parseJson(nested(32))).toEqual(JSON.parse(nested(32)));
  for (const depth of [33, 1_000, 200_000]) expect(() => parseJson(nested(depth))).toThrow("nested more than 32 deep");
  expect(() => parseJson(`${'{"a":'.repeat(33)}1${"}".repeat(33)}`)).toThrow("nested more than 32 deep");
  expect(() => parseJson("[".repeat(100_000))).toThrow(Malformed);
});

it("does not count brackets in texts", () => {
  for (const text of [nested(100), `${nested(100)}\\`, `"${nested(100)}`, `\\"${nested(40)}\\`])
    expect(parseJson(JSON.stringify({ text }))).toEqual({ text });
  // A quote that is escaped does not end the text.
  expect(() => parseJson(`["\\\\", ${nested(33)}]`)).toThrow("nested more than 32 deep");
});

it("makes own members of names that objects have anyway", () => {
  const parsed = parseJson('{"__proto__":{"polluted":true},"constructor":1}') as object;
  expect(Object.keys(parsed)).toEqual(["__proto__", "constructor"]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

it("never repeats what it was given", () => {
  try {
    parseJson('{"phone":"13900001234",');
    throw new Error("it was taken");
  } catch (error) {
    expect((error as Error).message).not.toContain("13900001234");
  }
});
