/** Work in progress, so that a stop can wait for it. */
export class Pending {
  readonly #all = new Set<Promise<unknown>>();

  get size(): number {
    return this.#all.size;
  }

  /** @param work its failure is handled by its owner */
  add(work: Promise<unknown>): void {
    const done = () => void this.#all.delete(work);
    this.#all.add(work);
    work.then(done, done);
  }

  /** Resolves when nothing is left, work that was added meanwhile included. */
  async idle(): Promise<void> {
    while (this.#all.size > 0) await Promise.allSettled(this.#all);
  }
}
