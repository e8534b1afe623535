/**
 * A reader of one stream, written from docs/protocol.md alone, without code of the SDK. It keeps the events that it got.
 * It also publishes to a room, with a number of its own for each message.
 */
import { WebSocket } from "ws";
import type { Reading } from "./_ledger.ts";

interface Position {
  epoch: string;
  seq: number;
  tag: string;
}

interface StreamEvent {
  seq: number;
  tag: string;
  prev: string;
  event: string;
  data: unknown;
}

// biome-ignore lint/suspicious/noExplicitAny: frames are read as the protocol's text gives them
type Frame = any;

export interface ReaderOptions {
  readonly url: string;
  readonly token: string;
  readonly stream: string;
  readonly grant?: string;
  /** The state with its position, as `docs/protocol.md` names it under `reset`; a room has none. */
  readonly snapshot?: () => Promise<{ position: Position }>;
  readonly onEvent?: (event: StreamEvent) => void;
  readonly reading: Reading;
}

/** "asks again": no answer to a resume for so long. */
const askAgainMs = 2_000;
/** "no answer within 10 seconds: connect again". */
const deadMs = 10_000;
/** Tags of so many numbers are remembered. */
const remembered = 300;

export class TextReader {
  readonly #options: ReaderOptions;
  #socket: WebSocket | undefined;
  #n = 0;
  #at: Position | undefined;
  #asked: { n: number; atMs: number } | undefined;
  #checkedAtMs = 0;
  #heardAtMs = 0;
  #checkMs = 1_000;
  readonly #held = new Map<number, StreamEvent>();
  readonly #tags = new Map<number, string>();
  readonly #waiting = new Map<string, (answer: Frame) => void>();
  #connecting = false;
  #closed = false;
  readonly #timer: NodeJS.Timeout;

  constructor(options: ReaderOptions) {
    this.#options = options;
    this.#timer = setInterval(() => this.#look(), 50);
  }

  get position(): Position | undefined {
    return this.#at;
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#socket?.terminate();
  }

