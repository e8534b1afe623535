/** What a read keeps of the documents that it finds: all, the first of an order, or their number. */
import { TooManyDocuments } from "../errors.ts";
import { maxKeptCharacters } from "./limits.ts";
import type { Candidate } from "./scan.ts";
import type { Document } from "./value.ts";
import type { IsPassed } from "./walk.ts";

export interface Keeper {
  /** @throws TooManyDocuments */
  add(candidates: readonly Candidate[]): void;
  /** Whether all that are wanted are there. @param isPassed whether the walk has passed a document's place */
  isFull(isPassed?: IsPassed): boolean;
  /** The walk was left before its end: what it did not come to lies behind all whose places it has passed. */
  end(isPassed?: IsPassed): void;
  /** Lays later commits over. @returns whether what is kept is still certain to be what was wanted */
  overlay(changed: Iterable<string>, now: readonly Candidate[]): boolean;
}

/** Kept beyond the limit, so that some may go when later commits are laid over. */
const spare = 200;

export class Best implements Keeper {
  readonly #compare: (a: Document, b: Document) => number;
  readonly #limit: number | undefined;
  readonly #most: number;
  #kept = new Map<string, Candidate>();
  #characters = 0;
  /** There are others behind the last that is kept. */
  #isCut = false;

  /** @param limit those that are wanted; undefined: all, and an error when there are more than `most` */
  constructor(compare: (a: Document, b: Document) => number, limit: number | undefined, most: number) {
    this.#compare = compare;
    this.#limit = limit;
    this.#most = most;
  }

  add(candidates: readonly Candidate[]): void {
    for (const one of candidates) this.#put(one);
    this.#check();
    if (this.#limit !== undefined && this.#kept.size > 2 * (this.#limit + spare)) {
      this.#keep(this.#sorted().slice(0, this.#limit + spare));
      this.#isCut = true;
    }
    if (this.#characters > maxKeptCharacters)
      throw new TooManyDocuments("the documents that match are too large to be read at once");
  }

  isFull(isPassed: IsPassed = () => true): boolean {
    return this.#limit !== undefined && this.#kept.size >= this.#limit && this.#certain(isPassed).length >= this.#limit;
  }

  end(isPassed: IsPassed = () => true): void {
    this.#keep(this.#certain(isPassed));
    this.#isCut = true;
  }

  /** Those up to the last whose place was passed: whatever is still to come lies behind it. */
  #certain(isPassed: IsPassed): Candidate[] {
    const all = [...this.#kept.values()];
    const passed = all.map(({ document }) => document).filter(isPassed);
    const last = passed.reduce<Document | undefined>(
      (latest, one) => (latest === undefined || this.#compare(one, latest) > 0 ? one : latest),
      undefined,
    );
    return last === undefined ? [] : all.filter(({ document }) => this.#compare(document, last) <= 0);
  }

  overlay(changed: Iterable<string>, now: readonly Candidate[]): boolean {
    const last = this.#isCut ? this.#sorted().at(-1)?.document : undefined;
    for (const id of changed) this.#remove(id);
    for (const one of now) if (last === undefined || this.#compare(one.document, last) <= 0) this.#put(one);
    this.#check();
    return !this.#isCut || this.#kept.size >= (this.#limit ?? 0);
  }

  /** In order. */
  get documents(): Document[] {
    return this.#sorted()
      .slice(0, this.#limit)
      .map(({ document }) => document);
  }

  #sorted(): Candidate[] {
    return [...this.#kept.values()].sort((a, b) => this.#compare(a.document, b.document));
  }

  #put(one: Candidate): void {
    this.#remove(one.document._id);
    this.#kept.set(one.document._id, one);
    this.#characters += one.characters;
  }

  #remove(id: string): void {
    this.#characters -= this.#kept.get(id)?.characters ?? 0;
    this.#kept.delete(id);
  }

  #keep(some: readonly Candidate[]): void {
    this.#kept = new Map();
    this.#characters = 0;
    for (const one of some) this.#put(one);
  }

  #check(): void {
    if (this.#limit === undefined && this.#kept.size > this.#most)
      throw new TooManyDocuments(`more than ${this.#most} documents match`);
  }
}

/** Counts documents. */
export class Counter implements Keeper {
  readonly #ids = new Set<string>();

  get count(): number {
    return this.#ids.size;
  }

  add(candidates: readonly Candidate[]): void {
    for (const { document } of candidates) this.#ids.add(document._id);
  }

  isFull(): boolean {
    return false;
  }

  end(): void {}

  overlay(changed: Iterable<string>, now: readonly Candidate[]): boolean {
    for (const id of changed) this.#ids.delete(id);
    this.add(now);
    return true;
  }
}
