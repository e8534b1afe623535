/**
 * The channel: streams over one socket, or, while no socket can be had, by polling. It trusts nobody: it checks every
 * stream by itself, asks for what is missing, and begins anew from a snapshot when it is told to.
 */
import type { ClientMessage, Position, ServerMessage, StreamEvent } from "../shared/protocol.ts";
import { type Api, ApiError, isSignedOut, mayRetry, parse, query } from "./api.ts";
import { makeHearers, safely } from "./hearers.ts";
import type { Platform, Socket, Timer } from "./platform.ts";
import { makeReader, type Reader } from "./reader.ts";
import { retryAfterMs, waitAfter } from "./retry.ts";

/** What a page can show. `live`: nothing is lacking. `polling`: nothing neither, only later. */
export type State = "live" | "catching up" | "polling" | "offline" | "signed out";

export interface Subscription {
  /** Each event once, in order. "again": the state is to be fetched anew. */
  // biome-ignore lint/suspicious/noConfusingVoidType: most say nothing
  onEvent(event: StreamEvent): "again" | void;
  /**
   * Fetches the state that the stream goes on from, shows it while `still()`, and says where it stands. Called at the
   * start and after a reset. Without it the stream begins now.
   */
  snapshot?: (still: () => boolean) => Promise<Position>;
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
  /** Hears every message of the server, and undefined when the socket is lost; returns how to stop. */
  onMessage(hear: (message: ServerMessage | undefined) => void): () => void;
  /** Somebody else is signed in, or nobody: begins with a new socket. */
  restart(): void;
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
  /** Asked, and not answered yet: since when. Else 0. */
  askedAt: number;
  /** When to check: so long after an answer of the server about this stream, or an event of it. */
  checkAt: number;
  checkMs: number;
  /** Nothing was lacking when the server last spoke of it. */
  current: boolean;
  /** A snapshot is being fetched, for the so many'th time. */
  resetting: boolean;
  round: number;
  /** The polling road is taken. */
  polling: boolean;
}

/** An answer that takes longer means that the socket is dead. */
const answerMs = 10_000;
const tickMs = 1_000;
const pollWaitSec = 20;
/** A browser has six connections to a host, a mini-program ten: more must not be kept waiting. */
const maxWaiting = 2;
/** The session has too many connections: another one would only throw the oldest out. */
const stayAwayMs = 60_000;

