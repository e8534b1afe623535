/** A watch that pages share: it starts with the first page that subscribes and ends with the last. */
import type { ApiError, Watch } from "../lib/orderbell";

export interface Live<T> {
  /** The last value. */
  now(): T | undefined;
  /** Calls back at once with the last value, then with each change. Returns the function that stops it. */
  subscribe(onValue: (value: T) => void, fail?: (error: ApiError) => void): () => void;
  /** Starts again, after an error or for another user. */
  restart(): void;
}

export function share<T>(begin: (emit: (value: T) => void, fail: (error: ApiError) => void) => Watch): Live<T> {
  const listeners = new Set<{ onValue(value: T): void; fail?: ((error: ApiError) => void) | undefined }>();
  let value: T | undefined;
  let error: ApiError | undefined;
  let watch: Watch | undefined;
  /** Grows with each watch: a closed one may still call back. */
  let turn = 0;

  function start(): void {
    const mine = ++turn;
    error = undefined;
    watch = begin(
      (next) => {
        if (mine !== turn) return;
        value = next;
        for (const { onValue } of [...listeners]) onValue(next);
      },
      (failure) => {
        if (mine !== turn) return;
        error = failure;
        for (const { fail } of [...listeners]) fail?.(failure);
      },
    );
  }

  function stop(): void {
    turn += 1;
    watch?.close();
    watch = undefined;
  }

  return {
    now: () => value,
    subscribe(onValue, fail) {
      const listener = { onValue, fail };
      listeners.add(listener);
      if (value !== undefined) onValue(value);
      if (watch === undefined) start();
      else if (error !== undefined) fail?.(error);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) stop();
      };
    },
    restart() {
      stop();
      value = undefined;
      if (listeners.size > 0) start();
    },
  };
}
