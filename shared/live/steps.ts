/** A count of steps: what bounds an evaluation, on any machine alike. */
import { InvalidInput } from "../errors.ts";

/** @throws InvalidInput from `take`, when more steps were taken than the count began with */
export class Steps {
  #left: number;
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
    this.#left = most;
  }

  /** Begins to count anew. */
  reset(): void {
    this.#left = this.#most;
  }

  /** Since it began to count. */
  get taken(): number {
    return this.#most - this.#left;
  }

  take(count = 1): void {
    this.#left -= count;
    if (this.#left < 0) throw new InvalidInput("", `the evaluation takes more than ${this.#most} steps`);
  }

  /** Counts a value's parts, each as often as it occurs: values that share parts would grow without bound. */
  weigh(value: unknown): void {
    this.take(typeof value === "string" ? 1 + value.length / 16 : 1);
    if (typeof value !== "object" || value === null || value instanceof Date) return;
    for (const one of Object.values(value)) this.weigh(one);
  }
}
