/** Transactions in the action dialect: data come as EJSON in a text, and what is answered stands beside `requestId` as such texts. */
import * as v from "valibot";
import { abortTransaction, commitTransaction, startTransaction } from "../live/transactions.ts";
import { addDocuments, removeDocuments } from "../live/write_documents.ts";
import { type Acts, anything, byCaller, flag, name, query, transactionId } from "./asked.ts";
import { changeDocuments, findDocument, findDocuments, hasOperators, isOneId, parseInner } from "./documents.ts";

const inTransaction = { collectionName: name, transactionId };
const whole = v.object({ transactionId });
/** Of data as a text. */
const text = v.string();

export const transactionActions: Acts = {
  "database.startTransaction": byCaller(v.object({}), async (app, caller) => ({
    transactionId: await startTransaction(app, caller),
  })),
  "database.commitTransaction": byCaller(whole, async (app, caller, { transactionId: id }) => {
    await commitTransaction(app, caller, id);
    return { transactionId: id };
  }),
  "database.abortTransaction": byCaller(whole, async (app, caller, { transactionId: id }) => {
    await abortTransaction(app, caller, id);
    return { transactionId: id };
  }),
  "database.getInTransaction": byCaller(
    v.object({
      ...inTransaction,
      query,
      order: anything,
      offset: anything,
      limit: anything,
      projection: anything,
    }),
    async (app, caller, { collectionName, transactionId: id, offset: skip, ...rest }) => {
      // `doc().get()` asks for the document itself, `where().get()` for a list.
      if (isOneId(rest.query) && rest.limit === undefined) {
        const found = await findDocument(app, caller, collectionName, rest, id);
        return { data: JSON.stringify(found ?? null) };
      }
      const { list, offset, limit } = await findDocuments(app, caller, collectionName, { ...rest, skip }, id);
      return { data: JSON.stringify(list), offset, limit };
    },
  ),
  "database.insertDocInTransaction": byCaller(
    v.object({ ...inTransaction, data: text, _id: anything }),
    async (app, caller, { collectionName, transactionId: id, data, _id }) => {
      const [made] = await addDocuments(app, caller, collectionName, [parseInner(data, "data")], _id, id);
      return { inserted: "1", ok: "1", _id: made };
    },
  ),
  "database.updateDocInTransaction": byCaller(
    v.object({ ...inTransaction, query, data: text, upsert: flag }),
    async (app, caller, { collectionName, transactionId: transaction, query, data: typed, upsert }) => {
      const data = parseInner(typed, "data");
      // `doc()` names one document; `where()` means all that match. `set` sends fields, and they replace all.
      const ask = { query, data, multi: !isOneId(query), upsert, replace: upsert && !hasOperators(data), transaction };
      const { updated, upserted_id: made } = await changeDocuments(app, caller, collectionName, ask);
      const upserted = made === undefined ? {} : { upserted: JSON.stringify([{ index: 0, _id: made }]) };
      return { updated: String(updated), ...upserted };
    },
  ),
  "database.deleteDocInTransaction": byCaller(
    v.object({ ...inTransaction, query }),
    async (app, caller, { collectionName, transactionId: transaction, query }) => {
      const multi = !isOneId(query);
      return { deleted: String(await removeDocuments(app, caller, collectionName, { query, multi, transaction })) };
    },
  ),
};
