/** Calls functions as the cloud does: a bounded number at once in each compartment, each with a time limit. */

import type { Log } from "../../shared/log.ts";
import type { Signal } from "../../shared/signal.ts";
import { Bulkhead, Overflow } from "./bulkhead.ts";
import type { Compartment } from "./compartments.ts";
import type { Limits } from "./limits.ts";
import { Pending } from "./pending.ts";

/** The function did not answer in its time; it continues, and its result is ignored. */
export class TimedOut extends Error {
  override readonly name = "TimedOut";
}

/** Logs that a function failed, or was too late: what it threw after its time is not known. */
export function logFailed(log: Log, name: string | undefined, error: unknown): void {
  if (error instanceof TimedOut) log.error("function", { function: name, code: "TIMED_OUT" });
  else log.error("function", { function: name }, error);
}

export interface CallOptions {
  /** Fires when the caller no longer waits for the answer. */
  readonly signal: Signal;
  /** Goes before others at the database. */
  readonly urgent: boolean;
}

export type Call = (name: string, event: unknown, options: CallOptions) => Promise<unknown>;

/** The compartment of a call, the caller's key in it, and a signal that fires when the caller has gone. */
export interface InvokeOptions {
  readonly compartment: Compartment;
  readonly key: string;
  readonly signal: Signal;
}

export interface Invoke {
  /**
   * @param event made only when the function is called
   * @throws Overflow, CallerLeft, TimedOut, and what the function throws
   */
  (name: string, event: () => unknown, timeoutMs: number, options: InvokeOptions): Promise<unknown>;
  /** Whether this caller would have to wait. */
  isFullFor(options: InvokeOptions): boolean;
  /** Resolves when nothing runs. */
  idle(): Promise<void>;
  /** Calls that run. */
  size(): number;
}

export function invoker(call: Call, limits: Limits, log: Log): Invoke {
  const running = new Pending();
  const bulkheads = new Map<Compartment, Bulkhead>();
  const logOverload = overloadLog(log);

  function bulkheadOf(compartment: Compartment): Bulkhead {
    const known = bulkheads.get(compartment) ?? new Bulkhead(compartment.name, compartment.bounds(limits));
    bulkheads.set(compartment, known);
    return known;
  }

  async function enter({ compartment, key, signal }: InvokeOptions): Promise<() => void> {
    try {
      return await bulkheadOf(compartment).enter(key, signal);
    } catch (error) {
      if (error instanceof Overflow) logOverload(compartment.name);
      throw error;
    }
  }

  const invoke = async (
    name: string,
    event: () => unknown,
    timeoutMs: number,
    options: InvokeOptions,
  ): Promise<unknown> => {
    const leave = await enter(options);
    const { signal, compartment } = options;
    return new Promise((resolve, reject) => {
      const work = call(name, event(), { signal, urgent: compartment.urgent });
      running.add(work);
      // Not counted as work: a function that hangs does not keep a stopped process alive.
      const timer = setTimeout(() => reject(new TimedOut(name)), timeoutMs).unref();
      const end = () => {
        clearTimeout(timer);
        leave();
      };
      work.then(
        (result) => {
          end();
          resolve(result);
        },
        (error) => {
          end();
          reject(error);
        },
      );
    });
  };

  return Object.assign(invoke, {
    isFullFor: ({ compartment, key }: InvokeOptions) => bulkheadOf(compartment).isFullFor(key),
    idle: () => running.idle(),
    size: () => running.size,
  });
}

/** A burst of rejections ends after this time without one. */
const quietMs = 10_000;

/** Logs a line when a compartment begins to reject, and one with the count when it has stopped. */
function overloadLog(log: Log): (compartment: string) => void {
  const rejected = new Map<string, number>();
  return (compartment) => {
    const before = rejected.get(compartment) ?? 0;
    rejected.set(compartment, before + 1);
    if (before > 0) return;
    log.warn("overload", { compartment });
    let last = 1;
    const timer = setInterval(() => {
      const now = rejected.get(compartment) ?? 0;
      if (now > last) {
        last = now;
        return;
      }
      clearInterval(timer);
      rejected.delete(compartment);
      log.info("overload.over", { compartment, refused: now });
    }, quietMs).unref();
  };
}
