/** WebSocket API on this machine: handshakes, frames and closes become events for the functions. */
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { Stopping } from "../../shared/errors.ts";
import { errorFrame } from "../../shared/frame.ts";
import type { Connection, PushFaults } from "./connections.ts";
import { watchFrames } from "./frame_lengths.ts";
import { type FrameFaults, type FrameQueueOptions, frameQueue } from "./frame_queue.ts";
import { type Handshakes, type HandshakesOptions, handshakes } from "./handshake.ts";
import { Pending } from "./pending.ts";
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

export function socketApi(options: SocketApiOptions): SocketApi {
  const { limits, connections, faults, now } = options;
  const functions = socketFunctions(options);
  const { upgrade, cut } = handshakes(options, functions, open);
  const openSockets = new Pending();

  function open(socket: WebSocket, raw: Duplex, handshake: Handshake): void {
    const { info } = handshake;
    const connection: Connection = {
      id: info.connectionId,
      socket,
      raw,
      connectedAt: info.connectedAt,
      sourceIp: info.sourceIp,
      userAgent: info.userAgent,
      lastActiveAt: now(),
      session: undefined,
      until: Number.POSITIVE_INFINITY,
      streams: new Map(),
    };
    const serve = frameQueue(options, functions, connection, handshake);
    connections.add(connection);
    openSockets.add(new Promise<void>((resolve) => socket.once("close", () => resolve())));
    (raw as Partial<Socket>).setNoDelay?.(true);
    watchFrames(raw, limits.maxFrameBytes, () => socket.close(1009));
    // A frame that broke a rule of the protocol: `ws` closes with the fitting code itself.
    socket.on("error", () => {});
    socket.on("message", (data: Buffer, isBinary) => {
      // Came in the same packet as a frame that broke a rule.
      if (socket.readyState !== socket.OPEN) return;
      if (isBinary) return socket.close(1003);
      connection.lastActiveAt = now();
      serve(data.toString("utf8"));
    });
    socket.on("close", (code, reason) => {
      connections.remove(connection);
      if (faults.dropDisconnect !== true) functions.disconnect(info, code, reason.toString());
    });
  }

  const closeExpired = () => {
    for (const { socket, lastActiveAt, connectedAt } of connections.all())
      if (now() - lastActiveAt >= limits.idleMs || now() - connectedAt >= limits.durationMs)
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
    idle: () => openSockets.idle(),
  };
}
