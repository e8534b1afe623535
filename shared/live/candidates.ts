/**
 * Finds the documents of an update or a removal so that none is missed that matches when the write is committed.
 *
 * Mostly one page under the lock holds them all. Else they are looked for before, without the lock, and those that commits have changed
 * meanwhile are looked at again under it.
 */
import type { Row } from "../../db/database.ts";
import {
  readChangedIds,
  readCommitEvents,
  readDocuments,
  readDocumentsById,
  readDocumentsChanged,
} from "../../db/documents.ts";
import type { Sql } from "../../db/sql.ts";
import type { Head } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { type Collection, collectionStream } from "../collection.ts";
import { Overloaded, TooManyDocuments } from "../errors.ts";
import { changesIn } from "./changes.ts";
import type { Locked } from "./commit.ts";
import { maxReadSteps, maxSteadySteps, maxWritten } from "./limits.ts";
import { compileMatch } from "./match.ts";
import { matchingOf } from "./matching_of.ts";
import { narrow } from "./narrow.ts";
import type { Condition } from "./query.ts";
import { type Candidate, Stale, scan } from "./scan.ts";
import { Steps } from "./steps.ts";
import { documentIn, filterOf } from "./stored.ts";
import type { Document } from "./value.ts";

/** Reads under the lock, and what they have found. */
export interface Candidates {
  readonly reads: readonly Sql[];
  /** Those that match now, by id; one alone if no more are wanted. @throws NotAll */
  matching(read: Row[][], locked: Locked): Document[];
}

/** Not every document that may match was read. */
export class NotAll extends Error {
  override readonly name = "NotAll";
}

/** Documents that are read under the lock at once. */
const atOnce = 200;
const maxTries = 4;

/** Runs a write on what matches. @param multi all of them; else the first by id */
export async function onMatching<T>(
  app: App,
  collection: Collection,
  condition: Condition,
  multi: boolean,
  run: (candidates: Candidates) => Promise<T>,
): Promise<T> {
  let candidates = direct(collection, condition, multi);
  for (let tries = 0; tries < maxTries; tries++) {
    try {
      return await run(candidates);
    } catch (error) {
      if (!(error instanceof NotAll)) throw error;
      candidates = await lookedFor(app, collection, condition, multi);
    }
  }
  throw new Overloaded();
}

function direct(collection: Collection, condition: Condition, multi: boolean): Candidates {
  const filter = filterOf(narrow(condition, collection.indexes));
  if (filter === undefined) return { reads: [], matching: () => [] };
  const page = { after: undefined, descending: false, limit: atOnce + 1 };
  return {
    reads: [readDocuments(collection.name, filter, page)],
    matching([rows = []], { indexed }) {
      if (filter.fields.length > 0 && indexed.length < collection.indexes.length) throw new NotAll();
      const match = compileMatch(condition, new Steps(maxSteadySteps));
      const found = rows.map(documentIn).filter(match);
      if (rows.length > atOnce && (multi || found.length === 0)) throw new NotAll();
      return multi ? found : found.slice(0, 1);
    },
  };
}

/** @throws TooManyDocuments when more match than one write may change */
async function lookedFor(app: App, collection: Collection, condition: Condition, multi: boolean): Promise<Candidates> {
  const { ids, head } = await idsOf(app, collection, condition, multi);
  const { name } = collection;
  const stream = collectionStream(name);
  return {
    reads: [
      readDocumentsById(name, ids),
      readDocumentsChanged(name, head.seq),
      readChangedIds(name, head.seq),
      readCommitEvents(stream, head.seq, Number.MAX_SAFE_INTEGER, maxWritten),
    ],
    matching([named = [], changed = [], changes = [], events = []], locked) {
      const told = events.reduce((sum, { data }) => sum + changesIn(String(data)), 0);
      const isWhole = events.length === locked.head.seq - head.seq && told === changes.length;
      if (!isWhole || (head.epoch !== locked.head.epoch && head.epoch !== "")) throw new NotAll();
      const match = compileMatch(condition, new Steps(maxSteadySteps));
      const there = [...named, ...changed].filter(({ data }) => data !== null);
      const all = new Map(there.map((row) => [String(row.doc_id), row]));
      const found = [...all.values()]
        .map(documentIn)
        .filter(match)
        .sort((a, b) => (a._id < b._id ? -1 : 1));
      // Another may have become the first by its change, or the first may be gone.
      if (!multi && found.length === 0 && ids.length > 0) throw new NotAll();
      return multi ? found : found.slice(0, 1);
    },
  };
}

async function idsOf(
  app: App,
  collection: Collection,
  condition: Condition,
  multi: boolean,
): Promise<{ ids: readonly string[]; head: Head }> {
  const steps = new Steps(maxReadSteps);
  const match = compileMatch(condition, steps);
  for (let tries = 0; tries < maxTries; tries++) {
    const ids = new Set<string>();
    const visit = async (page: readonly Candidate[]) => {
      for (const { document } of await matchingOf(page, match, steps)) ids.add(document._id);
      if (ids.size > maxWritten && multi) throw new TooManyDocuments(`a write changes at most ${maxWritten} documents`);
      return multi || ids.size === 0;
    };
    try {
      const { from } = await scan(app, collection, condition, visit, { anyOrder: multi });
      return { ids: [...ids].slice(0, multi ? ids.size : 1), head: from };
    } catch (error) {
      if (!(error instanceof Stale)) throw error;
    }
  }
  throw new Overloaded();
}
