/** An open loop: the k-th request is due at start + k / rate, however slow the server is. */

export const now = () => performance.timeOrigin + performance.now();

/** @returns how many requests the generator itself sent more than 5 ms late */
export async function openLoop(total: number, rate: number, send: (k: number, due: number) => void): Promise<number> {
  let late = 0;
  const startAt = now() + 100;
  for (let k = 0; k < total; ) {
    const due = startAt + (k * 1_000) / rate;
    const waitMs = due - now();
    // Never early: a request sent before it is due would look faster than it is.
    if (waitMs > 0) {
      await new Promise((resolve) => (waitMs > 2 ? setTimeout(resolve, waitMs - 1.5) : setImmediate(resolve)));
      continue;
    }
    if (waitMs < -5) late += 1;
    send(k++, due);
  }
  return late;
}

/** Waits until it is so, for five seconds at most. */
export async function settled(is: () => boolean): Promise<void> {
  for (let waited = 0; waited < 100 && !is(); waited++) await new Promise((resolve) => setTimeout(resolve, 50));
}
