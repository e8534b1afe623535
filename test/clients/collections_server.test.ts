/** Collections of the SDK against a whole server: read, written and watched, through cuts, restarts and silence; in a mini-program too. */
import axios from "axios";
import fc from "fast-check";
import {
  command as _,
  type Collection,
  collections,
  type ListChange,
  type ListState,
  type ListWatch,
  type Query,
  type Stored,
} from "../../clients/collections.ts";
import { type ApiError, type ApiRequest, type Client, makeClient } from "../../clients/index.ts";
import { createClient, nodePlatform } from "../../clients/node.ts";
import type { Platform } from "../../clients/platform.ts";
import { createClient as createWechatClient } from "../../clients/wechat.ts";
import { readConnectionsOfSession } from "../../db/connections.ts";
import { startWechat } from "../../demo/wechat.ts";
import { parseCollections } from "../../shared/live/collections.ts";
import { newPairingCode } from "../../shared/sessions/login.ts";
import { addWechatApp } from "../../shared/sessions/wechat_apps.ts";
import { makeWechat } from "../../shared/wechat.ts";
import { anyEngine } from "../_engines.ts";
import { type House, oneBowl, openHouse, TestClock } from "../_house.ts";
import { startProxy, type Wire } from "../_proxy.ts";
import { until } from "../_until.ts";
import { type CloudHouse, openCloud } from "../apigateway/_clouds.ts";
import { fakeWx } from "./_wx.ts";

interface Note {
  text: string;
  n: number;
  at?: Date;
  tags?: string[];
  by?: { name: string; age?: number };
}

interface All {
  notes: Note;
  comments: Note;
  news: Note;
  secrets: Note;
  shared: { text: string; isOpen: boolean };
  orders: { status: string; number: string };
  nothing: Note;
}

const declared = `
notes: { permission: PRIVATE, indexes: [n] }
comments: { permission: READONLY, indexes: [n] }
news: { permission: ADMINWRITE }
secrets: { permission: ADMINONLY }
shared: { rules: { read: "doc.isOpen == true", write: true } }
`;

let house: House;
let wire: Wire;
const open: Client[] = [];

beforeAll(async () => {
  house = await openHouse(anyEngine, { config: { collections: parseCollections(declared).collections } });
  wire = await startProxy({ host: "127.0.0.1", port: Number(new URL(house.url).port) });
});
afterEach(() => {
  for (const client of open.splice(0)) client.close();
});
afterAll(async () => {
  await wire.close();
  await house.close();
});

const kept = (client: Client): Client => {
  open.push(client);
  return client;
};
const person = (url = house.url) => kept(createClient({ url }));
/** Time that runs faster, so that no story waits for a client's patience. */
function hasty(factor: number): Platform {
  const platform = nodePlatform();
  const began = platform.now();
  return {
    ...platform,
    now: () => began + (platform.now() - began) * factor,
    later: (work, ms) => platform.later(work, ms / factor),
  };
}
const asGuest = async (): Promise<ApiRequest> => ({ method: "POST", path: "/login/guest" });

/** Over a line that can be cut. */
const distantUrl = () => `http://127.0.0.1:${wire.port}`;
const distant = () => person(distantUrl());
const of = <Name extends keyof All>(client: Client, name: Name): Collection<All[Name]> =>
  collections<All>(client).collection(name);

/** A list on somebody's screen. */
interface Screen<T> {
  shown: readonly T[] | undefined;
  readonly changes: ListChange<T>[];
  readonly states: ListState[];
  readonly errors: ApiError[];
  readonly watch: ListWatch<T>;
}

function look<T>(query: Pick<Query<T>, "watch">): Screen<Stored<T>> {
  const screen: Screen<Stored<T>> = {
    shown: undefined,
    changes: [],
    states: [],
    errors: [],
    watch: query.watch({
      onChange(all, change) {
        screen.shown = all;
        screen.changes.push(change);
      },
      onState: (state) => screen.states.push(state),
      onError: (error) => screen.errors.push(error),
    }),
  };
  return screen;
}

