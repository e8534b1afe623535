/**
 * Normalisation of text that a person typed or pasted; text from outside is normalised only here. Pure.
 * White space, line ends and invisible characters are folded; `whyRefused` rejects text with control characters or half
 * characters that are never typed.
 */

/** Line ends: CR LF, CR, vertical tab, form feed, NEL (U+0085), line and paragraph separator. */
const lineEnds = /\r\n|[\r\v\f\u0085\u2028\u2029]/g;
/** Tabs and spaces of every width, and the blank that Unicode counts as a symbol (Braille, U+2800). */
const blanks = /[\t\p{Zs}\u2800]+/gu;
/**
 * Characters without a glyph: marks of direction, soft hyphens, byte order marks, fillers of Hangul, tags. Flags of regions
 * are spelled with tags behind a black flag; those stay. Variation selectors and joiners are looked at by themselves.
 */
const flagOrUnseen =
  /(\u{1F3F4}[\u{E0020}-\u{E007E}]+\u{E007F})|[\uFFF9-\uFFFB]|(?!\p{Join_Control}|\p{Variation_Selector})\p{Default_Ignorable_Code_Point}/gu;
/** Joiners without a character on both sides. Between two they join emoji, or letters (Persian, Hindi). */
const idleJoiners =
  /(?<![\p{L}\p{M}\p{N}\p{S}])\p{Join_Control}+|\p{Join_Control}+(?![\p{L}\p{N}\p{S}])|(?<=\p{Join_Control})\p{Join_Control}+/gu;
/** Variation selectors without a character before them, whose glyph they would choose. */
const idleSelectors = /(?<![\p{L}\p{N}\p{P}\p{S}])\p{Variation_Selector}+/gu;

const withoutInvisible = (text: string) =>
  text.replace(flagOrUnseen, "$1").replace(idleSelectors, "").replace(idleJoiners, "");

/**
 * Words of ASCII, Chinese characters and their punctuation with single spaces between them: folding changes nothing, and takes
 * 5 µs to find that out.
 */
const plain = /^(?:[!-~\u3001\u3002\u4E00-\u9FFF\uFF01-\uFF5E]+(?: (?!$)|$))*$/;

/** One line: line ends and runs of blanks become one space, none at the ends. */
export const oneLine = (text: string): string =>
  folded(text, (one) =>
    withoutInvisible(one.replace(lineEnds, "\n").replaceAll("\n", " "))
      .replace(blanks, " ")
      .replace(/ {2,}/g, " ")
      .trim(),
  );

/** Several lines: at most one empty line between two, no blanks at the end of a line. */
export const severalLines = (text: string): string =>
  folded(text, (one) =>
    withoutInvisible(one.replace(lineEnds, "\n"))
      .replace(blanks, " ")
      .replace(/ +\n/g, "\n")
      .replace(/\n{3,}/g, "\n\n")
      .trim(),
  );

/** Folds until nothing changes: removing a character may join two that are folded in turn. */
function folded(text: string, fold: (text: string) => string): string {
  if (plain.test(text)) return text;
  let before = text;
  for (let after = fold(before).normalize("NFC"); after !== before; after = fold(before).normalize("NFC"))
    before = after;
  return before;
}

/** Whether it has a visible character: a letter, a digit, punctuation, a symbol. */
export const isVisible = (text: string): boolean => /[\p{L}\p{N}\p{P}\p{S}]/u.test(text);

/** The length as people count it: code points, after folding. */
export const lengthOf = (text: string): number => [...text].length;

/** @returns why this text is rejected, in words; undefined when it may be folded */
export function whyRefused(text: string): string | undefined {
  if (!text.isWellFormed()) return "half of a character; copy the text again";
  if (/[^\P{Cc}\t\n\v\f\r\u0085]/u.test(text)) return "a control character that cannot be seen; type the text again";
  if (/\p{Noncharacter_Code_Point}/u.test(text)) return "a character that Unicode does not know; type the text again";
  return undefined;
}
