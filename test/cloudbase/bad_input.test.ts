/** Actions are given what they must not take: they say so with the status 200, and nothing is written. Routes: test/attacks/routes.test.ts. */
import { anyEngine } from "../_engines.ts";
import { digest, openScene, type Scene } from "../attacks/_scene.ts";

const name: readonly unknown[] = [undefined, null, 1, {}, [], "", "x".repeat(65)];
const transactionId: readonly unknown[] = [undefined, null, 1, {}, "", "a b", "../x", "x".repeat(65)];
const query: readonly unknown[] = ["x", 1, [], true, { $foo: 1 }, { a: { $gt: {} } }, { $and: [] }];
const truth: readonly unknown[] = ["x", 1, {}, []];
/** EJSON in a text. */
const text: readonly unknown[] = [undefined, null, 1, {}, "", "{", "[]", "1", '{"a":1,"a":2}', `${"[".repeat(99)}`];
const token: readonly unknown[] = [1, {}, [], "x".repeat(8_001)];
const documentId: readonly unknown[] = [{}, [], "", "a b", "é", "x".repeat(65)];
const lists: readonly unknown[] = [
  undefined,
  null,
  1,
  "x",
  {},
  [],
  [1],
  [null],
  Array.from({ length: 51 }, () => ({ fileid: "x" })),
];
const selection = {
  query,
  order: ["x", 1, [1], [{ field: 1 }], [{ field: "a", direction: "up" }]],
  offset: [-1, 1.5, "x", {}, 1_000_001],
  limit: [0, -1, 1_001, 1.5, "x", {}],
  projection: ["x", [], { a: "b" }, { "": 1 }],
};

/** Action → a right request's members, and what each must not be. */
const actions: Readonly<Record<string, readonly [right: object, wrong: Readonly<Record<string, readonly unknown[]>>]>> =
  {
    "database.queryDocument": [
      { collectionName: "notes", query: {} },
      { collectionName: name, ...selection },
    ],
    "database.countDocument": [
      { collectionName: "notes", query: {} },
      { collectionName: name, query },
    ],
    "database.addDocument": [
      { collectionName: "notes", data: { n: 1 } },
      {
        collectionName: name,
        data: [undefined, null, 1, "x", [], [1], { $a: 1 }, { "a.b": 1 }, { _openid: "me" }, { a: "x".repeat(25_000) }],
        _id: documentId,
      },
    ],
    "database.updateDocument": [
      { collectionName: "notes", query: {}, data: { $set: { a: 1 } }, multi: true, merge: true, upsert: false },
      {
        collectionName: name,
        query,
        data: [undefined, null, 1, "x", [], { $foo: {} }, { $set: 1 }, { $set: { _id: 1 } }, { a: 1, $set: { b: 1 } }],
        multi: truth,
        merge: [...truth, false],
        upsert: truth,
      },
    ],
    "database.deleteDocument": [
      { collectionName: "notes", query: {}, multi: true },
      { collectionName: name, query, multi: truth },
    ],
    "database.aggregate": [
      { collectionName: "notes", stages: [] },
      {
        collectionName: name,
        stages: [
          undefined,
          null,
          "x",
          {},
          [1],
          [{ stageKey: 1, stageValue: "{}" }],
          [{ stageKey: "$match", stageValue: {} }],
          [{ stageKey: "$match", stageValue: "{" }],
          [{ stageKey: "$out", stageValue: '"x"' }],
          [{ stageKey: "$limit", stageValue: "0" }],
          Array.from({ length: 21 }, () => ({ stageKey: "$match", stageValue: "{}" })),
        ],
      },
    ],
    "database.addCollection": [{ collectionName: "notes" }, { collectionName: name }],
    "database.commitTransaction": [{}, { transactionId }],
    "database.abortTransaction": [{}, { transactionId }],
    "database.getInTransaction": [{ collectionName: "notes" }, { collectionName: name, transactionId, ...selection }],
    "database.insertDocInTransaction": [
      { collectionName: "notes", data: '{"n":1}' },
      { collectionName: name, transactionId, data: text, _id: documentId },
    ],
    "database.updateDocInTransaction": [
      { collectionName: "notes", query: {}, data: '{"$set":{"n":1}}' },
      { collectionName: name, transactionId, query, data: text, upsert: truth },
    ],
    "database.deleteDocInTransaction": [
      { collectionName: "notes", query: {} },
      { collectionName: name, transactionId, query },
    ],
    "storage.getUploadMetadata": [
      { path: "a/b.png" },
      {
        path: [
          ...name.filter((one) => one !== "x".repeat(65)),
          "/a",
          "a//b",
          "../a",
          "a/..",
          "a\\b",
          "a\0",
          "x".repeat(1_001),
        ],
      },
    ],
    "storage.batchGetDownloadUrl": [
      { file_list: [{ fileid: "cloud://env.bucket/a", max_age: 600 }] },
      {
        file_list: [
          ...lists,
          [{ fileid: "x".repeat(2_001) }],
          ...[0, -1, "x", {}].map((max_age) => [{ fileid: "x", max_age }]),
        ],
      },
    ],
    "storage.batchDeleteFile": [
      { fileid_list: ["cloud://env.bucket/a"] },
      { fileid_list: [...lists, ["x".repeat(2_001)]] },
    ],
    "auth.signInAnonymously": [{}, { refresh_token: token }],
    "auth.fetchAccessTokenWithRefreshToken": [{}, { refresh_token: token }],
    "auth.logout": [{}, { refresh_token: token }],
    "auth.wsWebSign": [{}, { env: [1, {}, "x".repeat(65)] }],
  };

describe("an action's bad input", () => {
  let scene: Scene;
  let transaction: string;
  beforeAll(async () => {
    scene = await openScene(anyEngine);
    const { body } = await act({ action: "database.startTransaction" });
    transaction = body.transactionId;
  });
  afterAll(() => scene.close());

  const act = (body: object) => scene.customer.http("POST", "/web", { body });

  it.each(Object.entries(actions))("is refused by %s, and nothing is written", async (action, [right, wrong]) => {
    const { db } = scene.house;
    const inTransaction = "transactionId" in wrong ? { transactionId: transaction } : {};
    const before = await digest(db);
    const taken: string[] = [];
    for (const [member, values] of Object.entries(wrong))
      for (const value of values) {
        const { status, body } = await act({ action, ...right, ...inTransaction, [member]: value });
        const isRefused = ["INVALID_PARAM", "NOT_SUPPORTED"].includes(body.code);
        if (status !== 200 || !isRefused)
          taken.push(`${member} = ${JSON.stringify(value)?.slice(0, 60)}: ${status} ${body.code}`);
      }
    expect(taken).toEqual([]);
    expect(await digest(db)).toEqual(before);
  });

  it("is distinguished from good input", async () => {
    // Last those that end something.
    for (const [action, [right]] of Object.entries(actions)) {
      if (/fetchAccess/.test(action)) continue;
      const { body } = await act({ action: "database.startTransaction" });
      const answer = await act({ action, transactionId: body.transactionId, ...right });
      expect([action, answer.status, answer.body.code]).toEqual([action, 200, undefined]);
    }
  });

  it("is told in words, never by a pattern or what was received", async () => {
    const { body } = await act({ action: "database.queryDocument", collectionName: 7, secret: "s3cret" });
    expect(body.message).toBe('"collectionName": expected a text');
    const { body: unknown } = await act({ action: "x".repeat(60) });
    expect(unknown.code).toBe("NOT_SUPPORTED");
  });
});
