/**
 * The size of a picture in pixels, as its header declares it: a few kilobytes can declare more than a phone has memory for.
 * Sources: PNG 11.2.1; ITU T.81, B.1.1 and B.2.2 (JPEG); GIF89a 18 to 20; RFC 9649 (WebP), 2.5 to 2.7; RFC 6386, 9.1.
 */
import { at, big, little } from "./bytes.ts";

export interface Pixels {
  readonly width: number;
  readonly height: number;
}

/** A picture may declare so many pixels: 200 MB when it is unpacked. */
export const maxPixels = 50_000_000;

type Read = (bytes: Uint8Array) => Pixels | undefined;

export const pngSize: Read = (bytes) =>
  at(bytes, 0, "\x89PNG\r\n\x1a\n") && big(bytes, 8, 4) === 13 && at(bytes, 12, "IHDR")
    ? { width: big(bytes, 16, 4), height: big(bytes, 20, 4) }
    : undefined;

/** What may follow the screen: an extension, a picture, the end. */
const gifBlocks = [0x21, 0x2c, 0x3b];

export const gifSize: Read = (bytes) => {
  if (!at(bytes, 0, "GIF87a") && !at(bytes, 0, "GIF89a")) return undefined;
  const flags = bytes[10] ?? 0;
  const colours = (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
  if (!gifBlocks.includes(bytes[13 + colours] ?? 0)) return undefined;
  return { width: little(bytes, 6, 2), height: little(bytes, 8, 2) };
};

/** Markers of a frame: all from C0 to CF but DHT, JPG and DAC. */
const isFrame = (marker: number) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** Goes from segment to segment: what stands in them is not looked at. */
export const jpegSize: Read = (bytes) => {
  if (!at(bytes, 0, "\xff\xd8\xff")) return undefined;
  for (let offset = 2; offset + 9 <= bytes.length; ) {
    if (bytes[offset] !== 0xff) return undefined;
    const marker = bytes[offset + 1] ?? 0;
    // A marker may have any number of FF before it.
    if (marker === 0xff) offset += 1;
    else if (isFrame(marker)) return { height: big(bytes, offset + 5, 2), width: big(bytes, offset + 7, 2) };
    // Data, or the end, before any frame.
    else if (marker < 0xc0 || marker === 0xd9 || marker === 0xda) return undefined;
    else offset += 2 + big(bytes, offset + 2, 2);
  }
  return undefined;
};

export const webpSize: Read = (bytes) => {
  if (!at(bytes, 0, "RIFF") || !at(bytes, 8, "WEBP")) return undefined;
  if (at(bytes, 12, "VP8X")) return { width: little(bytes, 24, 3) + 1, height: little(bytes, 27, 3) + 1 };
  if (at(bytes, 12, "VP8L") && bytes[20] === 0x2f) {
    const bits = little(bytes, 21, 4);
    return { width: (bits % 2 ** 14) + 1, height: (Math.floor(bits / 2 ** 14) % 2 ** 14) + 1 };
  }
  if (at(bytes, 12, "VP8 ") && at(bytes, 23, "\x9d\x01\x2a"))
    return { width: little(bytes, 26, 2) % 2 ** 14, height: little(bytes, 28, 2) % 2 ** 14 };
  return undefined;
};
