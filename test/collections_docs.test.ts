/** The examples of docs/collections.md, run as they stand: with our SDK, in a mini-program, and with CloudBase's own client. */
import { readFileSync } from "node:fs";
import cloudbase from "@cloudbase/js-sdk";
import axios from "axios";
import { transformSync } from "esbuild";
import * as sdk from "../clients/collections.ts";
import { createClient } from "../clients/node.ts";
import { createClient as createWechatClient } from "../clients/wechat.ts";
import { type StandIn, startWechat } from "../demo/wechat.ts";
import { parseCollections } from "../shared/live/collections.ts";
import { commitImport, stageLines } from "../shared/live/import_documents.ts";
import * as limits from "../shared/live/limits.ts";
import { newApiKey } from "../shared/sessions/api_key.ts";
import { addWechatApp } from "../shared/sessions/wechat_apps.ts";
import { makeWechat } from "../shared/wechat.ts";
import { anyEngine } from "./_engines.ts";
import { type House, openHouse, TestClock } from "./_house.ts";
import { until } from "./_until.ts";
import { fakeWx } from "./clients/_wx.ts";
import { openClient, signIn } from "./cloudbase/_client.ts";

const documentOf = (name: string) => readFileSync(new URL(`../docs/${name}`, import.meta.url), "utf8");
const guide = documentOf("collections.md");

interface Block {
  readonly language: string;
  readonly text: string;
}

const blocksOf = (text: string): Block[] =>
  [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)].map(([, language = "", body = ""]) => ({ language, text: body }));

/** The block that contains a text; each is to be found by one. */
function block(part: string): string {
  const found = blocksOf(guide).filter(({ language, text }) => language !== "yaml" && text.includes(part));
  expect(found.map(({ text }) => text)).toHaveLength(1);
  return found[0]?.text ?? "";
}

const declared = blocksOf(guide).filter(({ language }) => language === "yaml");
const collectionsOf = (part: string) => parseCollections(declared.find(({ text }) => text.includes(part))?.text ?? "");

type Values = Readonly<Record<string, unknown>>;

/** Runs an example with these modules and names. @returns what it declares */
async function run(code: string, modules: Values, names: Values = {}): Promise<Record<string, unknown>> {
  const own = [...code.matchAll(/^const (?:\[?\{? ?)(\w+)/gm)].map(([, name]) => name);
  const body = code
    .replace(/^import \* as (\w+) from "([^"]+)";/gm, 'const $1 = modules["$2"];')
    .replace(/^import (\w+) from "([^"]+)";/gm, 'const $1 = modules["$2"];')
    .replace(/^import \{([^}]+)\} from "([^"]+)";/gm, (_, list: string, from: string) => {
      return `const {${list.replaceAll(" as ", ": ")}} = modules["${from}"];`;
    });
  const { code: plain } = transformSync(`async function example() {\n${body}\nreturn { ${own.join(", ")} };\n}`, {
    loader: "ts",
  });
  const make = new Function("modules", ...Object.keys(names), `${plain}\nreturn example();`);
  return make(modules, ...Object.values(names));
}

const app = { appid: "wx1111222233334444", secret: "c0ffee-secret-of-one", name: "one" };
let standIn: StandIn;
let house: House;
const closing: (() => void)[] = [];

beforeAll(async () => {
  // CloudBase's client prints every event of its socket.
  for (const way of ["log", "warn"] as const) jest.spyOn(console, way).mockImplementation(() => undefined);
  const clock = new TestClock();
  standIn = await startWechat({ apps: [app], now: clock.now });
  const wechat = makeWechat(axios.create({ baseURL: standIn.url, timeout: 10_000 }));
  const collections = new Map([...collectionsOf("author.id").collections, ...collectionsOf("messages:").collections]);
  house = await openHouse(anyEngine, { clock, wechat, config: { collections } });
  await addWechatApp(house.app, app);
});
afterAll(async () => {
  jest.restoreAllMocks();
  for (const close of closing) close();
  await house?.close();
  await standIn?.close();
});

/** What an example imports, with this server for the address that it names. */
const modules = (people = "one") => ({
  "orderbell-sdk/collections": sdk,
  "orderbell-sdk/browser": { createClient: () => opened(createClient({ url: house.url, name: people })) },
  "orderbell-sdk/wechat": { createClient: () => opened(createWechatClient({ url: house.url })) },
});

