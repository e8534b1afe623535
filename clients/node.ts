/** The SDK's platform on Node: fetch and `ws`. */
import { WebSocket } from "ws";
import { asGuest, type Client, type ClientOptions, makeClient } from "./client.ts";
import { memoryStore, type Platform, type Store } from "./platform.ts";

export * from "./index.ts";

export interface NodeOptions extends ClientOptions {
  url: string;
  /** The caller's store; the default is memory, which ends with the process. */
  store?: Store;
}

/** A client for a process: another back end, a printer, a test. */
export function createClient({ guest = true, store, ...options }: NodeOptions): Client {
  return makeClient(nodePlatform(store), { ...options, begin: guest && asGuest });
}

/** @param store the caller's; the default is memory, which ends with the process */
export function nodePlatform(store: Store = memoryStore()): Platform {
  return {
    socket(url, protocols, on) {
      const socket = new WebSocket(url, protocols);
      let over = false;
      const close = () => {
        if (!over) on.close();
        over = true;
      };
      socket.on("open", on.open);
      socket.on("message", (data) => on.message(data.toString()));
      socket.on("close", close);
      socket.on("error", close);
      return { send: (text) => socket.send(text), close: () => socket.close() };
    },
    async request({ method, url, headers, body, timeoutMs }) {
      const init = { method, headers, signal: AbortSignal.timeout(timeoutMs), ...(body === undefined ? {} : { body }) };
      const answer = await fetch(url, init);
      return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
    },
    store,
    now: Date.now,
    later(work, ms) {
      const timer = setTimeout(work, ms);
      return { cancel: () => clearTimeout(timer) };
    },
    random: Math.random,
    onChange: () => () => {},
  };
}
