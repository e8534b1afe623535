/** Ledger of correctness: every acknowledged order is pushed exactly once, and the numbers of each stream have no gap. */

/** Orders are numbered in the order in which they are due. */
export class Ledger {
  /** 1: acknowledged. 2: refused. */
  readonly #answers: Uint8Array;
  readonly #pushes: Uint8Array;
  /** Last number by stream. */
  readonly #last = new Map<number, number>();
  #gaps = 0;
  #backwards = 0;
  #unknown = 0;

  constructor(orders: number) {
    this.#answers = new Uint8Array(orders);
    this.#pushes = new Uint8Array(orders);
  }

  acknowledge(order: number): void {
    this.#answers[order] = 1;
  }

  refuse(order: number): void {
    this.#answers[order] = 2;
  }

  /** @returns whether it is the first push of this order */
  push(order: number): boolean {
    const pushes = this.#pushes[order];
    if (pushes === undefined) {
      this.#unknown += 1;
      return false;
    }
    this.#pushes[order] = Math.min(255, pushes + 1);
    return pushes === 0;
  }

  /** A numbered event of a stream came, whatever it says. */
  number(stream: number, seq: number): void {
    const last = this.#last.get(stream);
    if (last !== undefined && seq > last + 1) this.#gaps += seq - last - 1;
    if (last !== undefined && seq <= last) this.#backwards += 1;
    this.#last.set(stream, last === undefined ? seq : Math.max(last, seq));
  }

  get lost(): number {
    return this.#count((order) => this.#answers[order] === 1 && this.#pushes[order] === 0);
  }

  #count(is: (order: number) => boolean): number {
    let count = 0;
    for (let order = 0; order < this.#pushes.length; order++) if (is(order)) count += 1;
    return count;
  }

  /** @returns sentences; none when all is right */
  problems(): string[] {
    const doubled = this.#count((order) => (this.#pushes[order] ?? 0) > 1);
    const refused = this.#count((order) => this.#answers[order] === 2 && this.#pushes[order] !== 0);
    const found: [number, string][] = [
      [this.lost, "acknowledged and never pushed"],
      [doubled, "pushed more than once"],
      [refused, "refused and pushed all the same"],
      [this.#unknown, "pushed and not ordered"],
      [this.#gaps, "missing in the numbers of a stream"],
      [this.#backwards, "out of order in the numbers of a stream"],
    ];
    return found.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  }
}
