/** An open loop: the k-th request is due at start + k / rate, however slow the server is; and the report of its figures. */

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

/** A generator that was late for more than 0.1 % says nothing about the server. */
export const isVoid = (late: number, sent: number) => late > sent / 1_000;

export const at = (sorted: readonly number[], share: number) =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

export const ascending = (list: readonly number[]) => list.toSorted((a, b) => a - b);

/** Median, minimum and maximum of the pairs of one ratio. */
export function printRatio(name: string, list: readonly number[]): void {
  const sorted = ascending(list);
  const figures = [at(sorted, 0.5), sorted[0], sorted.at(-1)].map((figure) => (figure ?? Number.NaN).toFixed(2));
  console.log(`${name}: median ${figures[0]} (${figures[1]} to ${figures[2]}) of ${list.length} pairs`);
}
