/** New documents of an update that finds none, and what a write brings for the rules. */
import type { Condition, QueryContext } from "./query.ts";
import { checkId, checkOwner } from "./stored.ts";
import { applyUpdate, parseUpdate, type Update } from "./update.ts";
import type { Document, Fields, Value } from "./value.ts";
import { encode } from "./wire_value.ts";

/**
 * The document that the update is applied to when none matches: what the query says of single fields, as MongoDB makes it. Of a
 * replacement it is the id alone.
 * @param owner of the caller; else the query may name one @param id where the query names none
 * @throws InvalidInput
 */
export function newDocument(
  query: Condition,
  update: Update,
  context: QueryContext,
  owner: string | undefined,
  id: string,
): Document {
  const known = new Map(equalities(query));
  const named = known.get("_id");
  const own = owner ?? known.get("_openid");
  const empty: Document = {
    _id: named === undefined ? id : checkId(named, "query._id"),
    ...(own === undefined || own === null ? {} : { _openid: checkOwner(own, "query._openid") }),
  };
  const fields = [...known].filter(([path]) => path !== "_id" && path !== "_openid");
  if ("replacement" in update || fields.length === 0) return empty;
  const $set = Object.fromEntries(fields.map(([path, value]) => [path, encode(value)]));
  return applyUpdate(parseUpdate({ $set }, context, "query"), empty);
}

function equalities(condition: Condition): [string, Value][] {
  if ("all" in condition) return condition.all.flatMap(equalities);
  return "path" in condition && condition.test.op === "eq" ? [[condition.path, condition.test.value]] : [];
}

/** `request.data` of an update: the fields that it sets, with the values that they have then. */
export function writtenData(update: Update, after: Document): Fields {
  const { _id, _openid, ...fields } = after;
  if ("replacement" in update) return fields;
  const paths = update.changes.flatMap(({ path, change }) => (change.kind === "rename" ? [path, change.to] : [path]));
  const names = new Set(paths.map((path) => path.split(".", 1)[0]));
  return Object.fromEntries(Object.entries(fields).filter(([name]) => names.has(name)));
}
