/**
 * Collections: documents read, written and watched by whoever the collection's rules allow. An entry of its own, for every platform:
 * it works through a client, with the client's session and socket.
 */
import { ApiError, noAnswer } from "./api.ts";
import type { Client } from "./client.ts";
import type { OrderField } from "./collections/order.ts";
import type { Collection, Collections, Query, Stored } from "./collections/types.ts";
import { watchQuery } from "./collections/watch_query.ts";
import { fromWire, revive, toQuery, toUpdate, toWire } from "./collections/wire.ts";
import { newId } from "./new_id.ts";
import { waitAfter } from "./retry.ts";
import { stepTries } from "./timing.ts";

export { ApiError } from "./api.ts";
export { type Commands, command } from "./collections/command.ts";
export type * from "./collections/types.ts";

interface Answer {
  code?: string;
  message?: string;
  data?: { list?: unknown; total?: number; updated?: number; deleted?: number; _id?: string };
}

/** What a query says. */
interface Said {
  where?: object;
  order: readonly OrderField[];
  limit?: number;
  skip?: number;
  field?: object;
}

type Any = Record<string, unknown>;
type Asker = Pick<Client, "ask" | "channel">;

/**
 * The collections, as far as this client's user may see them.
 * @example collections<{ notes: { text: string } }>(client).collection("notes")
 */
export function collections<All = Record<string, Any>>(client: Asker): Collections<All> {
  // The types of documents are the developer's word; nothing here depends on them.
  return { collection: (name) => collectionOf(client, name) as Collection<never> as Collection<All[typeof name]> };
}

function collectionOf({ ask, channel }: Asker, collectionName: string): Collection<Any> {
  const { platform } = channel;

  async function call(action: string, params: object): Promise<NonNullable<Answer["data"]>> {
    const body = { action: `database.${action}`, collectionName, ...params };
    const { code, message, data } = await ask<Answer>({ method: "POST", path: "/web", body });
    if (code) throw new ApiError(code, 200, `${message}`);
    return data ?? {};
  }

  function queryOf(said: Said): Query<Any> {
    const { where = {}, order, limit, skip: offset, field: projection } = said;
    const more = (part: Partial<Said>) => queryOf({ ...said, ...part });
    const by: readonly OrderField[] = order.length ? order : [{ field: "_id", direction: "desc" }];
    const all = () => ({ query: toQuery(where), queryType: "WHERE", multi: true });
    return {
      where: (other) => more({ where: said.where ? { $and: [where, other] } : other }),
      orderBy: (field, direction = "asc") => more({ order: [...order, { field, direction }] }),
      limit: (count) => more({ limit: count }),
      skip: (count) => more({ skip: count }),
      field: (fields) => more({ field: fields }),
      async get() {
        const { list } = await call("queryDocument", { ...all(), order: by, offset, limit, projection });
        return fromWire(list as Stored<Any>[]);
      },
      count: async () => (await call("countDocument", all())).total ?? 0,
      async update(changes) {
        const data = toUpdate(changes);
        // Without an operator it would be a whole new document.
        if (!Object.keys(data).length) return 0;
        return (await call("updateDocument", { ...all(), data, merge: true, upsert: false })).updated ?? 0;
      },
      remove: async () => (await call("deleteDocument", all())).deleted ?? 0,
      watch(listener) {
        const orderBy = Object.fromEntries(by.map(({ field, direction }) => [field, direction]));
        const query = JSON.stringify(toQuery(where));
        return watchQuery(channel, { collName: collectionName, query, orderBy, limit, sorts: true }, by, listener);
      },
    };
  }

  const everything = queryOf({ order: [] });
  return {
    ...everything,
    async add({ _id = newId(platform), ...document }) {
      for (let tries = 1; ; tries++) {
        try {
          await call("addDocument", { _id, data: toWire(document) });
          return _id as string;
        } catch (error) {
          const { code, status } = error as ApiError;
          // It was added, and the answer was lost.
          if (tries > 1 && code === "DOCUMENT_EXISTS") return _id as string;
          if ((code !== noAnswer && status < 500) || tries === stepTries) throw error;
          await new Promise<void>((resolve) => platform.later(resolve, waitAfter(error, tries, platform)));
        }
      }
    },
    doc(id) {
      const one = everything.where({ _id: id });
      return {
        get: async () => (await one.get())[0],
        update: async (changes) => (await one.update(changes)) > 0,
        async set({ _id, _openid, ...document }) {
          const query = { _id: id };
          const data = toWire(document);
          await call("updateDocument", { query, queryType: "DOC", data, multi: false, merge: false, upsert: true });
        },
        remove: async () => (await one.remove()) > 0,
        watch: one.watch,
      };
    },
    async aggregate<Result>(stages: readonly object[]) {
      const encoded = stages.flatMap((stage) =>
        Object.entries(stage).map(([stageKey, value]) => ({ stageKey, stageValue: JSON.stringify(toWire(value)) })),
      );
      const { list } = await call("aggregate", { stages: encoded });
      return JSON.parse(list as string).map((text: string): Result => JSON.parse(text, revive));
    },
  };
}
