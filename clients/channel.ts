/**
 * The channel: streams over one socket, or by polling while there is none. It checks each stream separately,
 * requests missing events, and starts again from a snapshot when the server says so.
 */
import type { ServerMessage, StreamPosition, StreamRequest } from "../shared/protocol.ts";
import { type Api, ApiError, isSignedOut, parse } from "./api.ts";
import { type Connection, type Foreign, makeConnection, type Unnumbered } from "./connection.ts";
import { makeEmitter, safely } from "./emitter.ts";
import type { Platform, Reason, Timer } from "./platform.ts";
import { isOpenToAll, makePolling } from "./polling.ts";
import { type OpenSubscription, openSubscription, type Subscription } from "./subscription.ts";
import { tickMs, tooManyConnectionsMs } from "./timing.ts";

export type { Subscription } from "./subscription.ts";

/**
 * The state for a page to show. `live`: as of the last check, nothing is missing. `polling`: the same, but updates come later.
 * `idle`: nothing is watched. `closed`: by `close()`, for good.
 */
export type State = "idle" | "live" | "catching up" | "polling" | "offline" | "signed out" | "closed";

export interface Channel {
  /** For the package's other entries: clock, timers and chance. */
  readonly platform: Platform;
  /**
   * Reads a stream until the returned function is called.
   * @param open for the package's other entries: what is read instead of a stream, over the same socket; `stream` is empty
   */
  subscribe(stream: string, subscription: Subscription, open?: typeof openSubscription): () => void;
  state(): State;
  onState(listener: (state: State, reason?: Reason) => void): () => void;
  /** Why there is no socket, or was none a moment ago; undefined while one is useful. */
  reason(): Reason | undefined;
  /** The time of the last message, ms; for "last update". 0: never. */
  heardAt(): number;
  /** Sends a message with the next number; false when there is no socket. */
  send(message: Unnumbered | Foreign): boolean;
  /** Calls back with every message of the server, and with undefined when the socket is lost. Returns the function that stops it. */
  onMessage(listener: (message: ServerMessage | undefined) => void): () => void;
  /** The user has changed or signed out: begins with a new socket. */
  restart(): void;
  close(): void;
}

