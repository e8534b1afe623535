/** A write that is a commit of its own. */
import type { Row } from "../../db/database.ts";
import { readDocumentsById } from "../../db/documents.ts";
import type { App } from "../app.ts";
import type { Collection } from "../collection.ts";
import { onMatching } from "./candidates.ts";
import { commit, type Write } from "./commit.ts";
import type { Lookups } from "./lookups.ts";
import type { Condition } from "./query.ts";
import type { Lookup } from "./rules.ts";
import { documentIn } from "./stored.ts";
import type { Document } from "./value.ts";

/** Which documents a write is about, and what it makes of them. */
export interface Targets<T> {
  readonly condition: Condition;
  /** All that match; else the first by id. */
  readonly multi: boolean;
  /** Documents that are looked for beside them. */
  readonly ids: readonly string[];
  /** Whose documents may become more by it. */
  readonly owner?: string | undefined;
  /** Pure; may run again. */
  readonly decide: (found: FoundTargets, lookup: Lookup) => { readonly writes: readonly Write[]; readonly result: T };
}

export interface FoundTargets {
  readonly matched: readonly Document[];
  readonly byId: ReadonlyMap<string, Document>;
}

export const byIdOf = (rows: readonly Row[]): Map<string, Document> =>
  new Map(rows.map((row) => [String(row.doc_id), documentIn(row)]));

/** @throws whatever `decide` throws, and the errors of a commit */
export async function writeNow<T>(
  app: App,
  collection: Collection,
  { condition, multi, ids, owner, decide }: Targets<T>,
  lookups: Lookups,
): Promise<T> {
  const { name } = collection;
  const named = ids.length === 0 ? [] : [readDocumentsById(name, ids)];
  return onMatching(app, collection, condition, multi, (candidates) =>
    commit(app, [collection], lookups, {
      owner,
      reads: [...named, ...candidates.reads],
      decide(read, locked) {
        const state = locked.get(name);
        if (state === undefined) throw new TypeError(`"${name}" was not locked`);
        const matched = candidates.matching(read.slice(named.length), state);
        const byId = byIdOf(named.length === 0 ? [] : (read[0] ?? []));
        const { writes, result } = decide({ matched, byId }, lookups.lookup);
        return { writes: new Map([[name, writes]]), result };
      },
    }),
  );
}
