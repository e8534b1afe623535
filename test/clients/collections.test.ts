/** Collections of the SDK: what is sent for what is written, and what comes back. The server's own readers are held against it. */
import fc from "fast-check";
import type { ApiRequest } from "../../clients/api.ts";
import type { Channel } from "../../clients/channel.ts";
import { makeList } from "../../clients/collections/list.ts";
import { fromWire, toQuery, toUpdate, toWire } from "../../clients/collections/wire.ts";
import { command as _, ApiError, collections, type Where } from "../../clients/collections.ts";
import { compileMatch } from "../../shared/live/match.ts";
import { parseQuery } from "../../shared/live/query.ts";
import { comparator, parseOrder } from "../../shared/live/sort.ts";
import { applyUpdate, parseUpdate } from "../../shared/live/update.ts";
import { answerFrames, cut, cutList, pushFrames } from "../../shared/live/watch_cloud_cut.ts";
import { left } from "../../shared/live/watch_events.ts";
import { encode } from "../../shared/live/wire_value.ts";
import { document, path } from "../live/_arbitrary.ts";
import { World } from "./_world.ts";

interface Note {
  text: string;
  n: number;
  at?: Date;
  tags?: string[];
  by?: { name: string; age?: number };
}

/** A client whose answers are given one after the other; an error is thrown. */
function stub(...answers: unknown[]) {
  const world = new World(1);
  const asked: ApiRequest[] = [];
  const ask = async (request: ApiRequest) => {
    asked.push(request);
    const answer = answers.shift() ?? { requestId: "r", data: {} };
    if (answer instanceof Error) throw answer;
    return answer as never;
  };
  const channel = { platform: world.platform } as Channel;
  const { collection } = collections<{ notes: Note }>({ ask, channel });
  const sent = () => {
    const { collectionName, ...rest } = (asked.at(-1) as { body: Record<string, unknown> }).body;
    return rest;
  };
  return { notes: collection("notes"), asked, sent, world };
}

const lin = { _id: "a", text: "Lin", n: 5, at: new Date(7), tags: ["x", "y"], by: { name: "Lin", age: 30 } };

describe("a condition", () => {
  it.each<[Where<Note>, object]>([
    [{ n: 1 }, { n: 1 }],
    [
      { n: _.gt(1), text: "a" },
      { n: { $gt: 1 }, text: "a" },
    ],
    [{ by: { name: "Lin" } }, { "by.name": "Lin" }],
    [{ "by.name": _.neq("Lin") }, { "by.name": { $ne: "Lin" } }],
    [{ at: new Date(7) }, { at: { $date: 7 } }],
    [{ at: _.lt(_.serverDate(1)) }, { at: { $lt: { $date: { offset: 1 } } } }],
    [{ text: /li/i }, { text: { $regex: "li", $options: "i" } }],
    [{ text: _.not(/li/) }, { text: { $not: { $regex: "li", $options: "" } } }],
    [{ n: _.or(_.lt(1), _.gt(4)) }, { $and: [{ $or: [{ n: { $lt: 1 } }, { n: { $gt: 4 } }] }] }],
    [_.or({ n: 1 }, { by: { name: "Lin" } }), { $and: [{ $or: [{ n: 1 }, { "by.name": "Lin" }] }] }],
    [{ tags: ["x", "y"] }, { tags: ["x", "y"] }],
    [
      { tags: _.all(["x"]), n: _.mod(2, 1) },
      { tags: { $all: ["x"] }, n: { $mod: [2, 1] } },
    ],
  ])("%j is sent as %j", (where, sent) => {
    expect(toQuery(where)).toEqual(sent);
  });

  it.each<[Where<Note>, boolean]>([
    [{ n: _.in([4, 5]), text: _.exists(true) }, true],
    [{ n: _.and(_.gte(5), _.lte(5)) }, true],
    [_.nor({ n: 5 }, { text: "Lin" }), false],
    [{ tags: _.size(2), by: { age: _.nin([30]) } }, false],
    [{ tags: _.elemMatch({ $eq: "y" }) }, true],
    [{ text: _.eq("Lin"), at: new Date(7) }, true],
  ])("%j means the same to the server: %s", (where, matches) => {
    const sent = JSON.parse(JSON.stringify(toQuery(where)));
    expect(compileMatch(parseQuery(sent, { now: 0 }))(lin)).toBe(matches);
  });

  it("is refused where a value is undefined, since everything would match without it", () => {
    expect(() => toQuery({ n: undefined })).toThrow("where: n is undefined");
    expect(() => toQuery({ by: { name: undefined } })).toThrow("where: by.name is undefined");
    expect(() => toQuery(_.or({ n: undefined }))).toThrow("where: n is undefined");
    expect(() => toQuery({ n: _.in([1, undefined]) })).toThrow("where: n is undefined");
    expect(() => toQuery({ n: _.eq(undefined) })).toThrow("where: n is undefined");
  });
});

