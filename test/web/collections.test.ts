/** The collections on the owner's page, in a real Chromium against a whole server. */
import { parseCollections } from "../../shared/live/collections.ts";
import { newPairingCode } from "../../shared/sessions/login.ts";
import { editOf, fieldsOf, queryOf } from "../../web/owner/document_text.ts";
import { anyEngine } from "../_engines.ts";
import { type House, openHouse, type Person } from "../_house.ts";
import { barriers } from "./_axe.ts";
import { hasBrowser, type Locator, type OpenBrowser, openBrowser, type Page, type PageOptions } from "./_browser.ts";
import { type BuiltPages, buildPages } from "./_pages.ts";
import { saysTheSame, translate } from "./_translator.ts";

const here = hasBrowser();
const real = here ? it : it.skip;
const wide = { width: 1280, height: 900 } as const;
const small = { width: 320, height: 640, touch: true } as const;

const { collections } = parseCollections(`
notes: { permission: PRIVATE, indexes: [n] }
posts: { permission: READONLY }
rooms: { rules: { read: true } }
`);

let built: BuiltPages;
let house: House;
let ana: Person;
let opened: OpenBrowser;
let page: Page;
const faults: string[] = [];

/** A call of `POST /web`, as front ends make it. */
async function web(person: Person, action: string, collectionName: string, more: object) {
  const body = { action: `database.${action}`, collectionName, queryType: "WHERE", ...more };
  const answer = (await person.http("POST", "/web", { body })).body;
  if (answer.code !== undefined) throw new Error(`${action}: ${answer.code} ${answer.message}`);
  return answer.data;
}

/** The note with this number, as its author finds it. */
const note = async (n: number) => (await web(ana, "queryDocument", "notes", { query: { n } })).list[0];

beforeAll(async () => {
  if (!here) return;
  built = buildPages("owner");
  house = await openHouse(anyEngine, { files: built.files, config: { collections } });
  opened = await openBrowser();
  ana = await house.guest();
  const data = Array.from({ length: 45 }, (_, n) => ({ n, text: `第 ${n} 条`, at: { $date: 1_764_422_400_000 } }));
  await web(ana, "addDocument", "notes", { data });
  await ana.order();
}, 120_000);

afterAll(async () => {
  await opened?.close();
  await house?.close();
  built?.remove();
});

afterEach(() => expect(faults.splice(0)).toEqual([]));

async function signedIn(options: PageOptions = wide): Promise<Page> {
  const made = await opened.newPage(options);
  made.on("pageerror", (error) => faults.push(error.message));
  await made.clock.install();
  const { code } = await newPairingCode(house.app, { shop: house.shop, role: "owner", device: "phone", by: null });
  await made.goto(`${house.url}/owner#pair=${code}`);
  await made.getByRole("navigation").waitFor();
  return made;
}

const section = (on: Page, name = "数据") => on.getByRole("navigation").getByRole("link", { name });
const button = (name: string, on: Page | Locator = page) => on.getByRole("button", { name });
/** For an element that may have just moved: it ignores taps for 400 ms of the page's time. */
async function tap(name: string, on: Page | Locator = page): Promise<void> {
  const found = on.getByRole("button", { name });
  await found.waitFor();
  await page.clock.fastForward(400);
  await found.click();
}
const dialog = () => page.getByRole("dialog");
const said = (text: string) => page.getByRole("status").filter({ hasText: text }).first().waitFor();
const rows = () => page.locator("button.document");

/** Asks until it is so; the test's own limit ends it. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
}

const allClosed = () => until(async () => (await page.getByRole("dialog").count()) === 0);

async function find(text: string): Promise<void> {
  await page.getByLabel("查找文档").fill(text);
  await tap("查找");
}

/** Opens the note with this number. */
async function openNote(n: number): Promise<void> {
  await find(`{"n": ${n}}`);
  await rows()
    .filter({ hasText: `"n":${n},` })
    .click();
  await dialog().waitFor();
}

const field = () => dialog().getByLabel("JSON 格式的字段");

/** Changes the JSON in the dialog, as the owner would with the keyboard. */
async function type(change: (fields: Record<string, unknown>) => Record<string, unknown>): Promise<void> {
  await field().fill(JSON.stringify(change(JSON.parse(await field().inputValue()))));
}

async function edit(change: (fields: Record<string, unknown>) => Record<string, unknown>): Promise<void> {
  await type(change);
  await tap("保存");
  await allClosed();
}

real("the owner's page lists collections with their permission, their documents and their size", async () => {
  page = await signedIn();
  await section(page).click();
  await page.getByRole("heading", { level: 1, name: "数据" }).waitFor();
  const items = page.locator("a.dish");
  expect((await items.allInnerTexts()).map((text) => text.split(/\n+/))).toEqual([
    ["notes", expect.stringMatching(/^45 个文档 · \d[\d.]* KB$/), "PRIVATE"],
    ["posts", "0 个文档 · 0 B", "READONLY"],
    ["rooms", "0 个文档 · 0 B", "自定义规则"],
    ["shops", "只读"],
    ["menus", "只读"],
    ["orders", "只读"],
  ]);
  expect(await barriers(page)).toEqual([]);
});

