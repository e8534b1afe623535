/** Typed and pasted text, in one form; telephone numbers as a kitchen can dial them. */
import fc from "fast-check";
import { telephone } from "../../shared/phone.ts";
import * as shape from "../../shared/shape.ts";
import { isVisible, lengthOf, oneLine, severalLines, whyRefused } from "../../shared/text.ts";

/** Texts rich in what is folded: joiners, selectors, marks of direction, fillers, line ends, emoji, letters of many scripts. */
const anyText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ..."\u200B \u200C \u200D \u2060 \uFEFF \u00AD \u202A \u2066 \u2069 \u200E \u061C \u3164 \u115F \uFFA0 \u2800 \u180E \u034F".split(
          " ",
        ),
        ...["\r\n", "\r", "\n", "\v", "\f", "\u0085", "\u2028", "\u2029", "\t", " ", "\u00A0", "\u3000", "\u2009"],
        ...[
          "\uFE0F",
          "\u{E0100}",
          "\u{E0041}",
          "\u{1F3F4}\u{E0067}\u{E0062}\u{E007F}",
          "👩‍🍳",
          "❤️‍🔥",
          "🇨🇳",
          "e\u0301",
          "面",
          "می‌خواهم",
          "क्‍ष",
          "-",
        ],
      ),
      fc.string({ unit: "grapheme", maxLength: 3 }),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(""));

describe("text from a person", () => {
  it("has one form: folding it again changes nothing", () => {
    fc.assert(
      fc.property(anyText, (typed) => {
        for (const fold of [oneLine, severalLines]) expect(fold(fold(typed))).toBe(fold(typed));
      }),
      { numRuns: 2_000 },
    );
  });

  it("has no line end, tab or blank at its ends as one line, and nothing but line feeds as several", () => {
    fc.assert(
      fc.property(anyText, (typed) => {
        expect(oneLine(typed)).not.toMatch(/[\t\n\v\f\r\u0085\u2028\u2029\u00A0\u3000]| {2}|^ | $/u);
        expect(severalLines(typed)).not.toMatch(/[\t\v\f\r\u0085\u2028\u2029\u00A0\u3000]|\n{3}| \n|^\s|\s$/u);
      }),
      { numRuns: 2_000 },
    );
  });

  it("is left as it is where it is plain, as the whole folding would leave it", () => {
    const plain = fc.string({ unit: fc.constantFrom(..."ab9-!~红鿿，。！？ "), maxLength: 12 });
    fc.assert(
      fc.property(plain, (typed) => {
        // With a character that is folded away, it takes the long way.
        for (const fold of [oneLine, severalLines]) expect(fold(typed)).toBe(fold(`${typed}\u200B`));
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ["红烧\t牛肉　面", "红烧 牛肉 面"],
    ["no coriander\r\nmore vinegar", "no coriander more vinegar"],
    ["\u202A138\u202C", "138"],
    ["so\u00ADja", "soja"],
    ["e\u0301", "é"],
    ["👩‍🍳 ❤️‍🔥 🇨🇳", "👩‍🍳 ❤️‍🔥 🇨🇳"],
    ["می‌خواهم", "می‌خواهم"],
    ["a\u200D \u200Db", "a b"],
    ["\u200B\u2060\uFEFF\u3164\uFFA0\u2800", ""],
  ])("%j is the line %j", (typed, folded) => {
    expect(oneLine(typed)).toBe(folded);
  });

  it.each([
    ["a\r\nb\rc\u2028d\u0085e", "a\nb\nc\nd\ne"],
    ["a  \n\n\n\n b ", "a\n\n b"],
  ])("%j is the lines %j", (typed, folded) => {
    expect(severalLines(typed)).toBe(folded);
  });

  it.each(["\0", "a\u001Bb", "a\u007F", "\uD800", "a\uFFFF"])("%j is refused in words", (typed) => {
    expect(whyRefused(typed)).toMatch(/^(half|a) [a-z ]+/);
    expect(() => shape.parse(shape.lines(9), typed, "note")).toThrow(/^"note": holds (half|a) /);
  });

  it("of a name has something to see", () => {
    fc.assert(
      fc.property(anyText, (typed) => {
        const shown = oneLine(typed);
        const taken = () => shape.parse(shape.text(60, 1), typed);
        if (isVisible(shown) && lengthOf(shown) <= 60 && whyRefused(typed) === undefined) expect(taken()).toBe(shown);
        else expect(taken).toThrow(/holds|at most|something/);
      }),
    );
    for (const unseen of ["\u200B", "\u2060\u200B", "\u3164", "\u2800 \u00AD", "\u0301"])
      expect(() => shape.parse(shape.names, { zh: unseen })).toThrow("something that can be read");
  });

  it("is measured as people count, after folding", () => {
    expect(shape.parse(shape.text(3), " 面\u200B面\uFEFF面 ")).toBe("面面面");
    expect(() => shape.parse(shape.text(3), "😀😀😀😀")).toThrow("at most 3 characters");
    expect(shape.parse(shape.description, { en: "x".repeat(300) }).en).toHaveLength(300);
    expect(() => shape.parse(shape.description, { en: "x".repeat(301) })).toThrow("at most 300 characters");
  });
});

describe("a telephone number", () => {
  it.each([
    ["138 0000 1234", "13800001234"],
    ["138-0000-1234", "13800001234"],
    ["138.0000.1234", "13800001234"],
    ["138 0000 1234", "13800001234"],
    ["\u202A138 0000 1234\u202C", "13800001234"],
    ["１３８００００１２３４", "13800001234"],
    ["+86 138 0000 1234", "+8613800001234"],
    ["(+86)138‑0000–1234", "+8613800001234"],
    ["008613800001234", "+8613800001234"],
    ["（010）5555-0123", "01055550123"],
    ["010-55550123转8001", "01055550123,8001"],
    ["010 5555 0123 ext. 8001", "01055550123,8001"],
    ["+44 (0)20 7946 0958", "+442079460958"],
    ["电话：138 0000 1234", "13800001234"],
    ["tel: 13800001234", "13800001234"],
    ["٠١٢٣٤٥٦٧٨٩", "0123456789"],
    ["10086", "10086"],
  ])("%j is dialled as %s", (typed, dialled) => {
    expect(telephone(typed)).toBe(dialled);
    // What is stored is taken again as it is.
    expect(telephone(dialled)).toBe(dialled);
  });

  it.each([
    "",
    "1234",
    "call me",
    "138 0000 1234 or 139 0000 1234",
    "13800001234/13900001234",
    "12345678901234567",
    "1+1555555",
  ])("%j is refused", (typed) => {
    expect(telephone(typed)).toBeUndefined();
    expect(() => shape.parse(shape.phone, typed, "phone")).toThrow(/^"phone": one telephone number/);
  });

  it("has digits only, whatever stands between them", () => {
    const mark = fc.constantFrom(" ", "-", ".", "(", ")", "\u2011", "\u00A0", "\u200B", "/", "");
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), mark), { minLength: 5, maxLength: 15 }),
        (parts) => {
          const digits = parts.map(([digit]) => digit).join("");
          fc.pre(!digits.startsWith("00"));
          expect(telephone(parts.map(([digit, between]) => `${digit}${between}`).join(""))).toBe(digits);
        },
      ),
    );
  });
});
