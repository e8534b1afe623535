/** The SDK's platform in a browser: fetch, WebSocket, localStorage. Works without a secure context, since a shop's own network has plain http. */
import { asGuest, type Client, type ClientOptions, makeClient } from "./client.ts";
import type { Platform, Reason, Store } from "./platform.ts";

export * from "./index.ts";

// Types of the browser's API as far as it is used: the rest of this project is compiled without browser types.
interface Socket {
  onopen: () => void;
  onmessage: (message: { data: string }) => void;
  onclose: (reason: Reason) => void;
  send(text: string): void;
  close(): void;
}
declare const WebSocket: new (url: string, protocols: string[]) => Socket;
declare const performance: { now(): number };
/** Its items are its properties. */
declare const localStorage: Items | null;
type Items = Record<string, string>;
type Listener = (event: { key?: string | null }) => void;
interface Target {
  addEventListener?(what: string, listener: Listener): void;
  removeEventListener?(what: string, listener: Listener): void;
}
/** In a worker, on a server that renders pages, and in React Native some are missing. */
const page = globalThis as Target & { document?: Target; location?: { origin: string } };
declare const console: Record<"debug" | "error", (...line: unknown[]) => void>;

let origin: number | undefined;

/** A monotonic clock in milliseconds: the device's clock may be changed while the page is open. */
export const pageNow = (): number => {
  origin ??= Date.now() - performance.now();
  return origin + performance.now();
};

/** A client for this page. */
export function createClient({ guest = true, ...options }: ClientOptions = {}): Client {
  return makeClient(browserPlatform(), { url: page.location?.origin, begin: guest && asGuest, ...options });
}

export function browserPlatform(): Platform {
  const store = pageStore();
  return {
    socket(url, protocols, on) {
      const socket = new WebSocket(url, protocols);
      socket.onopen = on.open;
      socket.onmessage = ({ data }) => on.message(data);
      socket.onclose = ({ code, reason }) => on.close({ code, reason });
      return socket;
    },
    async request({ url, timeoutMs, ...request }) {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), timeoutMs);
      try {
        const answer = await fetch(url, { ...request, signal: abort.signal });
        return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
      } finally {
        clearTimeout(timer);
      }
    },
    store,
    log(what, about) {
      if (what === "error") console.error(about);
      else if (store.get("orderbell.debug")) console.debug(what, about);
    },
    now: pageNow,
    later(work, ms) {
      const timer = setTimeout(work, ms);
      return { cancel: () => clearTimeout(timer) };
    },
    random: Math.random,
    /** A hidden page stays connected, for kitchens; becoming visible only causes a check at once. Without a network it disconnects. */
    onChange(back) {
      const look = () => back(true);
      const stops = [
        listen(page.document, "visibilitychange", look),
        listen(page, "online", look),
        listen(page, "offline", () => back(false)),
      ];
      return () => stops.map((stop) => stop());
    },
  };
}

/** localStorage; values that it refuses, being full or forbidden, are kept in this page's memory. */
function pageStore(): Store {
  const memory: Items = {};
  let items = memory;
  try {
    // Null in a WebView that has none.
    items = localStorage ?? memory;
  } catch {
    // Forbidden, or not there: a worker.
  }
  return {
    get: (name) => memory[name] ?? items[name],
    set(name, value) {
      delete memory[name];
      try {
        items[name] = value;
      } catch {
        memory[name] = value;
      }
    },
    remove(name) {
      delete memory[name];
      delete items[name];
    },
    names: () => Object.keys({ ...items, ...memory }),
    onChange: (listener) => listen(page, "storage", ({ key }) => listener(key as string)),
  };
}

function listen(to: Target | undefined, what: string, listener: Listener): () => void {
  to?.addEventListener?.(what, listener);
  return () => to?.removeEventListener?.(what, listener);
}
