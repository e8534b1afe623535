/** Every operator of CloudBase's own client, unmodified, by both of its dialects, on every engine. */
import { anyEngine, onEveryEngine } from "../_engines.ts";
import type { House } from "../_house.ts";
import { endPointModes, signIn } from "./_client.ts";
import { openDoors, type Told, type Untyped, untyped } from "./_doors.ts";

interface Scene {
  readonly db: Untyped;
  readonly notes: Untyped;
  readonly _: Untyped;
  readonly $: Untyped;
}

const documents = [
  { k: "a", n: 1, tags: ["x", "y"], list: [{ p: 1, q: 1 }], o: { in: 1 }, t: "Tea", at: new Date(1_000) },
  {
    k: "b",
    n: 2,
    tags: ["y"],
    list: [
      { p: 1, q: 2 },
      { p: 2, q: 2 },
    ],
    o: { in: 2 },
    t: "tea",
    at: new Date(2_000),
  },
  { k: "c", n: 3, tags: [], list: [], o: {}, t: "coffee", none: null },
  { k: "d", n: 10, s: 5 },
];

type Ask = (scene: Scene) => object;

/** Queries, and the documents that they find. */
const queries: readonly (readonly [name: string, query: Ask, found: string])[] = [
  ["a value", () => ({ n: 2 }), "b"],
  ["null, and what is not there", () => ({ none: null }), "abcd"],
  ["a path", () => ({ o: { in: 1 } }), "a"],
  ["a value in a list", () => ({ tags: "y" }), "ab"],
  ["eq", ({ _ }) => ({ n: _.eq(2) }), "b"],
  ["eq of a list", ({ _ }) => ({ tags: _.eq(["x", "y"]) }), "a"],
  ["neq", ({ _ }) => ({ n: _.neq(2) }), "acd"],
  ["lt", ({ _ }) => ({ n: _.lt(2) }), "a"],
  ["lte", ({ _ }) => ({ n: _.lte(2) }), "ab"],
  ["gt", ({ _ }) => ({ n: _.gt(3) }), "d"],
  ["gte", ({ _ }) => ({ n: _.gte(3) }), "cd"],
  ["gt of a date", ({ _ }) => ({ at: _.gt(new Date(1_500)) }), "b"],
  ["in", ({ _ }) => ({ k: _.in(["a", "d", "z"]) }), "ad"],
  ["nin", ({ _ }) => ({ k: _.nin(["a", "d"]) }), "bc"],
  ["all", ({ _ }) => ({ tags: _.all(["x", "y"]) }), "a"],
  ["elemMatch", ({ _ }) => ({ list: _.elemMatch({ p: 1, q: 2 }) }), "b"],
  ["elemMatch with operators", ({ _ }) => ({ list: _.elemMatch({ p: _.gt(1), q: _.lt(3) }) }), "b"],
  ["exists", ({ _ }) => ({ s: _.exists(true) }), "d"],
  ["exists not", ({ _ }) => ({ tags: _.exists(false) }), "d"],
  ["size", ({ _ }) => ({ tags: _.size(2) }), "a"],
  ["mod", ({ _ }) => ({ n: _.mod([3, 1]) }), "ad"],
  ["and", ({ _ }) => _.and([{ n: _.gt(1) }, { tags: "y" }]), "b"],
  ["or", ({ _ }) => _.or([{ n: 1 }, { k: "c" }]), "ac"],
  ["or of one field", ({ _ }) => ({ n: _.or([_.lt(2), _.gt(3)]) }), "ad"],
  ["nor", ({ _ }) => _.nor([{ n: 1 }, { k: "c" }]), "bd"],
  ["not", ({ _ }) => ({ n: _.not(_.gt(2)) }), "ab"],
  ["not of an expression", ({ _ }) => ({ t: _.not(/tea/i) }), "cd"],
  ["chained and", ({ _ }) => ({ n: _.gt(1).and(_.lt(9)) }), "bc"],
  ["chained or", ({ _ }) => ({ n: _.eq(1).or(_.eq(10)) }), "ad"],
  ["expr", ({ _, $ }) => _.expr($.eq(["$n", "$s"])), ""],
  ["expr that holds", ({ _, $ }) => _.expr($.gt(["$n", 2])), "cd"],
  ["a literal of RegExp", () => ({ t: /^tea$/i }), "ab"],
  ["db.RegExp", ({ db }) => ({ t: db.RegExp({ regexp: "^c", options: "i" }) }), "c"],
  ["several fields", ({ _ }) => ({ n: _.lt(3), tags: "y", o: { in: _.gt(1) } }), "b"],
  ["or beside a field", ({ _ }) => _.and([{ tags: "y" }, _.or([{ n: 1 }, { n: 3 }])]), "a"],
];

