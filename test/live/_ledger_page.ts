/**
 * Watches as CloudBase's client keeps them, written from the facts of its protocol: the same states, lists and defects, with timers
 * that a test can wait for. What the server must never do is noted in `wrong`.
 */
import { WebSocket } from "ws";
import { type Frame, type Link, nextId, type Row, type Spec, type Timers, Watch } from "./_ledger_watch.ts";

interface Waiting {
  resolve(frame: Frame): void;
  reject(why: Error): void;
}

/** One person's page: a socket that all its watches share. */
export class WatchClient implements Link {
  readonly #url: string;
  readonly #token: string;
  readonly timers: Timers;
  readonly #watches = new Map<string, Watch>();
  readonly #waiting = new Map<string, Waiting>();
  #socket: WebSocket | undefined;
  #login: Promise<void> | undefined;
  #silence: NodeJS.Timeout | undefined;
  #closed = false;
  /** What a server must not do. */
  readonly wrong: string[] = [];

  /** @param url where the server's HTTP is */
  constructor(url: string, token: string, timers: Timers) {
    this.#url = url;
    this.#token = token;
    this.timers = timers;
    void this.#connect();
  }

  watch(spec: Spec, onChange: (rows: readonly Row[], watch: Watch) => void = () => {}): Watch {
    const watch = new Watch(this, spec, onChange);
    this.#watches.set(watch.id, watch);
    if (this.isOpen()) void watch.begin();
    return watch;
  }

  isOpen(): boolean {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  send(frame: object): void {
    if (this.isOpen()) this.#socket?.send(JSON.stringify(frame));
  }

  /** Sends and waits for the frame with the same number. @throws after `answerMs`, and when the socket closes */
  ask(msgType: string, msgData: object, watchId?: string): Promise<Frame> {
    const requestId = nextId("request");
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => settle(() => reject(new Error("no answer"))), this.timers.answerMs);
      const settle = (then: () => void) => {
        clearTimeout(timer);
        this.#waiting.delete(requestId);
        then();
      };
      this.#waiting.set(requestId, {
        resolve: (frame) => settle(() => resolve(frame)),
        reject: (why) => settle(() => reject(why)),
      });
      this.send({ ...(watchId === undefined ? {} : { watchId }), requestId, msgType, msgData });
    });
  }

  /** Each socket logs in once, whatever its ticket says already. */
  login(): Promise<void> {
    this.#login ??= this.ask("LOGIN", { envId: "test" }).then(({ msgType, msgData }) => {
      if (msgType === "LOGIN_RES" && msgData.code === undefined) return;
      this.#login = undefined;
      throw new Error(`${msgData.code} ${msgData.message}`);
    });
    return this.#login;
  }

  /** The network is cut: nobody is told. */
  cut(): void {
    this.#socket?.terminate();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#silence);
    for (const watch of this.#watches.values()) watch.pause();
    this.#watches.clear();
    this.#socket?.terminate();
  }

  forget(watch: Watch): void {
    this.#watches.delete(watch.id);
  }

  async #connect(): Promise<void> {
    if (this.#closed) return;
    const address = await this.#address();
    if (this.#closed) return;
    if (address === undefined) return this.#again();
    const socket = new WebSocket(address, { handshakeTimeout: this.timers.answerMs });
    this.#socket = socket;
    socket.on("error", () => {});
    socket.on("message", (data) => this.#hear(JSON.parse(data.toString()) as Frame));
    socket.on("open", () => {
      this.#listen();
      for (const watch of this.#watches.values()) void watch.begin();
    });
    socket.on("close", () => {
      if (this.#socket !== socket) return;
      this.#lost();
      this.#again();
    });
  }

  #again(): void {
    if (!this.#closed) setTimeout(() => void this.#connect(), this.timers.retryMs);
  }

  #lost(): void {
    this.#login = undefined;
    clearTimeout(this.#silence);
    for (const watch of this.#watches.values()) watch.pause();
    for (const { reject } of [...this.#waiting.values()]) reject(new Error("the socket closed"));
  }

  /** Asked before each connection: the address has a ticket for one use. */
  async #address(): Promise<string | undefined> {
    try {
      const response = await fetch(`${this.#url}/web?env=test`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({
          action: "auth.wsWebSign",
          dataVersion: "2020-01-10",
          env: "test",
          access_token: this.#token,
          runtime: "web",
        }),
        signal: AbortSignal.timeout(this.timers.answerMs),
      });
      const answer = (await response.json()) as { data?: { wsUrl?: string } };
      return answer.data?.wsUrl;
    } catch {
      return undefined;
    }
  }

  /** Any frame is a sign of life; silence is asked once, then the socket is given up. */
  #listen(asked = false): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => {
      if (asked) this.cut();
      else {
        this.send({ requestId: nextId("request"), msgType: "PING", msgData: null });
        this.#listen(true);
      }
    }, this.timers.silenceMs);
  }

  #hear(frame: Frame): void {
    this.#listen();
    const waiting = frame.requestId === undefined ? undefined : this.#waiting.get(frame.requestId);
    if (waiting !== undefined) waiting.resolve(frame);
    else if (frame.watchId !== undefined) this.#watches.get(frame.watchId)?.hear(frame);
    else if (frame.msgType === "ERROR") this.wrong.push(`an error for no watch: ${JSON.stringify(frame)}`);
  }
}
