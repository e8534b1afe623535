/**
 * A stand-in for `wx`, over real sockets and requests, that enforces WeChat's limits: five sockets, ten requests, no PATCH,
 * no Referer, no cookies, headers in any case, no activity after five seconds in the background. A call beyond a limit fails
 * as it would on a phone, and is recorded.
 * Sources: developers.weixin.qq.com, wx.request, wx.connectSocket, operating mechanism.
 */
import { WebSocket } from "ws";
import type { SocketTask, Wx } from "../../clients/wechat.ts";

export interface FakeWx extends Wx {
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
}

const maxSockets = 5;
const maxRequests = 10;
const methods = ["OPTIONS", "GET", "HEAD", "POST", "PUT", "DELETE", "TRACE", "CONNECT"];

export function fakeWx({ newCode, suspendMs = 5_000, delayMs = 0 }: FakeWxOptions): FakeWx {
  const faults: string[] = [];
  const store = new Map<string, string>();
  const shows = new Set<() => void>();
  const hides = new Set<() => void>();
  const networks = new Set<(status: { isConnected: boolean }) => void>();
  const sockets = new Set<WebSocket>();
  const requests = new Set<AbortController>();
  let most = 0;
  let logins = 0;
  let suspended = false;
  let suspend: NodeJS.Timeout | undefined;

  const refuse = (fail: (error: { errMsg: string }) => void, errMsg: string) => {
    faults.push(errMsg);
    setTimeout(() => fail({ errMsg }));
  };

  function request({ url, method, header, data, timeout, success, fail }: Parameters<Wx["request"]>[0]): void {
    if (!methods.includes(method)) return void refuse(fail, `request:fail invalid method ${method}`);
    if (Object.keys(header).some((name) => /^(referer|cookie)$/i.test(name))) faults.push("a header is WeChat's own");
    if (requests.size >= maxRequests) return void refuse(fail, "request:fail exceed max concurrent count");
    if (suspended) return void setTimeout(() => fail({ errMsg: "request:fail interrupted" }));
    const abort = new AbortController();
    requests.add(abort);
    most = Math.max(most, requests.size);
    const timer = setTimeout(() => abort.abort(), timeout);
    const init = { method, headers: header, signal: abort.signal, ...(data === undefined ? {} : { body: data }) };
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
          }),
        () => fail({ errMsg: suspended ? "request:fail interrupted" : "request:fail" }),
      );
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

  return {
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
        for (const abort of requests) abort.abort();
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
