/**
 * Collections for front ends, in the two dialects of CloudBase's clients: actions by `POST /web`, and REST below `/v1/database`.
 * Which instance and which database a request names does not matter: there is one.
 */
import * as v from "valibot";
import { type HttpRequest, http, ok, type Route } from "../apigateway/entry.ts";
import { act } from "../shared/cloudbase/actions.ts";
import { query as anyQuery, flag, mustBeSomebody, name, transactionId } from "../shared/cloudbase/asked.ts";
import {
  changeDocuments,
  findDocument,
  findDocuments,
  hasOperators,
  parseInner,
  wireOf,
} from "../shared/cloudbase/documents.ts";
import { refusalOf } from "../shared/cloudbase/refusal.ts";
import { DocumentUnknown, NotSupported, SessionMissing } from "../shared/errors.ts";
import { collectionOf } from "../shared/live/declared.ts";
import { maxLimit, maxSkip } from "../shared/live/limits.ts";
import { overview } from "../shared/live/overview.ts";
import { aggregateDocuments, countDocuments } from "../shared/live/read_documents.ts";
import { abortTransaction, commitTransaction, startTransaction } from "../shared/live/transactions.ts";
import { addDocuments, removeDocuments } from "../shared/live/write_documents.ts";
import * as shape from "../shared/shape.ts";
import { toAppError } from "../shared/to_app_error.ts";
import { callerFor, restRoute, type Serve } from "./_rest_route.ts";
import { socketUrlOf } from "./_socket_url.ts";

// --- Actions -------------------------------------------------------------------------------------------------------

const tokenIn = v.object({ access_token: v.nullish(v.pipe(v.string(), v.maxLength(8_000, "a token"))) });

/** An error has the status 200 too: with any other one the clients say "network request error" and no more. */
const web: Route = async (app, request) => {
  // A token in the header is not these clients': its holder knows our statuses, and renews the session after a 401.
  const inHeader = request.authorization;
  const known = inHeader === undefined ? undefined : await callerFor(app, request, inHeader);
  const { requestId } = request.event.requestContext;
  const { address, notes } = request;
  try {
    const body = request.json();
    const { access_token: token } = shape.parse(tokenIn, body);
    const authorization = inHeader ?? (token ? `Bearer ${token}` : undefined);
    const caller = async () => known ?? (await callerFor(app, request, authorization));
    const ours = { socketUrl: socketUrlOf(app, request), origin: request.origin };
    const asked = { body, authorization, caller, address, notes, ...ours };
    return { status: 200, body: { requestId, ...(await act(app, asked)) } };
  } catch (error) {
    const refused = toAppError(app, error);
    notes.code = refused.code;
    return { status: 200, body: { requestId, ...refusalOf(refused) } };
  }
};

// --- REST ----------------------------------------------------------------------------------------------------------

/** A route of a collection. Which instance and database it names does not matter, but names they are. */
const rest = (serve: Serve): Route =>
  restRoute(refusalOf, serve, (request) => {
    for (const part of ["instance", "database"]) request.param(part, place);
  });

const place = v.pipe(v.string(), v.regex(/^[A-Za-z0-9()_-]{1,64}$/, "letters a to z, digits and ( ) _ - only"));
const documentId = v.pipe(v.string(), v.regex(/^[!-~]{1,64}$/, "1 to 64 characters of ASCII without spaces"));
const inner = v.pipe(v.string(), v.maxLength(100_000, "at most 100000 characters"));
const truth = v.picklist(["true", "false"]);

const collectionIn = (request: HttpRequest) => request.param("collection", name);
const transactionIn = (request: HttpRequest) => request.query("transactionId", transactionId);

/** A parameter that is JSON. */
function jsonIn(request: HttpRequest, parameter: string): unknown {
  const text = request.query(parameter, inner);
  return text === undefined || text === "" ? undefined : parseInner(text, parameter);
}

const find: Serve = async (app, request, caller) => {
  const collection = collectionIn(request);
  const query = jsonIn(request, "query");
  const input = {
    query,
    order: jsonIn(request, "order"),
    projection: jsonIn(request, "projection"),
    skip: request.query("offset", shape.digits(0, maxSkip)),
    limit: request.query("limit", shape.digits(1, maxLimit)),
  };
  const transaction = transactionIn(request);
  if (request.query("count", truth) === "true") return { total: await countDocuments(app, caller, collection, query) };
  return findDocuments(app, caller, collection, input, transaction);
};

