/** Checks of a form before it sends a telephone number; the server decides (shared/phone.ts). For every browser and mini-program. */

/** Characters that a box takes: a number with country, brackets and an extension. */
export const maxPhoneLength = 40;

/** @returns whether there are enough digits for a number, ordinary or full-width, with anything between them */
export function looksLikePhone(typed: string): boolean {
  const digits = typed.replace(/[^\d\uFF10-\uFF19]/g, "").length;
  return digits >= 5 && digits <= 21;
}
