/** Reads numbers and text out of the first bytes of a file. */

/** Whether these ASCII signs stand at the offset. */
export const at = (bytes: Uint8Array, offset: number, text: string): boolean =>
  [...text].every((sign, nth) => bytes[offset + nth] === sign.charCodeAt(0));

export const ascii = (bytes: Uint8Array, offset: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(offset, offset + length));

/** An unsigned number; what is behind the end counts as 0. */
export const big = (bytes: Uint8Array, offset: number, length: number): number =>
  Array.from({ length }, (_, nth) => bytes[offset + nth] ?? 0).reduce((sum, byte) => sum * 256 + byte, 0);

export const little = (bytes: Uint8Array, offset: number, length: number): number =>
  Array.from({ length }, (_, nth) => bytes[offset + length - 1 - nth] ?? 0).reduce((sum, byte) => sum * 256 + byte, 0);
