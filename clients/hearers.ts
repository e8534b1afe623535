/** Those who want to hear of something. */

export interface Hearers<T extends unknown[]> {
  /** @returns how to stop hearing */
  add(hear: (...what: T) => void): () => void;
  tell(...what: T): void;
}

export function makeHearers<T extends unknown[]>(): Hearers<T> {
  const all = new Set<(...what: T) => void>();
  return {
    add(hear) {
      all.add(hear);
      return () => all.delete(hear);
    },
    tell(...what) {
      for (const hear of [...all]) safely(() => hear(...what));
    },
  };
}

/** A fault of the page is the page's: it is told as an unhandled one, and we go on. */
export function safely(work: () => void): void {
  try {
    work();
  } catch (error) {
    void Promise.reject(error);
  }
}
