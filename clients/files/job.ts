/** A piece of work over a network that comes and goes: repeated with pauses, and cancelled at any moment. */
import { ApiError, mayRetry } from "../api.ts";
import { safely } from "../emitter.ts";
import type { Platform, Timer } from "../platform.ts";
import { waitAfter } from "../retry.ts";
import type { Signal, Work, WorkOptions } from "./types.ts";

/** As in api.ts, which would have to export it to another chunk of a page: the customer's pays for each export. */
export const noAnswer = "NO_ANSWER";

/** A request that moves nothing for so long is dead. */
const stallMs = 120_000;
/** Nothing has moved for so long: given up. */
const giveUpMs = 300_000;
/** The slowest network that is waited for where nobody tells how far a request is, bytes for each millisecond. */
const slowest = 16;

export interface Job {
  /** The same, but it rejects at once when the work is cancelled. */
  _until<T>(work: Promise<T>): Promise<T>;
  /** Repeats the work until it succeeds, is refused for good, or nothing has moved for minutes. */
  _persist<T>(work: () => Promise<T>): Promise<T>;
  /**
   * Waits for the answer of a request, which is aborted when nothing moves for long, and with the work.
   * @param start begins it; it calls back whenever something moves @param bytes of a request that tells no progress; else 0
   */
  _watch<T>(start: (moved: () => void) => { _answer: Promise<T>; _abort(): void }, bytes: number): Promise<T>;
  /** How long a request of so many bytes may take, ms. */
  _timeout(bytes: number): number;
}

/** @param undo called when it is cancelled */
export function startWork<T>(
  platform: Platform,
  { signal, onRetry }: WorkOptions,
  run: (job: Job) => Promise<T>,
  undo?: () => void,
): Work<T> {
  const running = new Set<() => void>();
  let movedAt = platform.now();
  let over = false;
  let refuse: (error: ApiError) => void;
  const ended = new Promise<never>((_, reject) => {
    refuse = reject;
  });
  ended.catch(() => {});

  const until = <V>(work: Promise<V>): Promise<V> => Promise.race([ended, work]);
  const moved = () => {
    movedAt = platform.now();
  };

  const pause = (ms: number): Promise<void> => {
    let done = () => {};
    const rest = new Promise<void>((resolve) => {
      const timer = platform.later(resolve, ms);
      // Back in front, or the network is back: the time before does not count.
      const stop = platform.onChange((there) => {
        if (!there) return;
        moved();
        resolve();
      });
      done = () => {
        timer.cancel();
        stop();
      };
    });
    return until(rest).finally(() => done());
  };

  async function persist<V>(work: () => Promise<V>): Promise<V> {
    for (let tries = 1; ; tries++) {
      try {
        const value = await until(work());
        moved();
        return value;
      } catch (error) {
        if (over || !mayGoOn(error) || platform.now() - movedAt > giveUpMs) throw error;
        void safely(platform, () => onRetry?.(error as ApiError));
        await pause(waitAfter(error, tries, platform));
      }
    }
  }

  async function watch<V>(
    start: (moved: () => void) => { _answer: Promise<V>; _abort(): void },
    bytes: number,
  ): Promise<V> {
    let timer: Timer | undefined;
    const restart = () => {
      timer?.cancel();
      timer = platform.later(() => _abort(), timeoutOf(bytes));
    };
    const { _answer, _abort } = start(() => {
      moved();
      restart();
    });
    restart();
    running.add(_abort);
    try {
      return await until(_answer);
    } catch (error) {
      if (error instanceof ApiError) throw error;
      throw new ApiError(noAnswer, 0, `${error}`, undefined, {}, { cause: error });
    } finally {
      timer?.cancel();
      running.delete(_abort);
    }
  }

  const end = () => {
    over = true;
    signal?.removeEventListener("abort", cancel);
    for (const abort of running) abort();
  };
  const cancel = () => {
    if (over) return;
    refuse(new ApiError("CANCELLED", 0, "it was cancelled"));
    end();
    undo?.();
  };
  const job: Job = { _until: until, _persist: persist, _watch: watch, _timeout: timeoutOf };
  // After a failure of one part the others end as well.
  const work = Promise.resolve()
    .then(() => (over ? ended : until(run(job))))
    .finally(() => over || end());
  follow(signal, cancel);
  return Object.assign(work, { cancel });
}

const timeoutOf = (bytes: number) => stallMs + bytes / slowest;

function follow(signal: Signal | undefined, cancel: () => void): void {
  signal?.addEventListener("abort", cancel);
  if (signal?.aborted) cancel();
}

/** A full quota is no passing trouble, and neither is a host that WeChat's console does not know. */
const mayGoOn = (error: unknown) =>
  mayRetry(error) && (error as ApiError).code !== "FILES_FULL" && !/domain list/.test(String(error));
