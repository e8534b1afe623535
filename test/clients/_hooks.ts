/** What the hooks promise, whichever framework calls them: one suite, run with the real React and the real Vue against a real server. */
import type { State } from "../../clients/channel.ts";
import {
  ApiError,
  type Bill,
  type Client,
  type OrderView,
  type PendingBill,
  type Session,
} from "../../clients/index.ts";
import { createClient } from "../../clients/node.ts";
import type { Answer, Watched, WatchedOrder } from "../../clients/source.ts";
import { newPairingCode } from "../../shared/sessions/login.ts";
import { anyEngine } from "../_engines.ts";
import { type House, oneBowl, openHouse } from "../_house.ts";
import { until } from "../_until.ts";

export interface Hooks {
  useOrders: { given: [options?: { shop?: string } | null]; shown: Watched<OrderView[]> };
  useMenu: { given: [options: { shop: string } | null]; shown: Watched<{ shop: { id: string } }> };
  useBoard: { given: [options: { shop: string }]; shown: Watched<{ preparing: string[] }> };
  useOrder: { given: [id: string | null, options?: { shop?: string }]; shown: WatchedOrder };
  useSession: { given: []; shown: Session | undefined };
  useConnection: { given: []; shown: State };
  useSubmit: {
    given: [];
    shown: Answer & { pending: readonly PendingBill[]; submit(bill: Bill): Promise<OrderView | undefined> };
  };
}
export type Name = keyof Hooks;

/** A component that calls one hook. */
export interface Mounted<Hook extends Name> {
  /** What it showed at first, which is what a server shows. */
  first(): Hooks[Hook]["shown"];
  now(): Hooks[Hook]["shown"];
  /** How often it was rendered. */
  renders(): number;
  give(...given: Hooks[Hook]["given"]): void;
  unmount(): void;
}

export type Mount = <Hook extends Name>(
  client: Client | undefined,
  hook: Hook,
  ...given: Hooks[Hook]["given"]
) => Mounted<Hook>;

/** A client whose watches are counted, whose state can be said, and whose requests for one order may fail. */
export interface Counted extends Client {
  open(): number;
  begun(): number;
  /** How often the client told of something. */
  told(): number;
  say(state: State | undefined): void;
  /** What the next requests for one order fail with. */
  failures: ApiError[];
}

function counted(client: Client): Counted {
  const open = new Set<object>();
  const listeners = new Set<(state: State) => void>();
  let begun = 0;
  let told = 0;
  let said: State | undefined;
  const failures: ApiError[] = [];
  return {
    ...client,
    failures,
    open: () => open.size,
    begun: () => begun,
    told: () => told,
    state: () => said ?? client.state(),
    onState(listener) {
      listeners.add(listener);
      const stop = client.onState((state) => {
        told += 1;
        listener(state);
      });
      return () => {
        listeners.delete(listener);
        stop();
      };
    },
    say(state) {
      said = state;
      for (const listener of listeners) listener(state ?? client.state());
    },
    async order(id) {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return client.order(id);
    },
    watch(what, options) {
      begun += 1;
      const onChange = (...change: unknown[]) => {
        told += 1;
        (options.onChange as (...change: unknown[]) => void)(...change);
      };
      const watch = client.watch(what, { ...options, onChange });
      open.add(watch);
      return {
        close() {
          open.delete(watch);
          watch.close();
        },
      };
    },
    // A pause of the hooks ends at once.
    channel: {
      ...client.channel,
      platform: { ...client.channel.platform, later: (work) => client.channel.platform.later(work, 0) },
    },
  };
}

/** Long enough for what is due now: work that waits for no network. */
export const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 20));

