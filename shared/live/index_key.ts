/**
 * Keys of indexed fields: texts of ASCII that every engine compares byte by byte, in the order of the values.
 *
 * The first letter is the type, as an order never goes over types. A text keeps its beginning only, so two texts may have one key: what
 * is found by keys is always held against the query.
 */
import { isIndex } from "./field_name.ts";
import { maxKeyCharacters } from "./limits.ts";
import { type Fields, fieldOf, isFields, isList, isScalar, type Scalar, type Value } from "./value.ts";

/** A value's key. Smaller values of the same type never have greater keys. */
export function keyOf(value: Scalar): string {
  if (value === null) return "0";
  if (typeof value === "boolean") return value ? "b1" : "b0";
  if (typeof value === "number") return `n${hexOf(value)}`;
  if (value instanceof Date) return `d${hexOf(value.getTime())}`;
  let key = "s";
  for (let at = 0; at < Math.min(value.length, maxKeyCharacters); at++)
    key += value.charCodeAt(at).toString(16).padStart(4, "0");
  return key;
}

/** The bits of a number, turned so that their order is that of the numbers. */
function hexOf(value: number): string {
  const bits = Buffer.alloc(8);
  bits.writeDoubleBE(value === 0 ? 0 : value);
  const isNegative = value < 0;
  for (const [at, byte] of bits.entries()) bits[at] = isNegative ? ~byte & 0xff : at === 0 ? byte | 0x80 : byte;
  return bits.toString("hex");
}

/** All keys of the type of a key. */
export const typeRange = (key: string): { readonly from: string; readonly to: string } => ({
  from: key.slice(0, 1),
  to: `${key.slice(0, 1)}~`,
});

/** The keys of a field in a document: of its value, of each element of a list, of null when it may count as missing. */
export function keysOf(document: Fields, path: string): readonly string[] {
  const keys = new Set<string>();
  collect(document, path.split("."), 0, keys);
  return [...keys];
}

function collect(value: Value | undefined, names: readonly string[], at: number, keys: Set<string>): void {
  const name = names[at];
  if (isList(value)) {
    if (name !== undefined && isIndex(name)) collect(value[Number(name)], names, at + 1, keys);
    for (const one of value) collect(one, names, at, keys);
  } else if (name === undefined) {
    if (value === undefined || isScalar(value)) keys.add(keyOf(value ?? null));
  } else if (isFields(value)) collect(fieldOf(value, name), names, at + 1, keys);
  else keys.add(keyOf(null));
}
