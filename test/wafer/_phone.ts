/**
 * A phone for Wafer's client SDKs: `wx` as WeChat had it (one socket, told by global handlers), over real requests and
 * sockets, with a clock of its own that moves only when the test says. The packages are run as they come from the registry,
 * once for each phone: they keep a session and a tunnel in their modules.
 */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { compileFunction } from "node:vm";
import { WebSocket } from "ws";
import type { StandIn } from "../../demo/wechat.ts";
import { until } from "../_until.ts";

export type ClientSdk =
  | "wafer-client-sdk"
  | "qcloud-weapp-client-sdk"
  | "wafer2-client-sdk"
  /** Release 1.1.3. */
  | "wafer2-client-sdk-1";

/** What the four packages have in common, and `loginWithCode` of the newest. */
interface Sdk {
  setLoginUrl(url: string): void;
  login(options: Callbacks): void;
  loginWithCode(options: Callbacks): void;
  request(options: RequestOptions): void;
  clearSession(): void;
  readonly Tunnel: new (url: string) => Tunnel;
}

interface Callbacks {
  // biome-ignore lint/suspicious/noExplicitAny: what an SDK gives, a test's own assertion is the type check
  success(value: any): void;
  fail(error: unknown): void;
}

interface RequestOptions extends Callbacks {
  readonly url: string;
  readonly login?: boolean;
  readonly method?: string;
  readonly header?: Readonly<Record<string, string>>;
  readonly data?: unknown;
  complete?(): void;
}

export interface Tunnel {
  readonly status: string;
  readonly socketUrl: string | null;
  open(): void;
  close(): void;
  emit(type: string, content?: unknown): void;
  on(type: "*", handler: (type: string, payload: unknown) => void): void;
}

export interface Answer {
  readonly statusCode: number;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly data: any;
}

export interface PhoneOptions {
  readonly wechat: StandIn;
  readonly openid: string;
  readonly nickName?: string;
}

/** A tunnel with all that it reported. */
export interface WatchedTunnel {
  readonly tunnel: Tunnel;
  readonly events: [type: string, payload: unknown][];
  /** The next event of this type, taken out; events before it stay. */
  next(type: string): Promise<unknown>;
}

const require = createRequire(import.meta.url);

export class Phone {
  readonly sdk: Sdk;
  readonly openid: string;
  readonly clock = new PhoneClock();
  /** Every `wx.request`, in order. */
  readonly requests: { readonly url: string; readonly header: Readonly<Record<string, string>> }[] = [];
  readonly sent: string[] = [];
  readonly received: string[] = [];
  readonly store = new Map<string, unknown>();
  /** What `wx.checkSession` says: whether WeChat's own session holds. */
  hasWechatSession = true;
  /** Without a network every request fails. */
  isOnline = true;
  /** What comes over the socket is lost on the way. */
  isDeaf = false;
  #socket: WebSocket | undefined;
  readonly #wechat: StandIn;
  readonly #profile: Readonly<Record<string, unknown>>;
  #code: string | undefined;
  readonly #handlers = { open: nothing, close: nothing, error: nothing, message: (_: { data: string }) => {} };

