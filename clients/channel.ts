/**
 * The channel: streams over one socket, or, while no socket can be had, by polling. It trusts nobody: it checks every
 * stream by itself, asks for what is missing, and begins anew from a snapshot when it is told to.
 */
import type { ClientMessage, Position, ServerMessage, StreamEvent } from "../shared/protocol.ts";
import { type Api, ApiError } from "./api.ts";
import type { Platform, Socket, Timer } from "./platform.ts";
import { makeReader, type Reader } from "./reader.ts";
import { retryAfterMs } from "./retry.ts";

/** What a page can show. `live`: nothing is lacking. */
export type State = "live" | "catching up" | "polling" | "offline" | "signed out";

export interface Subscription {
  /** Each event once, in order. */
  onEvent(event: StreamEvent): void;
  /**
   * Fetches the state that the stream goes on from, shows it, and says where it stands. Called at the start and after a reset.
   * Without it the stream begins now.
   */
  snapshot?: () => Promise<Position>;
  /** This stream is over: not allowed, unknown, withdrawn. */
  onError?(error: ApiError): void;
  /** For rooms. */
  grant?: string;
  position?: Position;
}

export interface Channel {
  /** Reads a stream until the returned function is called. */
  subscribe(stream: string, subscription: Subscription): () => void;
  state(): State;
  /** When anything was last heard, ms; for "last update". */
  heardAt(): number;
  /** Sends a message with the next number; false when there is no socket. */
  send(message: Unnumbered): boolean;
  /** Hears every message of the server; returns how to stop. */
  onMessage(hear: (message: ServerMessage | undefined) => void): () => void;
  close(): void;
}

type Unnumbered = ClientMessage extends infer M ? (M extends ClientMessage ? Omit<M, "n"> : never) : never;

export interface ChannelOptions {
  /** wss://… with the path. */
  url: string;
  onState?(state: State): void;
}

interface Sub extends Subscription {
  stream: string;
  reader: Reader;
  /** Asked, and not answered yet: since when. */
  askedAt: number | undefined;
  /** An answer of the server about this stream, or an event of it. */
  heardAt: number;
  checkMs: number;
  current: boolean;
  /** A snapshot is being fetched. */
  resetting: boolean;
  /** A request of the polling road is under way. */
  polling: boolean;
}

/** An answer that takes longer means that the socket is dead. */
const answerMs = 10_000;
const tickMs = 1_000;
const pollWaitSec = 20;

/** After these the token is renewed or somebody signs in. */
const endsSession = /^(SESSION|TICKET)_/;

