/**
 * The SDK in a WeChat mini-program. One client for the whole app, made in app.ts: it has one socket, which closes when the
 * app goes to the background, as WeChat would do it five seconds later, and is made anew in front.
 */
import { type Ask, unanswered } from "./api.ts";
import { type Client, type ClientOptions, makeClient } from "./client.ts";
import type { Platform, Request, Response } from "./platform.ts";

export * from "./index.ts";

export interface WechatOptions extends ClientOptions {
  /** https://… of a domain that is entered in WeChat's console. */
  url: string;
  /** Needed only where the shop has several mini-programs. */
  appid?: string;
}

let own: Client | undefined;

/** The client of this app: a second call gives the same one, until it is closed. It signs in with `wx.login`. */
export function createClient({ guest = true, appid, ...options }: WechatOptions): Client {
  if (own !== undefined) return own;
  const platform = wechatPlatform();
  const begin = async (): Promise<Ask> => {
    // A code is never sent twice: whoever tries again fetches another one.
    const code = await loginCode();
    return { method: "POST", path: "/login", body: { code, ...(appid === undefined ? {} : { appid }) } };
  };
  const client = makeClient(platform, { ...options, begin: guest && begin });
  own = {
    ...client,
    close() {
      client.close();
      own = undefined;
    },
  };
  return own;
}

const loginCode = () =>
  new Promise<string>((resolve, reject) =>
    wx.login({ success: ({ code }) => resolve(code), fail: () => reject(unanswered()) }),
  );

/** @param app `wx`, or what stands in for it */
export function wechatPlatform(app: Wx = wx): Platform {
  const request = queue((wanted) => ask(app, wanted));
  return {
    socket(url, protocols, on) {
      let over = false;
      const close = () => {
        if (over) return;
        over = true;
        on.close();
      };
      // Where five are open already, or the app is in the background, this fails, and not always by an event of the task.
      const task = app.connectSocket({ url, protocols, timeout: connectMs, fail: () => setTimeout(close) });
      // There is no taking back of these: what comes late is for nobody.
      task.onOpen(() => over || on.open());
      task.onMessage(({ data }) => over || typeof data !== "string" || on.message(data));
      task.onClose(close);
      task.onError(close);
      return {
        send: (text) => task.send({ data: text, fail: close }),
        close() {
          task.close({ code: 1000 });
          close();
        },
      };
    },
    request,
    store: {
      get: (name) => app.getStorageSync(name) || undefined,
      set: (name, value) => app.setStorageSync(name, value),
      remove: (name) => app.removeStorageSync(name),
      names: () => app.getStorageInfoSync().keys,
    },
    now: Date.now,
    later(work, ms) {
      const timer = setTimeout(work, ms);
      return { cancel: () => clearTimeout(timer) };
    },
    random: Math.random,
    onChange(back) {
      let front = true;
      const show = () => turn(true);
      const hide = () => turn(false);
      const turn = (there: boolean) => {
        front = there;
        back(there);
      };
      const network = ({ isConnected }: { isConnected: boolean }) => isConnected && front && back(true);
      app.onAppShow(show);
      app.onAppHide(hide);
      app.onNetworkStatusChange(network);
      return () => {
        app.offAppShow(show);
        app.offAppHide(hide);
        app.offNetworkStatusChange(network);
      };
    },
  };
}

const connectMs = 10_000;

/** WeChat runs ten requests at once and fails the eleventh. Two are left to the rest of the app. */
const maxRequests = 8;

/** Runs so many at once; the others wait in order. */
function queue(work: (request: Request) => Promise<Response>): (request: Request) => Promise<Response> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (request) => {
    if (running >= maxRequests) await new Promise<void>((go) => waiting.push(go));
    else running += 1;
    try {
      return await work(request);
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}

function ask(app: Wx, { method, url, headers, body, timeoutMs }: Request): Promise<Response> {
  return new Promise((resolve, reject) =>
    app.request({
      method,
      url,
      header: headers,
      ...(body === undefined ? {} : { data: body }),
      // As text: what `json` cannot read it gives as text too, and nobody knows which.
      dataType: "text",
      timeout: timeoutMs,
      // Any status is a success.
      success({ statusCode, header, data }) {
        const lowered = Object.entries(header).map(([name, value]) => [name.toLowerCase(), String(value)]);
        resolve({ status: statusCode, headers: Object.fromEntries(lowered), body: String(data ?? "") });
      },
      fail: ({ errMsg }) => reject(new Error(errMsg)),
    }),
  );
}

// --- What is used of wx ------------------------------------------------------------------------------------------------

interface Failed {
  errMsg: string;
}

export interface Wx {
  login(options: { success(result: { code: string }): void; fail(error: Failed): void }): void;
  request(options: {
    url: string;
    method: "GET" | "POST" | "PUT" | "DELETE";
    header: Record<string, string>;
    data?: string;
    dataType: "text";
    timeout: number;
    success(answer: { statusCode: number; header: Record<string, unknown>; data: unknown }): void;
    fail(error: Failed): void;
  }): unknown;
  connectSocket(options: { url: string; protocols: string[]; timeout: number; fail(error: Failed): void }): SocketTask;
  getStorageSync(key: string): string;
  setStorageSync(key: string, data: string): void;
  removeStorageSync(key: string): void;
  getStorageInfoSync(): { keys: string[] };
  onAppShow(hear: () => void): void;
  offAppShow(hear: () => void): void;
  onAppHide(hear: () => void): void;
  offAppHide(hear: () => void): void;
  onNetworkStatusChange(hear: (status: { isConnected: boolean }) => void): void;
  offNetworkStatusChange(hear: (status: { isConnected: boolean }) => void): void;
}

export interface SocketTask {
  send(options: { data: string; fail(error: Failed): void }): void;
  close(options: { code: number }): void;
  onOpen(hear: () => void): void;
  onMessage(hear: (message: { data: string | ArrayBuffer }) => void): void;
  onClose(hear: () => void): void;
  onError(hear: (error: Failed) => void): void;
}

declare const wx: Wx;