function opened<C extends { close(): void }>(client: C): C {
  closing.push(() => client.close());
  return client;
}

// biome-ignore lint/suspicious/noExplicitAny: a test's own assertion is the type check here
type Any = any;

/** Waits until an expectation holds. */
async function eventually(check: () => void): Promise<void> {
  let last: unknown;
  const holds = () => {
    try {
      check();
      return true;
    } catch (error) {
      last = error;
      return false;
    }
  };
  await until(holds, "what the guide says", () => String(last));
}

it.each(declared.map(({ text }, nth) => [nth + 1, text]))("declaration %s is right", (_, text) => {
  expect(parseCollections(String(text)).errors).toEqual([]);
});

it("the Chinese guide has the same examples", () => {
  const withoutComments = (text: string) =>
    blocksOf(text).map((one) => one.text.replace(/ *(#|\/\/ ).*$/gm, "").trim());
  expect(withoutComments(documentOf("collections.zh-CN.md"))).toEqual(withoutComments(guide));
});

it("the limits are those of the code", () => {
  const rows = [...(guide.split("\n## Limits")[1] ?? "").matchAll(/^\| (?!what|---)(.+?) \| (.+) \|$/gm)];
  const numbers = Object.fromEntries(
    rows.map(([, what = "", most = ""]) => [what, [...most.replaceAll(",", "").matchAll(/\d+/g)].map(Number)]),
  );
  expect(numbers).toEqual({
    "a document": [limits.maxDocumentBytes / 1_024, limits.maxDocumentDepth, limits.maxNameLength],
    "documents in one answer": [limits.maxLimit, limits.defaultLimit],
    "documents that one read looks at, where no index narrows it down": [limits.maxExamined],
    "documents that one write adds, changes or removes": [limits.maxWritten, limits.maxWrittenCharacters / 1_000_000],
    "a transaction": [limits.maxInTransaction, limits.transactionMs / 1_000],
    "documents in one watch": [limits.maxWatched],
    "watches on one socket": [house.app.config.limits.watchesPerConnection],
    "a query": [limits.maxQueryNodes, limits.maxQueryDepth, limits.maxListed],
    "`orderBy`": [limits.maxOrderFields],
    "an update": [limits.maxUpdatePaths, limits.maxPushed],
    "an aggregation": [limits.maxStages, limits.maxAggregated],
    "a regular expression": [limits.maxPatternLength],
    "a rule": [limits.maxRuleLength, limits.maxGets],
    "a declaration": [limits.maxCollections, limits.maxIndexes],
  });
});

it("the ten lines of a mini-program show a live list", async () => {
  const wx = fakeWx({ newCode: () => standIn.newCode("o-notes") });
  Object.assign(globalThis, { wx });
  const shown: Any[][] = [];
  let page: Any;
  await run(block("Page({"), modules(), {
    Page: (made: object) => (page = { ...made, setData: ({ notes }: Any) => shown.push(notes) }),
  });
  page.onLoad();
  await eventually(() => expect(shown.at(-1)).toEqual([]));
  await page.add({ detail: { value: "milk" } });
  await page.add({ detail: { value: "rice" } });
  await eventually(() => expect(shown.at(-1)?.map(({ text }) => text)).toEqual(["rice", "milk"]));
  page.onUnload();
  expect(wx.faults).toEqual([]);
});

it("the SDK's lines read and write", async () => {
  const { id, open, some, changed, total, notes } = (await run(block("interface Note"), modules("reader"))) as Any;
  expect(id).toMatch(/^[0-9A-Z]{26}$/);
  expect(open).toMatchObject([{ _id: id, text: "milk", done: false, tags: ["shop"] }]);
  expect(open[0].at).toBeInstanceOf(Date);
  expect([some, changed, total]).toEqual([1, 1, 1]);
  expect(await notes.count()).toBe(0);
});

it("the SDK's watch keeps order and limit", async () => {
  const client = opened(createClient({ url: house.url, name: "watcher" }));
  const db = sdk.collections<{ notes: { n: number; done: boolean; at: number } }>(client);
  const lists: Any[][] = [];
  const states: string[] = [];
  const { top } = (await run(
    block("const top"),
    {},
    { db, show: (list: Any[]) => lists.push(list), mark: (state: string) => states.push(state), stop: expect },
  )) as Any;
  const last = () => lists.at(-1)?.map(({ n }) => n);
  await eventually(() => expect(last()).toEqual([]));
  for (const n of [5, 3, 4, 1]) await db.collection("notes").add({ n, done: false, at: n });
  await eventually(() => expect(last()).toEqual([1, 3, 4]));
  await db.collection("notes").where({ n: 3 }).update({ done: true });
  await eventually(() => expect(last()).toEqual([1, 4, 5]));
  expect(states).toEqual(["live"]);
  top.close();
});

it("an owner's device watches the shop's orders", async () => {
  const staff = await house.staff("owner");
  const orders: Any[][] = [];
  const client = opened(createClient({ url: house.url, name: "kitchen", guest: false }));
  const { code } = await pairing();
  await client.pair(code);
  await run(block("const waiting"), modules(), {
    collections: sdk.collections,
    staff: client,
    show: (list: Any[]) => orders.push(list),
  });
  await eventually(() => expect(orders.at(-1)).toEqual([]));
  const guest = await house.guest();
  const { body } = await guest.order();
  await eventually(() => expect(orders.at(-1)).toMatchObject([{ _id: body.order.id, status: "placed" }]));
  expect(staff.user).not.toBe(guest.user);
});

async function pairing(): Promise<{ code: string }> {
  const owner = await house.staff("owner");
  const { status, body } = await owner.http("POST", `/shops/${house.shop}/pairing`, {
    body: { role: "kitchen", device: "screen" },
  });
  expect(status).toBeLessThan(300);
  return { code: body.pairingCode };
}

it("CloudBase's own client works by one line", async () => {
  const code = block('from "@cloudbase/js-sdk"').replace(
    '"api.example.com", "https"',
    `"${new URL(house.url).host}", "http"`,
  );
  const docs: Any[][] = [];
  const failed: unknown[] = [];
  const { watcher, db } = (await run(
    code,
    { "@cloudbase/js-sdk": cloudbase },
    { show: (list: Any[]) => docs.push(list), stop: (error: unknown) => failed.push(error) },
  )) as Any;
  await eventually(() => expect(docs.at(-1)).toMatchObject([{ text: "milk", done: false }]));
  await db.collection("notes").where({ done: false }).update({ done: true });
  await eventually(() => expect(docs.at(-1)).toEqual([]));
  expect(failed).toEqual([]);
  watcher.close();
});

describe("what differs from CloudBase", () => {
  const codeOf = async (work: () => Promise<Any>): Promise<string> => {
    try {
      const { code } = await work();
      return String(code);
    } catch (error) {
      return String((error as { code?: string }).code);
    }
  };

  it("is said by a code", async () => {
    const { db } = await signIn(house, { endPointMode: "CLOUD_API" });
    const notes = db.collection("notes");
    const _ = db.command;
    const point = new (db as Any).Geo.Point(120, 30);
    expect({
      geo: await codeOf(() => notes.where({ at: _.geoNear({ geometry: point, maxDistance: 1 }) }).get()),
      lookAround: await codeOf(() => notes.where({ text: /a(?=b)/ }).get()),
      large: await codeOf(() => notes.add({ text: "x".repeat(25_000) })),
      unknown: await codeOf(() => db.collection("none").get()),
      made: await codeOf(() => (db as Any).createCollection("made")),
      denied: await codeOf(() => db.collection("rooms").where({ name: "x" }).get()),
      visitor: await codeOf(() => db.collection("shops").add({ name: "mine" })),
    }).toEqual({
      geo: "NOT_SUPPORTED",
      lookAround: "INVALID_PARAM",
      large: "INVALID_PARAM",
      unknown: "DATABASE_COLLECTION_NOT_EXIST",
      made: "DATABASE_COLLECTION_NOT_EXIST",
      denied: "DATABASE_PERMISSION_DENIED",
      visitor: "DATABASE_PERMISSION_DENIED",
    });
  });

  it("a publishable key reads and watches what everybody may read, and no more", async () => {
    const { key } = await newApiKey(house.app, "web", ["collections"], null);
    const app = openClient(house, { accessKey: key });
    const db = app.database();
    const docs: Any[][] = [];
    const watcher = db
      .collection("shops")
      .watch({ onChange: ({ docs: list }: Any) => docs.push(list), onError: (error: Any) => docs.push([error]) });
    await eventually(() => expect(docs.at(-1)).toMatchObject([{ _id: house.shop }]));
    watcher.close();
    expect(await codeOf(() => db.collection("notes").get() as Promise<Any>)).toBe("DATABASE_PERMISSION_DENIED");
  });
});

it("an import is one change on a watching screen, and --replace too", async () => {
  const client = opened(createClient({ url: house.url, name: "importer" }));
  const { user } = await client.signIn();
  const lists: Any[][] = [];
  sdk
    .collections<{ notes: { n: number } }>(client)
    .collection("notes")
    .orderBy("n")
    .watch({ onChange: (list) => lists.push(list.map(({ n }) => n)) });
  await eventually(() => expect(lists).toEqual([[]]));
  const imported = async (replace: boolean, ...numbers: number[]) => {
    const lines = numbers.map((n) => JSON.stringify({ n, _openid: user.id }));
    const staged = await stageLines(house.app, "notes", { id: undefined, replace, lines: { from: 1, lines } });
    await commitImport(house.app, "notes", { id: staged.import, replace });
  };
  await imported(false, 3, 1, 2);
  await eventually(() => expect(lists.at(-1)).toEqual([1, 2, 3]));
  await imported(true, 5, 4);
  await eventually(() => expect(lists.at(-1)).toEqual([4, 5]));
  expect(lists).toEqual([[], [1, 2, 3], [4, 5]]);
});

describe("the rules of the guide", () => {
  const openAs = async (name: string) => {
    const client = opened(createClient({ url: house.url, name }));
    const { user } = await client.signIn();
    return { uid: user.id, db: sdk.collections<Record<string, Any>>(client) };
  };
  const denied = expect.objectContaining({ code: expect.stringMatching(/FORBIDDEN|PERMISSION/) });

  it("let a room's members in, to its messages too, and nobody else", async () => {
    const [ann, ben] = [await openAs("ann"), await openAs("ben")];
    const room = await ann.db.collection("rooms").add({ members: [ann.uid], name: "tea" });
    await ann.db.collection("messages").add({ room, text: "hello" });
    expect(await ann.db.collection("rooms").where({ members: ann.uid }).count()).toBe(1);
    await expect(ann.db.collection("rooms").get()).rejects.toEqual(denied);
    await expect(ben.db.collection("rooms").where({ members: ann.uid }).get()).rejects.toEqual(denied);
    await expect(ben.db.collection("messages").where({ room }).get()).rejects.toEqual(denied);
    await expect(ben.db.collection("messages").add({ room, text: "let me in" })).rejects.toEqual(denied);
    expect(await ben.db.collection("rooms").doc(room).get()).toBeUndefined();

    await ann.db
      .collection("rooms")
      .doc(room)
      .update({ members: [ann.uid, ben.uid] });
    const lists: Any[][] = [];
    const ended: Any[] = [];
    ben.db
      .collection("messages")
      .where({ room })
      .watch({ onChange: (list) => lists.push([...list]), onError: (error) => ended.push(error) });
    await eventually(() => expect([ended, lists.at(-1)]).toMatchObject([[], [{ text: "hello" }]]));
    await ann.db
      .collection("rooms")
      .doc(room)
      .update({ members: [ann.uid] });
    // Out of the room: the messages are gone from the list, or the watch has ended with the reason.
    await eventually(() => expect(ended.length > 0 || lists.at(-1)?.length === 0).toBe(true));
    await expect(ann.db.collection("messages").where({ room }).update({ text: "other" })).rejects.toEqual(denied);
  });

  it("show drafts to their authors, and what is published to all", async () => {
    const [ann, ben] = [await openAs("ann"), await openAs("ben")];
    await ann.db.collection("posts").add({ status: "draft", text: "soon" });
    await ann.db.collection("posts").add({ status: "published", text: "now" });
    const texts = async (db: typeof ann.db, where: object) =>
      (
        await db
          .collection("posts")
          .where(where as Any)
          .get()
      )
        .map(({ text }) => text)
        .toSorted();
    expect(await texts(ben.db, { status: "published" })).toEqual(["now"]);
    expect(await texts(ann.db, { _openid: ann.uid })).toEqual(["now", "soon"]);
    await expect(texts(ben.db, { status: "draft" })).rejects.toEqual(denied);
    await expect(ben.db.collection("posts").where({ status: "published" }).remove()).rejects.toEqual(denied);
  });
});
