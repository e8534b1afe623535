/** The built-in collections in every dialect of SQL: who sees what, and that a change which a reader sees moves one of the reader's streams. */
import { insertRows } from "../../db/dialect.ts";
import { readOrders } from "../../db/orders.ts";
import { Forbidden } from "../../shared/errors.ts";
import { builtIns } from "../../shared/live/built_in.ts";
import type { Caller } from "../../shared/live/caller.ts";
import { parseCollections } from "../../shared/live/collections.ts";
import { compileMatch } from "../../shared/live/match.ts";
import { parseQuery } from "../../shared/live/query.ts";
import { newPairingCode } from "../../shared/sessions/login.ts";
import { authenticate } from "../../shared/sessions/session.ts";
import { editMenu, setPrice } from "../../shared/shop/edit_menu.ts";
import { createShop, openShop } from "../../shared/shop/open_shop.ts";
import { refresh } from "../../shared/shop/public_state.ts";
import { setSoldOut } from "../../shared/shop/stock.ts";
import { sweep } from "../../shared/shop/sweep.ts";
import { onEveryDialect } from "../_engines.ts";
import { type Answer, type House, openHouse, type Person, testSettings } from "../_house.ts";

const visitor: Caller = { auth: null, session: undefined };

async function callerOf(house: House, { token }: Person, openid: string | null = null): Promise<Caller> {
  const session = await authenticate(house.app, `Bearer ${token}`);
  return { auth: { uid: session.user, openid, loginType: session.kind.toUpperCase() }, session };
}