describe("changes", () => {
  it("are sent by operator; a plain object changes its own fields", () => {
    const changes = { text: "b", n: _.inc(2), at: new Date(9), tags: _.push("z"), by: { age: 31 }, gone: undefined };
    expect(toUpdate(changes)).toEqual({
      $set: { text: "b", at: { $date: 9 }, "by.age": 31 },
      $inc: { n: 2 },
      $push: { tags: { $each: ["z"] } },
    });
    expect(toUpdate({ by: _.set({ name: "Wu" }), "by.age": _.remove() })).toEqual({
      $set: { by: { name: "Wu" } },
      $unset: { "by.age": "" },
    });
    expect(toUpdate({ by: {}, list: [], at: _.serverDate() })).toEqual({
      $set: { by: {}, list: [], at: { $date: { offset: 0 } } },
    });
  });

  it("are not sent where there are none: that would be an empty document", async () => {
    const { notes, asked } = stub();
    expect(await notes.update({ ...({ text: undefined } as object) })).toBe(0);
    expect(asked).toEqual([]);
  });

  it("mean the same to the server", () => {
    const change = (changes: object) =>
      applyUpdate(parseUpdate(JSON.parse(JSON.stringify(toUpdate(changes))), { now: 100 }), lin);
    expect(change({ n: _.mul(2), tags: _.unshift("w"), by: { name: "Wu" } })).toEqual({
      ...lin,
      n: 10,
      tags: ["w", "x", "y"],
      by: { name: "Wu", age: 30 },
    });
    expect(change({ n: _.max(9), tags: _.addToSet("x", "z"), text: _.rename("title"), at: _.serverDate(1) })).toEqual({
      _id: "a",
      title: "Lin",
      n: 9,
      at: new Date(101),
      tags: ["x", "y", "z"],
      by: lin.by,
    });
    expect(change({ tags: _.pull("x"), n: _.min(1), by: _.remove() })).toEqual({
      _id: "a",
      text: "Lin",
      n: 1,
      at: lin.at,
      tags: ["y"],
    });
    expect(change({ tags: _.pop() })).toMatchObject({ tags: ["x"] });
    expect(change({ tags: _.shift() })).toMatchObject({ tags: ["y"] });
    expect(change({ tags: _.pullAll(["x", "y"]) })).toMatchObject({ tags: [] });
  });
});

describe("a document", () => {
  it("has dates on both sides, however deep", () => {
    const document = { at: new Date(7), list: [{ at: new Date(8) }], nothing: null };
    const wire = { at: { $date: 7 }, list: [{ at: { $date: 8 } }], nothing: null };
    expect(toWire(document)).toEqual(wire);
    expect(fromWire(wire)).toEqual(document);
  });
});

