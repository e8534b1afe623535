/** An emitter: a set of listeners that are called with each value. */
import type { Platform } from "./platform.ts";

export interface Emitter<T extends unknown[]> {
  /** @returns the function that removes the listener */
  _listen(listener: (...what: T) => void): () => void;
  _emit(...what: T): void;
}

export function makeEmitter<T extends unknown[]>(platform: Platform): Emitter<T> {
  const listeners = new Set<(...what: T) => void>();
  return {
    _listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    _emit(...what) {
      for (const listener of [...listeners]) safely(platform, () => listener(...what));
    },
  };
}

/** Calls a listener of the page. Its error, also a promise's, goes to the log, and the SDK goes on. */
export async function safely({ log }: Platform, work: () => unknown): Promise<void> {
  try {
    await work();
  } catch (error) {
    log?.("error", error);
  }
}
