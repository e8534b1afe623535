/** Writers of the ledger of watches: random changes over the door that CloudBase's client uses, and the queries that look at them. */
import type { Spec } from "./_ledger_watch.ts";

/** `pairs` is changed as a whole only: each list of it must show one value. */
export const declaration = `
notes: { rules: { read: true, write: auth != null }, indexes: [group, n, author.id, tags] }
diary: { permission: PRIVATE, indexes: [n] }
plain: { rules: { read: true, write: auth != null } }
pairs: { rules: { read: true, write: auth != null }, indexes: [kind] }
guarded: { rules: { read: doc.open == true, write: auth != null }, indexes: [open] }
`;

const groups = ["g0", "g1", "g2", "g3"];
const tags = ["a", "b", "c"];

/** Fifty queries of every kind: narrowed by an index or not, ordered or not, with a limit or not. */
export function fiftySpecs(): Spec[] {
  const notes = (query: object, more: Partial<Spec> = {}): Spec => ({ collection: "notes", query, ...more });
  const first = (n: number, field = "n", direction: "asc" | "desc" = "desc") => ({
    orderBy: { [field]: direction },
    limit: n,
  });
  return [
    notes({}),
    ...groups.map((group) => notes({ group })),
    ...groups.map((group) => notes({ group, done: true }, { orderBy: { n: "asc" } })),
    ...tags.map((tag) => notes({ tags: tag })),
    ...[2, 5].map((n) => notes({ n })),
    ...[1, 3, 10].map((n) => notes({}, first(n))),
    ...[2, 4].map((n) => notes({ group: "g1" }, first(n, "n", "asc"))),
    notes({}, { limit: 7 }),
    notes({ "author.id": "u1" }),
    notes({ "author.id": { $in: ["u0", "u2"] } }, first(5, "author.name", "asc")),
    notes({ n: { $gt: 4 } }),
    notes({ $and: [{ n: { $gte: 3 } }, { n: { $lt: 7 } }] }),
    notes({ $or: [{ group: "g0" }, { n: { $gt: 8 } }] }, { orderBy: { group: "asc", n: "desc" } }),
    notes({ $nor: [{ done: true }, { group: "g2" }] }),
    notes({ note: { $exists: true } }),
    notes({ note: { $regex: "^x", $options: "" } }),
    notes({ tags: { $all: ["a", "b"] } }),
    notes({ tags: { $size: 2 } }),
    notes({ list: { $elemMatch: { k: "x", v: { $gt: 3 } } } }),
    notes({ at: { $gt: { $date: 500_000 } } }, first(6, "at", "asc")),
    notes({ n: { $mod: [3, 0] } }),
    notes({ group: { $nin: ["g0", "g1"] }, done: { $ne: true } }),
    notes({ _id: "k3" }),
    notes({ _id: { $in: ["k1", "k2", "k3", "k4"] } }, { orderBy: { _id: "asc" } }),
    { collection: "diary", query: {} },
    { collection: "diary", query: { n: { $lt: 5 } } },
    { collection: "diary", query: {}, ...first(3) },
    { collection: "diary", query: { group: "g0" } },
    { collection: "plain", query: { group: "g2" } },
    { collection: "plain", query: {}, ...first(5, "n", "asc") },
    { collection: "plain", query: { done: true } },
    { collection: "plain", query: {}, limit: 4 },
    { collection: "pairs", query: {} },
    { collection: "pairs", query: { kind: "one" } },
    { collection: "pairs", query: {}, ...first(4, "place", "asc") },
    { collection: "guarded", query: { open: true } },
    { collection: "guarded", query: { open: true, group: "g3" } },
    { collection: "guarded", query: { open: true }, ...first(4) },
  ];
}

export type Ask = (action: string, parameters: object) => Promise<unknown>;

const pairs = Array.from({ length: 6 }, (_, place) => ({ _id: `p${place}`, place, kind: place % 2 ? "one" : "two" }));

/** Everything that is there before the first watch. */
export async function begin(ask: Ask): Promise<void> {
  for (const { _id, ...data } of pairs)
    await ask("database.addDocument", { collectionName: "pairs", _id, data: { ...data, value: 0 } });
}

const pick = <T>(random: () => number, list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;

function randomDocument(random: () => number): object {
  const number = (below: number) => Math.floor(random() * below);
  return {
    n: number(10),
    group: pick(random, groups),
    tags: tags.filter(() => random() < 0.5),
    author: { id: `u${number(3)}`, name: pick(random, ["Li", "Ana", "面"]) },
    done: random() < 0.5,
    open: random() < 0.5,
    at: { $date: number(1_000_000) },
    list: [{ k: pick(random, ["x", "y"]), v: number(6) }],
    ...(random() < 0.4 ? { note: pick(random, ["x1", "xy", "y"]) } : {}),
  };
}

const randomUpdate = (random: () => number): object =>
  pick<() => object>(random, [
    () => ({ $set: { n: Math.floor(random() * 10) } }),
    () => ({ $inc: { n: 1 } }),
    () => ({ $set: { group: pick(random, groups), done: random() < 0.5 } }),
    () => ({ $set: { open: random() < 0.5 } }),
    () => ({ $set: { "author.id": `u${Math.floor(random() * 3)}` } }),
    () => ({ $unset: { note: "" } }),
    () => ({ $set: { note: pick(random, ["x2", "z"]), at: { $date: Math.floor(random() * 1_000_000) } } }),
    () => ({ $push: { tags: { $each: [pick(random, tags)] } } }),
    () => ({ $pull: { tags: pick(random, tags) } }),
    () => ({ $set: { "list.0.v": Math.floor(random() * 6) } }),
  ])();

/** One change, drawn by lot. */
export async function write(random: () => number, ask: Ask): Promise<void> {
  const collectionName = pick(random, ["notes", "notes", "notes", "diary", "plain", "guarded", "pairs"]);
  const update = (query: object, data: object, multi: boolean, more: object = {}) =>
    ask("database.updateDocument", {
      collectionName,
      query,
      queryType: "WHERE",
      data,
      multi,
      merge: true,
      upsert: false,
      ...more,
    });
  if (collectionName === "pairs") {
    await update({}, { $set: { value: Math.floor(random() * 1_000) } }, true);
    return;
  }
  const drawn = random();
  // Names of their own for each collection and a few of them: they are removed and come again.
  const id = `k${Math.floor(random() * 20)}`;
  const group = pick(random, groups);
  if (drawn < 0.25) await ask("database.addDocument", { collectionName, data: randomDocument(random) });
  else if (drawn < 0.3)
    await ask("database.addDocument", { collectionName, data: [0, 1, 2].map(() => randomDocument(random)) });
  else if (drawn < 0.4) await update({ _id: id }, randomDocument(random), false, { merge: false, upsert: true });
  else if (drawn < 0.55) await update({ _id: id }, randomUpdate(random), false);
  else if (drawn < 0.75) await update({ n: Math.floor(random() * 10) }, randomUpdate(random), true);
  else if (drawn < 0.8) await update({ group }, randomUpdate(random), true);
  else {
    const query = drawn < 0.88 ? { _id: id } : { n: Math.floor(random() * 10), group };
    await ask("database.deleteDocument", { collectionName, query, queryType: "WHERE", multi: true });
  }
}
