/** Calls functions as the cloud does: many at once up to a number, each with its time. */
import { Pending } from "./pending.ts";

/** The function did not answer in its time; it goes on, and nobody listens. */
export class TimedOut extends Error {
  override readonly name = "TimedOut";
}

/** So many run already. */
export class Overflow extends Error {
  override readonly name = "Overflow";
}

export interface Invoke {
  /** @throws Overflow, TimedOut, and what the function throws */
  (name: string, event: unknown, timeoutMs: number): Promise<unknown>;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
}

export function invoker(call: (name: string, event: unknown) => Promise<unknown>, concurrency: number): Invoke {
  const running = new Pending();

  const invoke = async (name: string, event: unknown, timeoutMs: number): Promise<unknown> => {
    if (running.size >= concurrency) throw new Overflow(name);
    const work = call(name, event);
    running.add(work);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      // Not counted as work: a function that hangs does not keep a stopped process alive.
      timer = setTimeout(() => reject(new TimedOut(name)), timeoutMs).unref();
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      clearTimeout(timer);
    }
  };

  return Object.assign(invoke, { idle: () => running.idle() });
}
