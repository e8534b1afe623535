/** What the SDK needs of the place it runs in. Each platform is one file beside this; nothing else touches the outside. */

export interface Platform {
  /** Opens a socket. What happens on it is told to `on`, not before this has returned; `close` comes once, also when it never opened. */
  socket(url: string, protocols: string[], on: SocketEvents): Socket;
  /** Resolves with any HTTP status; rejects when there was no answer. */
  request(request: Request): Promise<Response>;
  /** Kept over reloads. */
  readonly store: Store;
  now(): number;
  later(work: () => void, ms: number): Timer;
  /** From 0 to just below 1. */
  random(): number;
  /** Calls back when the app comes to the front (true) or leaves it, and when the network does; returns how to stop. */
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
  /** Where others write into the same store, such as another tab: calls back with the name; returns how to stop. */
  onChange?(hear: (name: string) => void): () => void;
}

export interface Timer {
  cancel(): void;
}

/** Forgotten with the process. */
export function memoryStore(): Store {
  const kept = new Map<string, string>();
  return {
    get: (name) => kept.get(name),
    set: (name, value) => void kept.set(name, value),
    remove: (name) => void kept.delete(name),
    names: () => [...kept.keys()],
  };
}