export function openChannel(platform: Platform, api: Api, { url, onState }: ChannelOptions): Channel {
  const subs = new Map<string, Sub>();
  const hearers = new Set<(message: ServerMessage | undefined) => void>();
  let socket: Socket | undefined;
  let open = false;
  let connecting = false;
  let closed = false;
  let hidden = false;
  let signedOut = false;
  let tries = 0;
  let n = 0;
  let heardAt = platform.now();
  let shown: State | undefined;
  let retryTimer: Timer | undefined;
  let tickTimer: Timer | undefined;
  let generation = 0;

  // --- Socket ------------------------------------------------------------------------------------------------------

  async function connect(): Promise<void> {
    if (closed || hidden || connecting || socket !== undefined || subs.size === 0) return;
    connecting = true;
    const mine = ++generation;
    try {
      // A browser cannot say why a handshake failed; the session can.
      if (tries > 0 && tries % 2 === 0) await api.ask({ method: "GET", path: "/session" });
      const { ticket } = await api.ask<{ ticket: string }>({ method: "POST", path: "/session/ticket" });
      if (mine !== generation || closed || hidden) return;
      signedOut = false;
      socket = platform.socket(url, ["orderbell.v1", `ticket.${ticket}`], {
        open: () => mine === generation && opened(),
        message: (text) => mine === generation && hear(text),
        close: () => mine === generation && lost(),
      });
    } catch (error) {
      if (mine !== generation) return;
      signedOut = error instanceof ApiError && error.status === 401;
      lost(error instanceof ApiError ? error.retryAfterMs : undefined);
    } finally {
      if (mine === generation) connecting = false;
    }
  }

  function opened(): void {
    open = true;
    for (const sub of subs.values()) sub.askedAt = undefined;
    begin([...subs.values()]);
    show();
  }

  function lost(waitMs = 0): void {
    socket = undefined;
    open = false;
    connecting = false;
    tries += 1;
    for (const sub of subs.values()) {
      sub.askedAt = undefined;
      sub.current = false;
    }
    for (const hearer of hearers) hearer(undefined);
    if (tries > 1) poll();
    retry(Math.max(waitMs, retryAfterMs(tries, platform.random())));
    show();
  }

  function retry(ms: number): void {
    retryTimer?.cancel();
    if (!closed && !hidden) retryTimer = platform.later(() => void connect(), ms);
  }

  function drop(): void {
    generation += 1;
    const old = socket;
    socket = undefined;
    open = connecting = false;
    old?.close();
  }

  function send(message: Unnumbered): boolean {
    if (!open || socket === undefined) return false;
    n += 1;
    socket.send(JSON.stringify({ ...message, n }));
    return true;
  }

  // --- Asking ------------------------------------------------------------------------------------------------------

  /** Snapshot first, where there is one and no position; then ask. */
  function begin(list: Sub[]): void {
    const ready = list.filter((sub) => sub.snapshot === undefined || sub.reader.position() !== undefined);
    for (const sub of list) if (!ready.includes(sub)) void reset(sub);
    ask("resume", ready);
  }

  function ask(type: "resume" | "check", list: Sub[]): void {
    for (let at = 0; at < list.length; at += 20) {
      const part = list.slice(at, at + 20).filter((sub) => !sub.resetting);
      if (part.length > 0 && send({ type, streams: part.map(wish) }))
        for (const sub of part) sub.askedAt ??= platform.now();
    }
  }

  const wish = ({ stream, reader, grant }: Sub) => ({
    stream,
    ...reader.position(),
    ...(grant === undefined ? {} : { grant }),
  });

  async function reset(sub: Sub): Promise<void> {
    if (sub.resetting) return;
    sub.resetting = true;
    sub.current = false;
    sub.askedAt = undefined;
    show();
    for (let failed = 0; subs.get(sub.stream) === sub; ) {
      try {
        sub.reader.restart(await sub.snapshot?.());
        break;
      } catch (error) {
        if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) {
          over(sub, error);
          return;
        }
        failed += 1;
        const wait = (error as ApiError).retryAfterMs ?? retryAfterMs(failed, platform.random());
        await new Promise<void>((resolve) => platform.later(resolve, wait));
      }
    }
    sub.resetting = false;
    if (subs.get(sub.stream) !== sub) return;
    if (open) ask("resume", [sub]);
    else if (tries > 1) poll();
  }

  function over(sub: Sub, error: ApiError): void {
    if (subs.get(sub.stream) === sub) subs.delete(sub.stream);
    sub.onError?.(error);
    show();
  }

  /** Every stream is checked by itself: a busy room must not hide a silent kitchen. */
  function tick(): void {
    tickTimer = platform.later(tick, tickMs);
    const now = platform.now();
    const list = [...subs.values()];
    if (open && list.some(({ askedAt }) => askedAt !== undefined && now - askedAt > answerMs)) {
      drop();
      lost();
      return;
    }
    ask(
      "check",
      list.filter((sub) => sub.askedAt === undefined && now - sub.heardAt >= sub.checkMs),
    );
  }

  // --- Hearing -----------------------------------------------------------------------------------------------------

  function hear(text: string): void {
    heardAt = platform.now();
    let message: ServerMessage;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    for (const hearer of hearers) hearer(message);
    const sub = "stream" in message && message.stream !== undefined ? subs.get(message.stream) : undefined;
    switch (message.type) {
      case "event":
        if (sub !== undefined) arrived(sub, message.epoch, [message]);
        break;
      case "head":
        if (sub?.reader.isBehind(message)) ask("resume", [sub]);
        break;
      case "resumed":
        if (sub !== undefined && !sub.resetting) resumed(sub, message);
        break;
      case "checked":
        for (const { stream, checkMs } of message.streams) {
          const one = subs.get(stream);
          if (one !== undefined) settle(one, checkMs);
        }
        break;
      case "reset":
        if (sub !== undefined) begunAnew(sub, message);
        break;
      case "error":
        failed(message, sub);
    }
    show();
  }

  function arrived(sub: Sub, epoch: string, events: readonly StreamEvent[]): boolean {
    sub.heardAt = platform.now();
    if (sub.resetting) return true;
    const { events: ready, missing } = sub.reader.take(epoch, events);
    for (const event of ready) sub.onEvent(event);
    if (missing && sub.askedAt === undefined) ask("resume", [sub]);
    return !missing;
  }

  function resumed(sub: Sub, message: { events: StreamEvent[]; more: boolean; checkMs: number } & Position): void {
    tries = 0;
    sub.askedAt = undefined;
    if (message.events.length === 0) sub.reader.arrive({ epoch: message.epoch, seq: message.seq, tag: message.tag });
    arrived(sub, message.epoch, message.events);
    if (message.more) ask("resume", [sub]);
    else settle(sub, message.checkMs);
  }

  function settle(sub: Sub, checkMs: number): void {
    tries = 0;
    sub.askedAt = undefined;
    sub.heardAt = platform.now();
    sub.checkMs = checkMs;
    sub.current = true;
  }

  /** Without a snapshot there is nothing to lose but the past: the stream goes on from the head. */
  function begunAnew(sub: Sub, { epoch, seq, tag }: Position): void {
    sub.askedAt = undefined;
    if (sub.snapshot !== undefined) {
      void reset(sub);
    } else {
      sub.reader.restart({ epoch, seq, tag });
      ask("resume", [sub]);
    }
  }

  function failed(
    { code, message, retry: again }: { code: string; message: string; retry: boolean },
    sub: Sub | undefined,
  ): void {
    if (endsSession.test(code)) {
      // The next connect finds out whether the token can be renewed.
      tries = Math.max(tries, 1);
      return;
    }
    if (sub !== undefined && !again) over(sub, new ApiError(code, 403, message));
    // Asked again at the next check.
    else
      for (const one of sub === undefined ? subs.values() : [sub]) Object.assign(one, { askedAt: undefined, heardAt });
  }

  // --- Polling -----------------------------------------------------------------------------------------------------

  function poll(): void {
    for (const sub of subs.values()) if (!sub.polling) void pollOne(sub);
  }

  async function pollOne(sub: Sub): Promise<void> {
    sub.polling = true;
    let failures = 0;
    while (!open && !closed && !hidden && subs.get(sub.stream) === sub) {
      if (sub.resetting) break;
      if (sub.snapshot !== undefined && sub.reader.position() === undefined) {
        void reset(sub);
        break;
      }
      try {
        const wait = sub.current ? pollWaitSec : 0;
        const answer = await api.ask<PollAnswer>({
          method: "GET",
          path: `/events?${query({ stream: sub.stream, ...positionQuery(sub.reader.position()), wait: String(wait) })}`,
          headers: sub.grant === undefined ? {} : { "x-grant": sub.grant },
          timeoutMs: (pollWaitSec + 10) * 1_000,
        });
        failures = 0;
        heardAt = platform.now();
        if (subs.get(sub.stream) !== sub || sub.resetting) break;
        if (answer.reset !== undefined) {
          begunAnew(sub, answer);
        } else {
          if (answer.events.length === 0) sub.reader.arrive({ epoch: answer.epoch, seq: answer.seq, tag: answer.tag });
          arrived(sub, answer.epoch, answer.events);
          sub.current = !answer.more;
          sub.checkMs = answer.checkMs;
        }
      } catch (error) {
        const { status = 0, retryAfterMs: after } = error as ApiError;
        if (status === 403 || status === 404) {
          over(sub, error as ApiError);
          break;
        }
        signedOut = status === 401;
        sub.current = false;
        failures += 1;
        const ms = after ?? retryAfterMs(failures, platform.random(), 1_000);
        await new Promise<void>((resolve) => platform.later(resolve, ms));
      }
      show();
    }
    sub.polling = false;
    show();
  }

  // --- What a page sees --------------------------------------------------------------------------------------------

  function state(): State {
    if (signedOut) return "signed out";
    const list = [...subs.values()];
    const current = list.every((sub) => sub.current);
    if (open) return current ? "live" : "catching up";
    return list.length > 0 && current && list.some((sub) => sub.polling) ? "polling" : "offline";
  }

  function show(): void {
    const now = state();
    if (now === shown || closed) return;
    shown = now;
    onState?.(now);
  }

  /** In front again, or on the network again: at once. Away: the socket is closed, as WeChat would do it. */
  const forget = platform.onChange((there) => {
    hidden = !there;
    if (hidden) {
      retryTimer?.cancel();
      drop();
      for (const sub of subs.values()) sub.current = false;
    } else {
      tries = 0;
      void connect();
    }
    show();
  });
  tickTimer = platform.later(tick, tickMs);

  return {
    subscribe(stream, subscription) {
      const sub: Sub = {
        ...subscription,
        stream,
        reader: makeReader(subscription.position),
        askedAt: undefined,
        heardAt: platform.now(),
        checkMs: 10_000,
        current: false,
        resetting: false,
        polling: false,
      };
      subs.set(stream, sub);
      if (open) begin([sub]);
      else if (tries > 1) poll();
      else void connect();
      show();
      return () => {
        if (subs.get(stream) !== sub) return;
        subs.delete(stream);
        send({ type: "leave", streams: [stream] });
        if (subs.size === 0) {
          retryTimer?.cancel();
          drop();
        }
        show();
      };
    },
    state,
    heardAt: () => heardAt,
    send,
    onMessage(hearer) {
      hearers.add(hearer);
      return () => hearers.delete(hearer);
    },
    close() {
      closed = true;
      forget();
      retryTimer?.cancel();
      tickTimer?.cancel();
      subs.clear();
      drop();
    },
  };
}

type PollAnswer = Position & { events: StreamEvent[]; more: boolean; checkMs: number; reset?: string };

const positionQuery = (at: Position | undefined): Record<string, string> =>
  at === undefined ? {} : { epoch: at.epoch, after: String(at.seq), tag: at.tag };

/** URLSearchParams is not everywhere. */
const query = (fields: Record<string, string>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name}=${encodeURIComponent(value)}`)
    .join("&");
