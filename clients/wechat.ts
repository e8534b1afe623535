/**
 * The SDK's platform in a WeChat mini-program. One client for the whole app, made in app.ts, with one socket: it closes when
 * the app goes to the background, as WeChat would do five seconds later, and is opened again when the app is back in front.
 */
import { ApiError, type ApiRequest, noAnswer } from "./api.ts";
import { type Client, type ClientOptions, makeClient } from "./client.ts";
import { overMemory, type Platform, type Reason, type Request, type Response } from "./platform.ts";

export * from "./index.ts";

export interface WechatOptions extends ClientOptions {
  /** The https://… address; its domain must be entered in WeChat's console. */
  url: string;
  /** The app id, needed only where the shop has several mini-programs. */
  appid?: string;
}

let current: Client | undefined;

/** The client of this app: a second call gives the same one, until it is closed. It signs in with `wx.login`. */
export function createClient({ guest = true, appid, ...options }: WechatOptions): Client {
  if (current !== undefined) return current;
  const platform = wechatPlatform();
  const byCode = async (): Promise<ApiRequest> => {
    // A code is valid once: another try fetches a new one.
    const code = await loginCode();
    return { method: "POST", path: "/login", body: { code, ...(appid === undefined ? {} : { appid }) } };
  };
  const client = makeClient(platform, { begin: guest && byCode, ...options });
  current = {
    ...client,
    close() {
      client.close();
      current = undefined;
    },
  };
  return current;
}

const loginCode = () =>
  new Promise<string>((resolve, reject) =>
    wx.login({ success: ({ code }) => resolve(code), fail: ({ errMsg }) => reject(new ApiError(noAnswer, 0, errMsg)) }),
  );

/** @param app `wx`, or a stand-in for it in tests */
export function wechatPlatform(app: Wx = wx): Platform {
  const request = queue((wanted) => ask(app, wanted));
  return {
    socket(url, protocols, on) {
      let over = false;
      const close = (reason?: Reason) => {
        if (over) return;
        over = true;
        on.close(reason);
      };
      const fail = ({ errMsg }: Failed) => close({ error: new Error(errMsg) });
      // This fails when five are open already or the app is in the background, and not always by an event of the task.
      const task = app.connectSocket({
        url,
        protocols,
        timeout: connectMs,
        fail: (error) => setTimeout(fail, 0, error),
      });
      // Listeners of a task cannot be removed, so late events are ignored.
      task.onOpen(() => over || on.open());
      task.onMessage(({ data }) => over || typeof data !== "string" || on.message(data));
      task.onClose(({ code, reason } = {}) => close({ code, reason }));
      task.onError(fail);
      return {
        send: (text) => task.send({ data: text, fail }),
        close() {
          task.close({ code: 1000 });
          close();
        },
      };
    },
    request,
    store: overMemory({
      get: (name) => app.getStorageSync(name) || undefined,
      set: (name, value) => app.setStorageSync(name, value),
      remove: (name) => app.removeStorageSync(name),
      names: () => app.getStorageInfoSync().keys,
    }),
    now: Date.now,
    later(work, ms) {
      const timer = setTimeout(work, ms);
      return { cancel: () => clearTimeout(timer) };
    },
    random: Math.random,
    log(what, about) {
      if (what === "error") console.error(about);
    },
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

/** Runs a limited number at once; the others wait in order. */
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
      // As text: with `json`, a malformed body also arrives as text, and a JSON string looks the same.
      dataType: "text",
      timeout: timeoutMs,
      // `success` is called for any status.
      success({ statusCode, header, data }) {
        const lowered = Object.entries(header).map(([name, value]) => [name.toLowerCase(), String(value)]);
        resolve({ status: statusCode, headers: Object.fromEntries(lowered), body: String(data ?? "") });
      },
      fail: ({ errMsg }) => reject(new Error(errMsg)),
    }),
  );
}

// --- Types of wx, as far as it is used ----------------------------------------------------------------------------------

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
  onAppShow(listener: () => void): void;
  offAppShow(listener: () => void): void;
  onAppHide(listener: () => void): void;
  offAppHide(listener: () => void): void;
  onNetworkStatusChange(listener: (status: { isConnected: boolean }) => void): void;
  offNetworkStatusChange(listener: (status: { isConnected: boolean }) => void): void;
}

export interface SocketTask {
  send(options: { data: string; fail(error: Failed): void }): void;
  close(options: { code: number }): void;
  onOpen(listener: () => void): void;
  onMessage(listener: (message: { data: string | ArrayBuffer }) => void): void;
  onClose(listener: (reason?: { code?: number; reason?: string }) => void): void;
  onError(listener: (error: Failed) => void): void;
}

declare const wx: Wx;