const texts = (list: readonly { text: string }[] | undefined) => list?.map(({ text }) => text).join();
const shows = (screen: Screen<{ text: string }>, wanted: string) =>
  until(
    () => texts(screen.shown) === wanted && screen.watch.state() === "live",
    wanted,
    () => [texts(screen.shown), screen.watch.state(), screen.errors],
  );

const refusal = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    ({ code }: ApiError) => code,
  );

describe("documents", () => {
  it("are added, read, changed, replaced and removed; dates stay dates", async () => {
    const notes = of(person(), "notes");
    const at = new Date(1_700_000_000_123);
    const id = await notes.add({ text: "a", n: 1, at, tags: ["x"], by: { name: "Lin", age: 30 } });
    const note = notes.doc(id);
    expect(await note.get()).toEqual({
      _id: id,
      _openid: expect.any(String),
      text: "a",
      n: 1,
      at,
      tags: ["x"],
      by: { name: "Lin", age: 30 },
    });
    expect(await note.update({ n: _.inc(4), by: { name: "Wu" }, tags: _.push("y", "z"), at: _.serverDate() })).toBe(
      true,
    );
    const changed = await note.get();
    expect(changed).toMatchObject({ n: 5, by: { name: "Wu", age: 30 }, tags: ["x", "y", "z"] });
    expect(Math.abs(Number(changed?.at) - house.clock.now())).toBeLessThan(60_000);
    await note.set({ text: "b", n: 2 });
    expect(await note.get()).toEqual({ _id: id, _openid: expect.any(String), text: "b", n: 2 });
    expect(await note.remove()).toBe(true);
    expect(await note.remove()).toBe(false);
    expect(await note.get()).toBeUndefined();
    await notes.doc("mine").set({ text: "c", n: 3 });
    expect(await notes.doc("mine").get()).toMatchObject({ text: "c" });
  });

  it("are found, ordered, paged, counted and summed", async () => {
    const notes = of(person(), "notes");
    for (const n of [3, 1, 4, 1, 5])
      await notes.add({ text: `t${n}`, n, at: new Date(n), by: { name: n > 3 ? "Wu" : "Lin" } });
    const of3 = (list: readonly Note[]) => list.map(({ n }) => n);
    expect(of3(await notes.get())).toEqual([5, 1, 4, 1, 3]);
    expect(
      of3(
        await notes
          .where({ n: _.gt(1) })
          .orderBy("n")
          .get(),
      ),
    ).toEqual([3, 4, 5]);
    expect(of3(await notes.orderBy("n", "desc").skip(1).limit(2).get())).toEqual([4, 3]);
    expect(
      of3(
        await notes
          .where({ by: { name: "Wu" } })
          .where({ at: _.lt(new Date(5)) })
          .get(),
      ),
    ).toEqual([4]);
    expect(
      of3(
        await notes
          .where(_.or({ text: /^t[35]$/ }, { n: _.or(_.lt(1), _.gt(4)) }))
          .orderBy("n")
          .get(),
      ),
    ).toEqual([3, 5]);
    expect(await notes.where({ n: 1 }).count()).toBe(2);
    expect(await notes.orderBy("n").limit(1).field({ text: true }).get()).toEqual([
      { _id: expect.any(String), text: "t1" },
    ]);
    const stages = [
      { $match: { n: _.gte(3) } },
      { $group: { _id: "$by.name", sum: { $sum: "$n" } } },
      { $sort: { sum: 1 } },
    ];
    expect(await notes.aggregate(stages)).toEqual([
      { _id: "Lin", sum: 3 },
      { _id: "Wu", sum: 9 },
    ]);
    expect(await notes.where({ n: 1 }).update({ n: _.mul(10) })).toBe(2);
    expect(await notes.where({ n: 10 }).remove()).toBe(2);
    expect(await notes.count()).toBe(3);
  });

  it("are written by whom the rules allow, and refused with a code", async () => {
    const [me, other] = [person(), person()];
    const id = await of(me, "notes").add({ text: "mine", n: 1 });
    expect(await of(other, "notes").doc(id).get()).toBeUndefined();
    expect(await of(other, "notes").doc(id).update({ n: 2 })).toBe(false);
    expect(await refusal(of(me, "news").add({ text: "a", n: 1 }))).toBe("DATABASE_PERMISSION_DENIED");
    expect(await refusal(of(me, "secrets").get())).toBe("DATABASE_PERMISSION_DENIED");
    expect(await refusal(of(me, "nothing").get())).toBe("DATABASE_COLLECTION_NOT_EXIST");
    expect(
      await refusal(
        of(me, "notes")
          .where({ n: { $what: 1 } })
          .get(),
      ),
    ).toBe("INVALID_PARAM");
    expect(await refusal(of(me, "notes").add({ _id: id, text: "again", n: 1 }))).toBe("DOCUMENT_EXISTS");
  });

  it("are there once, though the answer was lost", async () => {
    const platform = nodePlatform();
    let losses = 1;
    const request: Platform["request"] = async (wanted) => {
      const answer = await platform.request(wanted);
      if (wanted.url.endsWith("/web") && losses-- > 0) throw new Error("lost");
      return answer;
    };
    const notes = of(kept(makeClient({ ...platform, request }, { url: house.url, begin: asGuest })), "notes");
    const id = await notes.add({ text: "once", n: 1 });
    expect((await notes.get()).map(({ _id }) => _id)).toEqual([id]);
  });

  it("are another guest's when the session has ended, without an error", async () => {
    const client = person();
    await of(client, "notes").add({ text: "before", n: 1 });
    await house.http("DELETE", "/session", { token: client.session()?.token });
    expect(await of(client, "notes").get()).toEqual([]);
  });
});

