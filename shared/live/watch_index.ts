/** Finds the watched queries that a change may concern: by one equality of each query; those without one are always asked. */
import type { DocumentChange } from "./changes.ts";
import { isIndex } from "./field_name.ts";
import { keyOf, keysOf } from "./index_key.ts";
import type { Condition, Test } from "./query.ts";
import { isScalar } from "./value.ts";

/** A document that matches has one of these keys at the path. */
export interface Equality {
  readonly path: string;
  readonly keys: readonly string[];
}

/** Values of one `$in` under which a query is listed; with more it is always asked. */
const maxKeys = 50;

/** The equality by which a query is found: the one that the fewest documents satisfy, as far as its path tells. */
export function equalityOf(condition: Condition): Equality | undefined {
  const found = conjunction(condition).flatMap(({ path, test }): Equality[] => {
    const keys = keysOfTest(test);
    return keys === undefined || path.split(".").some(isIndex) ? [] : [{ path, keys }];
  });
  const rank = ({ path, keys }: Equality) =>
    (path === "_id" ? 0 : path === "_openid" ? 1 : 2) * maxKeys * 2 + keys.length;
  return found.toSorted((a, b) => rank(a) - rank(b))[0];
}

function keysOfTest(test: Test): readonly string[] | undefined {
  const values = test.op === "eq" ? [test.value] : test.op === "in" ? test.values : undefined;
  if (values === undefined || values.length > maxKeys || !values.every(isScalar)) return undefined;
  return [...new Set(values.map(keyOf))];
}

function conjunction(condition: Condition): readonly { readonly path: string; readonly test: Test }[] {
  if ("path" in condition) return [condition];
  if ("all" in condition) return condition.all.flatMap(conjunction);
  if ("any" in condition && condition.any.length === 1 && condition.any[0] !== undefined)
    return conjunction(condition.any[0]);
  return [];
}

export class WatchIndex<Query> {
  readonly #byPath = new Map<string, Map<string, Set<Query>>>();
  readonly #others = new Set<Query>();

  add(query: Query, equality: Equality | undefined): void {
    if (equality === undefined) {
      this.#others.add(query);
      return;
    }
    const byKey = this.#byPath.get(equality.path) ?? new Map<string, Set<Query>>();
    this.#byPath.set(equality.path, byKey);
    for (const key of equality.keys) byKey.set(key, (byKey.get(key) ?? new Set()).add(query));
  }

  /** @param equality as it was added */
  remove(query: Query, equality: Equality | undefined): void {
    this.#others.delete(query);
    const byKey = this.#byPath.get(equality?.path ?? "");
    for (const key of equality?.keys ?? []) {
      const queries = byKey?.get(key);
      queries?.delete(query);
      if (queries?.size === 0) byKey?.delete(key);
    }
    if (byKey?.size === 0 && equality !== undefined) this.#byPath.delete(equality.path);
  }

  /** Every query that matched one of the documents before or matches it now, and perhaps some more. */
  find(changes: readonly DocumentChange[]): ReadonlySet<Query> {
    const found = new Set(this.#others);
    for (const [path, byKey] of this.#byPath)
      for (const { before, after } of changes)
        for (const document of [before, after])
          for (const key of document === undefined ? [] : keysOf(document, path))
            for (const query of byKey.get(key) ?? []) found.add(query);
    return found;
  }

  all(): ReadonlySet<Query> {
    const found = new Set(this.#others);
    for (const byKey of this.#byPath.values())
      for (const queries of byKey.values()) for (const one of queries) found.add(one);
    return found;
  }

  get size(): number {
    return this.#others.size + this.#byPath.size;
  }
}
