/**
 * Watches of one query by readers with the same rights are a group: a change is held against the query once for all of them.
 *
 * A group is written as a text, its key: the query in one form, and of the reader what the answer depends on. The same text makes the
 * same group in any process.
 */
import * as v from "valibot";
import type { App } from "../app.ts";
import { type Collection, collectionStream } from "../collection.ts";
import { InvalidInput } from "../errors.ts";
import { canonical, parseJson } from "../json.ts";
import { parse } from "../shape.ts";
import { builtIns } from "./built_in.ts";
import type { Caller } from "./caller.ts";
import { collectionOf } from "./declared.ts";
import { compileMatch } from "./match.ts";
import { authorizeQuery, mayDo } from "./permission.ts";
import { type Condition, parseQuery } from "./query.ts";
import { type RuleReads, readsOf } from "./rule_reads.ts";
import { type Auth, NotRead, ownerOf } from "./rules.ts";
import { comparator, type Order } from "./sort.ts";
import type { Document } from "./value.ts";
import { type Equality, equalityOf } from "./watch_index.ts";
import type { WatchSpec } from "./watch_port.ts";

/**
 * `direct`: the events follow from a commit alone. `window`: from a commit and the list as it was, as far as the list is known.
 * `read`: the list is read anew after each commit that may concern it.
 */
export type GroupKind = "direct" | "window" | "read";

export interface Group {
  readonly key: string;
  readonly kind: GroupKind;
  readonly spec: WatchSpec;
  /** Undefined: one of the built-in collections. */
  readonly collection: Collection | undefined;
  /** As the client asked, not yet narrowed to what is permitted. */
  readonly condition: Condition;
  readonly order: (a: Document, b: Document) => number;
  /** One of its equalities, to find it by. */
  readonly equality: Equality | undefined;
  /** Streams of other collections that `get()` in the rule reads. */
  readonly further: readonly string[];
  /** Whether a document matches, and may be read as far as that is known without `get()`. */
  readonly visible: (document: Document) => boolean;
}

/** A watch's own order: by id, the newest first where ids grow. */
const defaultOrder: Order = [{ path: "_id", descending: true }];

export const orderOf = (order: Order): Order => (order.length === 0 ? defaultOrder : order);

/** @throws CollectionUnknown, InvalidInput, NotSupported, Forbidden */
export function groupOf(app: App, spec: WatchSpec, caller: Caller): Group {
  const { auth } = caller;
  const builtIn = builtIns.get(spec.collection);
  const collection = builtIn === undefined ? collectionOf(app, spec.collection) : undefined;
  const query = queryOf(spec.query);
  const text = canonical(query);
  const rule = readsOfPermission(collection, auth);
  const isAdmin = auth?.isAdmin === true && builtIn === undefined;
  const matters = rule.auth || text.includes("{openid}") || isAdmin;
  const key = canonical({
    collection: spec.collection,
    query,
    ...(spec.order.length === 0 ? {} : { order: spec.order }),
    ...(spec.limit === undefined ? {} : { limit: spec.limit }),
    ...(spec.sorts ? { sorts: true } : {}),
    // The time matters to `serverDate` and `$$NOW` alone.
    ...(/"offset"|\$\$NOW/.test(text) ? { at: spec.at } : {}),
    ...(matters ? { auth } : {}),
    ...(builtIn === undefined ? {} : { reader: builtIn.readerOf(caller) }),
  });
  return groupFrom(app, key, spec, matters ? auth : null);
}

const keyShape = v.object({
  collection: v.string(),
  query: v.unknown(),
  order: v.optional(v.array(v.object({ path: v.string(), descending: v.boolean() })), []),
  limit: v.optional(v.number()),
  sorts: v.optional(v.boolean(), false),
  at: v.optional(v.number(), 0),
  auth: v.optional(
    v.nullable(
      v.object({
        uid: v.string(),
        openid: v.nullable(v.string()),
        loginType: v.string(),
        isAdmin: v.optional(v.boolean(), false),
      }),
    ),
    null,
  ),
});

/** The group that a key was made for. @throws as `groupOf`, when the declaration has changed since */
export function groupOfKey(app: App, key: string): Group {
  const { collection, query, order, limit, sorts, at, auth } = parse(keyShape, parseJson(key));
  return groupFrom(app, key, { collection, query: JSON.stringify(query), order, limit, sorts, at }, auth);
}

function groupFrom(app: App, key: string, spec: WatchSpec, auth: Auth | null): Group {
  const isBuiltIn = builtIns.has(spec.collection);
  const collection = isBuiltIn ? undefined : collectionOf(app, spec.collection);
  const condition = conditionOf(spec, auth);
  const rule = readsOfPermission(collection, auth);
  const canDecide = collection !== undefined && !rule.now && rule.collections?.length === 0;
  const hasOrder = (spec.order.length > 0 && !spec.sorts) || spec.limit !== undefined;
  const match = compileMatch(condition);
  const permission = collection?.permission;
  return {
    key,
    kind: !canDecide ? "read" : hasOrder ? "window" : "direct",
    spec,
    collection,
    condition,
    order: comparator(orderOf(spec.order)),
    equality: collection === undefined ? undefined : equalityOf(narrowed(collection, condition, auth)),
    further: (rule.collections ?? [...app.config.collections.keys()])
      .filter((name) => name !== spec.collection && app.config.collections.has(name))
      .map(collectionStream),
    visible: (document) =>
      match(document) &&
      (!canDecide ||
        permission === undefined ||
        mayDo(permission, "read", document, { auth, now: 0, lookup: noLookup })),
  };
}

/** @throws InvalidInput, NotSupported */
export const conditionOf = ({ query, at }: WatchSpec, auth: Auth | null): Condition =>
  parseQuery(queryOf(query), { now: at, owner: auth === null ? undefined : ownerOf(auth) }, "query");

/** The query's JSON; some of the vendor's clients wrap the text as a text once more. @throws Malformed, InvalidInput */
function queryOf(text: string): unknown {
  const once = parseJson(text);
  const query = typeof once === "string" ? parseJson(once) : once;
  if (typeof query !== "object" || query === null) throw new InvalidInput("query", "expected an object");
  return query;
}

function noLookup(): never {
  throw new NotRead([]);
}

/** The query with what the permission adds to it. A rule that reads other documents adds nothing here. */
function narrowed({ permission, name }: Collection, condition: Condition, auth: Auth | null): Condition {
  if (!("preset" in permission)) return condition;
  return authorizeQuery(permission, "read", condition, { auth, now: 0, lookup: noLookup }, name);
}

const nothingRead: RuleReads = { auth: false, now: false, collections: [] };

function readsOfPermission(collection: Collection | undefined, auth: Auth | null): RuleReads {
  if (collection === undefined || auth?.isAdmin === true) return nothingRead;
  const { permission } = collection;
  if ("preset" in permission) return { ...nothingRead, auth: permission.preset === "PRIVATE" };
  return permission.rules.read === undefined ? nothingRead : readsOf(permission.rules.read);
}