export function openChannel(platform: Platform, api: Api): Channel {
  const subs = new Set<OpenSubscription>();
  const messages = makeEmitter<[ServerMessage | undefined]>(platform);
  const states = makeEmitter<[State, Reason?]>(platform);
  let closed: boolean | undefined;
  let hidden: boolean | undefined;
  let signedOut: boolean | undefined;
  let heardAt = 0;
  let shown: State | undefined;
  let tickTimer: Timer | undefined;

  const state = () => (closed ? "closed" : signedOut ? "signed out" : stateOf(subs, connection, hidden));

  const show = (): void => {
    const is = state();
    if (is === shown) return;
    shown = is;
    platform.log?.("state", is);
    states._emit(is, connection._reason);
  };

  // After two failures the channel falls back to polling.
  const polled = new Set<OpenSubscription>();
  const mayPoll = (sub: OpenSubscription) =>
    (signedOut ? isOpenToAll(sub.stream) : connection._failures > 1) && !hidden && sub._mayAsk();
  const pollOne = makePolling(platform, api, polled, mayPoll, show);
  const poll = () => subs.forEach(pollOne);

  const connection = makeConnection(platform, api, () => !closed && !hidden && !signedOut && subs.size, {
    open() {
      ask(connection, "resume", subs);
      show();
    },
    message(text) {
      heardAt = platform.now();
      const message = parse(text) as ServerMessage | undefined;
      if (!message) return;
      messages._emit(message);
      dispatch(message, subs, connection);
      show();
    },
    close() {
      for (const sub of subs) sub._disconnect(polled.has(sub));
    },
    _lost({ error }) {
      if (error) signedOut = isSignedOut(error);
      messages._emit(undefined);
      poll();
      show();
    },
  });

  /** Checks each stream separately: events of a busy room say nothing about the kitchen's stream. */
  const tick = (): void => {
    tickTimer = subs.size ? platform.later(tick, tickMs) : undefined;
    connection._check([...subs].map((sub) => sub._askedAt()));
    const due = [...subs].filter((sub) => sub._isDue());
    ask(connection, "check", due);
    poll();
  };

  /** Subscriptions without a state fetch it, and one socket is opened for all. */
  const begin = (anew?: boolean): void => {
    if (closed) return;
    for (const sub of subs) sub._begin(anew);
    void connection._connect();
    tickTimer ??= platform.later(tick, tickMs);
    show();
  };

  const remove = (sub: OpenSubscription): boolean => {
    sub.close();
    const was = subs.delete(sub);
    if (!subs.size) connection.close();
    show();
    return was;
  };

  /** Reconnects at once when the app comes to the front or the network is back. In the background the socket is closed, as WeChat would do. */
  const stopListening = platform.onChange((there) => {
    hidden = !there;
    if (hidden) {
      connection.close();
      show();
    } else if (connection._isOpen) {
      // The socket may be dead without a close event.
      ask(connection, "check", subs);
    } else {
      if (connection._failures) connection._failures = 1;
      begin();
    }
  });

  return {
    platform,
    subscribe(stream, subscription, open = openSubscription) {
      const sub = open(platform, stream, subscription, {
        _ask() {
          ask(connection, "resume", [sub]);
          poll();
          show();
        },
        _heard(answer) {
          heardAt = platform.now();
          if (!answer) return;
          connection._failures = 0;
          connection._reason = undefined;
        },
        _error(error) {
          if (isSignedOut(error)) {
            signedOut = true;
            connection._reason = { error };
            show();
          } else {
            remove(sub);
            void safely(platform, () => subscription.onError?.(error as ApiError));
          }
        },
      });
      subs.add(sub);
      ask(connection, "resume", [sub]);
      begin();
      return () => {
        // A stream that has no name yet was never asked for.
        const { stream } = sub;
        if (remove(sub) && stream && ![...subs].some((one) => one.stream === stream))
          connection._send({ type: "leave", streams: [stream] });
      };
    },
    state,
    onState: states._listen,
    reason: () => connection._reason,
    heardAt: () => heardAt,
    send: connection._send,
    onMessage: messages._listen,
    restart() {
      connection.close();
      connection._failures = 0;
      signedOut = false;
      begin(true);
    },
    close() {
      closed = true;
      stopListening();
      tickTimer?.cancel();
      for (const sub of subs) remove(sub);
    },
  };
}

/** Passes a message to the subscriptions that it concerns. */
function dispatch(message: ServerMessage, subs: Set<OpenSubscription>, connection: Connection): void {
  const isFault = message.type === "error" && !message.stream;
  if (isFault) {
    const waitMs = message.code === "TOO_MANY_CONNECTIONS" ? tooManyConnectionsMs : undefined;
    if (waitMs) connection._failures = 1;
    connection._fault = new ApiError(message.code, 0, message.message, waitMs);
  }
  for (const sub of subs)
    if (message.type === "checked") {
      for (const { stream, checkMs } of message.streams)
        if (stream === sub.stream) sub._settle(message.n, checkMs, true);
    }
    // An error of the whole connection. If its cause is the session, the next ticket is refused and the session refreshed.
    else if (isFault ? message.retry && sub._askedAt() : (message as StreamPosition).stream === sub.stream)
      sub._receive(message);
}

/** Sends a check of these streams, in one message or more: a message holds a limited number of streams, and one position of each. */
function ask(connection: Connection, type: "resume" | "check", subs: Iterable<OpenSubscription>): void {
  const asks = new Map<string, StreamRequest>();
  const left = [...subs].filter((sub) => connection._isOpen && sub._mayAsk() && !sub._ask(asks, connection._next));
  if (!asks.size) return;
  connection._send({ type, streams: [...asks.values()] });
  ask(connection, type, left);
}

function stateOf(subs: Set<OpenSubscription>, connection: Connection, hidden: boolean | undefined): State {
  if (!subs.size) return "idle";
  const current = [...subs].every((sub) => sub._isCurrent());
  if (hidden) return "offline";
  if (connection._failures > 1) return current ? "polling" : "offline";
  if (connection._isOpen) return current ? "live" : "catching up";
  return connection._failures ? "offline" : "catching up";
}
