/**
 * A simulation for the channel in one process: time, a faulty network, and a server that follows docs/protocol.md over rows
 * that the test can change. All randomness comes from one seed.
 */
import type { Platform, Request, Response, SocketEvents } from "../../clients/platform.ts";
import type {
  ClientMessage,
  Position,
  ResetReason,
  ServerMessage,
  StreamEvent,
  StreamRequest,
} from "../../shared/protocol.ts";

/** What happens to a frame or a request, each from 0 to 1. */
export interface Weather {
  lost: number;
  doubled: number;
  /** The longest delay, ms; frames overtake each other. */
  delayMs: number;
}
export const calm: Weather = { lost: 0, doubled: 0, delayMs: 5 };

/** One stream as it truly is. */
export interface Truth {
  epoch: string;
  /** Every event of this history, from number 1. */
  log: StreamEvent[];
  /** Below and including this number nothing can be had as events any more. */
  trimmed: number;
  /** Histories that ended: by a restore, or a new epoch. */
  ended: StreamEvent[][];
}

/** A socket of the world, for a dialect beside docs/protocol.md. */
export interface Line {
  readonly alive: boolean;
}

interface Connection {
  on: SocketEvents;
  /** Stream → whether it is subscribed, and the number of the message that decided it. */
  reads: Map<string, { n: number; reads: boolean }>;
  alive: boolean;
  token: string;
}

const maxChunk = 3;

export class World {
  readonly streams = new Map<string, Truth>();
  /** How long a stream may be silent before its readers ask. */
  checkMs = 3_000;
  weather: Weather = calm;
  socketsCanBeHad = true;
  /** Requests are answered at all. */
  reachable = true;
  /** The token of the session that is alive, if one is. */
  token: string | undefined = "token0";
  now = 1_000_000;
  /** Hears the frames of another dialect. */
  foreign: (line: Line, frame: unknown) => void = () => {};
  #queue: { at: number; work: (() => void) | undefined }[] = [];
  #seed: number;
  #connections = new Set<Connection>();
  #polls = new Set<() => void>();
  #ids = 0;
  #onChange = (_there: boolean) => {};

  constructor(seed: number) {
    this.#seed = seed;
  }

  // --- Chance and time ---------------------------------------------------------------------------------------------

  random = (): number => {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };

