/**
 * Metronome: calls back when something is due. A thread of its own sleeps until then, to a tenth of a millisecond; timers of Node are
 * a millisecond coarse, and a loop that spins would take a core from the servers.
 */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { monotonicMs as now } from "../_clock.ts";

/** At high rates several are due with one wake-up: each costs two threads a switch. */
const coarseMs = 0.3;

/** Plain JavaScript, so that it runs wherever it is started. `state`: whether it shall stop, whether a tick is on its way, whether it shall start. */
const code = `
const { parentPort, workerData: { dues, state, coarseMs } } = require("node:worker_threads");
const now = () => Number(process.hrtime.bigint()) / 1e6;
let last = 0;
parentPort.postMessage("ready");
Atomics.wait(state, 2, 0);
for (let at = 0; at < dues.length; ) {
  const waitMs = Math.max(dues[at], last + coarseMs) - now();
  if (waitMs > 0) {
    if (Atomics.wait(state, 0, 0, waitMs) !== "timed-out") break;
    continue;
  }
  last = now();
  if (Atomics.exchange(state, 1, 1) === 0) parentPort.postMessage("tick");
  while (at < dues.length && dues[at] <= last) at++;
}
`;

export class Metronome {
  readonly #worker: Worker;
  readonly #state = new Int32Array(new SharedArrayBuffer(12));
  readonly #dues: Float64Array;
  readonly #due: (k: number, dueAt: number) => void;
  #next = 0;
  #end = 0;

  private constructor(count: number, due: (k: number, dueAt: number) => void) {
    this.#dues = new Float64Array(new SharedArrayBuffer(count * Float64Array.BYTES_PER_ELEMENT));
    this.#due = due;
    const workerData = { dues: this.#dues, state: this.#state, coarseMs };
    this.#worker = new Worker(code, { eval: true, execArgv: [], workerData });
  }

  /** @param due called for each in turn, never before its time. @returns when its thread runs: that takes longer than the first pause */
  static async make(count: number, due: (k: number, dueAt: number) => void): Promise<Metronome> {
    const metronome = new Metronome(count, due);
    await once(metronome.#worker, "message");
    metronome.#worker.on("message", () => metronome.pump());
    return metronome;
  }

  /** @param dues by the generator's clock, ascending */
  start(dues: Float64Array): void {
    this.#dues.set(dues);
    this.#end = dues.length;
    Atomics.store(this.#state, 2, 1);
    Atomics.notify(this.#state, 2);
  }

  /** Calls what is due. */
  pump(): void {
    Atomics.store(this.#state, 1, 0);
    for (; this.#next < this.#end && this.#dueAt <= now(); this.#next++) this.#due(this.#next, this.#dueAt);
    // Woken a moment too early: a tick for it will not come again.
    if (this.#next < this.#end && this.#dueAt - now() < coarseMs) setImmediate(() => this.pump());
  }

  get #dueAt(): number {
    return this.#dues[this.#next] as number;
  }

  stop(): void {
    this.#end = 0;
    Atomics.store(this.#state, 0, 1);
    Atomics.notify(this.#state, 0);
    void this.#worker.terminate();
  }
}
