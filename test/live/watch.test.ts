/** Watches on this machine, in every dialect of SQL, over real sockets. */

import { callerOf } from "../../shared/live/caller.ts";
import { parseCollections } from "../../shared/live/collections.ts";
import { addDocuments, removeDocuments, updateDocuments } from "../../shared/live/write_documents.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";
import { until } from "../_until.ts";
import { type WatchedList, Watcher } from "./_watcher.ts";

const { collections } = parseCollections(`
notes: { permission: PRIVATE, indexes: [done] }
films: { permission: READONLY, indexes: [year] }
roles: { permission: ADMINWRITE }
rooms:
  rules: { read: "get(\`database.roles.\${auth.uid}\`).member == true", create: true, update: true, delete: true }
`);

onEveryDialect((engine) => {
  let house: House;
  let ana: Person;
  let ben: Person;
  const watchers: Watcher[] = [];
  let made = 0;

  beforeAll(async () => {
    house = await openHouse(engine, { config: { collections } });
    [ana, ben] = await Promise.all([house.guest(), house.guest()]);
  }, 60_000);
  afterEach(() => {
    for (const one of watchers.splice(0)) one.close();
  });
  afterAll(() => house?.close());

  async function socket(person: Person): Promise<Watcher> {
    const watcher = await Watcher.open(house.url, await person.ticket());
    watchers.push(watcher);
    expect((await watcher.ask("LOGIN", { envId: "e" })).msgData).toEqual({ envId: "e" });
    return watcher;
  }

  async function by({ token }: Person) {
    const caller = await callerOf(house.app, `Bearer ${token}`);
    const { app } = house;
    return {
      /** Their ids grow. */
      add: (name: string, ...data: object[]) =>
        addDocuments(
          app,
          caller,
          name,
          data.map((one) => ({ _id: `id-${String(++made).padStart(6, "0")}`, ...one })),
        ),
      update: (name: string, query: object, data: object) =>
        updateDocuments(app, caller, name, { query, data, multi: true, upsert: false, replace: false }),
      remove: (name: string, query: object) => removeDocuments(app, caller, name, { query, multi: true }),
    };
  }

  const shows = (list: WatchedList, field: string, ...values: unknown[]) =>
    until(
      () => JSON.stringify(list.docs.map((doc) => doc[field])) === JSON.stringify(values),
      `${field} ${JSON.stringify(values)}`,
      () => [list.docs, list.watcher.frames.slice(-3)],
    );

  it("a list from its first state on: added, changed, no longer matching, removed", async () => {
    const films = await by(ana);
    await films.add("films", { n: 1, year: 2000 }, { n: 2, year: 2001 });
    const list = await (await socket(ben)).watch("films", { query: { year: { $gte: 2000 } } });
    await shows(list, "n", 2, 1);
    await films.add("films", { n: 3, year: 2002 }, { n: 4, year: 1999 }, { n: 5, year: 2003 });
    await shows(list, "n", 2, 1, 3, 5);
    expect(list.pushes).toHaveLength(1);
    await films.update("films", { n: 4 }, { $set: { year: 2004 } });
    await shows(list, "n", 2, 1, 3, 5, 4);
    await films.update("films", { n: { $in: [1, 3] } }, { $set: { year: 1990, n: 0 } });
    await shows(list, "n", 2, 5, 4);
    await films.update("films", { n: 5 }, { $set: { "a.b": [1] } });
    await shows(list, "a", undefined, { b: [1] }, undefined);
    expect(list.pushes.at(-1)?.msgData.events).toEqual([
      expect.objectContaining({
        DataType: "update",
        QueueType: "update",
        UpdatedFields: '{"a":{"b":[1]}}',
        removedFields: "[]",
      }),
    ]);
    await films.remove("films", {});
    await shows(list, "n");
    expect(list.rebuilds).toBe(0);
  });

  it("order and limit hold on a client that never sorts", async () => {
    const films = await by(ana);
    const watcher = await socket(ben);
    const top = await watcher.watch("films", { orderBy: { n: "desc" }, limit: 3 });
    const all = await watcher.watch("films", { orderBy: { n: "asc" } });
    await films.add("films", { n: 1 }, { n: 5 });
    await shows(top, "n", 5, 1);
    await films.add("films", { n: 3 }, { n: 7 });
    await shows(top, "n", 7, 5, 3);
    await shows(all, "n", 1, 3, 5, 7);
    await films.update("films", { n: 5 }, { $set: { n: 0 } });
    await shows(top, "n", 7, 3, 1);
    await shows(all, "n", 0, 1, 3, 7);
    await films.remove("films", { n: { $gt: 2 } });
    await shows(top, "n", 1, 0);
    await films.remove("films", {});
    await shows(top, "n");
    await shows(all, "n");
    expect([top.rebuilds, all.rebuilds]).toEqual([0, 0]);
  });

  it("everybody sees their own, and nothing of what leaves", async () => {
    const [anas, bens] = [await by(ana), await by(ben)];
    const [hers, his] = [await (await socket(ana)).watch("notes"), await (await socket(ben)).watch("notes")];
    await anas.add("notes", { text: "hers" });
    await bens.add("notes", { text: "his" });
    await shows(hers, "text", "hers");
    await shows(his, "text", "his");
    await anas.remove("notes", {});
    await bens.remove("notes", {});
    await shows(hers, "text");
  });

  it("what a rule reads elsewhere changes the list, and can end it", async () => {
    const cook = await by(await house.staff("owner"));
    await cook.add("roles", { _id: ana.user, member: true });
    const rooms = await by(ana);
    const list = await (await socket(ana)).watch("rooms");
    await rooms.add("rooms", { name: "blue" });
    await shows(list, "name", "blue");
    await cook.update("roles", { _id: ana.user }, { $set: { member: false } });
    await until(() => list.error !== undefined, "an end");
    expect(list.error).toMatchObject({ code: "DATABASE_PERMISSION_DENIED" });
  });

  it("a lost push is found by REBUILD, or by CHECK_LAST when it was the last", async () => {
    const films = await by(ana);
    const list = await (await socket(ben)).watch("films");
    expect(await list.check()).toBe(list.list.at);
    await films.add("films", { n: 1 });
    await shows(list, "n", 1);
    // Thrown away.
    list.watcher.lists.delete(list.watchId);
    await films.add("films", { n: 2 });
    await until(() => list.watcher.frames.filter(({ watchId }) => watchId === list.watchId).length > 3, "a push");
    list.watcher.lists.set(list.watchId, list);
    expect(await list.check()).toBe(list.list.at + 1);
    await films.add("films", { n: 3 });
    await shows(list, "n", 3, 2, 1);
    expect(list.rebuilds).toBe(1);
    expect(await list.check()).toBe(list.list.at);
    await films.remove("films", {});
    await shows(list, "n");
  });

  it("goes on over another socket, and over a restart without any state", async () => {
    const films = await by(ana);
    const list = await (await socket(ben)).watch("films", { query: { n: { $gt: 0 } } });
    await films.add("films", { n: 1 });
    await shows(list, "n", 1);
    list.watcher.close();
    await films.add("films", { n: 2 });
    list.rebuild(await socket(ben));
    await shows(list, "n", 2, 1);
    await house.restart();
    await (await by(ana)).remove("films", {});
    list.rebuild(await socket(ben));
    await shows(list, "n");
    await (await by(ana)).add("films", { n: 3 }, { n: -1 });
    await shows(list, "n", 3);
    await (await by(ana)).remove("films", {});
    await shows(list, "n");
  });

  it("refuses: nobody signed in, another's queryID, unknown collections, wrong queries, too many watches", async () => {
    const stranger = await Watcher.open(house.url, "none");
    watchers.push(stranger);
    expect(await stranger.ask("LOGIN", { envId: "e" })).toMatchObject({
      msgType: "LOGIN_RES",
      msgData: { code: "CHECK_LOGIN_FAILED" },
    });
    const init = (collName: string, query = "{}", more: object = {}) =>
      watcher.ask("INIT_WATCH", { collName, query, ...more }, "w");
    const watcher = await socket(ben);
    const refused = async (asked: Promise<unknown>) => {
      const frame = await asked;
      expect(frame).toMatchObject({ msgType: "ERROR" });
      expect(frame).not.toHaveProperty("watchId");
      return (frame as { msgData: { code: string } }).msgData.code;
    };
    expect(await refused(init("nothing"))).toBe("DATABASE_COLLECTION_NOT_EXIST");
    expect(await refused(init("films", '{"a":{"$near":1}}'))).toBe("NOT_SUPPORTED");
    expect(await refused(init("films", "[1"))).toBe("INVALID_PARAM");
    expect(await refused(init("films", "{}", { limit: -1 }))).toBe("INVALID_PARAM");
    expect(await refused(init("rooms"))).toBe("DATABASE_PERMISSION_DENIED");
    const hers = await (await socket(ana)).watch("notes");
    const stolen = { queryID: hers.queryId, eventID: 1 };
    expect(await watcher.ask("REBUILD_WATCH", stolen, "w")).toMatchObject({ msgType: "ERROR", watchId: "w" });
    stranger.send("PING", null);
    await stranger.closed;
  });

  it("orders are watched as a collection, by their customer and by the kitchen", async () => {
    const kitchen = await house.staff("kitchen");
    const [hers, theirs] = [
      await (await socket(ana)).watch("orders", { query: { status: "placed" } }),
      await (await socket(kitchen)).watch("orders"),
    ];
    const shops = await (await socket(ben)).watch("shops");
    await shows(hers, "status");
    const { body } = await ana.order();
    await shows(hers, "status", "placed");
    await shows(theirs, "id", body.order.id);
    const accepted = await kitchen.http("POST", `/orders/${body.order.id}/accept`, { body: { version: 1 } });
    expect(accepted.status).toBe(200);
    await shows(hers, "status");
    await shows(theirs, "status", "accepted");
    expect(shops.docs).toHaveLength(1);
    const visitor = await (await socket(ben)).watch("orders");
    expect(visitor.docs).toEqual([]);
  });

  it("a session that ends, ends its watches; PING is answered", async () => {
    const eve = await house.guest();
    const watcher = await socket(eve);
    expect((await watcher.ask("PING", null)).msgType).toBe("PONG");
    await watcher.watch("films");
    await eve.http("DELETE", "/session");
    await (await by(ana)).add("films", { n: 9 });
    await watcher.closed;
    await (await by(ana)).remove("films", {});
  });
});
