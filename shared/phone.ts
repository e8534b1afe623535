/** Telephone numbers as people write and paste them, normalised so that a kitchen can dial them. Pure. */
import { oneLine } from "./text.ts";

const label = /^(?:tel|phone|mobile|电话|手机|座机|联系电话)\s*[:：.]?\s*/i;
const extension = /\s*(?:转|轉|分机|分機|内线|ext\.?|extension|x|#|,|;)\s*[:：]?\s*(\d{1,6})$/i;
/** Between digits: blanks, dots, slashes, dashes and brackets of every kind. */
const separators = /[\s.·•・/\\~()[\]{}〔〕【】\p{Pd}\u2212]+/gu;
const minDigits = 5;
/** ITU-T E.164. */
const maxDigits = 15;

/**
 * @returns `+8613800001234`, `13800001234`, `01055550123,8001` (a comma is a pause: RFC 3601, 2.2; behind it the
 *   extension); undefined when it is not one telephone number
 */
export function telephone(text: string): string | undefined {
  const plain = digitsIn(oneLine(text.normalize("NFKC"))).replace(label, "");
  const [behind = "", inner] = extension.exec(plain) ?? [];
  const main = plain
    .slice(0, plain.length - behind.length)
    // +44 (0)20: the zero is dialled at home only.
    .replace(/^(\+\d{1,3}\s*)\(0\)/, "$1")
    .replace(separators, "")
    .replace(/^00(?=[1-9])/, "+");
  const digits = /^\+?(\d+)$/.exec(main)?.[1] ?? "";
  if (digits.length < minDigits || digits.length > maxDigits) return undefined;
  return inner === undefined ? main : `${main},${inner}`;
}

/** Digits of every script as 0 to 9: each script has its ten in a row. */
const digitsIn = (text: string) =>
  text.replace(/\p{Nd}/gu, (digit) => {
    const code = digit.codePointAt(0) as number;
    let value = 0;
    while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value += 1;
    return String(value);
  });