describe("a query", () => {
  it("is read in its order, with its page and its fields", async () => {
    const { notes, sent } = stub({ data: { list: [{ _id: "a", at: { $date: 7 } }] } });
    const query = notes.where({ n: 1 }).where({ text: "a" }).orderBy("n", "desc").orderBy("by.name").limit(5);
    expect(await query.skip(10).field({ at: true }).get()).toEqual([{ _id: "a", at: new Date(7) }]);
    expect(sent()).toMatchObject({
      action: "database.queryDocument",
      query: { $and: [{ $and: [{ n: 1 }, { text: "a" }] }] },
      order: [
        { field: "n", direction: "desc" },
        { field: "by.name", direction: "asc" },
      ],
      limit: 5,
      offset: 10,
      projection: { at: true },
    });
  });

  it("has the order of a watch where none is said", async () => {
    const { notes, sent } = stub({ data: { list: [] } });
    expect(await notes.get()).toEqual([]);
    expect(sent()).toMatchObject({ query: {}, order: [{ field: "_id", direction: "desc" }] });
  });

  it("counts, changes and removes what matches", async () => {
    const { notes, sent } = stub({ data: { total: 3 } }, { data: { updated: 2 } }, { data: { deleted: 1 } });
    expect(await notes.where({ n: 1 }).count()).toBe(3);
    expect(sent()).toMatchObject({ action: "database.countDocument", query: { n: 1 } });
    expect(await notes.where({ n: 1 }).update({ n: _.inc(1) })).toBe(2);
    expect(sent()).toMatchObject({
      action: "database.updateDocument",
      data: { $inc: { n: 1 } },
      multi: true,
      merge: true,
    });
    expect(await notes.where({ n: 1 }).remove()).toBe(1);
    expect(sent()).toMatchObject({ action: "database.deleteDocument", query: { n: 1 }, multi: true });
  });

  it("is refused with the server's code, though the answer's status is 200", async () => {
    const { notes } = stub({ requestId: "r", code: "DATABASE_PERMISSION_DENIED", message: "not yours" });
    const refused = await notes.get().catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(ApiError);
    expect(refused).toMatchObject({ code: "DATABASE_PERMISSION_DENIED", message: "not yours" });
  });

  it("aggregates", async () => {
    const { notes, sent } = stub({
      data: { list: JSON.stringify([JSON.stringify({ _id: "x", last: { $date: 7 } })]) },
    });
    const stages = [{ $match: { at: _.lt(new Date(9)) } }, { $group: { _id: "$tags", last: { $max: "$at" } } }];
    expect(await notes.aggregate(stages)).toEqual([{ _id: "x", last: new Date(7) }]);
    expect(sent()).toMatchObject({
      stages: [
        { stageKey: "$match", stageValue: '{"at":{"$lt":{"$date":9}}}' },
        { stageKey: "$group", stageValue: '{"_id":"$tags","last":{"$max":"$at"}}' },
      ],
    });
  });
});

describe("one document", () => {
  it("is read, changed, replaced and removed by its id", async () => {
    const { notes, sent } = stub({ data: { list: [] } }, { data: { updated: 1 } }, {}, { data: { deleted: 0 } });
    const note = notes.doc("a");
    expect(await note.get()).toBeUndefined();
    expect(sent()).toMatchObject({ query: { _id: "a" } });
    expect(await note.update({ text: "b" })).toBe(true);
    await note.set({ _id: "a", _openid: "me", text: "b", n: 1 } as Note);
    expect(sent()).toMatchObject({
      query: { _id: "a" },
      data: expect.not.objectContaining({ _id: "a" }),
      merge: false,
      upsert: true,
      multi: false,
    });
    expect(await note.remove()).toBe(false);
  });
});

