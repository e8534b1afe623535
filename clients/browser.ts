/** The SDK's platform in a browser: fetch, WebSocket, localStorage. Works without a secure context, since a shop's own network has plain http. */
import { asGuest, type Client, type ClientOptions, makeClient } from "./client.ts";
import { overMemory, type Platform, type Store } from "./platform.ts";

export * from "./index.ts";

// Types of the browser's API as far as it is used: the rest of this project is compiled without browser types.
declare const document: Target;
declare const self: Target;
declare const location: { origin: string };
declare const localStorage: Storage;
declare const performance: { now(): number };
declare const WebSocket: new (
  url: string,
  protocols: string[],
) => {
  onopen: () => void;
  onmessage: (message: { data: string }) => void;
  onclose: () => void;
  send(text: string): void;
  close(): void;
};
type Listener = (event: { key?: string | null }) => void;
interface Target {
  addEventListener(what: string, listener: Listener): void;
  removeEventListener(what: string, listener: Listener): void;
}
interface Storage {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
}

let origin: number | undefined;

/** A monotonic clock in milliseconds: the device's clock may be changed while the page is open. */
export const pageNow = (): number => {
  origin ??= Date.now() - performance.now();
  return origin + performance.now();
};

/** A client for this page. */
export function createClient({ guest = true, ...options }: ClientOptions = {}): Client {
  return makeClient(browserPlatform(), { url: location.origin, ...options, begin: guest && asGuest });
}

export function browserPlatform(): Platform {
  return {
    socket(url, protocols, on) {
      const socket = new WebSocket(url, protocols);
      socket.onopen = on.open;
      socket.onmessage = ({ data }) => on.message(data);
      socket.onclose = on.close;
      return socket;
    },
    async request({ method, url, headers, body = null, timeoutMs }) {
      const abort = new AbortController();
      const timer = setTimeout(() => abort.abort(), timeoutMs);
      try {
        const answer = await fetch(url, { method, headers, body, signal: abort.signal });
        return { status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.text() };
      } finally {
        clearTimeout(timer);
      }
    },
    store: pageStore(),
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
        listen(document, "visibilitychange", look),
        listen(self, "online", look),
        listen(self, "offline", () => back(false)),
      ];
      return () => {
        stops.map((stop) => stop());
      };
    },
  };
}

/** localStorage; values that it refuses, being full or forbidden, are kept in this page's memory. */
function pageStore(): Store {
  let storage: Partial<Storage> = {};
  try {
    storage = localStorage;
  } catch {
    // Forbidden.
  }
  return overMemory({
    get: (name) => storage.getItem?.(name) ?? undefined,
    set: (name, value) => (storage as Storage).setItem(name, value),
    remove: (name) => storage.removeItem?.(name),
    names: () => Object.keys(storage),
    onChange: (listener) => listen(self, "storage", ({ key }) => listener(key ?? "")),
  });
}

function listen(to: Target, what: string, listener: Listener): () => void {
  to.addEventListener(what, listener);
  return () => to.removeEventListener(what, listener);
}