  constructor(name: ClientSdk, { wechat, openid, nickName = "阿三" }: PhoneOptions) {
    this.#wechat = wechat;
    this.openid = openid;
    this.#profile = {
      nickName,
      gender: 1,
      language: "zh_CN",
      city: "深圳",
      province: "广东",
      country: "中国",
      avatarUrl: "",
    };
    this.sdk = load(name, { wx: this.#wx(), ...this.clock.globals }) as Sdk;
  }

  login(): Promise<unknown> {
    return new Promise((success, fail) => this.sdk.login({ success, fail }));
  }

  loginWithCode(): Promise<unknown> {
    return new Promise((success, fail) => this.sdk.loginWithCode({ success, fail }));
  }

  request(url: string, options: Partial<Omit<RequestOptions, "url" | keyof Callbacks>> = {}): Promise<Answer> {
    return new Promise((success, fail) => this.sdk.request({ url, ...options, success, fail }));
  }

  /** A tunnel that is opening. @param url of the business server's tunnel */
  open(url: string): WatchedTunnel {
    const tunnel = new this.sdk.Tunnel(url);
    const events: [string, unknown][] = [];
    tunnel.on("*", (type, payload) => events.push([type, payload]));
    tunnel.open();
    return {
      tunnel,
      events,
      async next(type) {
        const at = () => events.findIndex(([one]) => one === type);
        await until(
          () => at() >= 0,
          `event "${type}"`,
          () => [tunnel.status, events],
        );
        return events.splice(at(), 1)[0]?.[1];
      },
    };
  }

  async connect(url: string): Promise<WatchedTunnel> {
    const watched = this.open(url);
    await watched.next("connect");
    return watched;
  }

  /** The network is gone without a word: the server hears nothing, and the phone learns it by itself. */
  drop(): void {
    this.#socket?.terminate();
  }

  close(): void {
    this.#socket?.terminate();
    this.clock.stop();
  }

  #wx() {
    const { store } = this;
    return {
      getStorageSync: (key: string) => structuredClone(store.get(key)) ?? "",
      setStorageSync: (key: string, value: unknown) => void store.set(key, structuredClone(value)),
      removeStorageSync: (key: string) => void store.delete(key),
      login: ({ success }: Callbacks) => {
        const code = this.#wechat.newCode(this.openid);
        setImmediate(() => {
          // Data that is asked for now belongs to this code, whoever else signs in meanwhile.
          this.#code = code;
          success({ code, errMsg: "login:ok" });
        });
      },
      checkSession: ({ success, fail }: Callbacks) =>
        setImmediate(() => (this.hasWechatSession ? success({}) : fail({ errMsg: "checkSession:fail" }))),
      getUserInfo: ({ success }: Callbacks) => {
        const code = this.#code ?? this.#wechat.newCode(this.openid);
        const data = { openId: this.openid, ...this.#profile };
        const encrypted = this.#wechat.encrypt(code, data);
        // Before November 2016 there was no IV; the names lie side by side on no phone, and no SDK looks at both.
        const encryptData = this.#wechat.encryptWithoutIv(code, data);
        setImmediate(() => success({ userInfo: this.#profile, ...encrypted, encryptData }));
      },
      request: (options: RequestOptions) => void this.#request(options),
      connectSocket: ({ url }: { url: string }) => this.#connect(url),
      sendSocketMessage: ({ data, fail }: { data: string; fail(error: unknown): void }) => {
        if (this.#socket?.readyState !== WebSocket.OPEN) return fail({ errMsg: "sendSocketMessage:fail" });
        this.sent.push(data);
        this.#socket.send(data);
      },
      closeSocket: () => this.#socket?.close(),
      onSocketOpen: (handler: () => void) => (this.#handlers.open = handler),
      onSocketClose: (handler: () => void) => (this.#handlers.close = handler),
      onSocketError: (handler: () => void) => (this.#handlers.error = handler),
      onSocketMessage: (handler: (message: { data: string }) => void) => (this.#handlers.message = handler),
    };
  }

  async #request({ url, method = "GET", header = {}, data, success, fail, complete }: RequestOptions): Promise<void> {
    this.requests.push({ url, header });
    let answer: Answer;
    try {
      if (!this.isOnline) throw new TypeError("no network");
      const body = data === undefined ? {} : { body: JSON.stringify(data) };
      const headers = { "content-type": "application/json", ...header };
      const response = await fetch(url, { method, headers, ...body });
      answer = { statusCode: response.status, data: parsed(await response.text()) };
    } catch (error) {
      fail({ errMsg: `request:fail ${error}` });
      complete?.();
      return;
    }
    success(answer);
    complete?.();
  }

  #connect(url: string): void {
    // A phone of that time had one socket.
    this.#socket?.close();
    const socket = new WebSocket(url, { perMessageDeflate: false });
    this.#socket = socket;
    socket.on("open", () => this.#handlers.open());
    socket.on("close", () => this.#handlers.close());
    socket.on("error", () => this.#handlers.error());
    socket.on("message", (bytes, isBinary) => {
      if (this.isDeaf) return;
      const data = isBinary ? bytes : bytes.toString();
      this.received.push(String(data));
      this.#handlers.message({ data: data as string });
    });
  }
}

const nothing = () => {};

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Timers of one phone. Nothing is due before the test lets time pass. */
class PhoneClock {
  #now = 0;
  #next = 1;
  readonly #timers = new Map<number, { readonly at: number; readonly run: () => void }>();

  readonly globals = {
    setTimeout: (run: () => void, ms: number) => {
      this.#timers.set(this.#next, { at: this.#now + ms, run });
      return this.#next++;
    },
    clearTimeout: (timer: number) => void this.#timers.delete(timer),
  };

  /** Milliseconds until the next timer is due; none is Infinity. */
  get waitMs(): number {
    return Math.min(...[...this.#timers.values()].map(({ at }) => at)) - this.#now;
  }

  elapse(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [timer, due] = [...this.#timers].toSorted(([, a], [, b]) => a.at - b.at)[0] ?? [];
      if (timer === undefined || due === undefined || due.at > end) break;
      this.#timers.delete(timer);
      this.#now = due.at;
      due.run();
    }
    this.#now = end;
  }

  stop(): void {
    this.#timers.clear();
  }
}

/** Runs a package of CommonJS with these globals in modules of its own. */
function load(name: string, globals: Readonly<Record<string, unknown>>): unknown {
  const modules = new Map<string, { exports: unknown }>();
  const run = (path: string): unknown => {
    const known = modules.get(path);
    if (known !== undefined) return known.exports;
    const module = { exports: {} };
    modules.set(path, module);
    const { resolve } = createRequire(path);
    const parameters = ["module", "exports", "require", ...Object.keys(globals)];
    const body = compileFunction(readFileSync(path, "utf8"), parameters, { filename: path });
    body(module, module.exports, (other: string) => run(resolve(other)), ...Object.values(globals));
    return module.exports;
  };
  return run(require.resolve(name));
}
