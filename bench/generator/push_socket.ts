/** WebSocket client of the generator: of a frame only the header is parsed, its payload is handed on as bytes that are valid until the call returns. */
import { randomBytes } from "node:crypto";
import { connect, type Socket } from "node:net";
import { clientFrame, opcodes, readFrames, type Unfinished } from "../_frames.ts";

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

// One buffer for all: it is read before the next socket gets it.
const buffer = Buffer.allocUnsafe(262_144);

export class PushSocket implements Unfinished {
  readonly #options: PushSocketOptions;
  readonly #socket: Socket;
  readonly #readyMarker: Buffer;
  #ready = false;
  /** The server's answer to the upgrade, as far as it has come. */
  #head: Buffer | undefined = Buffer.alloc(0);
  rest: Buffer | undefined;
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
    this.#socket.write(clientFrame(message));
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer, bytes: number): void {
    let data = chunk.subarray(0, bytes);
    if (this.#head !== undefined) {
      // The buffer is another socket's next.
      const head = Buffer.concat([this.#head, data]);
      const end = head.indexOf("\r\n\r\n");
      this.#head = end < 0 ? head : undefined;
      if (end < 0 || !this.#upgrade(head.toString("latin1", 0, end))) return;
      data = head.subarray(end + 4);
    }
    readFrames(this, data, (opcode, buffer, start, end) => this.#frame(opcode, buffer, start, end));
  }

  /** @returns whether the server agreed */
  #upgrade(head: string): boolean {
    if (!head.startsWith("HTTP/1.1 101")) {
      this.#reject(new Error(`the socket was refused: ${head.split("\r\n")[0]}`));
      this.#socket.destroy();
      return false;
    }
    if (this.#options.kind === "socketio") this.send("40");
    if (this.#options.hello !== undefined) this.send(this.#options.hello);
    return true;
  }

  #frame(opcode: number, data: Buffer, start: number, end: number): void {
    if (opcode === opcodes.ping) this.#socket.write(clientFrame(data.subarray(start, end), opcodes.pong));
    if (opcode === opcodes.close) this.#socket.destroy();
    if (opcode !== opcodes.text) return;
    // engine.io's own ping.
    if (this.#options.kind === "socketio" && end - start === 1 && data[start] === 0x32) this.send("3");
    else if (!this.#ready && data.subarray(start, end).includes(this.#readyMarker)) {
      this.#ready = true;
      this.#resolve();
    } else this.#options.push(data, start, end);
  }
}
