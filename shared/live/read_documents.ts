/** Reads of documents: pages, counts, aggregations. */
import { countOwned, readCollection } from "../../db/documents.ts";
import type { App } from "../app.ts";
import type { Collection } from "../collection.ts";
import { aggregate, parsePipeline } from "./aggregate.ts";
import { Counter } from "./best.ts";
import { builtIns } from "./built_in.ts";
import { type Caller, contextOf } from "./caller.ts";
import { collectionOf } from "./declared.ts";
import { maxAggregated } from "./limits.ts";
import { type Condition, parseQuery } from "./query.ts";
import { authorizeRead, keepMatching, readMatching } from "./read_matching.ts";
import { parseSelection, type SelectionInput, select } from "./select.ts";
import { comparator } from "./sort.ts";
import { isDocumentId } from "./stored.ts";
import { inTransaction } from "./transactions.ts";
import type { Document, Fields } from "./value.ts";

export { authorizeRead, type Found, type ReadOptions, readMatching } from "./read_matching.ts";

/** One page of what matches. @param transaction its id, when the read belongs to one */
export async function getDocuments(
  app: App,
  caller: Caller,
  name: string,
  input: SelectionInput,
  transaction?: string,
): Promise<{ documents: Fields[]; offset: number; limit: number }> {
  const selection = parseSelection(input, contextOf(app, caller));
  const { condition, order, skip, limit, project } = selection;
  const page = (documents: Fields[]) => ({ documents, offset: skip, limit });
  const builtIn = builtIns.get(name);
  if (builtIn !== undefined) {
    const { documents } = await builtIn.read(app, caller, condition);
    return page(select(documents, selection));
  }
  const collection = collectionOf(app, name);
  if (transaction !== undefined) {
    const documents = await inTransaction(app, caller, transaction, (own) => own.read(collection, condition));
    return page(select(documents, selection));
  }
  const permitted = await authorizeRead(app, caller, collection, condition);
  const wanted = { limit: skip + limit, order };
  const { documents } = await readMatching(app, caller, collection, permitted, wanted);
  return page(documents.slice(skip).map(project));
}

/** How many documents match and may be read. */
export async function countDocuments(app: App, caller: Caller, name: string, query: unknown): Promise<number> {
  const condition = parseQuery(query ?? {}, contextOf(app, caller), "query");
  const builtIn = builtIns.get(name);
  if (builtIn !== undefined) return (await builtIn.read(app, caller, condition)).documents.length;
  const collection = collectionOf(app, name);
  const permitted = await authorizeRead(app, caller, collection, condition);
  const counted = await countInSql(app, caller, collection, permitted);
  if (counted !== undefined) return counted;
  const { kept } = await keepMatching(app, caller, collection, permitted, {}, () => new Counter());
  return kept.count;
}

/** The number of all documents, or of all of one owner, where each of them may be read. */
async function countInSql(
  app: App,
  { auth }: Caller,
  { name, permission }: Collection,
  condition: Condition,
): Promise<number | undefined> {
  const rule = "rules" in permission ? permission.rules.read : undefined;
  const isForAll = rule?.kind === "literal" && rule.value === true;
  if (auth?.isAdmin !== true && "rules" in permission && !isForAll) return undefined;
  const parts = partsOf(condition);
  const [first, ...more] = parts ?? [];
  if (parts === undefined || more.length > 0) return undefined;
  if (first === undefined) {
    const [rows] = await app.db.read([readCollection(name)]);
    return Number(rows[0]?.documents ?? 0);
  }
  if (first.path !== "_openid" || first.test.op !== "eq" || !isDocumentId(first.test.value)) return undefined;
  const [rows] = await app.db.read([countOwned(name, first.test.value)]);
  return Number(rows[0]?.documents ?? 0);
}

type Part = Extract<Condition, { readonly path: string }>;

/** The tests of a conjunction; undefined when it holds anything else. */
function partsOf(condition: Condition): readonly Part[] | undefined {
  if ("path" in condition) return [condition];
  if (!("all" in condition)) return undefined;
  const parts = condition.all.map(partsOf);
  return parts.every((one) => one !== undefined) ? parts.flat() : undefined;
}

/** The answer of an aggregation. */
export async function aggregateDocuments(app: App, caller: Caller, name: string, pipeline: unknown): Promise<Fields[]> {
  const parsed = parsePipeline(pipeline, contextOf(app, caller));
  return aggregate(await aggregated(app, caller, name, parsed.condition), parsed);
}

/** By id, so that one pipeline over one state gives one answer. */
async function aggregated(app: App, caller: Caller, name: string, condition: Condition): Promise<Document[]> {
  const builtIn = builtIns.get(name);
  if (builtIn !== undefined) return (await builtIn.read(app, caller, condition)).documents.toSorted(comparator([]));
  const collection = collectionOf(app, name);
  const permitted = await authorizeRead(app, caller, collection, condition);
  const { documents } = await readMatching(app, caller, collection, permitted, { most: maxAggregated });
  return documents.toSorted(comparator([]));
}
