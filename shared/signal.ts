/** A signal that somebody no longer waits. An AbortSignal is one; making one takes 3 µs, and most requests are never left. */
export interface Signal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** A signal of our own, and what fires it. */
export class SignalSource implements Signal {
  aborted = false;
  #listeners: Set<() => void> | undefined;

  addEventListener(_: "abort", listener: () => void): void {
    this.#listeners ??= new Set();
    this.#listeners.add(listener);
  }

  removeEventListener(_: "abort", listener: () => void): void {
    this.#listeners?.delete(listener);
  }

  abort(): void {
    if (this.aborted) return;
    this.aborted = true;
    for (const listener of this.#listeners ?? []) listener();
  }
}

/** For work that goes on whoever leaves. */
export const never: Signal = new SignalSource();
