/** The check of frame lengths, with bytes cut in every possible way. */
import fc from "fast-check";
import { FrameLengths } from "../../apigateway/local/frame_lengths.ts";

const maxBytes = 32 * 1_024;

interface Frame {
  readonly length: number;
  readonly opcode: number;
  readonly last: boolean;
  readonly masked: boolean;
  /** A sender may write a short length in a long way. */
  readonly form: 7 | 16 | 64;
}

function bytesOf({ length, opcode, last, masked, form }: Frame): Buffer {
  const shortest = length < 126 ? 7 : length < 65_536 ? 16 : 64;
  const width = Math.max(form, shortest);
  const header = Buffer.alloc(2 + (width === 7 ? 0 : width / 8) + (masked ? 4 : 0), 0xa5);
  header[0] = (last ? 0x80 : 0) | opcode;
  header[1] = (masked ? 0x80 : 0) | (width === 7 ? length : width === 16 ? 126 : 127);
  if (width === 16) header.writeUInt16BE(length, 2);
  if (width === 64) header.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([header, Buffer.alloc(length, 0xff)]);
}

const lengths = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.constantFrom(0, 125, 126, 127, maxBytes - 1, maxBytes, maxBytes + 1, 65_535, 65_536, 100_000),
);
const frames = fc.array(
  fc.record({
    length: lengths,
    opcode: fc.constantFrom(0, 1, 2, 8, 9, 10),
    last: fc.boolean(),
    masked: fc.boolean(),
    form: fc.constantFrom(7, 16, 64),
  }) as fc.Arbitrary<Frame>,
  { maxLength: 8 },
);
const cuts = fc.array(fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 70_000 })), { minLength: 1 });

/** Cuts the bytes into pieces of these lengths, over and over. */
function* pieces(bytes: Buffer, sizes: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] as number;
    yield bytes.subarray(at, at + size);
    at += size;
  }
}

/** How often the watcher spoke, and how many bytes had been given to it by then. */
function watch(bytes: Buffer, sizes: readonly number[]): { told: number; at: number } {
  const frameLengths = new FrameLengths();
  const seen = { told: 0, at: -1 };
  let given = 0;
  for (const piece of pieces(bytes, sizes)) {
    given += piece.length;
    if (!frameLengths.isTooLarge(piece, maxBytes)) continue;
    seen.told += 1;
    seen.at = given;
  }
  return seen;
}

it("a frame limit reports once, with the header of the first frame that is too long, however the bytes are cut", () => {
  fc.assert(
    fc.property(frames, cuts, (list, sizes) => {
      const all = list.map(bytesOf);
      const wrong = list.findIndex(({ length }) => length > maxBytes);
      const { told, at } = watch(Buffer.concat(all), sizes);
      expect(told).toBe(wrong < 0 ? 0 : 1);
      if (wrong < 0) return;
      const before = Buffer.concat(all.slice(0, wrong)).length;
      const headerLength = (all[wrong] as Buffer).length - (list[wrong] as Frame).length;
      // Not before the header was complete, and not later than the piece that completed it.
      expect(at).toBeGreaterThanOrEqual(before + headerLength);
      expect(at - before - headerLength).toBeLessThan(Math.max(...sizes));
    }),
    { numRuns: 2_000 },
  );
});

it("a frame limit reports a length that no JavaScript number can hold", () => {
  const header = Buffer.alloc(14, 0xff);
  header[0] = 0x81;
  expect(watch(header, [1])).toEqual({ told: 1, at: 14 });
});

it("a frame limit takes any bytes without failing", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3_000 }), cuts, (bytes, sizes) => {
      expect(watch(Buffer.from(bytes), sizes).told).toBeLessThanOrEqual(1);
    }),
  );
});
