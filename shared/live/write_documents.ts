/** Writes of documents. Each is one commit, or a part of a transaction. */
import type { App } from "../app.ts";
import type { Action, Collection } from "../collection.ts";
import { DocumentExists, Forbidden, InvalidInput, TooManyDocuments } from "../errors.ts";
import { builtIns } from "./built_in.ts";
import { type Caller, contextOf, newOwner, requestOf } from "./caller.ts";
import { collectionOf } from "./declared.ts";
import { step } from "./field_name.ts";
import { maxWritten } from "./limits.ts";
import { chosenBy, Lookups, withLookups } from "./lookups.ts";
import { textsAt } from "./narrow.ts";
import { authorizeQuery, mayDo } from "./permission.ts";
import { type Condition, nothing, parseQuery } from "./query.ts";
import { type Lookup, ownerOf } from "./rules.ts";
import { checkId, checkOwner, isDocumentId } from "./stored.ts";
import { inTransaction } from "./transactions.ts";
import { applyUpdate, parseUpdate, type Update } from "./update.ts";
import { newDocument, writtenData } from "./upsert.ts";
import { type Document, type Fields, isSame } from "./value.ts";
import { checkSize, decodeFields } from "./wire_value.ts";
import { type Targets, writeNow } from "./write_now.ts";

/** The declared collection, to be written to. @throws CollectionUnknown, Forbidden */
function writable(app: App, name: string): Collection {
  if (builtIns.has(name)) throw new Forbidden(`"${name}" is one of orderbell's own collections: it is only read`);
  return collectionOf(app, name);
}

/** Runs a write at once, or within a transaction. */
async function write<T>(
  app: App,
  caller: Caller,
  collection: Collection,
  targets: Targets<T>,
  lookups: Lookups,
  transaction: string | undefined,
): Promise<T> {
  if (transaction === undefined) return writeNow(app, collection, targets, lookups);
  return inTransaction(app, caller, transaction, (own) => own.write(collection, targets, lookups));
}

function forbidden(action: Action, { name }: Collection): Forbidden {
  return new Forbidden(`no permission to ${action} this document of "${name}"`);
}

/** @throws Forbidden unless the answer is yes for all; NotRead */
function askAll<T>(all: readonly T[], action: Action, collection: Collection, ask: (one: T) => boolean): void {
  if (chosenBy(all, ask).length < all.length) throw forbidden(action, collection);
}

/**
 * Adds documents, all or none.
 * @param id of a single one; else each may have its `_id` @returns their ids
 * @throws InvalidInput, Forbidden, DocumentExists, CollectionFull
 */
export async function addDocuments(
  app: App,
  caller: Caller,
  name: string,
  data: readonly unknown[],
  id?: unknown,
  transaction?: string,
): Promise<string[]> {
  const collection = writable(app, name);
  if (data.length === 0) throw new InvalidInput("data", "expected at least one document");
  if (data.length > maxWritten) throw new TooManyDocuments(`a write adds at most ${maxWritten} documents`);
  if (id !== undefined && data.length > 1)
    throw new InvalidInput("_id", "several documents have no _id of their own here");
  const documents = data.map((one, nth) => newOf(app, caller, collection, one, id, step("data", nth)));
  const ids = documents.map(({ _id }) => _id);
  if (new Set(ids).size < ids.length) throw new InvalidInput("data", "two of the documents have the same _id");
  const targets: Targets<string[]> = {
    condition: nothing,
    multi: false,
    ids,
    owner: newOwner(caller),
    decide({ byId }, lookup) {
      askAll(documents, "create", collection, (after) => {
        const { _id, _openid, ...fields } = after;
        return mayDo(collection.permission, "create", after, requestOf(app, caller, lookup, fields));
      });
      const taken = ids.find((one) => byId.has(one));
      if (taken !== undefined) throw new DocumentExists(name, taken);
      return { writes: documents.map((after) => ({ before: undefined, after })), result: ids };
    },
  };
  return write(app, caller, collection, targets, new Lookups(), transaction);
}

/** A new document, checked. Only an administrator names an owner. */
function newOf(app: App, caller: Caller, { limits }: Collection, input: unknown, id: unknown, at: string): Document {
  const { _id, _openid, ...fields } = decodeFields(input, app.clock.now(), at);
  const { auth } = caller;
  const named = id ?? _id;
  const own = auth === null || auth.isAdmin === true ? undefined : ownerOf(auth);
  if (_openid !== undefined && auth?.isAdmin !== true && _openid !== own)
    throw new InvalidInput(step(at, "_openid"), "the server sets the owner");
  const owner = _openid === undefined ? own : checkOwner(_openid, step(at, "_openid"));
  const document: Document = {
    _id: named === undefined || named === null ? app.random.id() : checkId(named, step(at, "_id")),
    ...(owner === undefined ? {} : { _openid: owner }),
    ...fields,
  };
  checkSize(document, at, limits.documentBytes);
  return document;
}

export interface UpdateAsk {
  readonly query: unknown;
  readonly data: unknown;
  /** All that match; else the first by id. */
  readonly multi: boolean;
  /** A document is made when none matches. */
  readonly upsert: boolean;
  /** Data with operators are refused. Data without operators replace the document's fields in any case. */
  readonly replace: boolean;
  readonly transaction?: string | undefined;
}

export interface Updated {
  readonly matched: number;
  /** Those that are different now. */
  readonly updated: number;
  readonly upsertedId?: string;
}

