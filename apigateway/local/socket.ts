/** WebSocket API on this machine: handshakes, frames and closes become events for the functions. */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { Stopping } from "../../shared/errors.ts";
import { errorFrame } from "../../shared/frame.ts";
import { Connection, type PushFaults } from "./connections.ts";
import { type FrameFaults, type FrameQueueOptions, frameQueue } from "./frame_queue.ts";
import { type Handshakes, type HandshakesOptions, handshakes } from "./handshake.ts";
import { type Handshake, type SocketFunctionsOptions, socketFunctions } from "./socket_functions.ts";

/** Faults that a test may have the gateway make; AWS makes each of these now and then. */
export interface Faults extends PushFaults, FrameFaults {
  /** Never report a closed connection. */
  dropDisconnect?: boolean;
}

export interface SocketApiOptions extends SocketFunctionsOptions, HandshakesOptions, FrameQueueOptions {
  readonly faults: Faults;
}

export interface SocketApi extends Handshakes {
  /** Sends every client the error STOPPING, upon which it reconnects, and closes. */
  closeAll(): void;
  /** Ends what has not closed, at once. */
  cut(): void;
  /** Resolves when no socket is open. */
  idle(): Promise<void>;
}

/**
 * The listeners of all sockets are the same few functions, and find the connection here: closures for each socket were half of
 * an idle connection's memory.
 */
const connectionOf = Symbol("connection");
type Of<T> = T & { [connectionOf]: Connection };

export function socketApi(options: SocketApiOptions): SocketApi {
  const { limits, connections, faults, now } = options;
  const functions = socketFunctions(options);
  const { upgrade, cut } = handshakes(options, functions, open);
  const frames = frameQueue(options, functions);
  const waitingForIdle: (() => void)[] = [];

  function open(socket: WebSocket, raw: Duplex, handshake: Handshake): void {
    const connection = new Connection(socket, raw, handshake, now());
    connections.add(connection);
    (socket as Of<WebSocket>)[connectionOf] = connection;
    (raw as Of<Duplex>)[connectionOf] = connection;
    (raw as Partial<Socket>).setNoDelay?.(true);
    raw.prependListener("data", onData as () => void);
    raw.on("close", onRawClose as () => void);
    // A frame that broke a rule of the protocol: `ws` closes with the fitting code itself.
    socket.on("error", nothing);
    socket.on("message", onMessage as () => void);
    socket.on("close", onClose as () => void);
  }

  function onData(this: Of<Duplex>, chunk: Buffer): void {
    const { lengths, socket } = this[connectionOf];
    if (lengths.isTooLarge(chunk, limits.maxFrameBytes)) socket.close(1009);
  }

  function onMessage(this: Of<WebSocket>, data: Buffer, isBinary: boolean): void {
    // Came in the same packet as a frame that broke a rule.
    if (this.readyState !== this.OPEN) return;
    if (isBinary) {
      this.close(1003);
      return;
    }
    const connection = this[connectionOf];
    connection.lastActiveAt = now();
    frames.serve(connection, data.toString("utf8"));
  }

  function onRawClose(this: Of<Duplex>): void {
    frames.leave(this[connectionOf]);
  }

  function onClose(this: Of<WebSocket>, code: number, reason: Buffer): void {
    const connection = this[connectionOf];
    connections.remove(connection);
    if (faults.dropDisconnect !== true) functions.disconnect(connection.info, code, reason.toString());
    if (connections.size === 0) for (const resolve of waitingForIdle.splice(0)) resolve();
  }

  const closeExpired = () => {
    const at = now();
    for (const { socket, lastActiveAt, info } of connections.all())
      if (at - lastActiveAt >= limits.idleMs || at - info.connectedAt >= limits.durationMs)
        socket.close(1001, "Going away");
  };
  const expiry = setInterval(closeExpired, Math.min(1_000, limits.idleMs / 4, limits.durationMs / 4)).unref();

  return {
    upgrade,
    closeAll() {
      clearInterval(expiry);
      const frame = errorFrame(new Stopping());
      for (const { id, socket } of [...connections.all()]) {
        connections.send(id, frame);
        socket.close(1012);
      }
    },
    cut() {
      for (const { socket } of [...connections.all()]) socket.terminate();
      cut();
    },
    idle: () =>
      connections.size === 0 ? Promise.resolve() : new Promise((resolve) => waitingForIdle.push(() => resolve())),
  };
}

function nothing(): void {}
