/** `orderbell collections …`: list, export and import, with a running server and without one. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { cleanUp, type Demo, launch, newDemoHome, orderbell, startDemo, within } from "./_cli.ts";

let home: string;
let demo: Demo;
let environment: { readonly ORDERBELL_HOME: string; readonly COLLECTIONS_FILE: string };

const declaration = `
notes:
  permission: PRIVATE
  indexes: [done]
  limits: { documents: 10000, documentBytes: 4096 }
comments: { permission: READONLY }
`;

beforeAll(async () => {
  home = await newDemoHome();
  environment = { ORDERBELL_HOME: home, COLLECTIONS_FILE: join(home, "collections.yml") };
  await writeFile(environment.COLLECTIONS_FILE, declaration);
  demo = await startDemo(home, undefined, environment);
});

afterAll(cleanUp);

const run = (...argv: string[]) => within(["collections", ...argv], environment);

async function file(name: string, lines: readonly (object | string)[] | string): Promise<string> {
  const path = join(home, name);
  const text = (one: object | string) => (typeof one === "string" ? one : JSON.stringify(one));
  await writeFile(path, typeof lines === "string" ? lines : `${lines.map(text).join("\n")}\n`);
  return path;
}

async function documentsOf(collection: string): Promise<Record<string, unknown>[]> {
  const { code, out, err } = await run("export", collection);
  expect([code, err]).toEqual([0, ""]);
  return out
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

// biome-ignore lint/suspicious/noExplicitAny: a test's own assertion is the type check here
async function listed(collection: string): Promise<any> {
  const { out } = await run("list");
  return JSON.parse(out).collections.find((one: { collection: string }) => one.collection === collection);
}

const done = (collection: string, imported: number, removed = 0) => ({
  code: 0,
  out: `${JSON.stringify({ collection, imported, removed }, null, 2)}\n`,
  err: "",
});
const refused = (...errors: (string | RegExp)[]) => ({ code: 1, out: "", err: `${errors.join("\n")}\n` });

it("a file is imported and comes out of an export as it went in, owners and dates too", async () => {
  const notes = [
    { _id: "a", _openid: "01M8K9B4DPYQD4P47RYVG34VDS", text: "面", done: false, at: { $date: 1_795_941_240_000 } },
    { _id: "b", done: true, tags: ["x", { deep: [1, 2.5, null] }] },
  ];
  expect(await run("import", "notes", await file("notes.jsonl", notes))).toEqual(done("notes", 2));
  expect(await documentsOf("notes")).toEqual(notes);
  expect(await listed("notes")).toEqual({
    collection: "notes",
    permission: "PRIVATE",
    documents: 2,
    bytes: notes.reduce((sum, one) => sum + Buffer.byteLength(JSON.stringify(one)), 0),
    indexes: ["done"],
    notIndexed: [],
    limit: 10_000,
  });
  // What CloudBase exports: dates as text, ids of MongoDB; and what editors leave: a mark, empty lines, ends of Windows.
  const theirs =
    '\uFEFF{"_id":{"$oid":"5f"},"at":{"$date":"2026-11-29T09:14:00.000Z"}}\r\n\r\n{"text":"without an id"}';
  expect(await run("import", "notes", await file("theirs.json", theirs))).toEqual(done("notes", 2));
  // In the order of ids: a new one is a ULID, and begins with 0.
  expect(await documentsOf("notes")).toEqual([
    { _id: expect.stringMatching(/^0[0-9A-Z]{25}$/), text: "without an id" },
    { _id: "5f", at: { $date: Date.parse("2026-11-29T09:14:00.000Z") } },
    ...notes,
  ]);
});

it("--replace takes the other documents out, and an empty file takes out all", async () => {
  await run("import", "notes", "--replace", await file("one.jsonl", [{ _id: "a", n: 1 }]));
  expect(
    await run("import", "notes", "--replace", await file("two.jsonl", [{ _id: "a", n: 2 }, { _id: "c" }])),
  ).toEqual(done("notes", 2, 1));
  expect(await documentsOf("notes")).toEqual([{ _id: "a", n: 2 }, { _id: "c" }]);
  expect(await run("import", "notes", "--replace", await file("empty.jsonl", ""))).toEqual(done("notes", 0, 2));
  expect(await listed("notes")).toMatchObject({ documents: 0, bytes: 0 });
});

describe("a refused import", () => {
  beforeEach(async () => {
    await run("import", "notes", "--replace", await file("kept.jsonl", [{ _id: "kept" }]));
  });
  afterEach(async () => {
    expect(await documentsOf("notes")).toEqual([{ _id: "kept" }]);
    expect(await listed("notes")).toMatchObject({ documents: 1 });
  });

  it.each<[string, readonly (object | string)[] | string, readonly string[]]>([
    [
      "by lines that are no documents",
      ["{", "5", { _id: "a b" }, { _id: "ok" }, { a: { $where: 1 } }, { _openid: 5 }, { text: "x".repeat(5_000) }],
      [
        "line 1: this is not JSON",
        "line 2: expected an object",
        'line 3: "_id": an _id is a text of 1 to 64 printable ASCII characters without spaces',
        'line 5: "a": "$where" is no field: names do not begin with $',
        'line 6: "_openid": an _openid is a text of 1 to 64 printable ASCII characters without spaces',
        "line 7: the document has 5046 bytes; at most 4096",
      ],
    ],
    ["by an _id that stands twice", [{ _id: "a" }, "", { _id: "a" }], ['line 3: "_id": stands in line 1 too']],
    [
      "by an _id that is there already",
      [{ _id: "a" }, { _id: "kept" }],
      ['line 2: the _id "kept" is in "notes" already'],
    ],
    ["by one line without end", "x".repeat(300_000), ["line 1 is too long: each line holds one document as JSON"]],
  ])("%s names them and changes nothing", async (_, lines, errors) => {
    const { code, out, err } = await run("import", "notes", await file("wrong.jsonl", lines));
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err.trimEnd().split("\n")).toEqual(errors.map((error) => expect.stringContaining(error)));
  });

  it("in its last portion changes nothing either", async () => {
    const many = Array.from({ length: 1_000 }, (_, nth) => ({ _id: `n${nth}`, done: nth % 2 === 0 }));
    const wrong = await file("late.jsonl", [...many, { _id: "n7" }]);
    expect(await run("import", "notes", "--replace", wrong)).toEqual(
      refused('line 1001: the _id "n7" stands in the file twice'),
    );
  });

  it("beyond the collection's limit changes nothing", async () => {
    const lines = Array.from({ length: 10_000 }, () => "{}").join("\n");
    expect(await run("import", "notes", await file("full.jsonl", lines))).toEqual(
      refused('COLLECTION_FULL: "notes" holds at most 10000 documents'),
    );
  });

  it("of an unknown collection or of a file that is not there changes nothing", async () => {
    const path = await file("any.jsonl", [{ a: 1 }]);
    for (const name of ["none", "orders", "import:01M8K9B4DPYQD4P47RYVG34VDS"])
      expect(await run("import", name, path)).toEqual(
        refused(`COLLECTION_UNKNOWN: there is no collection "${name}"; collections.yml declares them`),
      );
    expect(await run("export", "none")).toMatchObject({ code: 1, err: expect.stringMatching(/^COLLECTION_UNKNOWN/) });
    expect(await run("import", "notes", join(home, "none"))).toMatchObject({
      code: 2,
      err: expect.stringMatching(/ENOENT/),
    });
    expect(await run("import", "notes")).toMatchObject({
      code: 2,
      err: expect.stringMatching(/^<file> is missing\nusage: /),
    });
  });
});

it("an import leaves one line in the audit, and a refused one none", async () => {
  const audited = async () => {
    const { out } = await within(["sql", "SELECT detail FROM audit WHERE action = 'collections.import'"], environment);
    return out.split("\n").filter((line) => line.startsWith("{")).length;
  };
  const before = await audited();
  await run("import", "notes", await file("audited.jsonl", [{ _id: "audited" }]));
  await run("import", "notes", await file("audited.jsonl", [{ _id: "audited" }]));
  expect(await audited()).toBe(before + 1);
});

it("standard input is imported, and without a server the commands work on the database itself", async () => {
  await demo.kill("SIGTERM");
  const lines = Array.from({ length: 450 }, (_, nth) => ({
    _id: `m${String(nth).padStart(3, "0")}`,
    text: "x".repeat(500),
  }));
  const input = lines.map((one) => `${JSON.stringify(one)}\n`).join("");
  const imported = await orderbell(["collections", "import", "comments", "-"], { environment, input });
  expect(imported).toEqual(done("comments", 450));
  const { out, code } = await orderbell(["collections", "export", "comments"], { environment });
  expect([code, out]).toEqual([0, input]);
  const early = launch(["collections", "export", "comments"], { environment });
  early.child.stdout?.once("data", () => early.child.stdout?.destroy());
  expect([await early.ended, early.err()]).toEqual([0, ""]);
});
