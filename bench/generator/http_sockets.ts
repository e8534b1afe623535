/**
 * HTTP client of the generator: keep-alive sockets with one request each at a time, prepared bytes out, of the answer only status and
 * length read. A request without a free socket waits in a queue, and its waiting time counts.
 */
import { connect, type Socket } from "node:net";

/** @param status 0: the connection broke before the answer */
export type Answered = (status: number) => void;

/** A server closes a connection that is idle for five seconds (Node's default), perhaps while the next request is on its way. */
const idleMs = 4_000;

const networks = 200;

const headEnd = Buffer.from("\r\n\r\n");
const lengths = [Buffer.from("ontent-Length: "), Buffer.from("ontent-length: ")];
const lastChunk = Buffer.from("0\r\n\r\n");

function digitsAt(buffer: Buffer, at: number): number {
  let value = 0;
  for (let digit = buffer[at] ?? 0; digit >= 48 && digit <= 57; digit = buffer[++at] ?? 0)
    value = value * 10 + digit - 48;
  return value;
}

/** Length of the body that a head announces; undefined if it comes in chunks. */
function lengthOf(buffer: Buffer, end: number): number | undefined {
  for (const name of lengths) {
    const at = buffer.indexOf(name);
    if (at >= 0 && at < end) return digitsAt(buffer, at + name.length);
  }
  return undefined;
}

class Line {
  readonly socket: Socket;
  answered: Answered | undefined;
  freeAt = 0;
  #rest: Buffer | undefined;
  /** Bytes of the body that are still to come, once the head was read. */
  #missing = 0;
  #status = 0;

  constructor(port: number, nth: number, buffer: Buffer, free: (line: Line) => void, gone: (line: Line) => void) {
    const callback = (bytes: number, chunk: Uint8Array) => {
      if (this.#take(chunk as Buffer, bytes)) {
        const { answered } = this;
        this.answered = undefined;
        free(this);
        answered?.(this.#status);
      }
      return true;
    };
    // The generator stands for many people: a server may count by network.
    const localAddress = `127.0.${nth % networks}.1`;
    this.socket = connect({ host: "127.0.0.1", port, localAddress, noDelay: true, onread: { buffer, callback } });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      const { answered } = this;
      this.answered = undefined;
      gone(this);
      answered?.(0);
    });
  }

  /** @returns whether the answer is complete */
  #take(chunk: Buffer, bytes: number): boolean {
    if (this.#missing > 0) {
      this.#missing -= bytes;
      return this.#missing <= 0;
    }
    let data = chunk.subarray(0, bytes);
    if (this.#rest !== undefined) data = Buffer.concat([this.#rest, data]);
    this.#rest = undefined;
    const end = data.indexOf(headEnd);
    const length = end < 0 ? undefined : lengthOf(data, end);
    if (end >= 0) this.#status = digitsAt(data, 9);
    if (length !== undefined) {
      this.#missing = end + 4 + length - data.length;
      return this.#missing <= 0;
    }
    if (end >= 0 && data.indexOf(lastChunk, end + 2) >= 0) return true;
    // The buffer is used for the next chunk too.
    this.#rest = Buffer.from(data);
    return false;
  }
}

export class HttpSockets {
  readonly #port: number;
  readonly #most: number;
  readonly #buffer = Buffer.allocUnsafe(65_536);
  readonly #free: Line[] = [];
  readonly #queue: [Buffer, Answered][] = [];
  readonly #lines = new Set<Line>();
  #opened = 0;
  #closed = false;

  constructor(port: number, most: number) {
    this.#port = port;
    this.#most = most;
  }

  send(bytes: Buffer, answered: Answered): void {
    const line = this.#line();
    if (line === undefined) this.#queue.push([bytes, answered]);
    else this.#write(line, bytes, answered);
  }

  #write(line: Line, bytes: Buffer, answered: Answered): void {
    line.answered = answered;
    line.socket.write(bytes);
  }

  #line(): Line | undefined {
    for (let line = this.#free.pop(); line !== undefined; line = this.#free.pop()) {
      if (performance.now() - line.freeAt < idleMs && !line.socket.destroyed) return line;
      line.socket.destroy();
      this.#lines.delete(line);
    }
    return this.#lines.size < this.#most ? this.#open() : undefined;
  }

  #open(): Line {
    const line = new Line(
      this.#port,
      this.#opened++,
      this.#buffer,
      (free) => this.#next(free),
      (gone) => this.#forget(gone),
    );
    this.#lines.add(line);
    return line;
  }

  #next(line: Line): void {
    const waiting = this.#queue.shift();
    if (waiting === undefined) {
      line.freeAt = performance.now();
      this.#free.push(line);
    } else this.#write(line, ...waiting);
  }

  #forget(line: Line): void {
    this.#lines.delete(line);
    const at = this.#free.indexOf(line);
    if (at >= 0) this.#free.splice(at, 1);
    if (this.#closed) return;
    const waiting = this.#queue.shift();
    if (waiting !== undefined) this.#write(this.#open(), ...waiting);
  }

  close(): void {
    this.#closed = true;
    for (const [, answered] of this.#queue.splice(0)) answered(0);
    for (const { socket } of this.#lines) socket.destroy();
  }
}
