/** Watches the lengths of a client's WebSocket frames: AWS takes messages of 128 KB, in frames of at most 32 KB (RFC 6455, 5.2). */
import type { Duplex } from "node:stream";

/** Calls `tooLarge`, once, when a frame's header announces more than `maxBytes`. Reads headers only; the payload is skipped. */
export function watchFrames(raw: Duplex, maxBytes: number, tooLarge: () => void): void {
  let header = Buffer.alloc(0);
  let skip = 0;
  let found = false;
  raw.prependListener("data", (chunk: Buffer) => {
    let rest = chunk;
    while (rest.length > 0 && !found) {
      if (skip > 0) {
        const skipped = Math.min(skip, rest.length);
        skip -= skipped;
        rest = rest.subarray(skipped);
        continue;
      }
      const needed = headerLength(header, rest) - header.length;
      const taken = rest.subarray(0, needed);
      header = Buffer.concat([header, taken]);
      rest = rest.subarray(taken.length);
      if (taken.length < needed || headerLength(header, rest) > header.length) continue;
      skip = payloadLength(header);
      header = Buffer.alloc(0);
      found = skip > maxBytes;
      if (found) tooLarge();
    }
  });
}

/** 2 bytes, the extended length, and the mask; as far as it is known yet. */
function headerLength(header: Buffer, rest: Buffer): number {
  const second = header[1] ?? rest[1 - header.length];
  if (second === undefined) return 2;
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + (second & 0x80 ? 4 : 0);
}

function payloadLength(header: Buffer): number {
  const short = (header[1] as number) & 0x7f;
  if (short === 126) return header.readUInt16BE(2);
  return short === 127 ? Number(header.readBigUInt64BE(2)) : short;
}