/** What this server does not do, and says so. */
const unsupported: readonly (readonly [name: string, query: Ask])[] = [
  ["geoNear", ({ _, db }) => ({ p: _.geoNear({ geometry: new db.Geo.Point(1, 2), maxDistance: 1, minDistance: 0 }) })],
  ["geoWithin", ({ _, db }) => ({ p: _.geoWithin({ geometry: area(db) }) })],
  ["geoIntersects", ({ _, db }) => ({ p: _.geoIntersects({ geometry: new db.Geo.Point(1, 2) }) })],
  ["jsonSchema", ({ _ }) => _.jsonSchema({ required: ["n"] })],
];

const area = (db: Untyped) => {
  const corner = (x: number, y: number) => new db.Geo.Point(x, y);
  return new db.Geo.Polygon([new db.Geo.LineString([corner(0, 0), corner(1, 0), corner(1, 1), corner(0, 0)])]);
};

/** Updates of one document, and what it then has. */
const updates: readonly (readonly [name: string, before: object, update: Ask, after: object])[] = [
  ["a field", { a: 1, b: 1 }, () => ({ a: 2 }), { a: 2, b: 1 }],
  ["a path", { o: { x: 1, y: 1 } }, () => ({ o: { x: 2 } }), { o: { x: 2, y: 1 } }],
  ["a path with dots", { o: { x: 1, y: 1 } }, () => ({ "o.x": 2 }), { o: { x: 2, y: 1 } }],
  ["an element", { l: [1, 2] }, () => ({ "l.1": 5 }), { l: [1, 5] }],
  ["set", { o: { x: 1, y: 1 } }, ({ _ }) => ({ o: _.set({ z: 1 }) }), { o: { z: 1 } }],
  ["remove", { a: 1, b: 1 }, ({ _ }) => ({ a: _.remove() }), { b: 1 }],
  ["inc", { a: 1 }, ({ _ }) => ({ a: _.inc(4), new: _.inc(-1) }), { a: 5, new: -1 }],
  ["mul", { a: 3 }, ({ _ }) => ({ a: _.mul(4) }), { a: 12 }],
  ["max", { a: 3, b: 3 }, ({ _ }) => ({ a: _.max(4), b: _.max(2) }), { a: 4, b: 3 }],
  ["min", { a: 3, b: 3 }, ({ _ }) => ({ a: _.min(4), b: _.min(2) }), { a: 3, b: 2 }],
  ["rename", { a: 3 }, ({ _ }) => ({ a: _.rename("z") }), { z: 3 }],
  ["bit", { a: 5 }, ({ _ }) => ({ a: _.bit({ and: 12 }) }), { a: 4 }],
  ["push", { l: [1] }, ({ _ }) => ({ l: _.push(2) }), { l: [1, 2] }],
  ["push of several", { l: [1] }, ({ _ }) => ({ l: _.push([2, 3]) }), { l: [1, 2, 3] }],
  ["push of an object", { l: [] }, ({ _ }) => ({ l: _.push({ p: 1 }) }), { l: [{ p: 1 }] }],
  ["push with position", { l: [1] }, ({ _ }) => ({ l: _.push({ each: [2, 3], position: 0 }) }), { l: [2, 3, 1] }],
  [
    "push with sort and slice",
    { l: [{ p: 2 }] },
    ({ _ }) => ({ l: _.push({ each: [{ p: 3 }, { p: 1 }], sort: { p: -1 }, slice: 2 }) }),
    { l: [{ p: 3 }, { p: 2 }] },
  ],
  ["unshift", { l: [1] }, ({ _ }) => ({ l: _.unshift([2, 3]) }), { l: [2, 3, 1] }],
  ["pop", { l: [1, 2, 3] }, ({ _ }) => ({ l: _.pop() }), { l: [1, 2] }],
  ["shift", { l: [1, 2, 3] }, ({ _ }) => ({ l: _.shift() }), { l: [2, 3] }],
  ["pull", { l: [1, 2, 1] }, ({ _ }) => ({ l: _.pull(1) }), { l: [2] }],
  ["pull by a condition", { l: [1, 5, 9] }, ({ _ }) => ({ l: _.pull(_.gt(4)) }), { l: [1] }],
  ["pull of an object", { l: [{ p: 1, q: 1 }, { p: 2 }] }, ({ _ }) => ({ l: _.pull({ p: 1 }) }), { l: [{ p: 2 }] }],
  ["pullAll", { l: [1, 2, 3] }, ({ _ }) => ({ l: _.pullAll([1, 3]) }), { l: [2] }],
  ["addToSet", { l: [1] }, ({ _ }) => ({ l: _.addToSet(1), m: _.addToSet(2) }), { l: [1], m: [2] }],
  ["addToSet of several", { l: [1] }, ({ _ }) => ({ l: _.addToSet({ each: [1, 2] }) }), { l: [1, 2] }],
  ["a date", {}, () => ({ at: new Date(5_000) }), { at: new Date(5_000) }],
  ["several operators", { a: 1, l: [] }, ({ _ }) => ({ a: _.inc(1), l: _.push(1), b: 2 }), { a: 2, l: [1], b: 2 }],
];

