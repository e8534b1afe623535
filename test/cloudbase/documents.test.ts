/** Documents through CloudBase's own client, unmodified, by both of its dialects, in every dialect of SQL. */
import { newApiKey } from "../../shared/sessions/api_key.ts";
import { onEveryDialect } from "../_engines.ts";
import type { House } from "../_house.ts";
import { endPointModes, openClient, signIn } from "./_client.ts";
import { openDoors, type Told, untyped } from "./_doors.ts";

const restRoot = "/v1/database/instances/(default)/databases/(default)";

onEveryDialect((engine) => {
  let house: House;
  beforeAll(async () => {
    house = await openDoors(engine);
  });
  afterAll(() => house.close());

  describe.each(endPointModes)("by %s", (endPointMode) => {
    const enter = async () => {
      const { app, db, uid } = await signIn(house, { endPointMode });
      return { app, uid, db: untyped(db), notes: untyped(db).collection("notes"), command: untyped(db).command };
    };

    it("a document is added, read, changed, replaced and removed", async () => {
      const { notes, uid, command } = await enter();
      const { id, requestId }: Told = await notes.add({ n: 1, title: "茶", tags: ["a"], inner: { x: 1, y: 2 } });
      expect([typeof id, typeof requestId]).toEqual(["string", "string"]);
      const one = notes.doc(id);
      const before = { _id: id, _openid: uid, n: 1, title: "茶", tags: ["a"], inner: { x: 1, y: 2 } };
      expect((await one.get()).data).toEqual([before]);

      expect(await one.update({ n: command.inc(2), inner: { x: 5 } })).toMatchObject({ updated: 1 });
      expect((await one.get()).data).toEqual([{ ...before, n: 3, inner: { x: 5, y: 2 } }]);
      // It is the same already.
      expect(await one.update({ n: 3 })).toMatchObject({ updated: 0 });

      expect(await one.set({ only: true })).toMatchObject({ updated: 1 });
      expect((await one.get()).data).toEqual([{ _id: id, _openid: uid, only: true }]);

      expect(await one.remove()).toMatchObject({ deleted: 1 });
      expect((await one.get()).data).toEqual([]);
      expect(await one.remove()).toMatchObject({ deleted: 0 });
      expect(await one.update({ n: 1 })).toMatchObject({ updated: 0 });
    });

    it("`set` makes a document that is not there, under its id", async () => {
      const { notes, uid } = await enter();
      const id = `mine-${uid}`;
      const made: Told = await notes.doc(id).set({ n: 7 });
      expect(made).toMatchObject({ updated: 0, upsertedId: id });
      expect((await notes.doc(id).get()).data).toEqual([{ _id: id, _openid: uid, n: 7 }]);
    });

    it("a document may name its id, once", async () => {
      const { notes, uid } = await enter();
      const id = `own-${uid}`;
      expect(await notes.add({ _id: id, n: 1 })).toMatchObject({ id });
      const again: Told = await notes.add({ _id: id, n: 2 });
      // In Node this client shows nothing of an error of REST.
      expect([again.id, again.code]).toEqual([undefined, endPointMode === "GATEWAY" ? undefined : "DOCUMENT_EXISTS"]);
      expect((await notes.doc(id).get()).data).toEqual([{ _id: id, _openid: uid, n: 1 }]);
    });

    it("a list is added whole or not at all", async () => {
      const { notes, uid } = await enter();
      const { ids = [] }: Told = await notes.add([{ n: 1 }, { n: 2 }, { n: 3 }]);
      expect([ids.length, new Set(ids).size]).toEqual([3, 3]);
      await notes.add([{ n: 4 }, { n: 5, big: "x".repeat(30_000) }]);
      await notes.add([{ n: 6 }, { _id: ids[0], n: 7 }]);
      const { data } = await notes.where({ _openid: uid }).orderBy("n", "asc").get();
      expect(data.map(({ n }: { n: number }) => n)).toEqual([1, 2, 3]);
    });

    it("many are found, in order, in pages, with chosen fields, and counted", async () => {
      const { notes, command: _ } = await enter();
      await notes.add(Array.from({ length: 120 }, (__, n) => ({ n, even: n % 2 === 0, deep: { n } })));
      const numbers = async (query: { get(): Promise<Told> }) =>
        ((await query.get()).data as { n: number }[]).map(({ n }) => n);
      expect(await numbers(notes.orderBy("n", "desc").limit(3))).toEqual([119, 118, 117]);
      expect(await numbers(notes.where({ even: true }).orderBy("n", "asc").skip(2).limit(2))).toEqual([4, 6]);
      expect(await numbers(notes.orderBy("even", "asc").orderBy("deep.n", "desc").limit(2))).toEqual([119, 117]);
      expect((await notes.get()).data).toHaveLength(100);
      expect((await notes.limit(1_000).get()).data).toHaveLength(120);
      expect((await notes.where({ n: _.gte(100) }).count()).total).toBe(20);
      expect((await notes.count()).total).toBe(120);
      const { data } = await notes.where({ n: 5 }).field({ _id: false, "deep.n": true }).get();
      expect(data).toEqual([{ deep: { n: 5 } }]);
    });

    it("all that match are changed and removed", async () => {
      const { notes, command: _ } = await enter();
      await notes.add([{ n: 1 }, { n: 2 }, { n: 3 }, { n: 4 }]);
      expect(await notes.where({ n: _.gt(2) }).update({ big: true })).toMatchObject({ updated: 2 });
      expect(await notes.where({ big: true }).remove()).toMatchObject({ deleted: 2 });
      expect((await notes.where({ n: _.exists(true) }).count()).total).toBe(2);
      // An update that says nothing changes nothing.
      expect(await notes.where({ n: 1 }).update({})).toMatchObject({ updated: 0 });
      expect((await notes.where({ n: 1 }).get()).data[0].n).toBe(1);
    });

    it("dates come back as dates, the server's own too", async () => {
      const { notes, db, command: _ } = await enter();
      const at = new Date("2026-11-29T12:00:00.123Z");
      const before = house.clock.now();
      const { id }: Told = await notes.add({
        at,
        list: [at],
        made: db.serverDate(),
        later: db.serverDate({ offset: 60_000 }),
      });
      const [found] = (await notes.doc(id).get()).data;
      expect([found.at, found.list]).toEqual([at, [at]]);
      expect(found.made.getTime()).toBeGreaterThanOrEqual(before);
      expect(found.later.getTime() - found.made.getTime()).toBe(60_000);
      expect((await notes.where({ at: _.gte(at) }).count()).total).toBe(1);
      expect((await notes.where({ at: _.gt(at) }).count()).total).toBe(0);
      expect((await notes.where({ at }).count()).total).toBe(1);
    });

    it("an id that a query compares with finds the one document", async () => {
      const { notes, command: _ } = await enter();
      const { id }: Told = await notes.add({ n: 1 });
      expect((await notes.where({ _id: _.eq(id) }).get()).data).toMatchObject([{ _id: id, n: 1 }]);
      expect((await notes.where({ _id: _.in([id, "other"]) }).get()).data).toMatchObject([{ _id: id }]);
    });

    it("is aggregated", async () => {
      const { notes, command } = await enter();
      await notes.add([
        { k: "a", n: 1 },
        { k: "a", n: 2 },
        { k: "b", n: 5, at: new Date(1_000) },
      ]);
      const $ = command.aggregate;
      const { data } = await notes
        .aggregate()
        .group({ _id: "$k", sum: $.sum("$n"), last: $.max("$at") })
        .sort({ _id: 1 })
        .end();
      expect(data).toEqual([
        { _id: "a", sum: 3, last: null },
        { _id: "b", sum: 5, last: new Date(1_000) },
      ]);
    });

    it("one's private documents are nobody else's", async () => {
      const [mine, other] = [await enter(), await enter()];
      const { id }: Told = await mine.notes.add({ n: 1 });
      expect((await other.notes.get()).data).toEqual([]);
      expect((await other.notes.doc(id).get()).data).toEqual([]);
      expect((await other.notes.count()).total).toBe(0);
      expect(await other.notes.doc(id).update({ n: 2 })).toMatchObject({ updated: 0 });
      expect(await other.notes.doc(id).remove()).toMatchObject({ deleted: 0 });
      await other.notes.doc(id).set({ n: 3 });
      expect((await mine.notes.doc(id).get()).data).toMatchObject([{ n: 1, _openid: mine.uid }]);
    });

    it("an owner cannot be named", async () => {
      const [mine, other] = [await enter(), await enter()];
      await mine.notes.add({ n: 1, _openid: other.uid });
      expect((await other.notes.get()).data).toEqual([]);
    });

    it("a key of front ends reads what anybody may, without a sign-in, and writes nothing", async () => {
      const { key } = await newApiKey(house.app, "page", ["collections"], null);
      const { db } = await enter();
      await db.collection("comments").add({ film: "f", text: "好看" });
      const visitor = untyped(openClient(house, { endPointMode, accessKey: key }).database());
      const { data } = await visitor.collection("comments").where({ film: "f" }).get();
      expect(data.some(({ text }: { text: string }) => text === "好看")).toBe(true);
      const before = (await visitor.collection("comments").count()).total;
      await visitor.collection("comments").add({ film: "f", text: "spam" });
      expect((await visitor.collection("comments").count()).total).toBe(before);
      const refused = await visitor.collection("notes").get();
      expect(refused.code).toBe("DATABASE_PERMISSION_DENIED");
    });

    it("a key of back ends may do everything", async () => {
      const { key } = await newApiKey(house.app, "back end", ["collections:admin"], null);
      const admin = untyped(openClient(house, { endPointMode, accessKey: key }).database());
      const { notes, uid } = await enter();
      await notes.add({ n: 1 });
      expect((await admin.collection("notes").where({ _openid: uid }).get()).data).toMatchObject([{ n: 1 }]);
      const { id }: Told = await admin.collection("keys").add({ secret: 1 });
      expect((await admin.collection("keys").doc(id).get()).data).toEqual([{ _id: id, secret: 1 }]);
    });

    it("what is not declared, not allowed or not known is refused by a code", async () => {
      const { db, notes, command: _ } = await enter();
      const code = async (ask: Promise<Told>) => (await ask).code;
      expect(await code(db.collection("nowhere").get())).toBe("DATABASE_COLLECTION_NOT_EXIST");
      expect(await code(db.collection("keys").get())).toBe("DATABASE_PERMISSION_DENIED");
      expect(await code(notes.where({ a: { $foo: 1 } }).get())).toBe("INVALID_PARAM");
      expect(
        await code(notes.where({ at: _.geoNear({ geometry: new db.Geo.Point(1, 2), maxDistance: 1 }) }).get()),
      ).toBe("NOT_SUPPORTED");
    });
  });

  describe("by REST, as a browser sees it,", () => {
    const ask = async (method: string, path: string, token?: string, body?: object) => {
      const { status, body: told } = await house.http(method, `${restRoot}${path}`, { token, body });
      return [status, told.code, typeof told.requestId];
    };

    it("an error has its status, a code and the request's id", async () => {
      const { token } = await house.guest();
      expect(await ask("GET", "/collections/nowhere/documents")).toEqual([
        404,
        "DATABASE_COLLECTION_NOT_EXIST",
        "string",
      ]);
      expect(await ask("GET", "/collections/notes/documents")).toEqual([403, "DATABASE_PERMISSION_DENIED", "string"]);
      expect(await ask("GET", "/collections/notes/documents?limit=1001", token)).toEqual([
        400,
        "INVALID_PARAM",
        "string",
      ]);
      expect(await ask("GET", "/collections/notes/documents?query=%7B", token)).toEqual([
        400,
        "INVALID_PARAM",
        "string",
      ]);
      expect(await ask("GET", "/collections/notes/documents/x", token)).toEqual([404, "DOCUMENT_UNKNOWN", "string"]);
      expect(await ask("GET", "/collections/notes/documents", "x")).toEqual([401, "INVALID_ACCESS_TOKEN", "string"]);
      expect(await ask("POST", "/commands", token, { commands: [] })).toEqual([422, "NOT_SUPPORTED", "string"]);
      expect(await ask("POST", "/collections", token, { collectionName: "new" })).toEqual([
        404,
        "DATABASE_COLLECTION_NOT_EXIST",
        "string",
      ]);
      await house.http("DELETE", "/session", { token });
      // The client then exchanges its refresh token, in vain, and forgets the session.
      expect(await ask("GET", "/collections/notes/documents", token)).toEqual([401, "ACCESS_TOKEN_EXPIRED", "string"]);
    });

    it("fields are set beside the others unless they are to replace them", async () => {
      const { token } = await house.guest();
      const documents = `${restRoot}/collections/notes/documents`;
      const { insertedIds } = (await house.http("POST", documents, { token, body: { data: [{ a: 1, b: 1 }] } })).body;
      const [_id] = insertedIds;
      const change = async (more: object) =>
        (await house.http("PATCH", documents, { token, body: { query: { _id }, ...more } })).body;
      const now = async () => (await house.http("GET", `${documents}/${_id}`, { token })).body;
      expect(await change({ data: { a: 2 } })).toMatchObject({ matched: 1, updated: 1 });
      expect(await now()).toMatchObject({ a: 2, b: 1 });
      await change({ data: { $set: { a: 3 } }, upsert: true });
      expect(await now()).toMatchObject({ a: 3, b: 1 });
      await change({ data: { c: 1 }, replaceMode: true });
      const { _openid, ...left } = await now();
      expect(left).toEqual({ _id, c: 1 });
    });
  });

  describe("by actions, as our own SDK asks,", () => {
    const act = (token: string | undefined, body: object) => house.http("POST", "/web", { token, body });

    it("a token in the header is enough, and one that is not valid is answered 401", async () => {
      const { token, user } = await house.guest();
      const collectionName = "notes";
      const { body } = await act(token, { action: "database.addDocument", collectionName, data: { n: 1 } });
      const query = { action: "database.queryDocument", collectionName, query: {}, queryType: "WHERE" };
      const found = (await act(token, query)).body.data.list;
      expect(found).toEqual([{ _id: body.data._id, _openid: user, n: 1 }]);
      await house.http("DELETE", "/session", { token });
      const refused = await act(token, query);
      expect([refused.status, refused.body.code]).toEqual([401, "SESSION_ENDED"]);
    });

    it("an action that is not known is refused by its name, and a broken body too, with the status 200", async () => {
      const unknown = await act(undefined, { action: "functions.invokeFunction" });
      expect([unknown.status, unknown.body.code]).toEqual([200, "NOT_SUPPORTED"]);
      expect(unknown.body.message).toContain("functions.invokeFunction");
      expect((await act(undefined, { action: "toString" })).body.code).toBe("NOT_SUPPORTED");
      const broken = await house.http("POST", "/web", { raw: "{" });
      expect([broken.status, broken.body.code]).toEqual([200, "MALFORMED"]);
    });
  });
});
