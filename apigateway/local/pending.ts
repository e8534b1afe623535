/** What is under way, so that whoever stops can wait for it. */
export class Pending {
  readonly #all = new Set<Promise<unknown>>();

  get size(): number {
    return this.#all.size;
  }

  /** @param work its failure is its owner's affair */
  add(work: Promise<unknown>): void {
    const done = () => void this.#all.delete(work);
    this.#all.add(work);
    work.then(done, done);
  }

  /** Resolves when nothing is left, also of what was added meanwhile. */
  async idle(): Promise<void> {
    while (this.#all.size > 0) await Promise.allSettled(this.#all);
  }
}