real("the owner's page shows everybody's documents page by page, and finds some by a query or an id", async () => {
  await page.getByRole("link", { name: "notes" }).click();
  await page.getByText("第 1 到 20 个，共 45 个").waitFor();
  expect(await rows().count()).toBe(20);
  await tap("下一页");
  await tap("下一页");
  await page.getByText("第 41 到 45 个，共 45 个").waitFor();
  await until(async () => (await rows().count()) === 5);
  expect(await button("下一页").isDisabled()).toBe(true);

  await find('{"n": {"$lt": 3}}');
  await page.getByText("第 1 到 3 个，共 3 个").waitFor();
  const { _id } = await note(7);
  await find(_id);
  await until(async () => (await rows().allInnerTexts()).join().includes(_id) && (await rows().count()) === 1);
  await find('{"n": ');
  await page.getByText("这既不是文档 ID").waitFor();
  expect(await barriers(page)).toEqual([]);
  // What the server refuses, in its words.
  await find('{"n": {"$near": 1}}');
  await page
    .getByText(/\$near/)
    .first()
    .waitFor();
  await find("nothing-like-this");
  await page.getByText("没有符合条件的文档").waitFor();
});

real("the owner's page changes what was changed, and not what somebody else changes meanwhile", async () => {
  await openNote(8);
  expect(await dialog().innerText()).toContain(ana.user);
  expect(await barriers(page)).toEqual([]);
  await web(ana, "updateDocument", "notes", {
    query: { n: 8 },
    data: { $set: { done: true } },
    multi: false,
    merge: true,
  });
  await edit(({ at, ...fields }) => ({ ...fields, text: "改了", more: { list: [1] } }));
  await said("已保存");
  const { _id: _, _openid: __, ...changed } = await note(8);
  expect(changed).toEqual({ n: 8, text: "改了", done: true, more: { list: [1] } });

  await openNote(9);
  await web(ana, "updateDocument", "notes", {
    query: { n: 9 },
    data: { $set: { text: "她的", done: true } },
    multi: false,
    merge: true,
  });
  await type((fields) => ({ ...fields, text: "我的" }));
  await tap("保存");
  // Theirs beside mine, until it is saved once more.
  await dialog()
    .getByText(/还没有保存：刚有人改了 text。/)
    .waitFor();
  expect(JSON.parse(await field().inputValue())).toMatchObject({ text: "我的", done: true });
  expect((await note(9)).text).toBe("她的");
  expect(await barriers(page)).toEqual([]);
  await tap("保存");
  await allClosed();
  expect(await note(9)).toMatchObject({ text: "我的", done: true, n: 9 });

  await openNote(12);
  await web(ana, "deleteDocument", "notes", { query: { n: 12 }, multi: false });
  await type((fields) => ({ ...fields, text: "我的" }));
  await tap("保存");
  await said("没有保存：刚有人删了这个文档");
  await page.keyboard.press("Escape");
  await tap("放弃改动");
  await allClosed();
  expect(await note(12)).toBeUndefined();
});

real("the owner's page saves no text that is no JSON, and asks before it is thrown away", async () => {
  await openNote(10);
  await field().fill("{ n: 10 }");
  await tap("保存");
  await dialog().getByText("这不是一个 JSON 对象").waitFor();
  await page.keyboard.press("Escape");
  const question = page.getByRole("dialog", { name: "有改动还没保存" });
  await tap("放弃改动", question);
  await allClosed();
  expect((await note(10)).text).toBe("第 10 条");
  // What the server refuses is said, and what was typed stays.
  await openNote(10);
  await field().fill('{"n": 10, "$bad": 1}');
  await tap("保存");
  await page
    .getByText(/没有成功/)
    .first()
    .waitFor();
  expect(await field().inputValue()).toBe('{"n": 10, "$bad": 1}');
  await page.keyboard.press("Escape");
  await tap("放弃改动", question);
  await allClosed();
});

real("the owner's page adds a document and deletes one", async () => {
  await tap("添加文档");
  await edit(() => ({ n: 1_000 }));
  await find('{"n": 1000}');
  await until(async () => (await rows().count()) === 1);

  await openNote(11);
  await tap("删除");
  const question = page.getByRole("dialog", { name: "删除这个文档？" });
  await tap("取消", question);
  await question.waitFor({ state: "detached" });
  await tap("删除");
  await tap("删除", question);
  await allClosed();
  expect(await note(11)).toBeUndefined();
  await page.getByText("没有符合条件的文档").waitFor();
});