export function openChannel(platform: Platform, api: Api, { url, onState }: ChannelOptions): Channel {
  const { now, later, random } = platform;
  const subs = new Set<Sub>();
  const hearers = makeHearers<[ServerMessage | undefined]>();
  let socket: Socket | undefined;
  let open = false;
  let connecting = false;
  let connectingSince = 0;
  let closed = false;
  let hidden = false;
  let signedOut = false;
  /** Failed since the server last said anything of use. With two the polling road is taken. */
  let tries = 0;
  let waitMs = 0;
  let n = 0;
  let waiting = 0;
  let heardAt = now();
  let shown: State | undefined;
  let retryTimer: Timer | undefined;
  let tickTimer: Timer | undefined;
  let generation = 0;

  // --- Socket ------------------------------------------------------------------------------------------------------

  async function connect(): Promise<void> {
    if (closed || hidden || connecting || signedOut || socket || !subs.size) return;
    connecting = true;
    const mine = ++generation;
    const still = () => mine === generation;
    try {
      // A browser cannot say why a handshake failed; the session can.
      if (tries > 0 && tries % 2 === 0) await api.ask({ method: "GET", path: "/session" });
      const { ticket } = await api.ask<{ ticket: string }>({ method: "POST", path: "/session/ticket" });
      if (!still()) return;
      connectingSince = now();
      socket = platform.socket(url, ["orderbell.v1", `ticket.${ticket}`], {
        open: () => still() && opened(),
        message: (text) => still() && hear(text),
        close: () => still() && lost(),
      });
    } catch (error) {
      if (!still()) return;
      signedOut = isSignedOut(error);
      waitMs = (error as ApiError).retryAfterMs ?? 0;
      lost();
    } finally {
      if (still()) connecting = false;
    }
  }

  function opened(): void {
    open = true;
    ask("resume", subs);
    show();
  }

  function lost(): void {
    drop();
    tries += 1;
    hearers.tell(undefined);
    retryTimer?.cancel();
    retryTimer = later(connect, Math.max(waitMs, retryAfterMs(tries, random())));
    waitMs = 0;
    poll();
    show();
  }

  function drop(): void {
    generation += 1;
    const old = socket;
    socket = undefined;
    open = connecting = false;
    for (const sub of subs) {
      // What came early on this socket may be of a history that is over.
      sub.reader.restart(sub.reader.position());
      sub.askedAt = 0;
      sub.current &&= sub.polling;
    }
    old?.close();
  }

  function send(message: Unnumbered): boolean {
    if (!open) return false;
    n += 1;
    socket?.send(JSON.stringify({ ...message, n }));
    return true;
  }

  // --- Asking ------------------------------------------------------------------------------------------------------

  /** Without a position there is nothing to ask, where the state has to be fetched first. */
  const lacksState = ({ snapshot, reader }: Sub) => snapshot && !reader.position();

  function ask(type: "resume" | "check", some: Iterable<Sub>): void {
    const list = [...some].filter((sub) => !sub.resetting && !lacksState(sub));
    for (let at = 0; at < list.length; at += 20) {
      const part = list.slice(at, at + 20);
      const streams = part.map(({ stream, reader, grant }) => ({ stream, ...reader.position(), grant }));
      if (!send({ type, streams })) return;
      for (const sub of part) sub.askedAt ||= now();
    }
  }

  async function reset(sub: Sub, failed = 0): Promise<void> {
    const { snapshot } = sub;
    if (!snapshot) return;
    const mine = ++sub.round;
    const still = () => subs.has(sub) && sub.round === mine;
    sub.resetting = true;
    sub.current = false;
    sub.askedAt = 0;
    sub.reader.restart(undefined);
    show();
    try {
      const at = await snapshot(still);
      if (!still()) return;
      sub.reader.restart(at);
      sub.resetting = false;
      heardAt = now();
      ask("resume", [sub]);
      poll();
    } catch (error) {
      if (!still()) return;
      if (isSignedOut(error)) {
        signedOut = true;
        sub.resetting = false;
      } else if (mayRetry(error)) {
        const ms = waitAfter(error, failed + 1, random());
        later(() => still() && reset(sub, failed + 1), ms);
      } else over(sub, error as ApiError);
    }
    show();
  }

  function over(sub: Sub, error: ApiError): void {
    remove(sub);
    safely(() => sub.onError?.(error));
  }

  function remove(sub: Sub): boolean {
    const was = subs.delete(sub);
    if (!subs.size) {
      retryTimer?.cancel();
      drop();
    }
    show();
    return was;
  }

  /** Every stream is checked by itself: a busy room must not hide a silent kitchen. */
  function tick(): void {
    tickTimer = subs.size ? later(tick, tickMs) : undefined;
    const late = (since: number) => since && now() - since > answerMs;
    if (socket && (open ? [...subs].some(({ askedAt }) => late(askedAt)) : late(connectingSince))) lost();
    ask(
      "check",
      [...subs].filter((sub) => !sub.askedAt && now() >= sub.checkAt),
    );
    poll();
  }

  // --- Hearing -----------------------------------------------------------------------------------------------------

  function hear(text: string): void {
    heardAt = now();
    const message = parse(text) as ServerMessage | undefined;
    if (!message) return;
    hearers.tell(message);
    if (message.type === "checked")
      for (const { stream, seq, checkMs } of message.streams)
        for (const sub of of(stream)) settle(sub, seq, checkMs, true);
    else if ("stream" in message && message.stream) for (const sub of of(message.stream)) heard(sub, message);
    else if (message.type === "error") failed(message);
    show();
  }

  const of = (stream: string) => [...subs].filter((sub) => sub.stream === stream);

  function heard(sub: Sub, message: ServerMessage): void {
    switch (message.type) {
      case "event":
        if (arrived(sub, message, [message]) && !sub.askedAt) ask("resume", [sub]);
        return;
      case "head":
        if (sub.reader.isBehind(message)) ask("resume", [sub]);
        return;
      case "resumed":
        sub.askedAt = 0;
        arrived(sub, message, message.events);
        if (message.more) ask("resume", [sub]);
        else settle(sub, message.seq, message.checkMs, message.events.length > 0);
        return;
      case "reset":
        begunAnew(sub, message);
        return;
      case "error":
        if (message.id) return;
        if (message.retry) soon(sub);
        else over(sub, new ApiError(message.code, 403, message.message));
    }
  }

  /** @returns whether something before these has not come */
  function arrived(sub: Sub, at: Position, events: readonly StreamEvent[]): boolean {
    heardAt = now();
    if (sub.current) sub.checkAt = heardAt + sub.checkMs;
    if (sub.resetting) return false;
    if (!events.length) sub.reader.arrive(at);
    const { events: ready, missing } = sub.reader.take(at.epoch, events);
    const { round } = sub;
    let again = false;
    for (const event of ready)
      if (subs.has(sub) && sub.round === round) safely(() => (again = sub.onEvent(event) === "again" || again));
    if (again) void reset(sub);
    return missing && !again;
  }

  /** The server has said all it had to say at that moment. What came early meanwhile may still lack what is before it. */
  function settle(sub: Sub, seq: number, checkMs: number, hurry: boolean): void {
    tries = 0;
    if (sub.resetting) return;
    const at = sub.reader.position();
    sub.checkMs = checkMs;
    sub.checkAt = now() + checkMs;
    sub.askedAt = 0;
    sub.current = !!at && at.seq >= seq && !sub.reader.take(at.epoch, []).missing;
    if (sub.current) return;
    if (hurry) ask("resume", [sub]);
    else soon(sub);
  }

  /** Without a snapshot there is nothing to lose but the past: the stream goes on from the head. */
  function begunAnew(sub: Sub, head: Position): void {
    sub.askedAt = 0;
    if (sub.snapshot) return void reset(sub);
    sub.reader.restart(head);
    ask("resume", [sub]);
  }

  /** Of the whole connection. What ends it says so before the close. */
  function failed({ code, retry }: { code: string; retry: boolean }): void {
    // If it is the session, the next ticket is refused, and the session renewed.
    if (code === "TOO_MANY_CONNECTIONS") {
      tries = Math.max(tries, 1);
      waitMs = stayAwayMs;
    } else if (retry) for (const sub of subs) if (sub.askedAt) soon(sub);
  }

  /** Asks again in a second or two. */
  function soon(sub: Sub): void {
    sub.askedAt = 0;
    sub.checkAt = now() + retryAfterMs(1, random()) + tickMs;
  }

  // --- Polling -----------------------------------------------------------------------------------------------------

  const isOpenToAll = (sub: Sub) => /^(menu|board):/.test(sub.stream);

  const mayPoll = (sub: Sub) =>
    (signedOut ? isOpenToAll(sub) : tries > 1) && !hidden && subs.has(sub) && !sub.resetting && !lacksState(sub);

  function poll(): void {
    for (const sub of subs) if (!sub.polling && mayPoll(sub)) void pollOne(sub);
  }

  async function pollOne(sub: Sub): Promise<void> {
    sub.polling = true;
    for (let failures = 0; mayPoll(sub); ) {
      const { round } = sub;
      const waits = sub.current && waiting < maxWaiting;
      let pauseMs = 0;
      if (waits) waiting += 1;
      try {
        const { epoch, seq, tag } = sub.reader.position() ?? {};
        const wait = waits ? pollWaitSec : 0;
        const answer = await api.ask<PollAnswer>({
          method: "GET",
          path: `/events?${query({ stream: sub.stream, epoch, after: seq, tag, wait })}`,
          headers: sub.grant ? { "x-grant": sub.grant } : {},
          open: isOpenToAll(sub),
          timeoutMs: (pollWaitSec + 10) * 1_000,
        });
        failures = 0;
        // The socket may have been faster, and may have been told of another history.
        if (!subs.has(sub) || sub.round !== round || sub.reader.position()?.seq !== seq) continue;
        if (answer.reset) {
          begunAnew(sub, answer);
        } else {
          const missing = arrived(sub, answer, answer.events);
          sub.checkMs = answer.checkMs;
          sub.current = !answer.more && !missing && !sub.resetting;
          if (sub.current && !waits && waiting >= maxWaiting) pauseMs = Math.min(answer.checkMs, answerMs);
        }
      } catch (error) {
        if (!subs.has(sub)) break;
        if (isSignedOut(error)) signedOut = true;
        else if (!mayRetry(error)) over(sub, error as ApiError);
        sub.current = false;
        failures += 1;
        pauseMs = waitAfter(error, failures, random());
      } finally {
        if (waits) waiting -= 1;
      }
      show();
      if (pauseMs > 0) await new Promise<void>((resolve) => later(resolve, pauseMs));
    }
    sub.polling = false;
    show();
  }

  // --- What a page sees --------------------------------------------------------------------------------------------

  function state(): State {
    if (signedOut) return "signed out";
    const current = [...subs].every((sub) => sub.current);
    if (!subs.size) return "live";
    if (tries > 1) return current && !hidden ? "polling" : "offline";
    if (open && current) return "live";
    return tries > 0 && !open ? "offline" : "catching up";
  }

  function show(): void {
    const is = state();
    if (is === shown || closed) return;
    shown = is;
    safely(() => onState?.(is));
  }

  /** Begins: what has no state fetches it, and a socket is made for all. */
  function begin(): void {
    if (closed) return;
    for (const sub of subs) if (!sub.resetting && lacksState(sub)) void reset(sub);
    void connect();
    tickTimer ??= later(tick, tickMs);
    show();
  }

  function restart(): void {
    retryTimer?.cancel();
    drop();
    tries = 0;
    signedOut = false;
    // What is on its way was asked under another name.
    for (const sub of subs) sub.resetting = false;
    begin();
  }

  /** In front again, or on the network again: at once. Away: the socket is closed, as WeChat would do it. */
  const forget = platform.onChange((there) => {
    hidden = !there;
    if (hidden) {
      retryTimer?.cancel();
      drop();
      show();
    } else if (open) {
      // It may have died unnoticed.
      ask("check", subs);
    } else {
      tries = Math.min(tries, 1);
      begin();
    }
  });

  return {
    subscribe(stream, subscription) {
      const sub: Sub = {
        ...subscription,
        stream,
        reader: makeReader(subscription.position),
        askedAt: 0,
        checkAt: now() + answerMs,
        checkMs: answerMs,
        current: false,
        resetting: false,
        round: 0,
        polling: false,
      };
      subs.add(sub);
      ask("resume", [sub]);
      begin();
      return () => {
        if (remove(sub) && of(stream).length === 0) send({ type: "leave", streams: [stream] });
      };
    },
    state,
    heardAt: () => heardAt,
    send,
    onMessage: hearers.add,
    restart,
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
