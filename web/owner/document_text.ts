/** Documents as the text that an owner reads and writes: queries, and edits of their fields. */
import { isChanged } from "./merge.ts";
import type { Fields, StoredDocument } from "./types.ts";

/** What stands in the field: a query as JSON, or a document's id. Undefined: neither. */
export function queryOf(text: string): Fields | undefined {
  const wanted = text.trim();
  if (wanted === "") return {};
  return wanted.startsWith("{") ? fieldsOf(wanted) : { _id: wanted };
}

/** The object in a JSON text; undefined for any other text. */
export function fieldsOf(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

/** A document's own fields, without those that never change. */
export function contentOf({ _id, _openid, ...fields }: StoredDocument): Fields {
  return fields;
}

/** An edit as a query and an update: of the fields that differ, and only while they are as they were when the document was opened. */
export function editOf(before: Fields, after: Fields): { query: Fields; data: Fields } | undefined {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter((name) =>
    isChanged(before[name], after[name]),
  );
  if (names.length === 0) return undefined;
  const has = (fields: Fields, name: string) => Object.keys(fields).includes(name);
  const set = names.filter((name) => has(after, name)).map((name) => [name, after[name]]);
  const unset = names.filter((name) => !has(after, name)).map((name) => [name, ""]);
  return {
    query: Object.fromEntries(
      names.map((name) => [name, has(before, name) ? { $eq: before[name] } : { $exists: false }]),
    ),
    data: {
      ...(set.length === 0 ? {} : { $set: Object.fromEntries(set) }),
      ...(unset.length === 0 ? {} : { $unset: Object.fromEntries(unset) }),
    },
  };
}
