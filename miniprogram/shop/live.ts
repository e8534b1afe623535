/** One watch, shared by the pages that show it: it begins with the first page and ends with the last. */
import type { ApiError, Watch } from "../lib/orderbell";

export interface Live<T> {
  /** What was heard last. */
  now(): T | undefined;
  /** Tells at once what is known, then each change. Returns how to stop. */
  hear(tell: (value: T) => void, fail?: (error: ApiError) => void): () => void;
  /** Begins anew, after an error or for another user. */
  restart(): void;
}

export function share<T>(begin: (tell: (value: T) => void, fail: (error: ApiError) => void) => Watch): Live<T> {
  const hearers = new Set<{ tell(value: T): void; fail?: ((error: ApiError) => void) | undefined }>();
  let value: T | undefined;
  let error: ApiError | undefined;
  let watch: Watch | undefined;
  /** A watch that was ended may still have something under way. */
  let turn = 0;

  function start(): void {
    const mine = ++turn;
    error = undefined;
    watch = begin(
      (told) => {
        if (mine !== turn) return;
        value = told;
        for (const { tell } of [...hearers]) tell(told);
      },
      (refusal) => {
        if (mine !== turn) return;
        error = refusal;
        for (const { fail } of [...hearers]) fail?.(refusal);
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
    hear(tell, fail) {
      const hearer = { tell, fail };
      hearers.add(hearer);
      if (value !== undefined) tell(value);
      if (watch === undefined) start();
      else if (error !== undefined) fail?.(error);
      return () => {
        hearers.delete(hearer);
        if (hearers.size === 0) stop();
      };
    },
    restart() {
      stop();
      value = undefined;
      if (hearers.size > 0) start();
    },
  };
}
