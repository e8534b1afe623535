/** CloudBase's own client as a browser has it: another origin, its store, its sockets, its errors. */
import { anyEngine } from "../_engines.ts";
import type { House } from "../_house.ts";
import { startProxy, type Wire } from "../_proxy.ts";
import { hasBrowser } from "../web/_browser.ts";
import { openDoors } from "./_doors.ts";
import { type ClientPage, type ClientPages, type ListOnPage, openPages } from "./_page.ts";

const real = hasBrowser() ? it : it.skip;

let house: House;
let wire: Wire;
let pages: ClientPages;
let swallow = 0;
beforeAll(async () => {
  if (!hasBrowser()) return;
  house = await openDoors(anyEngine, {
    faults: {
      push(_connection, frame) {
        if (swallow === 0 || !frame.includes("NEXT_EVENT")) return undefined;
        swallow -= 1;
        return "drop";
      },
    },
  });
  wire = await startProxy({ host: "127.0.0.1", port: Number(new URL(house.url).port) });
  pages = await openPages();
});
afterAll(async () => {
  await pages?.close();
  await wire?.close();
  await house?.close();
});

const begin = (page: ClientPage, more: object = {}) => {
  const options = { host: `127.0.0.1:${wire.port}`, env: "shop", anonymous: true, ...more };
  return page.run<string>(`return await begin(${JSON.stringify(options)})`);
};
const numbers = ({ docs }: ListOnPage) => JSON.stringify(docs?.map(({ n }) => n).toSorted());
const shows =
  (...wanted: number[]) =>
  (list: ListOnPage) =>
    numbers(list) === JSON.stringify(wanted);

real.each(["GATEWAY", "CLOUD_API"])(
  "a page of another origin signs in, writes, reads and watches (%s)",
  async (endPointMode) => {
    const page = await pages.open();
    const uid = await begin(page, { endPointMode });
    expect(uid).toMatch(/^\w{20,}$/);
    await page.run(`look("mine", db.collection("notes").where({ n: _.gt(0) }).orderBy("n", "asc").limit(3))`);
    await page.until("mine", ({ docs }) => docs?.length === 0, "an empty list");
    const told = await page.run<{ id: string; found: unknown[]; total: number; gone: number }>(`
    const notes = db.collection("notes");
    const { id } = await notes.add({ n: 2, text: "面" });
    await notes.add({ n: 1 });
    await notes.doc(id).update({ n: _.inc(3) });
    await notes.where({ n: 1 }).update({ n: 4 });
    const { data } = await notes.where({ n: _.in([4, 5]) }).orderBy("n", "desc").get();
    const { total } = await notes.count();
    const { deleted } = await notes.where({ n: 4 }).remove();
    return { id, found: data, total, gone: deleted };
  `);
    expect(told).toMatchObject({
      found: [{ _id: told.id, _openid: uid, n: 5, text: "面" }, { n: 4 }],
      total: 2,
      gone: 1,
    });
    const list = await page.until("mine", shows(5), "the one that is left");
    expect(list.errors).toEqual([]);

    // The same person after the page was loaded anew; the list begins with what is there.
    await page.page.reload();
    expect(
      await begin(page, { endPointMode, anonymous: false }).then(() =>
        page.run(`return (await app.auth.getCurrentUser())?.uid`),
      ),
    ).toBe(uid);
    await page.run(`look("mine", db.collection("notes"))`);
    await page.until("mine", shows(5), "the list after the reload");
    await page.page.close();
  },
);

real("a lost push, a cut socket and a server that was restarted leave the lists of two pages whole", async () => {
  const [left, right] = [await pages.open(), await pages.open()];
  await Promise.all([begin(left), begin(right)]);
  const add = (n: number) => left.run(`await db.collection("shared").add({ n: ${n} })`);
  for (const page of [left, right])
    await page.run(
      `look("all", db.collection("shared")); look("last", db.collection("shared").orderBy("n", "desc").limit(2))`,
    );
  await add(1);
  for (const page of [left, right]) await page.until("all", shows(1), "the first");
  swallow = 3;
  await add(2);
  await add(3);
  for (const page of [left, right]) await page.until("all", shows(1, 2, 3), "all three");
  wire.cut();
  wire.mend();
  await add(4);
  for (const page of [left, right]) await page.until("all", shows(1, 2, 3, 4), "the one after the cut");
  await house.restart();
  await add(5);
  for (const page of [left, right]) {
    await page.until("all", shows(1, 2, 3, 4, 5), "the one after the restart");
    const last = await page.until(
      "last",
      (list) => JSON.stringify(list.docs?.map(({ n }) => n)) === "[5,4]",
      "the last two",
    );
    const all = await page.list("all");
    for (const { ids, errors } of [last, all]) {
      expect(errors).toEqual([]);
      expect(ids).toEqual(ids.map((_id, at) => Number(ids[0]) + at));
    }
    await page.page.close();
  }
});

real("whoever may not read is told so once, and nobody waits in silence", async () => {
  const page = await pages.open();
  await begin(page);
  await page.run(`
    look("keys", db.collection("keys"));
    look("unknown", db.collection("nowhere"));
    look("wrong", db.collection("shared").where({ n: { $where: "1" } }));
    look("fine", db.collection("shared"));
  `);
  const failed = ({ errors }: ListOnPage) => errors.length > 0;
  expect((await page.until("keys", failed, "a refusal")).errors).toEqual([
    expect.stringContaining("DATABASE_PERMISSION_DENIED"),
  ]);
  expect((await page.until("unknown", failed, "a refusal")).errors).toEqual([
    expect.stringContaining("DATABASE_COLLECTION_NOT_EXIST"),
  ]);
  expect((await page.until("wrong", failed, "a refusal")).errors).toHaveLength(1);
  expect((await page.until("fine", ({ docs }) => docs !== undefined, "a list")).errors).toEqual([]);
  await page.page.close();

  const stranger = await pages.open();
  await begin(stranger, { anonymous: false, accessKey: "obk_no-such-key" });
  await stranger.run(`look("any", db.collection("shared"))`);
  await stranger.until("any", failed, "a refusal of the key");
  await stranger.page.close();
});

real("a session that ends while its page watches is told so", async () => {
  const page = await pages.open();
  await begin(page);
  await page.run(`look("all", db.collection("shared"))`);
  await page.until("all", ({ docs }) => docs !== undefined, "a list");
  const token = await page.run<string>(`return (await app.auth.getAccessToken()).accessToken`);
  expect((await house.http("DELETE", "/session", { token })).status).toBe(204);
  const { errors, ids } = await page.until("all", ({ errors }) => errors.length > 0, "an error");
  expect(errors[0]).toMatch(/CHECK_LOGIN_FAILED|SESSION_ENDED|WATCH_FAIL/);
  expect(ids).toHaveLength(1);
  await page.page.close();
});
