/** Watches the lengths of a client's WebSocket frames: AWS takes messages of 128 KB, in frames of at most 32 KB (RFC 6455, 5.2). */

const nothing = Buffer.alloc(0);

/** Reads headers only; the payload is skipped. */
export class FrameLengths {
  #header = nothing;
  #skip = 0;
  #isFound = false;

  /** Takes what came next. @returns true, once, when a frame's header announces more than `maxBytes` */
  isTooLarge(chunk: Buffer, maxBytes: number): boolean {
    let rest = chunk;
    while (rest.length > 0 && !this.#isFound) {
      if (this.#skip > 0) {
        const skipped = Math.min(this.#skip, rest.length);
        this.#skip -= skipped;
        rest = rest.subarray(skipped);
        continue;
      }
      const header = this.#header;
      const needed = headerLength(header, rest) - header.length;
      const taken = rest.subarray(0, needed);
      const longer = Buffer.concat([header, taken]);
      rest = rest.subarray(taken.length);
      this.#header = longer;
      if (taken.length < needed || headerLength(longer, rest) > longer.length) continue;
      this.#skip = payloadLength(longer);
      this.#header = nothing;
      this.#isFound = this.#skip > maxBytes;
      if (this.#isFound) return true;
    }
    return false;
  }
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
