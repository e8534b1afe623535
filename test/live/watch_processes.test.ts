/**
 * Watches on two processes of one database, with pushes that are lost, late or in another order, sockets that are cut, processes that
 * start anew and a database that goes back: whenever a client is told that it lacks nothing, its list is what the query answers.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Caller, callerOf } from "../../shared/live/caller.ts";
import { parseCollections } from "../../shared/live/collections.ts";
import { getDocuments } from "../../shared/live/read_documents.ts";
import { addDocuments, removeDocuments, updateDocuments } from "../../shared/live/write_documents.ts";
import { onEveryEngine, openAgain, servers, type TestDatabase } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";
import { until } from "../_until.ts";
import { type DatabaseAdmin, namedAddress, openAdmin } from "../faults/_admin.ts";
import { type WatchAsk, type WatchedList, Watcher } from "./_watcher.ts";

const { collections } = parseCollections(`
films: { permission: READONLY, indexes: [kind] }
notes: { permission: PRIVATE }
rights: { permission: READONLY }
rooms:
  rules: { read: "get(\`database.rights.\${doc.right}\`).open == true", create: true, update: true, delete: true }
`);

/** Numbers that one seed gives again. */
function numbers(seed: number) {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
  return {
    next,
    below: (n: number) => Math.floor(next() * n),
    one: <T>(list: readonly T[]) => list[Math.floor(next() * list.length)] as T,
  };
}

const asks: readonly (readonly [collection: string, WatchAsk])[] = [
  ["films", {}],
  ["films", { query: { kind: "a" } }],
  ["films", { query: { n: { $gt: 4 } } }],
  ["films", { query: { kind: "b" }, orderBy: { n: "asc" } }],
  ["films", { orderBy: { n: "desc" }, limit: 3 }],
  ["films", { query: { kind: { $in: ["a", "c"] } }, orderBy: { n: "asc" }, limit: 2 }],
  ["films", { limit: 2 }],
  ["notes", {}],
  ["notes", { orderBy: { n: "desc" } }],
  ["rooms", { query: { _id: { $in: ["r1", "r2", "r3"] } } }],
];

