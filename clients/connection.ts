/** The socket: fetches a ticket, makes the handshake, and tries again when either fails. It does not know streams. */
import type { ClientMessage } from "../shared/protocol.ts";
import type { Api, ApiError } from "./api.ts";
import type { Platform, Socket, Timer } from "./platform.ts";
import { retryAfterMs } from "./retry.ts";
import { answerMs } from "./timing.ts";

export type Unnumbered = ClientMessage extends infer M ? (M extends ClientMessage ? Omit<M, "n"> : never) : never;

/** A message of the package's other entries, in another dialect. */
export interface Foreign {
  msgType: string;
  watchId: string | undefined;
  requestId: string;
  msgData: object | null;
}

export interface Connection {
  /** Failed tries since the last useful message of the server; the channel resets it. */
  _failures: number;
  /** The time before which there is no next try; set by the channel when the server gives one. */
  _waitMs: number;
  readonly _isOpen: boolean;
  /** Fetches a ticket and opens a socket, unless there is one, or none is allowed. */
  _connect(): Promise<void>;
  /** The number of the next message. */
  _next: number;
  /** Sends a message with the next number; false when there is no socket. */
  _send(message: Unnumbered | Foreign): boolean;
  /** Takes the socket for dead when the handshake, or a question asked at that time, waits too long for its answer. */
  _check(askedAt: (number | undefined)[]): void;
  /** There is no socket, and no next try is scheduled. */
  close(): void;
}

export interface ConnectionListeners {
  open(): void;
  message(text: string): void;
  /** The socket was closed, by either side. */
  close(): void;
  /** Called after `close` when the other side closed it and it is tried again. With `error` when the handshake failed. */
  _lost(error?: unknown): void;
}

/** A ticket for one handshake, in the address it is for. */
interface Ticket {
  ticket: string;
  socket: string;
}

export function makeConnection(
  platform: Platform,
  api: Api,
  mayConnect: () => boolean,
  on: ConnectionListeners,
): Connection {
  let socket: Socket | undefined;
  /** There is a socket, or one is being opened. */
  let started = false;
  let connectingSince: number;
  let retryTimer: Timer | undefined;
  /** Grows when a socket is given up: later messages of the old one are ignored. */
  let generation = 0;

  async function connect(): Promise<void> {
    if (started || !mayConnect()) return;
    started = true;
    const mine = ++generation;
    const still = () => mine === generation;
    try {
      // A browser cannot say why a handshake failed; the session can.
      if (connection._failures && !(connection._failures % 2)) await api.ask({ method: "GET", path: "/session" });
      const { ticket, socket: at } = await api.ask<Ticket>({ method: "POST", path: "/session/ticket" });
      if (!still()) return;
      connectingSince = platform.now();
      // A server behind a proxy may not know that the client uses TLS.
      socket = platform.socket(
        /^https/.test(api.url) ? at.replace(/^ws:/, "wss:") : at,
        ["orderbell.v1", `ticket.${ticket}`],
        {
          open() {
            if (!still()) return;
            connection._isOpen = true;
            on.open();
          },
          message: (text) => still() && on.message(text),
          close: () => still() && lose(),
        },
      );
    } catch (error) {
      if (!still()) return;
      connection._waitMs = (error as ApiError).retryAfterMs ?? 0;
      lose(error);
    }
  }

  function lose(error?: unknown): void {
    close();
    connection._failures += 1;
    retryTimer = platform.later(
      connect,
      Math.max(connection._waitMs, retryAfterMs(connection._failures, platform.random())),
    );
    connection._waitMs = 0;
    on._lost(error);
  }

  function close(): void {
    retryTimer?.cancel();
    generation += 1;
    socket?.close();
    socket = undefined;
    connection._isOpen = started = false;
    on.close();
  }

  const connection = {
    _failures: 0,
    _waitMs: 0,
    _isOpen: false,
    _connect: connect,
    _next: 1,
    _send(message: Unnumbered | Foreign) {
      const open = connection._isOpen;
      if (open) socket?.send(JSON.stringify({ ...message, n: connection._next++ }));
      return open;
    },
    _check(askedAt: (number | undefined)[]) {
      if (
        socket &&
        (connection._isOpen ? askedAt : [connectingSince]).some((at = platform.now()) => platform.now() > at + answerMs)
      )
        lose();
    },
    close,
  };
  return connection;
}