export function hooksContract(mount: Mount): void {
  let house: House;
  const clients: Client[] = [];
  const mounts: Mounted<Name>[] = [];

  beforeAll(async () => {
    house = await openHouse(anyEngine);
  });
  afterEach(() => {
    for (const one of mounts.splice(0)) one.unmount();
    for (const client of clients.splice(0)) client.close();
  });
  afterAll(() => house.close());

  const show: Mount = (client, hook, ...given) => {
    const mounted = mount(client, hook, ...given);
    mounts.push(mounted as never);
    return mounted;
  };
  const bowl = (): Bill => ({ shop: house.shop, ...oneBowl, service: "pickup" });

  function guest(): Counted {
    const client = counted(createClient({ url: house.url }));
    clients.push(client);
    return client;
  }

  async function kitchen(): Promise<Counted> {
    const client = counted(createClient({ url: house.url, guest: false, name: "kitchen" }));
    clients.push(client);
    const { code } = await newPairingCode(house.app, { shop: house.shop, role: "owner", device: "tablet", by: null });
    await client.pair(code);
    return client;
  }

  const nothingYet = { data: undefined, error: undefined, loading: true, live: false };

  it("useOrders shows orders as they come, by one watch however often it is rendered, and stops", async () => {
    const [cook, customer] = [await kitchen(), guest()];
    const list = show(cook, "useOrders", { shop: house.shop });
    expect(list.first()).toEqual(nothingYet);
    await until(() => list.now().live, "live", list.now);
    expect(list.now()).toMatchObject({ data: [], error: undefined, loading: false });
    const begun = cook.begun();
    const { id } = await customer.submit(bowl());
    await until(() => list.now().data?.[0]?.id === id, "the order", list.now);
    // Options that are equal and not the same.
    for (let k = 0; k < 3; k++) list.give({ shop: house.shop });
    await settled();
    expect([cook.begun(), cook.open()]).toEqual([begun, 1]);
    list.unmount();
    await until(() => cook.open() === 0, "no watch");
    expect(cook.begun()).toBe(begun);
  });

  it("a hook renders nothing again while nothing changes, and says when its data may be behind", async () => {
    const client = guest();
    await client.signIn();
    const menu = show(client, "useMenu", { shop: house.shop });
    const session = show(client, "useSession");
    const connection = show(client, "useConnection");
    await until(() => menu.now().live && connection.now() === "live", "live");
    expect(session.now()).toEqual(client.session());
    const renders = () => [menu, session, connection].map((one) => one.renders());
    let before: { told: number; renders: number[] };
    do {
      before = { told: client.told(), renders: renders() };
      await settled();
    } while (client.told() !== before.told);
    expect(renders()).toEqual(before.renders);
    const { data } = menu.now();
    client.say("offline");
    await until(() => !menu.now().live && connection.now() === "offline", "offline");
    expect(menu.now()).toMatchObject({ data: { shop: data?.shop }, error: undefined, loading: false });
    client.say(undefined);
    await until(() => menu.now().live, "live again");
  });

  it("another shop is another watch, an unknown one an error, and null none", async () => {
    const client = guest();
    const menu = show(client, "useMenu", { shop: house.shop });
    await until(() => menu.now().data?.shop.id === house.shop, "the menu", menu.now);
    menu.give({ shop: "no-such-shop" });
    await until(() => menu.now().error !== undefined, "the error", menu.now);
    expect(menu.now()).toMatchObject({ data: undefined, error: { code: "SHOP_UNKNOWN" }, loading: false, live: false });
    menu.give({ shop: house.shop });
    await until(() => menu.now().live, "live", menu.now);
    await settled();
    expect(client.open()).toBe(1);
    menu.give(null);
    await until(() => client.open() === 0 && menu.now().loading, "no watch");
    expect(menu.now()).toEqual(nothingYet);
  });

  it("useBoard shows the numbers of the board", async () => {
    const [cook, customer] = [await kitchen(), guest()];
    const board = show(customer, "useBoard", { shop: house.shop });
    await until(() => board.now().live, "live", board.now);
    const order = await customer.submit(bowl());
    await cook.step(order, "accept");
    await until(() => board.now().data?.preparing.includes(order.number) ?? false, "the number", board.now);
  });

  it("useOrder shows an order with its history, and asks again after a temporary failure", async () => {
    const [cook, customer] = [await kitchen(), guest()];
    const order = await customer.submit(bowl());
    customer.failures.push(new ApiError("NO_ANSWER", 0, "no answer"), new ApiError("OVERLOADED", 429, "too much"));
    const one = show(customer, "useOrder", order.id);
    expect(one.first()).toEqual(nothingYet);
    await until(() => one.now().live, "live", one.now);
    expect(customer.failures).toEqual([]);
    expect(one.now().data).toMatchObject({ id: order.id, status: "placed", history: [{ action: "place" }] });
    await cook.step(order, "accept");
    await until(() => one.now().data?.history.length === 2, "the step", one.now);
    expect(one.now().data?.status).toBe("accepted");
    one.give("01ARZ3NDEKTSV4RRFFQ69G5FAV");
    await until(() => one.now().error !== undefined, "the error", one.now);
    expect(one.now()).toMatchObject({ data: undefined, error: { code: "ORDER_UNKNOWN" }, loading: false });
    one.give(null);
    await until(() => customer.open() === 0, "no watch");
    expect(one.now()).toEqual(nothingYet);
  });

  it("useSubmit shows bills on their way in every component, and the answer in its own", async () => {
    const client = guest();
    const [form, badge] = [show(client, "useSubmit"), show(client, "useSubmit")];
    await settled();
    const answer = form.now().submit(bowl());
    await until(() => form.now().pending.length === 1 && badge.now().pending.length === 1, "the bill");
    const order = await answer;
    await until(() => badge.now().pending.length === 0 && form.now().order !== undefined, "the answer");
    expect(form.now()).toMatchObject({ order: { id: order?.id, status: "placed" }, pending: [] });
    expect(badge.now().order).toBeUndefined();
    // Nobody has to catch it.
    expect(await form.now().submit({ ...bowl(), expectedTotalFen: 1 })).toBeUndefined();
    await until(() => form.now().error !== undefined, "the refusal");
    expect(form.now()).toMatchObject({ error: { code: "PRICE_CHANGED" }, pending: [] });
    expect(form.now().order).toBeUndefined();
  });

  it("another user's orders are gone at once", async () => {
    const client = guest();
    const [list, session] = [show(client, "useOrders"), show(client, "useSession")];
    const order = await client.submit(bowl());
    await until(() => list.now().data?.[0]?.id === order.id, "the order", list.now);
    await client.signOut();
    await until(() => session.now() === undefined && list.now().data === undefined, "signed out", list.now);
    await client.signIn();
    await until(() => list.now().live, "live", list.now);
    expect([session.now(), list.now().data]).toEqual([client.session(), []]);
    await settled();
    expect(client.open()).toBe(1);
  });

  it("a hook without a client says so", () => {
    expect(() => mount(undefined, "useSession")).toThrow(TypeError);
  });
}