describe("a watched list", () => {
  it("shows what comes, changes and goes, by whomever, each commit in one call", async () => {
    const [me, other] = [person(), person()];
    const query = { n: _.gte(10), "by.name": "first" };
    const screen = look(of(me, "comments").where(query));
    await shows(screen, "");
    expect(screen.states).toEqual(["live"]);
    const comments = of(other, "comments");
    const add = (text: string, n: number) => comments.add({ text, n, at: new Date(n), by: { name: "first" } });
    const a = await add("a", 10);
    await shows(screen, "a");
    expect(screen.shown?.[0]).toMatchObject({ _id: a, at: new Date(10) });
    const [before] = screen.shown ?? [];
    await add("b", 11);
    await shows(screen, "b,a");
    // The same object, where nothing has changed.
    expect(screen.shown?.[1]).toBe(before);
    const calls = screen.changes.length;
    expect(await comments.where({ "by.name": "first" }).update({ tags: _.addToSet("x") })).toBe(2);
    await until(() => screen.changes.length > calls, "both at once");
    expect(screen.changes.at(-1)).toMatchObject({ added: [], removed: [], changed: [{ text: "b" }, { text: "a" }] });
    await comments.doc(a).update({ n: 1 });
    await shows(screen, "b");
    expect(screen.changes.at(-1)).toMatchObject({ removed: [{ text: "a" }], snapshot: false });
    expect(screen.changes.filter(({ snapshot }) => snapshot)).toHaveLength(1);
    screen.watch.close();
    await add("c", 12);
    const late = look(of(me, "comments").where(query));
    await shows(late, "c,b");
    expect(texts(screen.shown)).toBe("b");
    // All that is watched shares one socket.
    expect(screen.errors).toEqual([]);
  });

  it("keeps its order and its limit", async () => {
    const client = person();
    const comments = of(person(), "comments");
    const mine = of(client, "comments").where({ "by.name": "order" }).orderBy("n", "desc").limit(3);
    const screen = look(mine);
    const ids: string[] = [];
    for (const n of [2, 4, 1, 3]) ids.push(await comments.add({ text: `${n}`, n, by: { name: "order" } }));
    await shows(screen, "4,3,2");
    await comments.doc(ids[2] ?? "").update({ n: 5 });
    await shows(screen, "1,4,3");
    await comments.doc(ids[1] ?? "").remove();
    await shows(screen, "1,3,2");
    expect(texts(await mine.get())).toBe("1,3,2");
  });

  it("is one's own in a private collection, and another's after another signs in", async () => {
    const [me, other] = [person(), person()];
    await of(me, "notes").add({ text: "mine", n: 1 });
    await of(other, "notes").add({ text: "theirs", n: 1 });
    const screen = look(of(me, "notes"));
    await shows(screen, "mine");
    await of(other, "notes").add({ text: "more", n: 2 });
    await of(me, "notes").add({ text: "second", n: 2 });
    await shows(screen, "second,mine");
    await me.signOut();
    await until(() => screen.watch.state() === "stale", "stale");
    await me.signIn();
    await shows(screen, "");
    expect(screen.errors).toEqual([]);
  });

  it("shows nothing more when the session has ended, until somebody signs in", async () => {
    const staff = kept(createClient({ url: house.url, guest: false, name: "kitchen" }));
    const pairingCode = async () =>
      (await newPairingCode(house.app, { shop: house.shop, role: "kitchen", device: "tablet", by: null })).code;
    await staff.pair(await pairingCode());
    const screen = look(of(staff, "comments").where({ "by.name": "session" }));
    await shows(screen, "");
    const { status } = await house.http("DELETE", "/session", { token: staff.session()?.token });
    expect(status).toBe(204);
    await of(person(), "comments").add({ text: "a", n: 1, by: { name: "session" } });
    await until(() => staff.state() === "signed out", "signed out", staff.state);
    expect([screen.watch.state(), texts(screen.shown)]).toEqual(["stale", ""]);
    await staff.pair(await pairingCode());
    await shows(screen, "a");
    expect(screen.errors).toEqual([]);
  });

  it("loses a document that may not be read any more", async () => {
    const shared = of(person(), "shared");
    const id = await shared.add({ text: "a", isOpen: true });
    const screen = look(of(person(), "shared").where({ isOpen: true }));
    await shows(screen, "a");
    await shared.where({ _id: id, isOpen: true }).update({ isOpen: false });
    await shows(screen, "");
  });

  it("ends with one error where it is not allowed, and tells nothing else", async () => {
    const client = person();
    const refused = [
      look(of(client, "secrets")),
      look(of(client, "nothing")),
      look(of(client, "notes").where({ n: { $what: 1 } })),
    ];
    await until(() => refused.every(({ errors }) => errors.length > 0), "refused");
    const allowed = look(of(client, "notes"));
    await shows(allowed, "");
    expect(refused.map(({ errors }) => errors.map(({ code }) => code))).toEqual([
      ["DATABASE_PERMISSION_DENIED"],
      ["DATABASE_COLLECTION_NOT_EXIST"],
      ["INVALID_PARAM"],
    ]);
    expect(refused.map(({ shown, states }) => [shown, states])).toEqual(Array(3).fill([undefined, []]));
  });

  it("of orders shows what a customer ordered, beside the client's own watch of them", async () => {
    const client = person();
    const screen = look(of(client, "orders"));
    let mine = 0;
    client.watch("orders", {
      onChange(orders) {
        mine = orders.length;
      },
    });
    const { id, number } = await client.submit({ shop: house.shop, ...oneBowl, service: "pickup" });
    await until(() => screen.shown?.[0]?.status === "placed" && mine === 1, "placed");
    expect(screen.shown).toMatchObject([{ _id: id, number }]);
    await (await house.staff()).http("POST", `/orders/${id}/accept`, { body: { version: 1 } });
    await until(() => screen.shown?.[0]?.status === "accepted", "accepted");
    expect(client.state()).toBe("live");
    // Over one socket.
    const [rows] = await house.db.read([readConnectionsOfSession(client.session()?.id ?? "")]);
    expect(rows).toHaveLength(1);
  });
});

