/** A signal that somebody no longer waits. An AbortSignal is one; making one takes 3 µs, and most requests are never left. */
export interface Signal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}
