/** The SDK in a page: fetch, WebSocket, localStorage. Needs no secure context: a shop's own network has plain http. */
import { asGuest, type Client, type ClientOptions, makeClient } from "./client.ts";
import { memoryStore, type Platform, type Store } from "./platform.ts";

export * from "./index.ts";

// What is used of a page, in a few lines: the rest of this project is not for browsers and has not their types.
declare const document: Target & { hidden: boolean };
declare const self: Target;
declare const location: { origin: string };
declare const localStorage: Storage;
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
type Hear = (event: { key?: string | null }) => void;
interface Target {
  addEventListener(what: string, hear: Hear): void;
  removeEventListener(what: string, hear: Hear): void;
}
interface Storage {
  getItem(name: string): string | null;
  setItem(name: string, value: string): void;
  removeItem(name: string): void;
}

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
    now: () => Date.now(),
    later(work, ms) {
      const timer = setTimeout(work, ms);
      return { cancel: () => clearTimeout(timer) };
    },
    random: Math.random,
    /** A kitchen's screen stays connected when it is covered; coming back is only a reason to look at once. */
    onChange(back) {
      const look = () => document.hidden || back(true);
      const stops = [listen(document, "visibilitychange", look), listen(self, "online", look)];
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}

/** localStorage; this page's memory where it is forbidden, or too full for a session and a bill. */
function pageStore(): Store {
  const probe = "orderbell?";
  try {
    const storage = localStorage;
    storage.setItem(probe, probe.repeat(999));
    storage.removeItem(probe);
    return {
      get: (name) => storage.getItem(name) ?? undefined,
      set: (name, value) => storage.setItem(name, value),
      remove: (name) => storage.removeItem(name),
      names: () => Object.keys(storage),
      onChange: (hear) => listen(self, "storage", ({ key }) => hear(key ?? "")),
    };
  } catch {
    return memoryStore();
  }
}

function listen(to: Target, what: string, hear: Hear): () => void {
  to.addEventListener(what, hear);
  return () => to.removeEventListener(what, hear);
}
