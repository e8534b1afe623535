/** The SDK in a page: over plain http, in two tabs, and where storage is forbidden. */
import { WebSocket } from "ws";
import { type Client, createClient, type OrderView } from "../../clients/browser.ts";
import { anyEngine } from "../_engines.ts";
import { type House, oneBowl, openHouse } from "../_house.ts";
import { until } from "../_until.ts";

/** localStorage of one origin, whose items are its properties. Each change is an event for all, as for the tabs of a browser. */
function pageStorage(): Record<string, string> {
  const tell = (key: string) => {
    const event = Object.assign(new Event("storage"), { key });
    queueMicrotask(() => page.dispatchEvent(event));
    return true;
  };
  return new Proxy<Record<string, string>>(
    {},
    {
      set(items, name: string, value) {
        if (isFull) throw new Error("QuotaExceededError");
        items[name] = String(value);
        return tell(name);
      },
      deleteProperty(items, name: string) {
        delete items[name];
        return tell(name);
      },
    },
  );
}
let isFull = false;
const fill = () => {
  isFull = true;
};

declare const localStorage: Record<string, string>;

/** A browser's does not throw when it is closed before it has opened. */
class PageWebSocket extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols);
    this.on("error", () => {});
  }
}

/** Of a page that came over plain http: no randomUUID, no subtle. */
const { crypto: real } = globalThis;
const crypto = { getRandomValues: <T extends Uint8Array>(bytes: T) => real.getRandomValues(bytes) };

let house: House;
let page: EventTarget;
let shown: EventTarget & { hidden: boolean };
const open: Client[] = [];
const names = ["addEventListener", "removeEventListener", "document", "location", "localStorage", "WebSocket"];
const kept = Object.entries(Object.getOwnPropertyDescriptors(globalThis)).filter(([name]) =>
  [...names, "crypto"].includes(name),
);

beforeAll(async () => {
  house = await openHouse(anyEngine);
});
beforeEach(() => {
  isFull = false;
  page = new EventTarget();
  shown = Object.assign(new EventTarget(), { hidden: false });
  const things = {
    addEventListener: page.addEventListener.bind(page),
    removeEventListener: page.removeEventListener.bind(page),
    document: shown,
    location: { origin: house.url },
    crypto,
    WebSocket: PageWebSocket,
    localStorage: pageStorage(),
  };
  for (const [name, value] of Object.entries(things))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
});
afterEach(() => {
  for (const client of open.splice(0)) client.close();
});
afterAll(async () => {
  for (const name of names) Reflect.deleteProperty(globalThis, name);
  for (const [name, descriptor] of kept) Object.defineProperty(globalThis, name, descriptor);
  await house.close();
});

const bowl = () => ({ shop: house.shop, ...oneBowl, service: "pickup" as const });

function tab(options = {}): Client {
  const client = createClient(options);
  open.push(client);
  return client;
}

function ordersOf(client: Client): () => OrderView[] {
  let mine: OrderView[] = [];
  client.watch("orders", {
    onChange: (orders) => {
      mine = orders;
    },
  });
  return () => mine;
}

describe("a page", () => {
  it("orders and watches at its own host, without a secure context", async () => {
    expect(globalThis.crypto.randomUUID).toBeUndefined();
    const client = tab();
    const mine = ordersOf(client);
    const order = await client.submit(bowl());
    await until(() => mine()[0]?.id === order.id && client.state() === "live", "live");
    expect(client.heardAt()).toBeGreaterThan(0);
  });

  it("shares its session with the other tab, and both receive what one does", async () => {
    const [one, two] = [tab(), tab()];
    const [mine, same] = [ordersOf(one), ordersOf(two)];
    await until(
      () => one.state() === "live" && two.state() === "live",
      "live",
      () => [one.state(), two.state()],
    );
    expect(one.session()).toEqual(two.session());
    const order = await one.submit(bowl());
    await until(() => mine()[0]?.id === order.id && same()[0]?.id === order.id, "the order in both");
    await one.signOut();
    await until(
      () => two.state() === "signed out",
      "signed out",
      () => two.state(),
    );
    expect(two.session()).toBeUndefined();
    await two.signIn();
    await until(
      () => one.state() === "live" && mine().length === 0,
      "the next guest",
      () => [one.state(), mine().length],
    );
    expect(one.session()).toEqual(two.session());
  });

  it("makes one order of a bill that both tabs find in the store", async () => {
    const [one] = [tab()];
    const { user } = await one.signIn();
    const bill = { key: "both-tabs-have-it", bill: bowl(), at: Date.now(), user: user.id };
    localStorage["orderbell.bill.both-tabs-have-it"] = JSON.stringify(bill);
    const answers: unknown[] = [];
    for (const client of [tab(), tab()]) client.onPending((_, answer) => answers.push((answer as OrderView).id));
    await until(() => answers.length === 2, "both answers");
    expect(new Set(answers).size).toBe(1);
    expect((await one.orders()).orders).toHaveLength(1);
    expect(one.pending()).toEqual([]);
  });

  it("asks for changes at once when it comes to the front", async () => {
    const client = tab();
    ordersOf(client);
    await until(() => client.state() === "live", "live");
    const before = client.heardAt();
    shown.hidden = true;
    shown.dispatchEvent(new Event("visibilitychange"));
    expect(client.state()).toBe("live");
    shown.hidden = false;
    shown.dispatchEvent(new Event("visibilitychange"));
    await until(() => client.heardAt() > before, "an answer");
  });

  it("goes offline and online at the moment the browser does", async () => {
    const client = tab();
    const mine = ordersOf(client);
    const first = await client.submit(bowl());
    await until(() => client.state() === "live" && mine()[0]?.id === first.id, "live");
    page.dispatchEvent(new Event("offline"));
    expect(client.state()).toBe("offline");
    const second = await client.submit(bowl());
    page.dispatchEvent(new Event("online"));
    await until(() => client.state() === "live" && mine()[0]?.id === second.id, "live again");
  });

  it.each([
    [
      "forbidden",
      () =>
        Object.defineProperty(globalThis, "localStorage", {
          configurable: true,
          get: () => {
            throw new Error("SecurityError");
          },
        }),
    ],
    ["full", fill],
    ["full once the page is there", fill, true],
  ])("keeps its own memory where storage is %s", async (_, make, late = false) => {
    if (!late) make();
    const client = tab();
    if (late) {
      await client.submit(bowl());
      make();
      await client.signOut();
    }
    await client.signIn();
    const order = await client.submit(bowl());
    expect((await client.orders()).orders.map(({ id }) => id)).toEqual([order.id]);
  });

  it("frees everything when the client is closed", async () => {
    const client = tab();
    ordersOf(client);
    await until(() => client.state() === "live", "live");
    client.close();
    let heard = 0;
    client.onState(() => (heard += 1));
    page.dispatchEvent(new Event("online"));
    client.watch("menu", { shop: house.shop, onChange: () => (heard += 1) });
    await house.http("GET", "/get_shop_info");
    expect(heard).toBe(0);
  });
});