real("the owner's page shows the shop's orders as a collection that is only read", async () => {
  await page.getByRole("link", { name: "全部集合" }).click();
  await page.getByRole("link", { name: "orders" }).click();
  await rows().first().click();
  await dialog().waitFor();
  expect(await dialog().innerText()).toContain(ana.user);
  expect(await dialog().getByText('"status": "placed"').count()).toBe(1);
  expect([await button("保存").count(), await button("添加文档").count()]).toEqual([0, 0]);
  expect(await barriers(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await allClosed();
  // Back and forth as in any page.
  await page.goBack();
  await page.getByRole("link", { name: "notes" }).waitFor();
});

real("the owner's page shows who watches a collection, and with which query", async () => {
  await page.getByRole("link", { name: "notes" }).click();
  await page.getByText("现在没有人监听这个集合").waitFor();
  const { socket } = await ana.connect();
  const msgData = { envId: "test", collName: "notes", query: '{"done":false}', orderBy: {} };
  socket.send(JSON.stringify({ watchId: "watchid_1", requestId: "1", msgType: "INIT_WATCH", msgData }));
  await new Promise((resolve) => socket.once("message", resolve));
  await tap("刷新");
  const watcher = page.locator(".list .line");
  await watcher.waitFor();
  expect(await watcher.innerText()).toMatch(new RegExp(`^访客 ${ana.user}\\s+.* 开始\\s*\\{"done":false\\}$`));
  socket.close();
  // The page asks by itself now and then.
  await page.getByText("现在没有人监听这个集合").waitFor();
});

real("the owner's page speaks English, on a phone, without barriers and sideways scrolling", async () => {
  const phone = await signedIn({ ...small, language: "en" });
  await section(phone, "Data").click();
  const wider = () => phone.evaluate("document.documentElement.scrollWidth - innerWidth");
  await phone.getByRole("link", { name: "notes" }).waitFor();
  expect([await barriers(phone), await wider()]).toEqual([[], 0]);
  await phone.getByRole("link", { name: "notes" }).click();
  await phone.locator("button.document").first().waitFor();
  expect([await barriers(phone), await wider()]).toEqual([[], 0]);
  await phone.locator("button.document").first().click();
  await phone.getByRole("dialog").waitFor();
  expect([await barriers(phone), await wider()]).toEqual([[], 0]);
  await phone.close();
});

real("the owner's page shows the truth of collections while the browser translates it", async () => {
  const translated = await signedIn();
  const twin = await translated.context().newPage();
  await twin.goto(`${house.url}/owner`);
  await translate(translated);
  for (const on of [translated, twin]) {
    await section(on).click();
    await on.getByRole("link", { name: "notes" }).click();
    await on.locator("button.document").first().waitFor();
  }
  await saysTheSame(translated, twin, "main");
  for (const on of [translated, twin]) {
    await on.locator("a.back").click();
    await on.getByRole("link", { name: "orders" }).click();
    await on.locator("button.document").first().waitFor();
  }
  await saysTheSame(translated, twin, "main");
  await translated.close();
});

real("the owner's page has no collections for an owner who does not administer them", async () => {
  const other = await openHouse(anyEngine, {
    files: built.files,
    config: { collections, collectionAdmins: ["another-shop"] },
  });
  const own = house;
  try {
    house = other;
    const stranger = await signedIn();
    await stranger.getByRole("heading", { level: 1, name: "营业" }).waitFor();
    await stranger.evaluate('location.hash = "collections"');
    await stranger.getByText("这一天还没有订单").waitFor();
    expect(await section(stranger).count()).toBe(0);
    await stranger.close();
  } finally {
    house = own;
    await other.close();
  }
});

// --- Without a browser -----------------------------------------------------------------------------------------------

it("what stands in the filter is a query, an id, nothing, or wrong", () => {
  expect(queryOf('  {"a": 1} ')).toEqual({ a: 1 });
  expect(queryOf(" 01ABC ")).toEqual({ _id: "01ABC" });
  expect(queryOf("")).toEqual({});
  for (const wrong of ["{", "{a: 1}", '{"a": 1} x']) expect(queryOf(wrong)).toBeUndefined();
});

it("a document's text is an object or nothing", () => {
  expect(fieldsOf('{"a": {"$date": 1}}')).toEqual({ a: { $date: 1 } });
  for (const wrong of ["", "[]", "null", "1", '"text"', "{"]) expect(fieldsOf(wrong)).toBeUndefined();
});

it("an edit asks for the fields that differ as they were, and changes only these", () => {
  expect(editOf({ a: 1, b: { x: 1, y: 2 } }, { b: { y: 2, x: 1 }, a: 1 })).toBeUndefined();
  expect(editOf({ a: 1, b: [1], c: null, same: 1 }, { a: 2, b: [1, 2], same: 1, toString: "new" })).toEqual({
    query: { a: { $eq: 1 }, b: { $eq: [1] }, c: { $eq: null }, toString: { $exists: false } },
    data: { $set: { a: 2, b: [1, 2], toString: "new" }, $unset: { c: "" } },
  });
  // Dates keep their form, which the server reads in queries and in updates.
  expect(editOf({ at: { $date: 1 } }, { at: { $date: 2 } })).toEqual({
    query: { at: { $eq: { $date: 1 } } },
    data: { $set: { at: { $date: 2 } } },
  });
});
