/** An emitter: a set of listeners that are called with each value. */

export interface Emitter<T extends unknown[]> {
  /** @returns the function that removes the listener */
  _listen(listener: (...what: T) => void): () => void;
  _emit(...what: T): void;
}

export function makeEmitter<T extends unknown[]>(): Emitter<T> {
  const listeners = new Set<(...what: T) => void>();
  return {
    _listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    _emit(...what) {
      for (const listener of [...listeners]) safely(() => listener(...what));
    },
  };
}

/** An error in a listener is the page's: it is reported as an unhandled rejection, and the SDK goes on. */
export function safely(work: () => void): void {
  try {
    work();
  } catch (error) {
    void Promise.reject(error);
  }
}
