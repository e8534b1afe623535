/** Watches of the built-in collections over real sockets, in every dialect of SQL: lists that follow orders and menus, and nothing of another's. */
import { builtIns } from "../../shared/live/built_in.ts";
import { callerOfSession } from "../../shared/live/caller.ts";
import { parseQuery } from "../../shared/live/query.ts";
import { encode } from "../../shared/live/wire_value.ts";
import { openStatuses } from "../../shared/order_states.ts";
import { newPairingCode } from "../../shared/sessions/login.ts";
import { authenticate } from "../../shared/sessions/session.ts";
import { createShop } from "../../shared/shop/open_shop.ts";
import { setSoldOut } from "../../shared/shop/stock.ts";
import { onEveryDialect } from "../_engines.ts";
import { type House, openHouse, openSocket, type Person, testSettings } from "../_house.ts";
import { ClientList, type WireEvent } from "./_watch_client.ts";

interface Frame {
  readonly msgType: string;
  readonly requestId: string;
  readonly watchId?: string;
  readonly msgData: { readonly currEvent: number; readonly events: readonly WireEvent[]; readonly code?: string };
}

/** One watch, as a client that follows the frames has it. */
interface Watched {
  readonly list: ClientList;
  /** Everything that came over its socket. */
  readonly text: () => string;
  readonly error: () => string | undefined;
  /** What the query finds for this person now, as it is sent. */
  answer(): Promise<unknown>;
  close(): void;
}

/** Asks until it is so; the test's own limit ends it. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 50));
}

let asked = 0;

async function watch(house: House, person: Person, collection: string, query: object = {}): Promise<Watched> {
  const { socket } = await person.connect();
  const list = new ClientList();
  const texts: string[] = [];
  const watchId = `watchid_${asked++}`;
  let begun = false;
  let code: string | undefined;
  socket.on("message", (data) => {
    texts.push(data.toString());
    const { msgType, msgData }: Frame = JSON.parse(data.toString());
    if (msgType === "INIT_EVENT") list.init(msgData.currEvent, msgData.events);
    else if (msgType === "NEXT_EVENT") list.apply(msgData.events);
    else if (msgType === "ERROR") code = msgData.code;
    begun = true;
  });
  const msgData = { envId: "test", collName: collection, query: JSON.stringify(query), orderBy: {} };
  socket.send(JSON.stringify({ watchId, requestId: `request_${watchId}`, msgType: "INIT_WATCH", msgData }));
  await until(() => begun);
  return {
    list,
    text: () => texts.join("\n"),
    error: () => code,
    async answer() {
      const { app } = house;
      const caller = await callerOfSession(app, await authenticate(app, `Bearer ${person.token}`));
      const found = await builtIns.get(collection)?.read(app, caller, parseQuery(query, { now: 0 }));
      return found?.documents.toSorted((a, b) => (a._id < b._id ? 1 : -1)).map(encode);
    },
    close: () => socket.close(),
  };
}

/** Waits until the lists are what their queries find. */
async function settled(...watches: readonly Watched[]): Promise<void> {
  for (const one of watches)
    await until(async () => JSON.stringify(one.list.docs) === JSON.stringify(await one.answer()));
}

