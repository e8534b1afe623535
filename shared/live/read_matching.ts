/**
 * Reads the documents that match, as of one commit.
 *
 * One page is one snapshot. When there are several, the commits between the first and the last page are laid over what was found.
 */
import type { Head } from "../../db/streams.ts";
import type { App } from "../app.ts";
import type { Action, Collection } from "../collection.ts";
import { Overloaded } from "../errors.ts";
import { Best, type Keeper } from "./best.ts";
import { type Caller, requestOf } from "./caller.ts";
import { readCommits } from "./changes.ts";
import { maxReadSteps, maxWatched } from "./limits.ts";
import { chosenBy, Lookups, withLookups } from "./lookups.ts";
import { compileMatch, type Match } from "./match.ts";
import { matchingOf } from "./matching_of.ts";
import { authorizeQuery, mayDo } from "./permission.ts";
import type { Condition } from "./query.ts";
import { type Candidate, pageSize, type Scanned, Stale, scan } from "./scan.ts";
import { comparator, type Order } from "./sort.ts";
import { Steps } from "./steps.ts";
import type { Document } from "./value.ts";
import { type IsPassed, walk } from "./walk.ts";

export interface Found {
  /** With a limit in order, else in any. */
  readonly documents: readonly Document[];
  /** Of the collection's stream: the documents are those after exactly this commit. */
  readonly head: Head;
}

export interface ReadOptions {
  /** More are an error. */
  readonly most?: number | undefined;
  /** Only the first ones in the order; then `most` is of no meaning. */
  readonly limit?: number | undefined;
  readonly order?: Order | undefined;
}

/**
 * The condition under which the caller may read.
 * @throws Forbidden
 */
export function authorizeRead(
  app: App,
  caller: Caller,
  { name, permission }: Collection,
  condition: Condition,
  lookups?: Lookups,
): Promise<Condition> {
  return withLookups(
    app,
    (lookup) => authorizeQuery(permission, "read", condition, requestOf(app, caller, lookup), name),
    lookups,
  );
}

/** How often a read begins anew when what it has read does not fit together. */
const maxTries = 5;

/**
 * All documents that match and that the caller may read, or the first of them, as of one commit.
 * @param condition as `authorizeRead` gave it
 * @throws TooManyDocuments when more than `most` match, or too many have to be looked at
 */
export async function readMatching(
  app: App,
  caller: Caller,
  collection: Collection,
  condition: Condition,
  options: number | ReadOptions = {},
): Promise<Found> {
  const wanted = typeof options === "number" ? { most: options } : options;
  const { limit, order = [], most = maxWatched } = wanted;
  const make = () => new Best(comparator(order), limit, most);
  const { kept, head } = await keepMatching(app, caller, collection, condition, wanted, make);
  return { documents: kept.documents, head };
}

/** Gives a keeper the documents that match and that the caller may read, as of one commit. @throws TooManyDocuments */
export async function keepMatching<K extends Keeper>(
  app: App,
  caller: Caller,
  collection: Collection,
  condition: Condition,
  wanted: ReadOptions,
  make: () => K,
): Promise<{ kept: K; head: Head }> {
  const reading = new Reading(app, caller, collection, condition, wanted);
  for (let tries = 0; tries < maxTries; tries++) {
    const kept = make();
    const head = await reading.tried(kept);
    if (head !== undefined) return { kept, head };
  }
  throw new Overloaded();
}

class Reading {
  readonly #app: App;
  readonly #caller: Caller;
  readonly #collection: Collection;
  readonly #condition: Condition;
  readonly #wanted: ReadOptions;
  readonly #steps = new Steps(maxReadSteps);
  readonly #match: Match;
  readonly #lookups = new Lookups();

  constructor(app: App, caller: Caller, collection: Collection, condition: Condition, wanted: ReadOptions) {
    this.#app = app;
    this.#caller = caller;
    this.#collection = collection;
    this.#condition = condition;
    this.#wanted = wanted;
    this.#match = compileMatch(condition, this.#steps);
  }

  /** @returns the head of which it is; undefined when it is to be tried again */
  async tried(kept: Keeper): Promise<Head | undefined> {
    try {
      const scanned = (await this.#walk(kept)) ?? (await this.#scan(kept));
      return await this.#together(kept, scanned);
    } catch (error) {
      if (error instanceof Stale) return undefined;
      throw error;
    }
  }

  async #walk(kept: Keeper): Promise<Scanned | undefined> {
    const { limit, order: [first] = [] } = this.#wanted;
    if (limit === undefined || first === undefined || first.path === "_id") return undefined;
    const visit = async (page: readonly Candidate[], isPassed: IsPassed) => {
      kept.add(await this.#chosen(page));
      if (!kept.isFull(isPassed)) return true;
      kept.end(isPassed);
      return false;
    };
    return walk(this.#app, this.#collection, this.#condition, first, visit, limit + 20);
  }

  async #scan(kept: Keeper): Promise<Scanned> {
    const { limit, order: [first] = [] } = this.#wanted;
    const isById = limit !== undefined && (first === undefined || first.path === "_id");
    const visit = async (page: readonly Candidate[]) => {
      kept.add(await this.#chosen(page));
      if (!isById || !kept.isFull()) return true;
      kept.end();
      return false;
    };
    const options = {
      descending: isById && first?.descending === true,
      first: isById ? limit + 1 : pageSize,
      anyOrder: !isById,
    };
    return scan(this.#app, this.#collection, this.#condition, visit, options);
  }

  /** Those that match and may be read. */
  async #chosen(page: readonly Candidate[]): Promise<Candidate[]> {
    const matching = await matchingOf(page, this.#match, this.#steps);
    return permittedOf(this.#app, this.#caller, this.#collection, "read", matching, this.#lookups);
  }

  async #together(kept: Keeper, { from, to }: Scanned): Promise<Head | undefined> {
    if (from.epoch !== to.epoch && from.epoch !== "") return undefined;
    if (from.seq > to.seq) return undefined;
    if (from.seq === to.seq) return from.tag === to.tag ? to : undefined;
    const commits = await readCommits(this.#app, this.#collection.name, from.seq, to.seq);
    if (commits === undefined) return undefined;
    const now = new Map(commits.flatMap(({ changes }) => changes).map(({ id, after }) => [id, after]));
    const documents = [...now.values()].filter((one) => one !== undefined);
    const chosen = await this.#chosen(documents.map((document) => ({ document, characters: 0 })));
    return kept.overlay(now.keys(), chosen) ? to : undefined;
  }
}

/** Those for which the action is permitted. What rules read for a page is read at once. */
export async function permittedOf<T extends { readonly document: Document }>(
  app: App,
  caller: Caller,
  { permission }: Collection,
  action: Action,
  all: readonly T[],
  lookups: Lookups,
): Promise<T[]> {
  if (all.length === 0) return [];
  return withLookups(
    app,
    (lookup) => {
      const request = requestOf(app, caller, lookup);
      return chosenBy(all, ({ document }) => mayDo(permission, action, document, request));
    },
    lookups,
  );
}
