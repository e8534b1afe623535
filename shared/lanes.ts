/** Work in lanes: of each lane some at once, each key once. A lane that hangs does not hold another. */

interface Lane {
  running: number;
  readonly waiting: Map<string, Waiting>;
  readonly keys: Set<string>;
}

interface Waiting {
  readonly done: Promise<void>;
  readonly start: () => void;
}

export class Lanes {
  readonly #width: number;
  readonly #lanes = new Map<string, Lane>();

  /** @param width how much of one lane runs at once */
  constructor(width: number) {
    this.#width = width;
  }

  /** Runs the work when it is its turn. A key that waits already waits once; one that runs now runs once more. */
  run(lane: string, key: string, work: () => Promise<void>): Promise<void> {
    const own = this.#lanes.get(lane) ?? { running: 0, waiting: new Map(), keys: new Set() };
    this.#lanes.set(lane, own);
    const known = own.waiting.get(key);
    if (known !== undefined) return known.done;
    let start = () => {};
    const started = new Promise<void>((resolve) => {
      start = resolve;
    });
    const done = started.then(work).finally(() => {
      own.running--;
      own.keys.delete(key);
      this.#next(lane, own);
    });
    own.waiting.set(key, { done, start });
    this.#next(lane, own);
    return done;
  }

  #next(lane: string, own: Lane): void {
    for (const [key, { start }] of own.waiting) {
      if (own.running >= this.#width) return;
      if (own.keys.has(key)) continue;
      own.waiting.delete(key);
      own.keys.add(key);
      own.running++;
      start();
    }
    if (own.running === 0 && own.waiting.size === 0) this.#lanes.delete(lane);
  }
}
