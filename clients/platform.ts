/** The port to the platform the SDK runs on. Each platform is one file beside this one; no other file uses its API. */

export interface Platform {
  /** Opens a socket. Its events are passed to `on`, never before this returns; `close` comes once, also when it never opened. */
  socket(url: string, protocols: string[], on: SocketEvents): Socket;
  /** Resolves with any HTTP status; rejects when there was no answer. */
  request(request: Request): Promise<Response>;
  /** A store that outlives reloads. */
  readonly store: Store;
  now(): number;
  later(work: () => void, ms: number): Timer;
  /** A random number from 0 to just below 1. */
  random(): number;
  /** Calls back when the app comes to the front (true) or goes to the background, and when the network comes or goes. Returns the function that stops it. */
  onChange(back: (there: boolean) => void): () => void;
  /** Where the client has no logger: shows what is wrong in a listener (`error`), and the rest where the user wants it. */
  log?: Logger;
}

/**
 * Takes a line of the client's log; `console.debug` is one. `about` holds neither tokens nor personal data.
 * @param what such as `GET /orders`, `socket`, `state`; `error` for an error in a listener, which is then `about`
 */
export type Logger = (what: string, about?: unknown) => void;

export interface Socket {
  send(text: string): void;
  close(): void;
}

export interface SocketEvents {
  open(): void;
  message(text: string): void;
  close(reason?: Reason): void;
}

/** The reason why there is no socket. */
export interface Reason {
  /** Of WebSocket's close; 1006 when the socket broke, or the handshake failed. */
  readonly code?: number | undefined;
  /** The text beside it. */
  readonly reason?: string | undefined;
  /** The failure of the handshake, or of the request for its ticket; an ApiError has the request's id and cause. */
  readonly error?: unknown;
}

export interface Request {
  method: "GET" | "POST" | "PUT" | "DELETE";
  url: string;
  headers: Record<string, string>;
  body?: string;
  timeoutMs: number;
}

export interface Response {
  status: number;
  /** Lower-case names. */
  headers: Record<string, string>;
  body: string;
}

export interface Store {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  remove(name: string): void;
  names(): string[];
  /** Calls back with the name when another writer, such as another tab, changes the same store. Returns the function that stops it. */
  onChange?(listener: (name: string) => void): () => void;
}

export interface Timer {
  cancel(): void;
}

/** A store in memory; it ends with the process. */
export function memoryStore(): Store {
  const values = new Map<string, string>();
  return {
    get: (name) => values.get(name),
    set: (name, value) => values.set(name, value),
    remove: (name) => values.delete(name),
    names: () => [...values.keys()],
  };
}

/** Wraps a store that may refuse a value, being full: such a value is kept in memory, so that it lasts as long as the process. */
export function overMemory(store: Store): Store {
  const memory = new Map<string, string>();
  return {
    ...store,
    get: (name) => memory.get(name) ?? store.get(name),
    set(name, value) {
      try {
        store.set(name, value);
        memory.delete(name);
      } catch {
        memory.set(name, value);
      }
    },
    remove(name) {
      store.remove(name);
      memory.delete(name);
    },
    names: () => [...store.names(), ...memory.keys()],
  };
}
