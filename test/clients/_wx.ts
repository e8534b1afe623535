/**
 * A stand-in for `wx`, over real sockets and requests, that enforces WeChat's limits: five sockets, ten requests (uploads and
 * downloads among them), no PATCH, no Referer, no cookies, headers in any case, no activity after five seconds in the background. A call beyond a limit fails
 * as it would on a phone, and is recorded.
 * Sources: developers.weixin.qq.com, wx.request, wx.connectSocket, operating mechanism.
 */
import { WebSocket } from "ws";
import type { WxFiles } from "../../clients/files/wx.ts";
import type { SocketTask, Wx } from "../../clients/wechat.ts";
import { type WxDisk, wxDisk } from "./_wx_files.ts";

export interface FakeWx extends Omit<Wx, "request">, WxDisk {
  request(options: Parameters<Wx["request"]>[0] | Parameters<WxFiles["request"]>[0]): { abort(): void };
  /** What a phone would have refused. */
  readonly faults: string[];
  /** Sockets that are open or opening. */
  sockets(): number;
  /** The most requests that ran at once. */
  mostRequests(): number;
  readonly logins: number;
  hide(): void;
  show(): void;
  network(isConnected: boolean): void;
}

export interface FakeWxOptions {
  /** What `wx.login` gives. */
  newCode(): string;
  /** How long the app lives on in the background. On a phone 5000. */
  suspendMs?: number;
  /** Every answer of the network takes so much longer. */
  delayMs?: number;
  /** Hosts in the console under uploadFile and downloadFile 合法域名. Without: not checked, as DevTools may be set. */
  domains?: { upload: readonly string[]; download: readonly string[] };
}

const maxSockets = 5;
const maxRequests = 10;
const methods = ["OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT"];

const lowered = (header: Record<string, string>) =>
  Object.fromEntries(Object.entries(header).map(([name, value]) => [name.toLowerCase(), value]));

export function fakeWx({ newCode, suspendMs = 5_000, delayMs = 0, domains }: FakeWxOptions): FakeWx {
  const faults: string[] = [];
  const store = new Map<string, string>();
  const shows = new Set<() => void>();
  const hides = new Set<() => void>();
  const networks = new Set<(status: { isConnected: boolean }) => void>();
  const sockets = new Set<WebSocket>();
  /** How to abort each request, upload and download that runs. */
  const requests = new Set<() => void>();
  let most = 0;
  let logins = 0;
  let suspended = false;
  let suspend: NodeJS.Timeout | undefined;

  const refuse = (fail: (error: { errMsg: string }) => void, errMsg: string) => {
    faults.push(errMsg);
    setTimeout(() => fail({ errMsg }));
  };

  function begin(abort: () => void): boolean {
    if (requests.size >= maxRequests) return false;
    requests.add(abort);
    most = Math.max(most, requests.size);
    return true;
  }

  type Asked = Parameters<Wx["request"]>[0] | Parameters<WxFiles["request"]>[0];

  function request({ url, method, header, data, timeout, success, fail }: Asked): { abort(): void } {
    const idle = { abort() {} };
    const refused = (errMsg: string) => {
      refuse(fail, errMsg);
      return idle;
    };
    if (!methods.includes(method)) return refused(`request:fail invalid method ${method}`);
    if (Object.keys(header).some((name) => /^(referer|cookie)$/i.test(name))) faults.push("a header is WeChat's own");
    if (suspended) {
      setTimeout(() => fail({ errMsg: "request:fail interrupted" }));
      return idle;
    }
    const stop = new AbortController();
    const abort = () => stop.abort();
    if (!begin(abort)) return refused("request:fail exceed max concurrent count");
    const timer = setTimeout(abort, timeout);
    // Where nothing else is said.
    const headers = { "content-type": "application/json", ...lowered(header) };
    const init = { method, headers, signal: stop.signal, ...(data === undefined ? {} : { body: data }) };
    fetch(url, init)
      .then(async (answer) => {
        const text = await answer.text();
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        return { answer, text };
      })
      .finally(() => {
        clearTimeout(timer);
        requests.delete(abort);
      })
      .then(
        // Names come as the server wrote them, and a phone's differ from the tools'.
        ({ answer, text }) =>
          success({
            statusCode: answer.status,
            header: Object.fromEntries(
              [...answer.headers].map(([name, value]) => [name.replace(/^./, (c) => c.toUpperCase()), value]),
            ),
            data: text,
          } as never),
        () => fail({ errMsg: suspended ? "request:fail interrupted" : "request:fail" }),
      );
    return { abort };
  }

  function connectSocket({ url, protocols, fail }: Parameters<Wx["connectSocket"]>[0]): SocketTask {
    const told: (() => void)[] = [];
    if (sockets.size >= maxSockets || suspended) {
      refuse(fail, suspended ? "connectSocket:fail interrupted" : "connectSocket:fail exceed max concurrent count");
      return {
        send: ({ fail: failed }) => failed({ errMsg: "send:fail" }),
        close() {},
        onOpen() {},
        onMessage() {},
        onClose() {},
        onError() {},
      };
    }
    const socket = new WebSocket(url, protocols);
    sockets.add(socket);
    socket.on("close", () => {
      sockets.delete(socket);
      for (const hear of told) hear();
    });
    return {
      send({ data, fail: failed }) {
        if (socket.readyState === WebSocket.OPEN) socket.send(data);
        else failed({ errMsg: "sendSocketMessage:fail" });
      },
      close: ({ code }) => socket.close(code),
      onOpen: (hear) => void socket.on("open", hear),
      onMessage: (hear) => void socket.on("message", (data) => hear({ data: data.toString() })),
      onClose: (hear) => void told.push(hear),
      onError: (hear) => void socket.on("error", ({ message }) => hear({ errMsg: message })),
    };
  }

  const disk = wxDisk({
    begin,
    end: (abort) => void requests.delete(abort),
    refuse,
    suspended: () => suspended,
    domains,
  });
  return {
    ...disk,
    faults,
    sockets: () => sockets.size,
    mostRequests: () => most,
    get logins() {
      return logins;
    },
    hide() {
      for (const hear of [...hides]) hear();
      suspend = setTimeout(() => {
        suspended = true;
        for (const socket of sockets) {
          faults.push("a socket was open in the background");
          socket.terminate();
        }
        for (const abort of requests) abort();
      }, suspendMs);
    },
    show() {
      clearTimeout(suspend);
      suspended = false;
      for (const hear of [...shows]) hear();
    },
    network(isConnected) {
      for (const hear of [...networks]) hear({ isConnected });
    },
    login({ success }) {
      logins += 1;
      const code = newCode();
      setTimeout(() => success({ code }));
    },
    request,
    connectSocket,
    getStorageSync: (key) => store.get(key) ?? "",
    setStorageSync(key, data) {
      if (data.length > 1024 * 1024) throw new Error("setStorageSync:fail entry size limit reached");
      store.set(key, data);
    },
    removeStorageSync: (key) => void store.delete(key),
    getStorageInfoSync: () => ({ keys: [...store.keys()] }),
    onAppShow: (hear) => void shows.add(hear),
    offAppShow: (hear) => void shows.delete(hear),
    onAppHide: (hear) => void hides.add(hear),
    offAppHide: (hear) => void hides.delete(hear),
    onNetworkStatusChange: (hear) => void networks.add(hear),
    offNetworkStatusChange: (hear) => void networks.delete(hear),
  };
}
