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
}

export interface Socket {
  send(text: string): void;
  close(): void;
}

export interface SocketEvents {
  open(): void;
  message(text: string): void;
  close(): void;
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