/** Aggregations, and what they give. */
const aggregations: readonly (readonly [
  name: string,
  build: (pipeline: Untyped, scene: Scene) => Untyped,
  rows: object[],
])[] = [
  [
    "match",
    (p, { _ }) =>
      p
        .match({ n: _.gt(2) })
        .sort({ k: 1 })
        .project({ _id: 0, k: 1 }),
    [{ k: "c" }, { k: "d" }],
  ],
  ["match by a date", (p, { _ }) => p.match({ at: _.lt(new Date(1_500)) }).project({ _id: 0, k: 1 }), [{ k: "a" }]],
  [
    "addFields",
    (p, { $ }) =>
      p
        .match({ k: "a" })
        .addFields({ m: $.add(["$n", 1]) })
        .project({ _id: 0, m: 1 }),
    [{ m: 2 }],
  ],
  ["project", (p, { $ }) => p.match({ k: "a" }).project({ _id: 0, up: $.toUpper("$t") }), [{ up: "TEA" }]],
  [
    "group",
    (p, { $ }) =>
      p.sort({ k: 1 }).group({ _id: null, sum: $.sum("$n"), avg: $.avg("$n"), first: $.min("$k"), all: $.push("$k") }),
    [{ _id: null, sum: 16, avg: 4, first: "a", all: ["a", "b", "c", "d"] }],
  ],
  ["count", (p) => p.match({ tags: "y" }).count("found"), [{ found: 2 }]],
  ["sort, skip and limit", (p) => p.sort({ n: -1 }).skip(1).limit(2).project({ _id: 0, n: 1 }), [{ n: 3 }, { n: 2 }]],
  [
    "sortByCount",
    (p) => p.unwind("$tags").sortByCount("$tags"),
    [
      { _id: "y", count: 2 },
      { _id: "x", count: 1 },
    ],
  ],
  [
    "unwind",
    (p) => p.match({ k: "a" }).unwind({ path: "$tags" }).project({ _id: 0, tags: 1 }),
    [{ tags: "x" }, { tags: "y" }],
  ],
  ["replaceRoot", (p) => p.match({ k: "b" }).replaceRoot({ newRoot: "$o" }), [{ in: 2 }]],
  [
    "bucket",
    (p, { $ }) => p.bucket({ groupBy: "$n", boundaries: [0, 3, 20], output: { count: $.sum(1) } }),
    [
      { _id: 0, count: 2 },
      { _id: 3, count: 2 },
    ],
  ],
  ["bucketAuto", (p) => p.bucketAuto({ groupBy: "$n", buckets: 1 }).project({ _id: 0, count: 1 }), [{ count: 4 }]],
  [
    "dates",
    (p, { $ }) => p.match({ k: "b" }).project({ _id: 0, at: 1, second: $.second("$at") }),
    [{ at: new Date(2_000), second: 2 }],
  ],
  [
    "conditions",
    (p, { $ }) => p.match({ k: "d" }).project({ _id: 0, big: $.cond([$.gt(["$n", 5]), "yes", "no"]) }),
    [{ big: "yes" }],
  ],
];

