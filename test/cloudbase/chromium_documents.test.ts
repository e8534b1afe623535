/** Documents and transactions through CloudBase's own client in a browser, which throws what REST refuses. */
import { anyEngine } from "../_engines.ts";
import type { House } from "../_house.ts";
import { hasBrowser } from "../web/_browser.ts";
import { endPointModes } from "./_client.ts";
import { openDoors } from "./_doors.ts";
import { type ClientPages, openPages } from "./_page.ts";

const real = hasBrowser() ? it : it.skip;

let house: House;
let pages: ClientPages;
beforeAll(async () => {
  if (!hasBrowser()) return;
  house = await openDoors(anyEngine);
  pages = await openPages();
});
afterAll(async () => {
  await pages?.close();
  await house?.close();
});

const enter = async (endPointMode: string) => {
  const page = await pages.open();
  const options = { host: new URL(house.url).host, env: "shop", anonymous: true, endPointMode };
  await page.run(`return await begin(${JSON.stringify(options)})`);
  // What either way of failing shows to an app.
  await page.run(`globalThis.codeOf = (ask) => ask.then((told) => told.code, (error) => error.code ?? String(error))`);
  return page;
};

real.each(endPointModes)("a transaction that conflicts is repeated, and nothing is lost: %s", async (endPointMode) => {
  const page = await enter(endPointMode);
  const told = await page.run<{ runs: number; n: number }>(`
    const notes = db.collection("notes");
    const { id } = await notes.add({ n: 0 });
    let runs = 0;
    await db.runTransaction(async (transaction) => {
      runs += 1;
      const { data } = await transaction.collection("notes").doc(id).get();
      if (runs === 1) await notes.doc(id).update({ n: _.inc(100) });
      await transaction.collection("notes").doc(id).update({ n: (data.list ? data.list[0] : data).n + 1 });
    });
    const { data: [{ n }] } = await notes.doc(id).get();
    return { runs, n };
  `);
  expect(told).toEqual({ runs: 2, n: 101 });
});

real.each(endPointModes)("what is refused has a code: %s", async (endPointMode) => {
  const page = await enter(endPointMode);
  const codes = await page.run<string[]>(`
    const notes = db.collection("notes");
    const { id } = await notes.add({ _id: "one-${endPointMode}", n: 1 });
    return await Promise.all([
      notes.add({ _id: id, n: 2 }),
      db.collection("nowhere").get(),
      db.collection("keys").add({ a: 1 }),
      notes.where({ n: { $foo: 1 } }).count(),
      notes.doc(id).update({ n: _.push(1) }),
    ].map(codeOf));
  `);
  expect(codes).toEqual([
    "DOCUMENT_EXISTS",
    "DATABASE_COLLECTION_NOT_EXIST",
    "DATABASE_PERMISSION_DENIED",
    "INVALID_PARAM",
    "INVALID_PARAM",
  ]);
});

real("a session that has ended elsewhere is forgotten by the page at its next request", async () => {
  const page = await enter("GATEWAY");
  const token = await page.run<string>("return (await app.auth.getSession()).data.session.access_token");
  await house.http("DELETE", "/session", { token });
  const [first, second] = await page.run<string[]>(`
    const ask = () => db.collection("notes").get().then(() => "served", (error) => error.error ?? error.code);
    return [await ask(), await ask()];
  `);
  expect([first, second]).toEqual(["unauthenticated", "unauthenticated"]);
});
