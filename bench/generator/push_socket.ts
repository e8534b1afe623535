/** WebSocket client of the generator: of a frame only the header is parsed, its payload is handed on as bytes that are valid until the call returns. */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";

/** `socketio`: the protocol of engine.io 4 and socket.io over a WebSocket. */
export type SocketKind = "plain" | "socketio";

export interface PushSocketOptions {
  readonly port: number;
  readonly path: string;
  readonly kind: SocketKind;
  readonly protocols: readonly string[];
  /** Sent when it is open. */
  readonly hello: string | undefined;
  /** Text of the message after which it gets pushes. */
  readonly ready: string;
  readonly push: (data: Buffer, start: number, end: number) => void;
  readonly gone: () => void;
}

const text = 1;
const close = 8;
const ping = 9;
const pong = 10;

/** A client masks; zeros mask too. */
function frame(opcode: number, payload: Buffer): Buffer {
  const { length } = payload;
  const head =
    length < 126
      ? Buffer.from([0x80 | opcode, 0x80 | length, 0, 0, 0, 0])
      : Buffer.from([0x80 | opcode, 0x80 | 126, length >> 8, length & 255, 0, 0, 0, 0]);
  return Buffer.concat([head, payload]);
}

// One buffer for all: it is read before the next socket gets it.
const buffer = Buffer.allocUnsafe(262_144);

export class PushSocket {
  readonly #options: PushSocketOptions;
  readonly #socket: Socket;
  readonly #readyMarker: Buffer;
  #upgraded = false;
  #ready = false;
  #rest: Buffer | undefined;
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};

  private constructor(options: PushSocketOptions) {
    this.#options = options;
    this.#readyMarker = Buffer.from(options.ready);
    const { port, path, protocols } = options;
    const callback = (bytes: number, chunk: Uint8Array) => {
      this.#take(chunk as Buffer, bytes);
      return true;
    };
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true, onread: { buffer, callback } });
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.#reject(new Error("the socket was closed before it was ready"));
      options.gone();
    });
    const lines = [
      `GET ${path} HTTP/1.1`,
      `Host: 127.0.0.1:${port}`,
      "Connection: Upgrade",
      "Upgrade: websocket",
      "Sec-WebSocket-Version: 13",
      // serverless-offline takes equal keys for one connection.
      `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
      ...(protocols.length === 0 ? [] : [`Sec-WebSocket-Protocol: ${protocols.join(", ")}`]),
    ];
    this.#socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  }

  /** Resolves when pushes come. */
  static open(options: PushSocketOptions): Promise<PushSocket> {
    const socket = new PushSocket(options);
    return new Promise((resolve, reject) => {
      socket.#resolve = () => resolve(socket);
      socket.#reject = reject;
    });
  }

  send(message: string): void {
    this.#socket.write(frame(text, Buffer.from(message)));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer, bytes: number): void {
    let data = chunk.subarray(0, bytes);
    if (this.#rest !== undefined) data = Buffer.concat([this.#rest, data]);
    this.#rest = undefined;
    let at = 0;
    if (!this.#upgraded) {
      const end = data.indexOf("\r\n\r\n");
      if (end >= 0) this.#upgrade(data.toString("latin1", 0, end));
      at = end < 0 ? 0 : end + 4;
    }
    if (this.#upgraded) at = this.#frames(data, at);
    // The buffer is another socket's next.
    if (at < data.length) this.#rest = Buffer.from(data.subarray(at));
  }

  #upgrade(head: string): void {
    if (!head.startsWith("HTTP/1.1 101")) {
      this.#reject(new Error(`the socket was refused: ${head.split("\r\n")[0]}`));
      this.#socket.destroy();
      return;
    }
    this.#upgraded = true;
    if (this.#options.kind === "socketio") this.send("40");
    if (this.#options.hello !== undefined) this.send(this.#options.hello);
  }

  /** @returns where the first incomplete frame begins */
  #frames(data: Buffer, from: number): number {
    let at = from;
    while (at + 2 <= data.length) {
      const short = (data[at + 1] as number) & 127;
      let start = at + 2;
      let length = short;
      if (short === 126) {
        if (start + 2 > data.length) return at;
        length = data.readUInt16BE(start);
        start += 2;
      } else if (short === 127) {
        if (start + 8 > data.length) return at;
        length = data.readUInt32BE(start + 4);
        start += 8;
      }
      if (start + length > data.length) return at;
      this.#frame((data[at] as number) & 15, data, start, start + length);
      at = start + length;
    }
    return at;
  }

  #frame(opcode: number, data: Buffer, start: number, end: number): void {
    if (opcode === ping) this.#socket.write(frame(pong, Buffer.from(data.subarray(start, end))));
    if (opcode === close) this.#socket.destroy();
    if (opcode !== text) return;
    // engine.io's own ping.
    if (this.#options.kind === "socketio" && end - start === 1 && data[start] === 0x32) this.send("3");
    else if (!this.#ready && data.subarray(start, end).includes(this.#readyMarker)) {
      this.#ready = true;
      this.#resolve();
    } else this.#options.push(data, start, end);
  }
}
