/** Transactions through CloudBase's own client, unmodified, in every dialect of SQL. */
import { onEveryDialect } from "../_engines.ts";
import type { House } from "../_house.ts";
import { endPointModes, signIn } from "./_client.ts";
import { openDoors, type Told, type Untyped, untyped } from "./_doors.ts";

const restRoot = "/v1/database/instances/(default)/databases/(default)";

onEveryDialect((engine) => {
  let house: House;
  beforeAll(async () => {
    house = await openDoors(engine);
  });
  afterAll(() => house.close());

  const enter = async (endPointMode: (typeof endPointModes)[number]) => {
    const { db, uid } = await signIn(house, { endPointMode });
    return { db: untyped(db), notes: untyped(db).collection("notes"), uid, _: untyped(db).command };
  };

  describe.each(endPointModes)("by %s", (endPointMode) => {
    /** By REST the client hands on the list in which the server's one document stands. */
    const documentIn = ({ data }: Told) => (endPointMode === "GATEWAY" ? data.list[0] : data);

    it("all its writes are seen together, and only after the commit", async () => {
      const { db, notes, _ } = await enter(endPointMode);
      const { ids = [] }: Told = await notes.add([{ n: 1 }, { n: 2 }, { n: 3 }]);
      const [a, b, c] = ids;
      const transaction = await db.startTransaction();
      const inside = transaction.collection("notes");
      expect(documentIn(await inside.doc(a).get())).toMatchObject({ n: 1 });
      expect(documentIn(await inside.doc("nothing").get())).toBeNull();
      expect(await inside.doc(a).update({ n: _.inc(10) })).toMatchObject({ updated: 1 });
      expect(await inside.doc(b).set({ only: 1 })).toMatchObject({ updated: 1 });
      expect(await inside.doc(c).delete()).toMatchObject({ deleted: 1 });
      // By REST the client makes a text of a date here.
      const at = endPointMode === "GATEWAY" ? "1970-01-01T00:00:05.000Z" : new Date(5_000);
      const added = await inside.add({ n: 4, at: new Date(5_000) });
      expect(added).toMatchObject({ inserted: 1, ok: 1 });
      // It reads its own writes.
      expect(documentIn(await inside.doc(a).get())).toMatchObject({ n: 11 });
      expect((await notes.orderBy("n", "asc").get()).data).toMatchObject([{ n: 1 }, { n: 2 }, { n: 3 }]);
      await transaction.commit();
      const after = Object.fromEntries(
        (await notes.get()).data.map(({ _id, _openid, ...left }: { _id: string; _openid: string }) => [_id, left]),
      );
      const fourth = Object.keys(after).find((id) => !ids.includes(id)) ?? "";
      expect(after).toEqual({
        [a as string]: { n: 11 },
        [b as string]: { only: 1 },
        [fourth]: { n: 4, at },
      });
    });

    it("a rollback leaves nothing behind", async () => {
      const { db, notes } = await enter(endPointMode);
      const { id }: Told = await notes.add({ n: 1 });
      const transaction = await db.startTransaction();
      await transaction.collection("notes").doc(id).update({ n: 2 });
      await transaction.collection("notes").add({ n: 3 });
      await transaction.rollback("enough");
      expect((await notes.get()).data).toMatchObject([{ n: 1 }]);
      await expect(transaction.collection("notes").doc(id).get()).rejects.toMatchObject({
        code: "TRANSACTION_UNKNOWN",
      });
    });

    it("queries inside of it find, change and remove all that match", async () => {
      const { db, notes, _ } = await enter(endPointMode);
      await notes.add([{ n: 1 }, { n: 2 }, { n: 3 }]);
      await db.runTransaction(async (transaction: Untyped) => {
        const inside = transaction.collection("notes");
        const { data } = await inside
          .where({ n: _.gt(1) })
          .orderBy("n", "desc")
          .get();
        const list = endPointMode === "GATEWAY" ? data[0].list : data;
        expect(list.map(({ n }: { n: number }) => n)).toEqual([3, 2]);
        if (endPointMode === "CLOUD_API") {
          // By REST the client says "the first" for these.
          expect(await inside.where({ n: _.gt(1) }).update({ big: true })).toMatchObject({ updated: 2 });
          expect(await inside.where({ n: 1 }).remove()).toMatchObject({ deleted: 1 });
        }
      });
      const { data } = await notes.orderBy("n", "asc").get();
      if (endPointMode === "CLOUD_API")
        expect(data).toMatchObject([
          { n: 2, big: true },
          { n: 3, big: true },
        ]);
    });

    it("a result is what the callback gave, and what it throws rolls back", async () => {
      const { db, notes } = await enter(endPointMode);
      expect(await db.runTransaction(async () => "done")).toBe("done");
      const thrown = new Error("not today");
      const failing = db.runTransaction(async (transaction: Untyped) => {
        await transaction.collection("notes").add({ n: 1 });
        throw thrown;
      });
      await expect(failing).rejects.toBe(thrown);
      expect((await notes.count()).total).toBe(0);
    });

    it("what is forbidden outside is forbidden inside", async () => {
      const [mine, other] = [await enter(endPointMode), await enter(endPointMode)];
      const { id }: Told = await mine.notes.add({ n: 1 });
      const transaction = await other.db.startTransaction();
      expect(documentIn(await transaction.collection("notes").doc(id).get())).toBeNull();
      await expect(transaction.collection("keys").doc(id).get()).rejects.toMatchObject({
        code: "DATABASE_PERMISSION_DENIED",
      });
      await transaction.rollback();
    });
  });

  it("`runTransaction` repeats after a conflict, and nothing is lost", async () => {
    const { db, notes, _ } = await enter("CLOUD_API");
    const { id }: Told = await notes.add({ n: 0 });
    let runs = 0;
    const result = await db.runTransaction(async (transaction: Untyped) => {
      runs += 1;
      const { data } = await transaction.collection("notes").doc(id).get();
      // Somebody else comes in between, once.
      if (runs === 1) await notes.doc(id).update({ n: _.inc(100) });
      await transaction
        .collection("notes")
        .doc(id)
        .update({ n: data.n + 1 });
      return data.n;
    });
    expect([runs, result]).toEqual([2, 100]);
    expect((await notes.doc(id).get()).data).toMatchObject([{ n: 101 }]);
  });

  it("many at once that count up one document all count", async () => {
    const { db, notes } = await enter("CLOUD_API");
    const { id }: Told = await notes.add({ n: 0 });
    const count = async () => {
      for (;;) {
        const done = await db
          .runTransaction(async (transaction: Untyped) => {
            const { data } = await transaction.collection("notes").doc(id).get();
            await transaction
              .collection("notes")
              .doc(id)
              .update({ n: data.n + 1 });
          })
          .then(() => true)
          // After three conflicts the client gives up.
          .catch(({ code }: Told) => {
            expect(code).toBe("DATABASE_TRANSACTION_CONFLICT");
            return false;
          });
        if (done) return;
      }
    };
    await Promise.all(Array.from({ length: 5 }, count));
    expect((await notes.doc(id).get()).data).toMatchObject([{ n: 5 }]);
  });

  it("a conflict is answered 409 by REST, where a browser's client throws its code", async () => {
    const { token } = await house.guest();
    const http = (method: string, path: string, body?: object) => house.http(method, restRoot + path, { token, body });
    const documents = "/collections/notes/documents";
    const [_id] = (await http("POST", documents, { data: [{ n: 1 }] })).body.insertedIds;
    const { transactionId } = (await http("POST", "/transactions")).body;
    await http("GET", `${documents}/${_id}?transactionId=${transactionId}`);
    await http("PATCH", documents, { query: { _id }, data: { $set: { n: 5 } }, transactionId });
    await http("PATCH", documents, { query: { _id }, data: { $set: { n: 2 } } });
    const { status, body } = await http("POST", `/transactions/${transactionId}/commit`);
    expect([status, body.code]).toEqual([409, "DATABASE_TRANSACTION_CONFLICT"]);
    expect((await http("GET", `${documents}/${_id}`)).body.n).toBe(2);
    // As the client does after it.
    const ended = await http("POST", `/transactions/${transactionId}/rollback`);
    const again = await http("POST", `/transactions/${transactionId}/commit`);
    expect([ended.status, again.status, again.body.code]).toEqual([200, 404, "TRANSACTION_UNKNOWN"]);
  });

  it("somebody else's transaction is unknown, and one is over after its time", async () => {
    const [mine, other] = [await house.guest(), await house.guest()];
    const start = async () => (await mine.http("POST", `${restRoot}/transactions`)).body.transactionId;
    const end = async (who: typeof mine, id: string) =>
      (await who.http("POST", `${restRoot}/transactions/${id}/commit`)).status;
    const id = await start();
    expect([await end(other, id), await end(mine, id)]).toEqual([404, 200]);
    const old = await start();
    house.clock.forward(31_000);
    expect(await end(mine, old)).toBe(404);
  });
});