describe("a watched list goes on", () => {
  it("after its connection was cut, without what was missed and without a reload", async () => {
    const screen = look(of(distant(), "comments").where({ "by.name": "cut" }));
    const comments = of(person(), "comments");
    const id = await comments.add({ text: "a", n: 1, by: { name: "cut" } });
    await shows(screen, "a");
    for (const round of [1, 2]) {
      wire.cut();
      await until(() => screen.watch.state() === "stale", "stale");
      expect(texts(screen.shown)).toBe(round === 1 ? "a" : "1,b");
      await comments.add({ text: `${round}`, n: round, by: { name: "cut" } });
      if (round === 1) await comments.doc(id).update({ text: "b" });
      wire.mend();
      await shows(screen, round === 1 ? "1,b" : "2,1,b");
    }
    expect(screen.changes.at(-1)).toMatchObject({ added: [{ text: "2" }], changed: [], removed: [], snapshot: true });
    expect(screen.errors).toEqual([]);
  });

  it("after the server was restarted, twice", async () => {
    const screens = [
      look(of(person(), "comments").where({ "by.name": "restart" })),
      look(of(person(), "comments").where({ "by.name": "restart" }).orderBy("n").limit(2)),
    ];
    for (const screen of screens) await shows(screen, "");
    for (const n of [1, 2]) {
      await house.restart();
      await of(person(), "comments").add({ text: `${n}`, n, by: { name: "restart" } });
    }
    await shows(screens[0] as Screen<Stored<Note>>, "2,1");
    await shows(screens[1] as Screen<Stored<Note>>, "1,2");
    for (const { errors } of screens) expect(errors).toEqual([]);
  });

  it("after its connection fell silent without an end", async () => {
    const client = kept(makeClient(hasty(6), { url: distantUrl(), begin: asGuest }));
    const screen = look(of(client, "comments").where({ "by.name": "silence" }));
    await shows(screen, "");
    wire.silence(true);
    await of(person(), "comments").add({ text: "a", n: 1, by: { name: "silence" } });
    // The check that is due is not answered.
    await until(() => screen.watch.state() === "stale", "stale");
    wire.silence(false);
    await shows(screen, "a");
    expect(screen.errors).toEqual([]);
  });
});