/** @throws InvalidInput, Forbidden, TooManyDocuments, DocumentExists, CollectionFull */
export async function updateDocuments(app: App, caller: Caller, name: string, ask: UpdateAsk): Promise<Updated> {
  const collection = writable(app, name);
  const context = contextOf(app, caller);
  const query = parseQuery(ask.query ?? {}, context, "query");
  const update = parseUpdate(ask.data, context);
  if ("replacement" in update && ask.multi) throw new InvalidInput("data", "several documents are not replaced by one");
  if ("changes" in update && ask.replace) throw new InvalidInput("data", "a replacement has no operators");
  const lookups = new Lookups();
  const condition = await authorizeWrite(app, caller, collection, "update", query, lookups);
  const named = namedBy(caller, collection, query);
  const made = ask.upsert ? newDocument(query, update, context, newOwner(caller), app.random.id()) : undefined;
  const targets: Targets<Updated> = {
    condition,
    multi: ask.multi,
    ids: [...(made === undefined ? [] : [made._id]), ...named],
    owner: made === undefined ? undefined : newOwner(caller),
    decide({ matched, byId }, lookup) {
      const dataOf = (before: Document) => dataFor(update, before, collection);
      askAll(unmatched(named, matched, byId), "update", collection, (before) =>
        mayDo(collection.permission, "update", before, requestOf(app, caller, lookup, dataOf(before))),
      );
      if (matched.length === 0 && made !== undefined) {
        const after = upserted(app, caller, collection, update, made, byId, lookup);
        return { writes: [{ before: undefined, after }], result: { matched: 0, updated: 0, upsertedId: after._id } };
      }
      const writes = matched.map((before) => {
        try {
          return { before, after: applyUpdate(update, before, collection.limits.documentBytes) };
        } catch (error) {
          // What does not fit the document is told only to those who may change it.
          askAll([before], "update", collection, () =>
            mayDo(collection.permission, "update", before, requestOf(app, caller, lookup, {})),
          );
          throw error;
        }
      });
      askAll(writes, "update", collection, ({ before, after }) =>
        mayDo(collection.permission, "update", before, requestOf(app, caller, lookup, writtenData(update, after))),
      );
      const updated = writes.filter(({ before, after }) => !isSame(before, after)).length;
      return { writes, result: { matched: writes.length, updated } };
    },
  };
  return write(app, caller, collection, targets, lookups, ask.transaction);
}

/**
 * Ids that the query names, where rules decide about each document. All of these are asked about, whether the rest of the query fits
 * them or not: a refusal must not tell what stands in a document that the caller may not read.
 */
const namedBy = ({ auth }: Caller, { permission }: Collection, query: Condition): readonly string[] =>
  "preset" in permission || auth?.isAdmin === true ? [] : (textsAt(query, "_id") ?? []).filter(isDocumentId);

function unmatched(
  named: readonly string[],
  matched: readonly Document[],
  byId: ReadonlyMap<string, Document>,
): Document[] {
  const known = new Set(matched.map(({ _id }) => _id));
  return named.flatMap((id) => (known.has(id) ? [] : (byId.get(id) ?? [])));
}

/** What the update would bring to this document; of one that it does not fit, nothing. */
function dataFor(update: Update, before: Document, { limits }: Collection): Fields {
  try {
    return writtenData(update, applyUpdate(update, before, limits.documentBytes));
  } catch {
    return {};
  }
}

/** @throws Forbidden */
function authorizeWrite(
  app: App,
  caller: Caller,
  { name, permission }: Collection,
  action: "update" | "delete",
  condition: Condition,
  lookups: Lookups,
): Promise<Condition> {
  const decide = (lookup: Lookup) =>
    authorizeQuery(permission, action, condition, requestOf(app, caller, lookup), name);
  return withLookups(app, decide, lookups);
}

/** @throws Forbidden, DocumentExists */
function upserted(
  app: App,
  caller: Caller,
  collection: Collection,
  update: Update,
  made: Document,
  byId: ReadonlyMap<string, Document>,
  lookup: Lookup,
): Document {
  const { permission, limits, name } = collection;
  const after = applyUpdate(update, made, limits.documentBytes);
  const { _id, _openid, ...fields } = after;
  const there = byId.get(_id);
  if (there !== undefined) {
    // It is another's, or the rest of the query does not fit it.
    const isMine = mayDo(permission, "update", there, requestOf(app, caller, lookup, fields as Fields));
    throw isMine ? new DocumentExists(name, _id) : forbidden("update", collection);
  }
  if (!mayDo(permission, "create", after, requestOf(app, caller, lookup, fields as Fields)))
    throw forbidden("create", collection);
  return after;
}

export interface RemoveAsk {
  readonly query: unknown;
  readonly multi: boolean;
  readonly transaction?: string | undefined;
}

/** @returns how many were removed @throws InvalidInput, Forbidden, TooManyDocuments */
export async function removeDocuments(app: App, caller: Caller, name: string, ask: RemoveAsk): Promise<number> {
  const collection = writable(app, name);
  const query = parseQuery(ask.query ?? {}, contextOf(app, caller), "query");
  const lookups = new Lookups();
  const condition = await authorizeWrite(app, caller, collection, "delete", query, lookups);
  const named = namedBy(caller, collection, query);
  const targets: Targets<number> = {
    condition,
    multi: ask.multi,
    ids: named,
    decide({ matched, byId }, lookup) {
      const request = requestOf(app, caller, lookup);
      askAll([...matched, ...unmatched(named, matched, byId)], "delete", collection, (before) =>
        mayDo(collection.permission, "delete", before, request),
      );
      return { writes: matched.map((before) => ({ before, after: undefined })), result: matched.length };
    },
  };
  return write(app, caller, collection, targets, lookups, ask.transaction);
}