onEveryDialect((engine) => {
  let house: House;
  const open: Watched[] = [];

  beforeAll(async () => {
    house = await openHouse(engine);
  }, 60_000);
  afterEach(() => {
    for (const one of open.splice(0)) one.close();
  });
  afterAll(() => house?.close());

  const watched = async (person: Person, collection: string, query: object = {}) => {
    const made = await watch(house, person, collection, query);
    open.push(made);
    return made;
  };

  it("a watch of orders follows the reader's own orders, and never shows another's", async () => {
    const [ana, ben, cook] = await Promise.all([house.guest(), house.guest(), house.staff("kitchen")]);
    const before = (await ana.order()).body.order.id;
    const isOpen = { status: { $in: openStatuses } };
    const mine = await watched(ana, "orders", isOpen);
    const other = await watched(ben, "orders");
    const kitchen = await watched(cook, "orders", isOpen);
    expect(mine.list.docs.map(({ _id }) => _id)).toEqual([before]);
    expect(other.list.docs).toEqual([]);

    const { id } = (await ana.order()).body.order;
    await settled(mine, kitchen);
    expect(mine.list.docs[0]).toMatchObject({ _id: id, _openid: ana.user, status: "placed" });
    await cook.http("POST", `/orders/${id}/accept`);
    await settled(mine, kitchen);
    expect(mine.list.docs[0]).toMatchObject({ _id: id, status: "accepted" });

    // The kitchen's own mark is for the kitchen.
    const at = mine.list.at;
    await cook.http("PUT", `/orders/${id}/lines/1`, { body: { struck: true } });
    await settled(mine, kitchen);
    expect(mine.list.at).toBe(at);
    expect(JSON.stringify(kitchen.list.docs)).toContain('"struck":true');

    // It leaves the list that it does not belong to any more.
    await ana.http("POST", `/orders/${before}/cancel`);
    await settled(mine, kitchen);
    expect(mine.list.docs.map(({ _id }) => _id)).toEqual([id]);

    const own = (await ben.order()).body.order.id;
    await settled(mine, other, kitchen);
    expect(other.list.docs.map(({ _id }) => _id)).toEqual([own]);
    for (const foreign of [before, id, ana.user]) expect(other.text()).not.toContain(foreign);
    for (const foreign of [own, ben.user]) expect(mine.text()).not.toContain(foreign);
    expect([mine, other, kitchen].map(({ list }) => list.hasGap)).toEqual([false, false, false]);
  });

  it("a watch of orders by another shop's staff stays empty", async () => {
    await createShop(house.app, {
      id: "tea-house",
      names: { zh: "茶馆" },
      zone: "Asia/Shanghai",
      rolloverMinutes: 0,
      settings: testSettings(),
    });
    const { code } = await newPairingCode(house.app, { shop: "tea-house", role: "owner", device: "phone", by: null });
    const { session, user } = (await house.http("POST", "/login/staff", { body: { pairingCode: code } })).body;
    const guest = await house.guest();
    const { token } = session;
    const connect = async () => {
      const { ticket } = (await house.http("POST", "/session/ticket", { token })).body;
      return openSocket(`${house.url.replace("http", "ws")}/pgws`, ["orderbell.v1", `ticket.${ticket}`]);
    };
    const elsewhere = await watched({ ...guest, token, user: user.id, connect }, "orders");
    const here = await watched(guest, "orders");
    const { id } = (await guest.order()).body.order;
    await settled(here, elsewhere);
    expect(here.list.docs.map(({ _id }) => _id)).toEqual([id]);
    expect(elsewhere.list.docs).toEqual([]);
    expect(elsewhere.text()).not.toContain(id);
  });

  it("a watch of menus and shops follows what the public sees, for customers and staff alike", async () => {
    const { app, shop } = house;
    const [guest, cook] = await Promise.all([house.guest(), house.staff("cashier")]);
    const menu = await watched(guest, "menus", { _id: shop });
    const same = await watched(cook, "menus", { _id: shop });
    const shops = await watched(guest, "shops", { open: true });
    await settled(menu, same, shops);
    expect(shops.list.docs.map(({ _id }) => _id)).toEqual([shop]);
    await setSoldOut(app, { actor: null, shop, dish: "tea" }, true);
    await until(() => [menu, same].every(({ list }) => JSON.stringify(list.docs[0]?.soldOut).includes("tea")));
    await cook.http("PUT", `/shops/${shop}/open`, { body: { open: false } });
    await until(() => shops.list.docs.length === 0);
    await cook.http("PUT", `/shops/${shop}/open`, { body: { open: true } });
    await until(() => shops.list.docs.length === 1);
    await settled(menu, same, shops);
  });

  it("a watch of orders ends with its session", async () => {
    const guest = await house.guest();
    const other = await house.guest();
    const mine = await watched(guest, "orders");
    const { id } = (await guest.order()).body.order;
    await settled(mine);
    const seen = mine.text();
    await guest.http("DELETE", "/session");
    const cook = await house.staff("kitchen");
    await cook.http("POST", `/orders/${id}/accept`);
    // Another's watch has seen a later change: nothing more is on its way to the one that ended.
    const theirs = await watched(other, "orders");
    await other.order();
    await settled(theirs);
    expect(mine.text().slice(seen.length)).not.toContain(id);
  });
});
