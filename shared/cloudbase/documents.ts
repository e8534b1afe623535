/** Operations on documents as CloudBase's clients ask for them, the same in both dialects. */
import type { App } from "../app.ts";
import { InvalidInput, Malformed } from "../errors.ts";
import { parseJson } from "../json.ts";
import type { Caller } from "../live/caller.ts";
import { getDocuments } from "../live/read_documents.ts";
import type { SelectionInput } from "../live/select.ts";
import type { Fields } from "../live/value.ts";
import { encode, type Json } from "../live/wire_value.ts";
import { type UpdateAsk, updateDocuments } from "../live/write_documents.ts";

/** Documents as JSON, with `{"$date": milliseconds}` for dates, which both dialects' clients decode. */
export const wireOf = (documents: readonly Fields[]): Json[] => documents.map(encode);

/** One page of documents. */
export async function findDocuments(
  app: App,
  caller: Caller,
  name: string,
  input: SelectionInput,
  transaction?: string,
): Promise<{ list: Json[]; offset: number; limit: number }> {
  const { documents, offset, limit } = await getDocuments(app, caller, name, input, transaction);
  return { offset, limit, list: wireOf(documents) };
}

/** One document, or undefined when there is none that the caller may read. */
export async function findDocument(
  app: App,
  caller: Caller,
  name: string,
  input: Pick<SelectionInput, "query" | "projection">,
  transaction?: string,
): Promise<Json | undefined> {
  const { list } = await findDocuments(app, caller, name, { ...input, limit: 1 }, transaction);
  return list[0];
}

/** Whether the query asks for one document by its id, as `doc()` does in a transaction. */
export function isOneId(query: unknown): boolean {
  if (typeof query !== "object" || query === null || Object.keys(query).join() !== "_id") return false;
  const [id] = Object.values(query);
  return typeof id === "string" || (typeof id === "object" && id !== null && Object.keys(id).join() === "$eq");
}

/** An update as both dialects ask for it. */
export interface ChangeAsk extends Omit<UpdateAsk, "replace"> {
  /** Fields replace the whole document; else they are set beside the others. */
  readonly replace: boolean;
}

/** What both dialects answer for an update. The clients read one name of the new id from `update` and the other from `set`. */
export async function changeDocuments(
  app: App,
  caller: Caller,
  name: string,
  { data, replace, ...ask }: ChangeAsk,
): Promise<{ matched: number; updated: number; upserted_id?: string; upsert_id?: string }> {
  const { matched, updated, upsertedId } = await updateDocuments(app, caller, name, {
    ...ask,
    data: replace ? data : operatorsOf(data),
    replace,
  });
  return { matched, updated, ...(upsertedId === undefined ? {} : { upserted_id: upsertedId, upsert_id: upsertedId }) };
}

/** Whether the data are operators such as `$set`. */
export const hasOperators = (data: unknown): boolean =>
  isObject(data) && Object.keys(data).some((name) => name.startsWith("$"));

const isObject = (value: unknown): value is object =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Fields as what sets them. `_.addToSet({ each })` is documented, and the client sends it as it is, without a `$`. */
function operatorsOf(data: unknown): unknown {
  if (!isObject(data)) return data;
  if (!hasOperators(data)) return { $set: data };
  return Object.fromEntries(
    Object.entries(data).map(([name, fields]) => [
      name,
      name === "$addToSet" && isObject(fields)
        ? Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, eachOf(value)]))
        : fields,
    ]),
  );
}

function eachOf(value: unknown): unknown {
  if (!isObject(value) || Object.keys(value).join() !== "each") return value;
  const [each] = Object.values(value);
  return Array.isArray(each) ? { $each: each } : value;
}

/** JSON inside of a text: a parameter of a URL, or a member. @throws InvalidInput */
export function parseInner(text: string, field: string): unknown {
  try {
    return parseJson(text);
  } catch (error) {
    if (error instanceof Malformed) throw new InvalidInput(field, error.message);
    throw error;
  }
}