describe("watched lists", () => {
  it("equal what their queries answer, at every quiet moment, through cuts and restarts while everybody writes", async () => {
    const random = fc.sample(fc.nat(1_000_000), { numRuns: 4_000, seed: 7 });
    let drawn = 0;
    const draw = (below: number) => (random[drawn++ % random.length] ?? 0) % below;
    const far = () => kept(makeClient(hasty(6), { url: distantUrl(), begin: asGuest }));
    const people = [far(), far(), person()];
    const writers = [person(), people[2] as Client];
    const all = of(people[0] as Client, "comments").where({ "by.name": "ledger" });
    const byN = { "by.name": "ledger", n: _.gte(5) } as const;
    const queries = people.flatMap((client) => {
      const comments = of(client, "comments");
      const mine = comments.where({ "by.name": "ledger" });
      return [
        mine,
        comments.where(byN),
        mine.orderBy("n", "desc"),
        mine.orderBy("tags").orderBy("n").limit(4),
        mine.limit(3),
        comments.where({ ...byN, text: /^[a-m]/ }).orderBy("text"),
        of(client, "notes").where({ n: _.lt(5) }),
      ];
    });
    const screens = queries.map((query) => look(query));
    const write = async () => {
      const client = writers[draw(writers.length)] as Client;
      const comments = of(client, draw(4) === 0 ? "notes" : "comments");
      const mine = comments.where({ "by.name": "ledger", n: draw(10) });
      const letter = String.fromCharCode(97 + draw(26));
      const kind = draw(6);
      if (kind === 0) await mine.remove();
      else if (kind === 1) await mine.update({ n: _.inc(draw(3)), tags: _.addToSet(letter) });
      else if (kind === 2) await mine.update({ text: letter, tags: [letter] });
      else await comments.add({ text: letter, n: draw(10), tags: [letter], by: { name: "ledger" } });
    };
    for (let round = 0; round < 2; round++) {
      for (let batch = 0; batch < 6; batch++) {
        await Promise.all(Array.from({ length: 5 }, () => write().catch(() => undefined)));
        if (batch === 1) wire.cut();
        if (batch === 3) wire.mend();
        if (batch === 4 && round === 1) await house.restart();
      }
      await until(
        () => screens.every(({ watch }) => watch.state() === "live"),
        "live",
        () => screens.map(({ watch }) => watch.state()),
      );
      for (const [at, query] of queries.entries()) {
        const wanted = JSON.stringify(await query.get());
        await until(
          () => JSON.stringify(screens[at]?.shown) === wanted,
          `list ${at} of round ${round}`,
          () => [texts(screens[at]?.shown), wanted],
        );
      }
    }
    expect(await all.count()).toBeGreaterThan(5);
    for (const { errors } of screens) expect(errors).toEqual([]);
  });
});