const unsupportedStages: readonly (readonly [name: string, build: (pipeline: Untyped, scene: Scene) => Untyped])[] = [
  ["sample", (p) => p.sample({ size: 1 })],
  ["lookup", (p) => p.lookup({ from: "comments", localField: "k", foreignField: "k", as: "all" })],
  ["geoNear", (p) => p.geoNear({ near: { longitude: 1, latitude: 2 }, distanceField: "d" })],
];

// What an operator means does not depend on the engine: test/live/answers.test.ts compares the engines.
onEveryEngine(
  (engine) => {
    let house: House;
    beforeAll(async () => {
      house = await openDoors(engine);
    });
    afterAll(() => house.close());

    describe.each(endPointModes)("by %s", (endPointMode) => {
      let scene: Scene;
      beforeAll(async () => {
        const db = untyped((await signIn(house, { endPointMode })).db);
        scene = { db, notes: db.collection("notes"), _: db.command, $: db.command.aggregate };
        await scene.notes.add(documents);
      });

      it.each(queries)("a query finds by %s", async (_, query, found) => {
        const { data }: Told = await scene.notes.where(query(scene)).orderBy("k", "asc").get();
        const letters = data.map(({ k }: { k: string }) => k).filter((k: string | undefined) => k !== undefined);
        expect(letters.join("")).toBe(found);
        const { total }: Told = await scene.notes.where(query(scene)).count();
        expect(total).toBe(data.length);
      });

      it.each(unsupported)("a query by %s is refused as not supported", async (_, query) => {
        expect((await scene.notes.where(query(scene)).get()).code).toBe("NOT_SUPPORTED");
      });

      it.each(updates)("an update does %s", async (_, before, update, after) => {
        const { id }: Told = await scene.db.collection("shared").add(before);
        const one = scene.db.collection("shared").doc(id);
        await one.update(update(scene));
        const [{ _id: __, _openid: ___, ...left }] = (await one.get()).data;
        expect(left).toEqual(after);
      });

      it.each(aggregations)("an aggregation does %s", async (_, build, rows) => {
        expect((await build(scene.notes.aggregate(), scene).end()).data).toEqual(rows);
      });

      it.each(unsupportedStages)("an aggregation by %s is refused as not supported", async (_, build) => {
        const told = await build(scene.notes.aggregate(), scene).end();
        expect(told.code ?? told.data.code).toBe("NOT_SUPPORTED");
      });

      it("a projection takes slices and matching elements", async () => {
        const { project } = scene._;
        const sliced = await scene.notes
          .where({ k: "a" })
          .field({ tags: project.slice(1), _id: false })
          .get();
        expect(sliced.data[0].tags).toEqual(["x"]);
        const matched = await scene.notes
          .where({ k: "b" })
          .field({ list: project.elemMatch({ p: 2 }) })
          .get();
        expect(matched.data[0].list).toEqual([{ p: 2, q: 2 }]);
      });
    });
  },
  [anyEngine],
);