  /** Puts a message into the room. @returns the answer: `published` or `error`; undefined when there was none */
  publish(id: string, after: string | undefined, data: unknown): Promise<Frame> {
    return new Promise((resolve) => {
      const done = (answer: Frame) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(answer);
      };
      const timer = setTimeout(() => done(undefined), askAgainMs);
      this.#waiting.set(id, done);
      const { stream, grant } = this.#options;
      this.#send({ type: "publish", stream, id, grant, data, ...(after === undefined ? {} : { after }) });
    });
  }

  #send(message: object): void {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#n += 1;
    this.#socket.send(JSON.stringify({ n: this.#n, ...message }));
  }

  #look(): void {
    const now = performance.now();
    if (this.#socket === undefined) {
      if (!this.#connecting) void this.#connect();
      return;
    }
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    if (now - this.#heardAtMs > deadMs) {
      this.#socket.terminate();
      return;
    }
    if (this.#asked !== undefined && now - this.#asked.atMs > askAgainMs) this.#ask("resume");
    else if (this.#asked === undefined && now - this.#checkedAtMs > this.#checkMs) this.#ask("check");
  }

  async #connect(): Promise<void> {
    this.#connecting = true;
    try {
      if (this.#at === undefined) await this.#restart();
      const answer = await fetch(`${this.#options.url}/session/ticket`, {
        method: "POST",
        headers: { authorization: `Bearer ${this.#options.token}` },
        signal: AbortSignal.timeout(3_000),
      });
      if (answer.status !== 201) throw new Error(`no ticket: ${answer.status}`);
      const { ticket } = (await answer.json()) as { ticket: string };
      if (this.#closed) return;
      const address = `${this.#options.url.replace("http", "ws")}/pgws`;
      const socket = new WebSocket(address, ["orderbell.v1", `ticket.${ticket}`], { handshakeTimeout: 3_000 });
      this.#socket = socket;
      socket.on("open", () => {
        this.#n = 0;
        this.#heardAtMs = performance.now();
        this.#ask("resume");
      });
      socket.on("message", (data) => {
        this.#heardAtMs = performance.now();
        this.#hear(JSON.parse(data.toString()));
      });
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#socket = undefined;
        this.#asked = undefined;
      });
    } catch {
      // Tried again at a later look.
      await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 200));
    } finally {
      this.#connecting = false;
    }
  }

  /** From a snapshot on; a room is read from its beginning. */
  async #restart(): Promise<void> {
    const { snapshot } = this.#options;
    const position = snapshot === undefined ? { epoch: "", seq: 0, tag: "" } : (await snapshot()).position;
    this.#at = { epoch: position.epoch, seq: position.seq, tag: position.tag };
    this.#held.clear();
    this.#tags.clear();
    this.#options.reading.shown.push({ restart: position.seq });
  }

  #ask(type: "resume" | "check"): void {
    const { stream, grant } = this.#options;
    const at = this.#at;
    // The answer has what is held, unless that is of a history that is over.
    this.#held.clear();
    const where = at === undefined ? {} : at.epoch === "" ? { seq: at.seq } : at;
    this.#send({ type, streams: [{ stream, ...where, ...(grant === undefined ? {} : { grant }) }] });
    this.#asked = { n: this.#n, atMs: performance.now() };
    this.#checkedAtMs = performance.now();
  }

  #hear(frame: Frame): void {
    if (frame.id !== undefined) this.#waiting.get(frame.id)?.(frame);
    if (frame.type === "checked") {
      if (frame.n === this.#asked?.n) this.#asked = undefined;
      this.#checkMs = frame.streams[0]?.checkMs ?? this.#checkMs;
      return;
    }
    if (frame.stream !== this.#options.stream) return;
    if (frame.type === "event") this.#take(frame.epoch, [frame]);
    else if (frame.type === "head") {
      const at = this.#at;
      if (at === undefined || frame.epoch !== at.epoch || frame.seq !== at.seq || frame.tag !== at.tag) this.#doubt();
    } else if (frame.type === "resumed") this.#resumed(frame);
    else if (frame.type === "reset") void this.#reset(frame);
    else if (frame.type === "error" && frame.n === this.#asked?.n) this.#asked = undefined;
  }

  #resumed(frame: Frame): void {
    if (frame.n !== this.#asked?.n) return;
    this.#asked = undefined;
    this.#checkMs = frame.checkMs;
    this.#take(frame.epoch, frame.events);
    if (frame.more && this.#asked === undefined) this.#ask("resume");
  }

  async #reset(frame: Frame): Promise<void> {
    if (frame.n !== this.#asked?.n) return;
    for (;;) {
      try {
        await this.#restart();
        break;
      } catch {
        if (this.#closed) return;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    this.#asked = undefined;
    this.#ask("resume");
  }

  /** Something does not fit: the server is asked, once at a time. */
  #doubt(): void {
    if (this.#asked === undefined) this.#ask("resume");
  }

  #take(epoch: string, events: readonly StreamEvent[]): void {
    if (this.#at === undefined) return;
    if (this.#at.epoch === "" && this.#at.seq === 0) this.#at = { ...this.#at, epoch };
    if (epoch !== this.#at.epoch) {
      this.#doubt();
      return;
    }
    for (const event of events) {
      if (event.seq > this.#at.seq) this.#held.set(event.seq, event);
      else if ((this.#tags.get(event.seq) ?? event.tag) !== event.tag) this.#doubt();
    }
    for (let next = this.#held.get(this.#at.seq + 1); next; next = this.#held.get(this.#at.seq + 1)) {
      if (next.prev !== this.#at.tag) {
        this.#held.clear();
        this.#doubt();
        return;
      }
      this.#held.delete(next.seq);
      this.#at = { epoch, seq: next.seq, tag: next.tag };
      this.#tags.set(next.seq, next.tag);
      this.#tags.delete(next.seq - remembered);
      this.#options.reading.shown.push({ seq: next.seq, tag: next.tag });
      this.#options.onEvent?.(next);
    }
    if (this.#held.size > 0) this.#doubt();
  }
}
