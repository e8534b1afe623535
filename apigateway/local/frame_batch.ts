/** Frames as they leave the socket: built once for all readers, those of a push in one buffer. A server's frames have no mask (RFC 6455, 5.1). */

export interface FrameBatch {
  readonly texts: readonly (string | Buffer)[];
  /** All frames, one after the other. */
  readonly bytes: Buffer;
  /** Where each frame begins in `bytes`, and where the last one ends. */
  readonly offsets: readonly number[];
}

/** FIN and the opcode of text. */
const finalText = 0x81;

export function frameBatch(texts: readonly (string | Buffer)[]): FrameBatch {
  const lengths = texts.map((text) => (typeof text === "string" ? Buffer.byteLength(text) : text.length));
  const offsets = [0];
  for (const length of lengths) offsets.push((offsets.at(-1) as number) + headerBytes(length) + length);
  const bytes = Buffer.allocUnsafe(offsets.at(-1) as number);
  for (const [nth, text] of texts.entries()) {
    const length = lengths[nth] as number;
    const at = writeHeader(bytes, offsets[nth] as number, length);
    if (typeof text === "string") bytes.write(text, at);
    else text.copy(bytes, at);
  }
  return { texts, bytes, offsets };
}

/** The frames of the batch from this one on. */
export function batchFrom({ texts, bytes, offsets }: FrameBatch, nth: number): FrameBatch {
  const start = offsets[nth] as number;
  return {
    texts: texts.slice(nth),
    bytes: bytes.subarray(start),
    offsets: offsets.slice(nth).map((offset) => offset - start),
  };
}

const headerBytes = (length: number) => (length < 126 ? 2 : length < 65_536 ? 4 : 10);

/** @returns where the payload begins */
function writeHeader(bytes: Buffer, at: number, length: number): number {
  bytes[at] = finalText;
  if (length < 126) bytes[at + 1] = length;
  else if (length < 65_536) {
    bytes[at + 1] = 126;
    bytes.writeUInt16BE(length, at + 2);
  } else {
    bytes[at + 1] = 127;
    bytes.writeBigUInt64BE(BigInt(length), at + 2);
  }
  return at + headerBytes(length);
}
