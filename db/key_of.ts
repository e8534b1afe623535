/** A key of several parts as one text, for maps and for sorting. Parts hold no line break: they are ids, days and tokens. */
export function keyOf(...parts: readonly (string | number | null | undefined)[]): string {
  return parts.join("\n");
}