/** The client asks so for an `_id` that its query compares with; it has no way to read "none" outside of a transaction. */
const findOne: Serve = async (app, request, caller) => {
  const [collection, id] = [collectionIn(request), request.param("document", documentId)];
  const [projection, transaction] = [jsonIn(request, "projection"), transactionIn(request)];
  const found = await findDocument(app, caller, collection, { query: { _id: id }, projection }, transaction);
  if (found === undefined && transaction === undefined) throw new DocumentUnknown(collection, id);
  return found ?? null;
};

const inTransaction = { transactionId: v.nullish(transactionId) };
const addition = v.object({ ...inTransaction, data: v.array(v.unknown()) });
const update = v.object({
  ...inTransaction,
  query: anyQuery,
  data: v.unknown(),
  multi: flag,
  upsert: flag,
  replaceMode: flag,
});
const removal = v.object({ ...inTransaction, query: anyQuery, multi: flag });
const aggregation = v.object({ pipeline: v.array(v.unknown()) });

const add: Serve = async (app, request, caller) => {
  const { data, transactionId: transaction } = shape.parse(addition, request.json());
  const collection = collectionIn(request);
  return { insertedIds: await addDocuments(app, caller, collection, data, undefined, transaction ?? undefined) };
};

const change: Serve = async (app, request, caller) => {
  const { transactionId: transaction, replaceMode, ...ask } = shape.parse(update, request.json());
  // `set` says no more than that a document may be made; only the data show that they are meant to replace all.
  const replace = replaceMode || (ask.upsert && !hasOperators(ask.data));
  return changeDocuments(app, caller, collectionIn(request), {
    ...ask,
    replace,
    transaction: transaction ?? undefined,
  });
};

const remove: Serve = async (app, request, caller) => {
  const { transactionId: transaction, query, multi } = shape.parse(removal, request.json());
  const ask = { query, multi, transaction: transaction ?? undefined };
  return { deleted: await removeDocuments(app, caller, collectionIn(request), ask) };
};

const aggregate: Serve = async (app, request, caller) => {
  const { pipeline } = shape.parse(aggregation, request.json());
  return { list: wireOf(await aggregateDocuments(app, caller, collectionIn(request), pipeline)) };
};

/** Collections are declared; one that is there needs no making. */
const addCollection: Serve = async (app, request, caller) => {
  const { collectionName } = shape.parse(v.object({ collectionName: name }), request.json());
  mustBeSomebody(caller);
  collectionOf(app, collectionName);
  return {};
};

const start: Serve = async (app, _, caller) => ({ transactionId: await startTransaction(app, caller) });
const finish =
  (how: typeof commitTransaction): Serve =>
  async (app, request, caller) => {
    const id = request.param("transaction", transactionId);
    await how(app, caller, id);
    return { transactionId: id };
  };

const runCommands: Serve = async (_, request) => {
  shape.parse(v.object({ commands: v.array(v.unknown()) }), request.json());
  throw new NotSupported("a native command");
};

const root = "/v1/database/instances/{instance}/databases/{database}";
const documents = `${root}/collections/{collection}/documents`;

// --- The owner's page ----------------------------------------------------------------------------------------------

const list: Route = async (app, request) => {
  if (request.authorization === undefined) throw new SessionMissing();
  return ok(await overview(app, await callerFor(app, request, request.authorization)));
};

export const handler = http({
  "POST /web": web,
  "GET /collections": list,
  [`GET ${documents}`]: rest(find),
  [`POST ${documents}`]: rest(add),
  [`PATCH ${documents}`]: rest(change),
  [`GET ${documents}/{document}`]: rest(findOne),
  [`POST ${documents}/remove`]: rest(remove),
  [`POST ${documents}/aggregations`]: rest(aggregate),
  [`POST ${root}/collections`]: rest(addCollection),
  [`POST ${root}/transactions`]: rest(start),
  [`POST ${root}/transactions/{transaction}/commit`]: rest(finish(commitTransaction)),
  [`POST ${root}/transactions/{transaction}/rollback`]: rest(finish(abortTransaction)),
  [`POST ${root}/commands`]: rest(runCommands),
});
