/**
 * Timers that run on in a hidden tab. Browsers slow the timers of a hidden page down to one a minute, but not a worker's.
 * The page's own timer runs too, for browsers without workers.
 */
import type { Platform, Timer } from "../../clients/platform.ts";

export function makeBackgroundTimer(): Platform["later"] {
  const worker = startWorker();
  const waiting = new Map<number, () => void>();
  let nth = 0;
  worker?.addEventListener("message", ({ data }: MessageEvent<number>) => waiting.get(data)?.());
  return (work, ms): Timer => {
    nth += 1;
    const id = nth;
    const cancel = () => {
      clearTimeout(timer);
      waiting.delete(id);
      worker?.postMessage({ id });
    };
    const ring = () => {
      cancel();
      work();
    };
    const timer = setTimeout(ring, ms);
    waiting.set(id, ring);
    worker?.postMessage({ id, ms });
    return { cancel };
  };
}

function startWorker(): Worker | undefined {
  try {
    return new Worker(new URL("./background_timers_worker.ts", import.meta.url), { type: "module" });
  } catch {
    // The worker is forbidden, or comes from another host.
    return undefined;
  }
}
