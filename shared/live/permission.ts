/**
 * Who may do what in a collection: one of four presets, or rules.
 *
 * A preset narrows a query to what is permitted, as the vendor's do: another's documents are simply not there. With rules, a query that
 * could return a document that the rule forbids is refused. Each document is held against the permission again when it is read, written
 * or pushed: `mayDo`.
 */
import { type Action, type Permission, type Preset, presets } from "../collection.ts";
import { Forbidden } from "../errors.ts";
import { alternativesOf } from "./known.ts";
import type { Condition } from "./query.ts";
import { type Auth, holds, type Lookup, ownerOf, pathsOf, readsAnyField } from "./rules.ts";
import type { Fields } from "./value.ts";

export { type Action, type Permission, type Preset, presets };

/** One request, as the rules see it. */
export interface Request {
  readonly auth: Auth | null;
  readonly now: number;
  /** `request.data`: what a write brings. */
  readonly data?: Fields | undefined;
  readonly lookup: Lookup;
}

type Scope = "all" | "own" | "none";

/** Which documents a preset opens to those who are no administrators. */
const scopes: Readonly<Record<Preset, Readonly<Record<Action, Scope>>>> = {
  READONLY: { read: "all", create: "own", update: "own", delete: "own" },
  PRIVATE: { read: "own", create: "own", update: "own", delete: "own" },
  ADMINWRITE: { read: "all", create: "none", update: "none", delete: "none" },
  ADMINONLY: { read: "none", create: "none", update: "none", delete: "none" },
};

/**
 * The query that may be answered: the same, or narrowed to the user's own documents.
 *
 * With rules it is the same or refused. A query for ids is let through where the rule depends on the document: each one is asked about
 * anyway, and one that is forbidden is as one that is not there.
 * @param collection for the message @throws Forbidden, NotRead
 */
export function authorizeQuery(
  permission: Permission,
  action: Exclude<Action, "create">,
  condition: Condition,
  request: Request,
  collection: string,
): Condition {
  const { auth } = request;
  if (auth?.isAdmin === true) return condition;
  if ("preset" in permission) {
    const scope = scopes[permission.preset][action];
    if (scope === "all") return condition;
    if (scope === "none" || auth === null) throw refusal(action, collection);
    return { all: [{ path: "_openid", test: { op: "eq", value: ownerOf(auth) } }, condition] };
  }
  const rule = permission.rules[action];
  if (rule === undefined) throw refusal(action, collection);
  const paths = pathsOf(rule);
  if (namesIds(condition) && paths.length > 0) return condition;
  const alternatives = alternativesOf(condition, (path) => readsAnyField(rule) || paths.includes(path));
  if (alternatives === undefined) throw refusal(action, collection, "the query has too many alternatives for its rule");
  for (const known of alternatives) {
    if (holds(rule, { ...request, doc: { known } }, request.lookup)) continue;
    const hint = paths.length === 0 ? undefined : `the query must say enough of ${paths.join(", ")} for its rule`;
    throw refusal(action, collection, hint);
  }
  return condition;
}

/** Whether a query is for documents by their ids. */
const namesIds = (condition: Condition): boolean =>
  "path" in condition
    ? condition.path === "_id" && (condition.test.op === "eq" || condition.test.op === "in")
    : "all" in condition && condition.all.some(namesIds);

function refusal(action: Action, collection: string, hint?: string): Forbidden {
  const what = `no permission to ${action} these documents of "${collection}"`;
  return new Forbidden(hint === undefined ? what : `${what}: ${hint}`);
}

/**
 * Whether the action is permitted on one document. For an update, `document` is the one before; its owner cannot change.
 * @param document for `create` the new one, with its owner @throws NotRead
 */
export function mayDo(permission: Permission, action: Action, document: Fields, request: Request): boolean {
  const { auth } = request;
  if (auth?.isAdmin === true) return true;
  if ("preset" in permission) {
    const scope = scopes[permission.preset][action];
    return scope === "all" || (scope === "own" && auth !== null && document._openid === ownerOf(auth));
  }
  const rule = permission.rules[action];
  if (rule === undefined) return false;
  return holds(rule, { ...request, doc: { document } }, request.lookup);
}
