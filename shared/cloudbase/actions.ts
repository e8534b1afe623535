/**
 * The action dialect of CloudBase's clients, `POST /web`: all of 1.x and 2.x, 3.x with `endPointMode: "CLOUD_API"`, and the
 * socket's address for every release. The body names an action.
 */
import * as v from "valibot";
import type { App } from "../app.ts";
import { NotSupported } from "../errors.ts";
import { collectionOf } from "../live/declared.ts";
import { aggregateDocuments, countDocuments } from "../live/read_documents.ts";
import { addDocuments, removeDocuments } from "../live/write_documents.ts";
import * as shape from "../shape.ts";
import { type Acts, type Asked, anything, byCaller, flag, mustBeSomebody, name, query } from "./asked.ts";
import { authActions } from "./auth_actions.ts";
import { changeDocuments, findDocuments, parseInner, wireOf } from "./documents.ts";
import { storageActions } from "./storage_actions.ts";
import { transactionActions } from "./transaction_actions.ts";

const envelope = v.object({
  action: v.pipe(v.string(), v.minLength(1, "the name of an action"), v.maxLength(64, "the name of an action")),
});

/** Runs an action. @returns the answer's members @throws what it refuses, and NotSupported for an unknown action */
export async function act(app: App, asked: Asked): Promise<object> {
  const { action } = shape.parse(envelope, asked.body);
  const run = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (run === undefined) throw new NotSupported(action, "action");
  asked.notes.action = action;
  return run(app, asked);
}

const selection = v.object({
  collectionName: name,
  query,
  order: anything,
  offset: anything,
  limit: anything,
  projection: anything,
});
const addition = v.object({ collectionName: name, data: v.unknown(), _id: anything });
const update = v.object({
  collectionName: name,
  query,
  data: v.unknown(),
  multi: flag,
  merge: v.nullish(v.boolean(), true),
  upsert: flag,
});
const stage = v.object({
  stageKey: v.pipe(v.string(), v.maxLength(40, "the name of a stage")),
  stageValue: v.string(),
});

const documentActions: Acts = {
  "database.queryDocument": byCaller(selection, async (app, caller, { collectionName, offset: skip, ...rest }) => {
    const { offset, limit, list } = await findDocuments(app, caller, collectionName, { ...rest, skip });
    return { data: { list }, offset, limit };
  }),
  "database.countDocument": byCaller(selection, async (app, caller, { collectionName, query }) => ({
    data: { total: await countDocuments(app, caller, collectionName, query) },
  })),
  "database.addDocument": byCaller(addition, async (app, caller, { collectionName, data, _id }) => {
    if (Array.isArray(data)) return { data: { insertedIds: await addDocuments(app, caller, collectionName, data) } };
    const [id] = await addDocuments(app, caller, collectionName, [data], _id);
    return { data: { _id: id } };
  }),
  "database.updateDocument": byCaller(update, async (app, caller, { collectionName, merge, ...ask }) => ({
    data: await changeDocuments(app, caller, collectionName, { ...ask, replace: !merge }),
  })),
  "database.deleteDocument": byCaller(
    v.object({ collectionName: name, query, multi: flag }),
    async (app, caller, { collectionName, query, multi }) => ({
      data: { deleted: await removeDocuments(app, caller, collectionName, { query, multi }) },
    }),
  ),
  "database.aggregate": byCaller(
    v.object({ collectionName: name, stages: v.array(stage) }),
    async (app, caller, { collectionName, stages }) => {
      const pipeline = stages.map(({ stageKey, stageValue }, at) => ({
        [stageKey]: parseInner(stageValue, `stages.${at}.stageValue`),
      }));
      const documents = wireOf(await aggregateDocuments(app, caller, collectionName, pipeline));
      return { data: { list: JSON.stringify(documents.map((one) => JSON.stringify(one))) } };
    },
  ),
  // Collections are declared; one that is there needs no making.
  "database.addCollection": byCaller(v.object({ collectionName: name }), async (app, caller, { collectionName }) => {
    mustBeSomebody(caller);
    collectionOf(app, collectionName);
    return { data: {} };
  }),
};

const actions: Acts = { ...documentActions, ...transactionActions, ...storageActions, ...authActions };