describe("a new document", () => {
  const lost = () => new ApiError("NO_ANSWER", 0, "no answer");

  /** Lets the waits between the tries pass. */
  async function patiently<T>(world: World, work: Promise<T>): Promise<T> {
    void work.catch(() => {});
    await world.pass(60_000);
    return work;
  }

  it("has an id from here, that grows with time", async () => {
    const { notes, sent, world } = stub();
    const first = await notes.add({ text: "a", n: 1, at: new Date(7) });
    expect(first).toMatch(/^[0-9A-HJKMNP-TV-Z]{26}$/);
    expect(sent()).toEqual({ action: "database.addDocument", _id: first, data: { text: "a", n: 1, at: { $date: 7 } } });
    await world.pass(1);
    expect((await notes.add({ text: "b", n: 1 })) > first).toBe(true);
    expect(await notes.add({ _id: "mine", text: "c", n: 1 })).toBe("mine");
    expect(sent()).toMatchObject({ _id: "mine", data: { text: "c", n: 1 } });
  });

  it("is sent again under the same id when no answer came, and is there once", async () => {
    const { notes, asked, world } = stub(lost(), new ApiError("OVERLOADED", 503, ""), { code: "DOCUMENT_EXISTS" });
    const id = await patiently(world, notes.add({ text: "a", n: 1 }));
    expect(asked.map(({ body }) => (body as { _id: string })._id)).toEqual([id, id, id]);
  });

  it("is given up after some tries, and at once where it is refused", async () => {
    const { notes, asked, world } = stub(lost(), lost(), lost(), lost());
    await expect(patiently(world, notes.add({ text: "a", n: 1 }))).rejects.toMatchObject({ code: "NO_ANSWER" });
    expect(asked).toHaveLength(4);
    const other = stub({ code: "DOCUMENT_EXISTS", message: "" });
    await expect(other.notes.add({ _id: "a", text: "a", n: 1 })).rejects.toMatchObject({ code: "DOCUMENT_EXISTS" });
  });
});

describe("the order of a list", () => {
  const direction = fc.constantFrom<"asc" | "desc">("asc", "desc");
  const order = fc.array(fc.record({ field: fc.oneof(path, fc.constant("_id")), direction }), {
    minLength: 1,
    maxLength: 3,
  });

  it("is the server's, over all types and along all paths", () => {
    fc.assert(
      fc.property(fc.uniqueArray(document, { selector: ({ _id }) => _id, maxLength: 8 }), order, (documents, by) => {
        let shown: readonly object[] = [];
        const list = makeList<object>(by, (all) => {
          shown = all;
        });
        const events = documents.map((one) => ({
          ID: 0,
          DataType: "init",
          QueueType: "init",
          DocID: one._id,
          Doc: JSON.stringify(encode(one)),
        }));
        list._take({ currEvent: 1, events }, true);
        expect(shown).toEqual(documents.toSorted(comparator(parseOrder(by))));
      }),
      { numRuns: 3_000, seed: 1 },
    );
  });
});

describe("a list that the cloud sends in parts", () => {
  const documents = Array.from({ length: 9 }, (_, n) => ({ _id: `d${9 - n}`, text: "x".repeat(400) }));
  const byId = [{ field: "_id", direction: "desc" }] as const;
  const answered = { watchId: "w", requestId: "r", queryId: "q" };
  const messages = (frames: readonly string[]) => frames.map((frame) => JSON.parse(frame).msgData);

  it("is shown when it is whole, and so is a commit of many documents", () => {
    const shown: number[] = [];
    const list = makeList<object>(byId, (all) => shown.push(all.length));
    const parts = cutList(documents, 1_000);
    const [init, ...rest] = messages(answerFrames("INIT_EVENT", answered, parts, 1, 1_000));
    expect(rest.length).toBeGreaterThan(2);
    expect(list._take(init, true)).toBe(true);
    expect([shown, list._isPart()]).toEqual([[], true]);
    for (const message of rest) list._take(message, false);
    expect([shown, list._isPart()]).toEqual([[9], false]);
    expect(list._documents()).toEqual(documents);

    const gone = cut(
      documents.slice(1).map(({ _id }) => left(_id, "remove")),
      300,
    );
    for (const message of messages(pushFrames("w", gone, (list._at() ?? 0) + 1, 300))) list._take(message, false);
    expect(shown).toEqual([9, 1]);
  });

  it("lacks a part that has not come", () => {
    const list = makeList<object>(byId, () => {});
    const [init, , ...rest] = messages(answerFrames("INIT_EVENT", answered, cutList(documents, 1_000), 1, 1_000));
    list._take(init, true);
    for (const message of rest) list._take(message, false);
    expect([list._lacks(0), list._isPart()]).toEqual([true, true]);
  });
});