  later(work: () => void, ms: number): { cancel(): void } {
    const entry: { at: number; work: (() => void) | undefined } = { at: this.now + Math.max(0, ms), work };
    // Sorted by time; few wait at once, and most go to the end.
    let at = this.#queue.length;
    while (at > 0 && (this.#queue[at - 1] as typeof entry).at > entry.at) at -= 1;
    this.#queue.splice(at, 0, entry);
    return {
      cancel: () => {
        entry.work = undefined;
      },
    };
  }

  /** Lets so much time pass, or less when `done`. */
  async pass(ms: number, done: () => boolean = () => false): Promise<void> {
    const until = this.now + ms;
    await settled();
    while (!done()) {
      const next = this.#queue[0];
      if (next === undefined || next.at > until) {
        this.now = until;
        return;
      }
      this.#queue.shift();
      if (next.work === undefined) continue;
      this.now = next.at;
      next.work();
      await settled();
    }
  }

  // --- What can happen ---------------------------------------------------------------------------------------------

  truth(stream: string): Truth {
    let truth = this.streams.get(stream);
    if (truth === undefined) {
      truth = { epoch: this.#word(), log: [], trimmed: 0, ended: [] };
      this.streams.set(stream, truth);
    }
    return truth;
  }

  /**
   * @param lost how many of the pushes, from 0 to 1
   * @param slowMs how long the process that stored it is busy before it pushes
   */
  publish(stream: string, lost = this.weather.lost, slowMs = 0): void {
    const { log, epoch } = this.truth(stream);
    const seq = log.length + 1;
    const prev = log.at(-1)?.tag ?? "";
    const event = { seq, tag: this.#word(), prev, event: "message", at: "", data: this.#ids++ };
    log.push(event);
    const push = () => {
      for (const connection of this.#connections)
        if (connection.reads.get(stream)?.reads)
          this.#push(connection, { type: "event", stream, epoch, ...event }, lost);
    };
    if (slowMs > 0) this.later(push, slowMs);
    else push();
    for (const poll of [...this.#polls]) poll();
  }

  /** Sends a stream's head to its readers, by a process that is busy for this long. */
  tell(stream: string, slowMs = 0): void {
    const head = { type: "head", stream, ...headOf(this.truth(stream)) } as const;
    this.later(() => {
      for (const connection of this.#connections) if (connection.reads.get(stream)?.reads) this.#push(connection, head);
    }, slowMs);
  }

  /** Sends a frame of another dialect on a socket. */
  say(line: Line, frame: object): void {
    for (const connection of this.#connections) if (connection === line) this.#push(connection, frame);
  }

  /** The sweep: every stream's head, to its readers. */
  sweep(): void {
    for (const stream of this.streams.keys()) this.tell(stream);
  }

  /** The sockets die, with or without a close. */
  cut(told: boolean): void {
    for (const connection of this.#connections) this.#end(connection, told);
  }

  /** The database goes back: the last events are lost. Sockets, and pushes in flight, survive that. */
  restore(stream: string, back: number): void {
    const truth = this.truth(stream);
    this.#replace(truth, { log: truth.log.slice(0, Math.max(truth.trimmed, truth.log.length - back)) });
  }

  /** The database returns to its state before it went back: a fail-over, and its undoing. */
  returnTo(stream: string, history: Truth["log"]): void {
    const truth = this.truth(stream);
    this.#replace(truth, { log: [...history], trimmed: Math.min(truth.trimmed, history.length) });
  }

  newHistory(stream: string): void {
    this.#replace(this.truth(stream), { log: [], epoch: this.#word(), trimmed: 0 });
  }

  #replace(truth: Truth, by: Partial<Truth>): void {
    truth.ended.push(truth.log);
    Object.assign(truth, by);
    for (const poll of [...this.#polls]) poll();
  }

  trim(stream: string): void {
    const truth = this.truth(stream);
    truth.trimmed = truth.log.length;
  }

  /** The session ends; or another one begins. */
  sign(isIn: boolean): void {
    this.token = isIn ? `token${this.#ids++}` : undefined;
  }

  inFront(there: boolean): void {
    this.#onChange(there);
  }

  // --- The platform ------------------------------------------------------------------------------------------------

  readonly platform: Platform = {
    socket: (_, [, ticket = ""], on) => {
      const connection: Connection = { on, reads: new Map(), alive: false, token: ticket.slice("ticket.".length) };
      let over = false;
      const close = () => {
        if (over) return;
        over = true;
        connection.alive = false;
        this.#connections.delete(connection);
        on.close();
      };
      connection.on = { ...on, close };
      this.later(() => {
        if (over) return;
        if (connection.token !== this.token) return close();
        // Refused; or swallowed without any answer.
        if (!this.socketsCanBeHad || !this.reachable) return this.random() < 0.5 ? close() : undefined;
        connection.alive = true;
        this.#connections.add(connection);
        on.open();
      }, this.#way());
      return {
        send: (text) => {
          if (connection.alive && this.#arrives())
            this.later(() => this.#serve(connection, JSON.parse(text)), this.#way());
        },
        close: () => void this.later(close, 1),
      };
    },
    request: (request) => this.#request(request),
    store: { get: () => undefined, set() {}, remove() {}, names: () => [] },
    now: () => this.now,
    later: (work, ms) => this.later(work, ms),
    random: () => this.random(),
    onChange: (back) => {
      this.#onChange = back;
      return () => {};
    },
  };

  async #request({ url, timeoutMs, headers }: Request): Promise<Response> {
    const giveUpAt = this.now + timeoutMs;
    await this.#wait(this.#way());
    const fails = !this.reachable || !this.#arrives();
    // Half of those that fail were served, and the answer was lost.
    const [path = "", search = ""] = url.split("?");
    const answer = fails && this.random() < 0.5 ? undefined : await this.#answer(path, search, headers, giveUpAt);
    await this.#wait(this.#way());
    if (fails || answer === undefined) {
      await this.#wait(this.random() < 0.5 ? 0 : Math.max(0, giveUpAt - this.now));
      throw new Error("no answer");
    }
    return answer;
  }

  async #answer(
    path: string,
    search: string,
    { authorization }: Record<string, string>,
    giveUpAt: number,
  ): Promise<Response> {
    // `menu:` is for anyone.
    if (!/menu/.test(search) && (this.token === undefined || authorization !== `Bearer ${this.token}`))
      return json(401, { code: "SESSION_ENDED", detail: "" });
    if (path === "/session/ticket") return json(201, { ticket: this.token, socket: "wss://world/pgws" });
    const wanted = Object.fromEntries(new URLSearchParams(search));
    const stream = wanted.stream ?? "";
    if (path === "/state") return json(200, { log: this.truth(stream).log, position: headOf(this.truth(stream)) });
    if (path !== "/events") return json(200, {});
    const ask: StreamRequest =
      wanted.after === undefined
        ? { stream }
        : { stream, epoch: wanted.epoch, seq: Number(wanted.after), tag: wanted.tag };
    const until = Math.min(giveUpAt, this.now + Number(wanted.wait) * 1_000);
    for (;;) {
      const answer = this.#since(ask);
      if ("reset" in answer || answer.events.length > 0 || this.now >= until)
        return json(200, { ...answer, checkMs: this.checkMs });
      await new Promise<void>((resolve) => {
        const look = () => {
          this.#polls.delete(look);
          timer.cancel();
          resolve();
        };
        const timer = this.later(look, until - this.now);
        this.#polls.add(look);
      });
    }
  }

  // --- The server --------------------------------------------------------------------------------------------------

  #serve(connection: Connection, message: ClientMessage): void {
    if (!connection.alive) return;
    if (connection.token !== this.token) {
      this.#push(connection, { type: "error", code: "SESSION_ENDED", message: "", retry: false });
      this.later(() => this.#end(connection, true), this.weather.delayMs);
      return;
    }
    if ("msgType" in message) {
      this.foreign(connection, message);
      return;
    }
    if (message.type === "leave") {
      for (const stream of message.streams) this.#note(connection, stream, message.n, false);
      return;
    }
    if (message.type !== "resume" && message.type !== "check") return;
    const { checkMs } = this;
    const current: { stream: string; seq: number; checkMs: number }[] = [];
    for (const ask of message.streams) {
      if (!this.#note(connection, ask.stream, message.n, true)) continue;
      const { stream } = ask;
      const answer = this.#since(ask);
      const { n } = message;
      if ("reset" in answer) {
        const { reset: reason, ...head } = answer;
        this.#push(connection, { type: "reset", n, stream, ...head, reason });
      } else if (message.type === "check" && answer.events.length === 0 && ask.seq !== undefined) {
        current.push({ stream, seq: answer.seq, checkMs });
      } else {
        const head = this.truth(stream).log.length;
        this.#push(connection, { type: "resumed", n, stream, ...answer, head, checkMs });
      }
    }
    if (current.length > 0) this.#push(connection, { type: "checked", n: message.n, streams: current });
  }

  /** Two frames of one client may be served in either order: the higher number wins. */
  #note(connection: Connection, stream: string, n: number, reads: boolean): boolean {
    if ((connection.reads.get(stream)?.n ?? 0) > n) return false;
    connection.reads.set(stream, { n, reads });
    return true;
  }

  #since(
    ask: StreamRequest,
  ): (Position & { reset: ResetReason }) | (Position & { events: StreamEvent[]; more: boolean }) {
    const truth = this.truth(ask.stream);
    const head = headOf(truth);
    if (ask.seq === undefined) return { ...head, events: [], more: false };
    const fromTheStart = ask.seq === 0 && (ask.epoch ?? "") === "";
    const reset = (reason: ResetReason) => ({ ...head, reset: reason });
    if (ask.epoch !== truth.epoch && !fromTheStart) return reset("epoch");
    if (ask.seq > head.seq) return reset("ahead");
    if (ask.seq > 0 && truth.log[ask.seq - 1]?.tag !== ask.tag) return reset("tag");
    if (ask.seq < truth.trimmed) return reset("trimmed");
    const events = truth.log.slice(ask.seq, ask.seq + maxChunk);
    const { seq, tag } = events.at(-1) ?? { seq: ask.seq, tag: ask.tag ?? "" };
    return { epoch: truth.epoch, seq, tag, events, more: seq < head.seq };
  }

  #push(connection: Connection, message: ServerMessage | object, lost = this.weather.lost): void {
    const times = (this.random() >= lost ? 1 : 0) + (this.random() < this.weather.doubled ? 1 : 0);
    for (let k = 0; k < times; k++)
      this.later(() => connection.alive && connection.on.message(JSON.stringify(message)), this.#way());
  }

  #end(connection: Connection, told: boolean): void {
    connection.alive = false;
    this.#connections.delete(connection);
    if (told) this.later(() => connection.on.close(), this.#way());
  }

  #arrives = () => this.random() >= this.weather.lost;
  #way = () => 1 + Math.floor(this.random() * this.weather.delayMs);
  #word = () => Math.floor(this.random() * 2 ** 40).toString(36);
  #wait = (ms: number) => new Promise<void>((resolve) => void this.later(resolve, ms));
}

export const headOf = ({ epoch, log }: Truth): Position => ({
  epoch,
  seq: log.length,
  tag: log.at(-1)?.tag ?? "",
});

const json = (status: number, body: unknown): Response => ({ status, headers: {}, body: JSON.stringify(body) });

/** Promises that are due have run: no chain of the SDK is longer. */
async function settled(): Promise<void> {
  for (let k = 0; k < 32; k++) await undefined;
}