onEveryEngine((engine) => {
  let db: TestDatabase;
  let houses: House[];
  let admin: DatabaseAdmin;
  let people: Person[];
  const seed = Number(process.env.ORDERBELL_TEST_SEED ?? Math.floor(Math.random() * 1_000_000));
  const random = numbers(seed);
  let isQuiet = false;
  const faults = {
    push(_: string, frame: string) {
      if (isQuiet || !frame.includes('"NEXT_EVENT"') || random.next() > 0.3) return undefined;
      return random.next() < 0.5 ? ("drop" as const) : 1 + random.below(80);
    },
  };

  beforeAll(async () => {
    db = await engine.open();
    const options = { config: { collections }, faults, mayFail: true };
    // A restored database ends the connections that bear its name.
    const named = { ...db, url: namedAddress(db.url).href };
    const open = async () => openHouse(engine, { ...options, db: await openAgain(engine, named) });
    houses = [await open(), await open()];
    admin = openAdmin(engine.name === "mysql" ? "mysql" : "postgres", db.url);
    people = await Promise.all(houses.map((house) => house.guest()));
  }, 60_000);
  afterAll(async () => {
    await Promise.all((houses ?? []).map((house) => house.close()));
    await admin?.close();
    await Promise.all((houses ?? []).map((house) => house.db.close()));
    await db?.remove();
  });

  const caller = (at: number): Promise<Caller> => callerOf((houses[at] as House).app, `Bearer ${people[at]?.token}`);

  async function write(): Promise<void> {
    const at = random.below(2);
    const { app } = houses[at] as House;
    const own = await caller(at);
    const name = random.one(["films", "films", "films", "notes", "rooms", "rights"]);
    const prefix = name === "rooms" || name === "rights" ? "r" : `${at}-`;
    const _id = `${prefix}${1 + random.below(name === "films" ? 8 : 3)}`;
    const fields = { kind: random.one(["a", "b", "c"]), n: random.below(9), right: "r1", open: random.next() < 0.6 };
    const kind = random.below(4);
    const change = { query: { _id }, multi: true, upsert: false, replace: false };
    if (kind === 0) await removeDocuments(app, own, name, { query: { n: fields.n }, multi: true });
    else if (kind === 1) await updateDocuments(app, own, name, { ...change, data: { $set: fields } });
    else if (kind === 2)
      await updateDocuments(app, own, name, { ...change, query: { kind: fields.kind }, data: { $inc: { n: 1 } } });
    else await addDocuments(app, own, name, [{ _id, ...fields }]);
  }

  async function connect(at: number): Promise<Watcher> {
    const house = houses[at] as House;
    const person = people[at] as Person;
    for (;;) {
      const ticket = await person.ticket().catch(() => undefined);
      const watcher = ticket === undefined ? undefined : await Watcher.open(house.url, ticket).catch(() => undefined);
      if (watcher !== undefined) return watcher;
      await sleep(50);
    }
  }

  interface Watched {
    readonly at: number;
    readonly collection: string;
    readonly ask: WatchAsk;
    readonly list: WatchedList;
  }

  const isClosed = ({ watcher: { socket } }: WatchedList) => socket.readyState !== socket.OPEN;

  /** What the client's timers do in the end: a check; where it lacks something its list anew, over a new socket if need be. */
  async function settle({ at, collection, ask, list }: Watched): Promise<void> {
    const answer = async () => {
      const { query, orderBy = { _id: "desc" }, limit } = ask;
      const { app } = houses[at] as House;
      const { documents } = await getDocuments(app, await caller(at), collection, {
        query,
        order: orderBy,
        limit: limit ?? 1_000,
      });
      return JSON.stringify(documents);
    };
    const hasOrder = ask.orderBy !== undefined || ask.limit !== undefined;
    const shown = () => JSON.stringify(hasOrder ? list.docs : list.docs.toSorted((a, b) => (a._id < b._id ? 1 : -1)));
    for (let tries = 0; tries < 20; tries++) {
      if (isClosed(list)) {
        list.rebuild(await connect(at));
        await until(() => !list.waits || isClosed(list), "an answer to REBUILD");
      }
      // A socket may close while it is asked.
      const checked = list.check();
      checked.catch(() => {});
      const current = await Promise.race([checked, list.watcher.closed.then(() => undefined)]);
      if (current === undefined || isClosed(list)) continue;
      if (current === list.list.at) {
        const [wanted, found] = [await answer(), shown()];
        if (wanted !== found)
          throw new Error(`${seed}: ${collection} ${JSON.stringify(ask)} shows ${found}, not ${wanted}`);
        return;
      }
      list.rebuild();
      await until(
        () => !list.waits || isClosed(list),
        "an answer to REBUILD",
        () => list.watcher.frames.slice(-3),
      );
    }
    throw new Error(`${seed}: ${collection} ${JSON.stringify(ask)} never settled`);
  }

  it("each list is right whenever its client is told so", async () => {
    const watched: Watched[] = [];
    for (const at of [0, 1]) {
      const sockets = [await connect(at), await connect(at)];
      for (const [nth, [collection, ask]] of asks.entries())
        watched.push({ at, collection, ask, list: await (sockets[nth % 2] as Watcher).watch(collection, ask) });
    }
    for (let round = 0; round < 12; round++) {
      isQuiet = false;
      if (round === 3) await admin.copy();
      for (let n = 0; n < 12; n++) {
        await Promise.all([write().catch(() => {}), write().catch(() => {})]);
        if (random.next() < 0.1) random.one(watched).list.watcher.socket.terminate();
        if (random.next() < 0.2) await sleep(random.below(40));
      }
      if (round === 6) await admin.restore();
      if (round === 9) await houses[0]?.restart();
      isQuiet = true;
      // Longer than a late push takes.
      await sleep(100);
      for (const one of watched) await settle(one);
    }
    for (const { list } of watched) list.watcher.close();
    expect(watched.reduce((sum, { list }) => sum + list.rebuilds, 0)).toBeGreaterThan(3);
  }, 120_000);
}, servers);