describe("in a mini-program", () => {
  it("a watched list shares the one socket, sleeps in the background and goes on in front", async () => {
    const app = { appid: "wx1111222233334444", secret: "c0ffee-secret-of-one", name: "one" };
    const standIn = await startWechat({ apps: [app], now: new TestClock().now });
    const wechat = makeWechat(axios.create({ baseURL: standIn.url, timeout: 10_000 }));
    const cafe = await openHouse(anyEngine, {
      wechat,
      config: { collections: parseCollections(declared).collections },
    });
    await addWechatApp(cafe.app, app);
    const wx = fakeWx({ newCode: () => standIn.newCode("o-1") });
    Object.assign(globalThis, { wx });
    const client = createWechatClient({ url: cafe.url });
    const notes = of(client, "notes");
    const screen = look(notes.where({ n: _.gt(0) }).orderBy("n"));
    await shows(screen, "");
    const id = await notes.add({ text: "b", n: 2 });
    await notes.add({ text: "a", n: 1 });
    await notes.doc(id).update({ text: "c" });
    await shows(screen, "a,c");
    // The owner is the WeChat user.
    expect(screen.shown?.[0]?._openid).toBe("o-1");
    expect(wx.sockets()).toBe(1);
    wx.hide();
    await until(() => wx.sockets() === 0 && screen.watch.state() === "stale", "asleep");
    await cafe.restart();
    wx.show();
    await notes.doc(id).remove();
    await shows(screen, "a");
    screen.watch.close();
    await until(() => wx.sockets() === 0, "no socket");
    client.close();
    expect(wx.faults).toEqual([]);
    expect(screen.errors).toEqual([]);
    await cafe.close();
    await standIn.close();
  });
});

describe("with functions that share no memory", () => {
  let cloud: CloudHouse;
  let losing = false;
  let lost = 0;
  beforeAll(async () => {
    cloud = await openCloud(anyEngine, "aws", {
      config: { collections: parseCollections(declared).collections },
      faults: {
        push(_, frame) {
          if (!losing || !frame.includes('"NEXT_EVENT"')) return undefined;
          lost += 1;
          return "drop";
        },
      },
    });
  });
  afterAll(() => cloud.close());

  it("a long list comes in parts and is shown whole, with each change, in its order", async () => {
    const comments = of(person(cloud.url), "comments");
    const text = "面".repeat(1_500);
    for (let n = 0; n < 60; n++) await comments.add({ text, n, by: { name: "long" } });
    const screen = look(of(person(cloud.url), "comments").where({ "by.name": "long" }).orderBy("n"));
    const numbers = () => screen.shown?.map(({ n }) => n);
    await until(
      () => screen.watch.state() === "live",
      "live",
      () => screen.errors,
    );
    // Never a part of it.
    expect(screen.changes.map(({ added }) => added.length)).toEqual([60]);
    expect(numbers()).toEqual(Array.from({ length: 60 }, (_, n) => n));
    await comments.where({ n: 59 }).update({ n: -1 });
    await until(() => numbers()?.[0] === -1, "moved");
    await comments.where({ n: _.gte(1) }).remove();
    await until(() => numbers()?.join() === "-1,0", "removed", numbers);
    expect(screen.changes.filter(({ snapshot }) => snapshot)).toHaveLength(1);
  });

  it("a list whose pushes are lost asks, and has everything again", async () => {
    const comments = of(person(cloud.url), "comments");
    const client = kept(makeClient(hasty(6), { url: cloud.url, begin: asGuest }));
    const screen = look(of(client, "comments").where({ "by.name": "lost" }));
    await shows(screen, "");
    losing = true;
    await comments.add({ text: "a", n: 1, by: { name: "lost" } });
    await until(() => lost > 0, "lost");
    losing = false;
    // The next one shows the gap.
    await comments.add({ text: "b", n: 2, by: { name: "lost" } });
    await shows(screen, "b,a");
    losing = true;
    lost = 0;
    await comments.add({ text: "c", n: 3, by: { name: "lost" } });
    await until(() => lost > 0, "the last one lost");
    losing = false;
    await shows(screen, "c,b,a");
    expect(screen.errors).toEqual([]);
  });
});