onEveryDialect((engine) => {
  let house: House;
  let ana: Person;
  let ben: Person;
  let cook: Person;
  let neighbour: Person;
  const placed: string[] = [];

  beforeAll(async () => {
    house = await openHouse(engine);
    [ana, ben, cook] = await Promise.all([house.guest(), house.guest(), house.staff("kitchen")]);
    await createShop(house.app, {
      id: "tea-house",
      names: { zh: "茶馆" },
      zone: "Asia/Shanghai",
      rolloverMinutes: 0,
      settings: testSettings(),
    });
    const { code } = await newPairingCode(house.app, { shop: "tea-house", role: "owner", device: "phone", by: null });
    const { body } = await house.http("POST", "/login/staff", { body: { pairingCode: code } });
    neighbour = { ...cook, token: body.session.token, user: body.user.id };
    for (const person of [ana, ana, ben]) placed.push((await person.order()).body.order.id);
  }, 60_000);
  afterAll(() => house?.close());

  /** The documents that one finds, by id, and the heads of the streams. */
  async function read(name: string, caller: Caller, query: unknown = {}) {
    const { app } = house;
    const owner = caller.auth === null ? undefined : (caller.auth.openid ?? caller.auth.uid);
    const condition = parseQuery(query, { now: app.clock.now(), owner });
    const collection = builtIns.get(name);
    if (collection === undefined) throw new Error(`there is no ${name}`);
    const found = await collection.read(app, caller, condition);
    expect([...found.heads.keys()].sort()).toEqual([...(await collection.streams(app, caller, condition))].sort());
    const documents = found.documents.toSorted((a, b) => (a._id < b._id ? -1 : 1));
    return { documents, heads: found.heads, ids: documents.map(({ _id }) => _id) };
  }

  const own = () => placed.slice(0, 2).sort();

  it("shows a customer the own orders, staff those of their shop, and nobody another's", async () => {
    const [asAna, asBen, asCook] = await Promise.all([ana, ben, cook].map((one) => callerOf(house, one)));
    expect((await read("orders", asAna as Caller)).ids).toEqual(own());
    expect((await read("orders", asBen as Caller)).ids).toEqual(placed.slice(2));
    expect((await read("orders", asCook as Caller)).ids).toEqual(placed.toSorted());
    expect((await read("orders", await callerOf(house, neighbour))).ids).toEqual([]);
    // Whatever the query says.
    for (const query of [
      { _openid: ben.user },
      { customer: ben.user },
      { _id: placed[2] },
      { id: placed[2] },
      { $or: [{ _openid: ben.user }, { _id: placed[2] }] },
      { _openid: { $ne: ana.user } },
      { _openid: { $exists: false } },
    ])
      expect((await read("orders", asAna as Caller, query)).ids).toEqual([]);
  });

  it("refuses orders to visitors and to keys, which are neither customers nor staff", async () => {
    const admin: Caller = { auth: { uid: "key", openid: null, loginType: "KEY", isAdmin: true }, session: undefined };
    for (const caller of [visitor, admin]) {
      await expect(read("orders", caller)).rejects.toThrow(Forbidden);
      await expect(builtIns.get("orders")?.streams(house.app, caller, { all: [] })).rejects.toThrow(Forbidden);
    }
  });

  it("is read, counted and aggregated through the doors, and written through none", async () => {
    const act = async (person: Person, action: string, more: object) =>
      (await person.http("POST", "/web", { body: { action: `database.${action}`, collectionName: "orders", ...more } }))
        .body;
    const query = { status: "placed", shop: house.shop };
    const order = [{ field: "_id", direction: "desc" }];
    const found = await act(ana, "queryDocument", { query, order, limit: 1, projection: { _id: 1, status: 1 } });
    expect(found.data.list).toEqual([{ _id: own()[1], status: "placed" }]);
    expect((await act(ana, "countDocument", { query })).data.total).toBe(2);
    expect((await act(cook, "countDocument", { query })).data.total).toBe(3);
    const stages = [
      { stageKey: "$match", stageValue: JSON.stringify(query) },
      { stageKey: "$group", stageValue: JSON.stringify({ _id: "$status", sum: { $sum: "$totalFen" } }) },
    ];
    const { list } = (await act(ana, "aggregate", { stages })).data;
    const one = (await ana.http("GET", `/orders/${placed[0]}`)).body.order.totalFen;
    expect(JSON.parse(list).map((text: string) => JSON.parse(text))).toEqual([{ _id: "placed", sum: 2 * one }]);

    const before = (await ana.http("GET", "/orders")).body.orders;
    for (const [action, more] of [
      ["addDocument", { data: { status: "completed" } }],
      ["updateDocument", { query: { _id: placed[0] }, data: { $set: { status: "completed" } }, multi: false }],
      [
        "updateDocument",
        { query: { _id: "x" }, data: { status: "completed" }, multi: false, merge: false, upsert: true },
      ],
      ["deleteDocument", { query: { _id: placed[0] }, multi: false }],
    ] as const)
      for (const person of [ana, cook])
        expect((await act(person, action, more)).code).toBe("DATABASE_PERMISSION_DENIED");
    expect((await ana.http("GET", "/orders")).body.orders).toEqual(before);
    // A visitor has no orders to see, and sees the shops.
    const visit = (collectionName: string) =>
      house.http("POST", "/web", { body: { action: "database.queryDocument", collectionName, query: {} } });
    expect((await visit("orders")).body.code).toBe("DATABASE_PERMISSION_DENIED");
    expect((await visit("shops")).body.data.list).toHaveLength(2);
    const path = "/v1/database/instances/(default)/databases/(default)/collections/menus/documents";
    expect((await house.http("GET", `${path}?limit=1`)).body.list).toHaveLength(1);
  });

  it("says which callers find the same, so that a list is read once for all of them", async () => {
    const readers = await Promise.all([ana, ben, cook, neighbour].map((one) => callerOf(house, one)));
    const texts = (name: string) => readers.map((reader) => builtIns.get(name)?.readerOf(reader));
    expect(new Set(texts("orders")).size).toBe(4);
    expect(new Set([...texts("shops"), ...texts("menus"), builtIns.get("menus")?.readerOf(visitor)]).size).toBe(1);
    const again = await house.staff("owner");
    expect(builtIns.get("orders")?.readerOf(await callerOf(house, again))).toBe(texts("orders")[2]);
    // Its own orders have another `_openid` for a user whose openid is known.
    expect(builtIns.get("orders")?.readerOf(await callerOf(house, ana, "wx-ana"))).not.toBe(texts("orders")[0]);
  });

  it("gives an order the fields that its reader gets from the routes, and the reader's own _openid", async () => {
    const [id] = placed;
    for (const [person, openid] of [
      [ana, null],
      [ana, "wx-ana"],
      [cook, null],
    ] as const) {
      const { order } = (await person.http("GET", `/orders/${id}`)).body;
      const caller = await callerOf(house, person, openid);
      const { documents } = await read("orders", caller, { _id: id });
      expect(documents).toEqual([{ ...order, _id: id, _openid: openid ?? ana.user }]);
      if (person === cook) continue;
      expect((await read("orders", caller, { _openid: "{openid}" })).ids).toEqual(own());
    }
    const names = Object.keys((await read("orders", await callerOf(house, ana))).documents[0] ?? {});
    expect(names).not.toContain("customer");
    expect(names).not.toContain("stationsDone");
  });

  it("loses no order by narrowing down in the database", async () => {
    const caller = await callerOf(house, cook);
    const all = (await read("orders", caller)).documents;
    const [first] = all;
    const queries = [
      { _id: { $in: [placed[0], placed[1], "no id", "中"] } },
      { id: placed[0], _id: { $in: placed } },
      { id: placed[0], _id: placed[1] },
      { status: "placed" },
      { status: { $in: ["placed", "没有", null] } },
      { status: { $in: ["cooking", "placed "] } },
      { $and: [{ status: "placed" }, { status: { $in: ["placed", "ready"] } }] },
      { $or: [{ status: "placed" }, { day: "2001-01-01" }] },
      { status: { $ne: "placed" } },
      { day: first?.day, shop: house.shop },
      { day: "2001-01-01" },
      { shop: "tea-house" },
      { shop: { $in: ["tea-house", house.shop] } },
      { "lines.dish": "beef", totalFen: { $gt: 1 } },
      { status: { $nin: ["placed"] } },
      { _openid: ana.user },
    ];
    for (const query of queries) {
      const match = compileMatch(parseQuery(query, { now: 0 }));
      const expected = all.filter((one) => match(one)).map(({ _id }) => _id);
      expect({ query, ids: (await read("orders", caller, query)).ids }).toEqual({ query, ids: expected });
    }
  });

  it("moves a stream of each reader whose orders change, and shows no change without", async () => {
    const readers = await Promise.all([ana, ben, cook, neighbour].map((one) => callerOf(house, one)));
    const state = () => Promise.all(readers.map((reader) => read("orders", reader)));
    const [id = ""] = placed;
    const steps: (() => Promise<Answer>)[] = [
      () => cook.http("PUT", `/orders/${id}/lines/1`, { body: { struck: true } }),
      () => cook.http("POST", `/orders/${id}/accept`),
      () => cook.http("PUT", `/orders/${id}/lines/1`, { body: { struck: false } }),
      () => cook.http("POST", `/orders/${id}/cook`),
      () => cook.http("POST", `/orders/${id}/ready`),
      () => ana.order(),
      () => ben.http("POST", `/orders/${placed[2]}/cancel`),
      () => cook.http("POST", `/orders/${placed[1]}/reject`, { body: { reason: "忙" } }),
    ];
    let before = await state();
    const seen = readers.map(() => 0);
    for (const step of steps) {
      expect((await step()).status).toBeLessThan(300);
      const after = await state();
      for (const [nth, { documents, heads }] of after.entries()) {
        const isChanged = JSON.stringify(documents) !== JSON.stringify(before[nth]?.documents);
        expect(JSON.stringify([...heads]) !== JSON.stringify([...(before[nth]?.heads ?? [])])).toBe(isChanged);
        if (isChanged) seen[nth] = (seen[nth] ?? 0) + 1;
      }
      before = after;
    }
    // The marks on a line are the kitchen's own; the neighbour has nothing to see.
    expect(seen).toEqual([5, 1, 8, 0]);
  });

  it("shows shops and menus to anyone as GET /get_shop_info does", async () => {
    const { shops } = (await house.http("GET", "/get_shop_info")).body;
    const asDocument = ({ id, ...fields }: { id: string }) => ({ _id: id, ...fields });
    expect((await read("shops", visitor)).documents).toEqual(shops.map(asDocument));
    expect((await read("shops", visitor, { open: true })).ids).toEqual([house.shop]);
    expect((await read("shops", await callerOf(house, ana), { _id: "tea-house" })).ids).toEqual(["tea-house"]);

    const { menu, soldOut } = (await house.http("GET", `/get_shop_info?shop=${house.shop}`)).body;
    expect((await read("menus", visitor)).ids).toEqual([house.shop, "tea-house"]);
    const { documents, heads } = await read("menus", visitor, { _id: house.shop });
    expect(documents).toEqual([{ _id: house.shop, ...menu, soldOut }]);
    expect([...heads.keys()]).toEqual([`menu:${house.shop}`]);
    expect((await read("menus", visitor, { "dishes.id": "beef" })).ids).toEqual([house.shop]);
    // A shop that is not there, and what can be none.
    const none = await read("menus", visitor, { _id: { $in: ["no-shop", "茶 馆"] } });
    expect([none.ids, [...none.heads.keys()]]).toEqual([[], ["menu:no-shop"]]);
  });

  it("moves the stream of a shop whose public state changes", async () => {
    const { app, shop } = house;
    const owner = { actor: null, shop };
    const steps: [string, () => Promise<unknown>][] = [
      ["shops", () => openShop(app, null, shop, false)],
      ["shops", () => openShop(app, null, shop, true)],
      ["menus", () => editMenu(app, { ...owner, action: "dish.price", edit: setPrice("bun", 777) })],
      ["menus", () => setSoldOut(app, { ...owner, dish: "bun" }, true)],
    ];
    for (const [name, step] of steps) {
      const before = await read(name, visitor);
      await step();
      await refresh(app, shop);
      const after = await read(name, visitor);
      expect(after.documents).not.toEqual(before.documents);
      expect(after.heads.get(`menu:${shop}`)).not.toEqual(before.heads.get(`menu:${shop}`));
      expect(after.heads.get("menu:tea-house")).toEqual(before.heads.get("menu:tea-house"));
    }
  });

  it("looks at a reader's newest 1,000 orders of those that the query names, so that no answer is without bound", async () => {
    const { app, db, shop } = house;
    const [[row = {}]] = await db.read([readOrders([placed[0] ?? ""])[0]]);
    // Ids of one millisecond are in no order.
    const ids = Array.from({ length: 1_005 }, () => app.random.id()).sort();
    const more = ids.map((id, n) => {
      const status = n < 3 ? "completed" : "cancelled";
      return { ...row, id, status, number: `Z${n}`, day_number: 10_000 + n };
    });
    await db.flight({ statements: insertRows(db.dialect, "orders", more) });
    const caller = await callerOf(house, cook);
    expect((await read("orders", caller)).ids).toEqual(ids.slice(5));
    // Older ones are found by what the database narrows down.
    const completed = { status: "completed", shop };
    expect((await read("orders", caller, completed)).ids).toEqual(ids.slice(0, 3));
    expect((await read("orders", caller, { _id: placed[0] })).ids).toEqual([placed[0]]);
  });

  it("moves the stream of a menu when the business day turns over, and yesterday's sold out with it", async () => {
    const { app, clock, shop } = house;
    await setSoldOut(app, { actor: null, shop, dish: "tea" }, true);
    await refresh(app, shop);
    const before = await read("menus", visitor, { _id: shop });
    expect(before.documents[0]?.soldOut).toContain("tea");
    // The house's day begins half a day away from the test.
    clock.forward(12 * 3_600_000);
    await sweep(app);
    const after = await read("menus", visitor, { _id: shop });
    expect(after.documents[0]?.soldOut).not.toContain("tea");
    expect(after.heads).not.toEqual(before.heads);
  });
});

it("keeps the names of the built-in collections from a declaration", () => {
  for (const name of builtIns.keys())
    expect(parseCollections(`${name}: { permission: PRIVATE }`).errors).toEqual([
      expect.stringMatching(/^line 1: .*own collections/),
    ]);
});
