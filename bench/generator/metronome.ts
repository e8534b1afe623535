/**
 * Metronome: calls back when something is due. A thread of its own sleeps until then, to a tenth of a millisecond; timers of Node are
 * a millisecond coarse, and a loop that spins would take a core from the servers.
 */
import { Worker } from "node:worker_threads";
import { now } from "./clock.ts";

/** At high rates several are due with one wake-up: each costs two threads a switch. */
const coarseMs = 0.3;

/** Plain JavaScript, so that it runs wherever it is started. `state`: whether it shall stop, whether a tick is on its way. */
const code = `
const { parentPort, workerData: { dues, state, coarseMs } } = require("node:worker_threads");
const now = () => Number(process.hrtime.bigint()) / 1e6;
let last = 0;
for (let at = 0; at < dues.length; ) {
  const waitMs = Math.max(dues[at], last + coarseMs) - now();
  if (waitMs > 0) {
    if (Atomics.wait(state, 0, 0, waitMs) !== "timed-out") break;
    continue;
  }
  last = now();
  if (Atomics.exchange(state, 1, 1) === 0) parentPort.postMessage(0);
  while (at < dues.length && dues[at] <= last) at++;
}
`;

export interface Metronome {
  /** Calls what is due, if a tick was missed. */
  pump(): void;
  stop(): void;
}

/** @param due called for each in turn, never before its time. @param dues by the generator's clock, ascending */
export function metronome(dues: Float64Array, due: (k: number, dueAt: number) => void): Metronome {
  const shared = new Float64Array(new SharedArrayBuffer(dues.byteLength));
  shared.set(dues);
  const state = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(code, { eval: true, execArgv: [], workerData: { dues: shared, state, coarseMs } });
  let next = 0;
  function pump(): void {
    Atomics.store(state, 1, 0);
    for (; next < dues.length && (dues[next] as number) <= now(); next++) due(next, dues[next] as number);
    // Woken a moment too early: a tick for it will not come again.
    if (next < dues.length && (dues[next] as number) - now() < coarseMs) setImmediate(pump);
  }
  worker.on("message", pump);
  return {
    pump,
    stop() {
      Atomics.store(state, 0, 1);
      Atomics.notify(state, 0);
      next = dues.length;
      void worker.terminate();
    },
  };
}
