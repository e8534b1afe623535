/** Frames of a WebSocket as a load client needs them: headers are read, payloads are left where they are. */

export const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** @param buffer holds the payload from `start` to `end`, until the call returns */
export type OnFrame = (opcode: number, buffer: Buffer, start: number, end: number) => void;

/** The bytes of a frame that came in part, for each connection. */
export interface Unfinished {
  rest: Buffer | undefined;
}

/** Takes what came and tells of each whole frame. The payload of a masked one stays masked; no server of ours splits a message. */
export function readFrames(unfinished: Unfinished, chunk: Buffer, onFrame: OnFrame): void {
  const { rest } = unfinished;
  const buffer = rest === undefined ? chunk : Buffer.concat([rest, chunk]);
  let at = 0;
  for (;;) {
    if (buffer.length < at + 2) break;
    let length = (buffer[at + 1] as number) & 127;
    let start = at + 2;
    if (length === 126) {
      if (buffer.length < at + 4) break;
      length = buffer.readUInt16BE(at + 2);
      start = at + 4;
    } else if (length === 127) {
      if (buffer.length < at + 10) break;
      length = Number(buffer.readBigUInt64BE(at + 2));
      start = at + 10;
    }
    if (((buffer[at + 1] as number) & 128) !== 0) start += 4;
    const end = start + length;
    if (buffer.length < end) break;
    onFrame((buffer[at] as number) & 15, buffer, start, end);
    at = end;
  }
  if (at === buffer.length) unfinished.rest = undefined;
  // The chunk's memory is used again for the next one.
  else if (at > 0 || rest === undefined) unfinished.rest = Buffer.from(buffer.subarray(at));
  else unfinished.rest = buffer;
}

/** A client's frame. Its mask is four zeros, which is a mask as any other and leaves the payload as it is. */
export function clientFrame(payload: string | Buffer, opcode: number = opcodes.text): Buffer {
  const bytes = Buffer.from(payload as string);
  const { length } = bytes;
  const head = length < 126 ? Buffer.alloc(6) : Buffer.alloc(8);
  head[0] = 0x80 | opcode;
  head[1] = 0x80 | (length < 126 ? length : 126);
  if (length >= 126) head.writeUInt16BE(length, 2);
  return Buffer.concat([head, bytes]);
}

/** A server's frame of text, made once for all who get it. */
export function serverFrame(payload: Buffer): Buffer {
  const { length } = payload;
  const head = length < 126 ? Buffer.from([0x81, length]) : Buffer.from([0x81, 126, length >> 8, length & 255]);
  return Buffer.concat([head, payload]);
}
