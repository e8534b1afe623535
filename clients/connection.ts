/** The socket: fetches a ticket, makes the handshake, and tries again when either fails. It does not know streams. */
import type { ClientMessage } from "../shared/protocol.ts";
import type { Api, ApiError } from "./api.ts";
import type { Platform, Reason, Socket, Timer } from "./platform.ts";
import { waitAfter } from "./retry.ts";
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
  /** An error that the server gave for the whole connection: the reason if it is lost now. */
  _fault?: ApiError | undefined;
  /** Why the last socket was lost; undefined once the next one is useful. */
  _reason?: Reason | undefined;
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
  /** Called after `close` when the socket was lost, or could not be had, and is tried again. */
  _lost(reason: Reason): void;
}

/** A ticket for one handshake, in the address it is for. */
interface Ticket {
  ticket: string;
  socket: string;
}

export function makeConnection(
  platform: Platform,
  api: Api,
  mayConnect: () => unknown,
  on: ConnectionListeners,
): Connection {
  let socket: Socket | undefined;
  let connectingSince: number;
  let retryTimer: Timer | undefined;
  /** The socket that is open, or being opened; another one after it is given up, so that its late messages are ignored. */
  let attempt: object | undefined;

  const connect = async (): Promise<void> => {
    if (attempt || !mayConnect()) return;
    const mine = {};
    const still = () => mine === attempt;
    attempt = mine;
    connection._fault = undefined;
    try {
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
          close: (reason) => still() && lose(reason),
        },
      );
    } catch (error) {
      if (still()) lose({ error });
    }
  };

  const lose = (why: Reason = {}): void => {
    close();
    const { error = connection._fault } = why;
    connection._reason = { ...why, error };
    platform.log?.("socket", connection._reason);
    connection._failures += 1;
    retryTimer = platform.later(connect, waitAfter(error ?? why, connection._failures, platform));
    on._lost(why);
  };

  const close = (): void => {
    retryTimer?.cancel();
    socket?.close();
    socket = attempt = undefined;
    connection._isOpen = false;
    on.close();
  };

  const connection: Connection & { _isOpen: boolean } = {
    _failures: 0,
    _isOpen: false,
    _connect: connect,
    _next: 1,
    _send(message: Unnumbered | Foreign) {
      if (connection._isOpen) socket?.send(JSON.stringify({ ...message, n: connection._next++ }));
      return connection._isOpen;
    },
    _check(askedAt: (number | undefined)[]) {
      if (
        socket &&
        (connection._isOpen ? askedAt : [connectingSince]).some((at = platform.now()) => platform.now() > at + answerMs)
      )
        lose({ reason: "no answer" });
    },
    close,
  };
  return connection;
}
