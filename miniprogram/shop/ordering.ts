/** What the pages share: the client, the cart, the table, the language. One for the app; pages reach it by getApp(). */
import type { Bill, Client, OrderView, ShopInfo } from "../lib/orderbell";
import { ApiError, noAnswer } from "../lib/orderbell";
import type { CartLine } from "./cart";
import { without } from "./cart";
import type { Live } from "./live";
import { share } from "./live";
import { fill } from "./show";
import type { Language, Words } from "./words";
import { dictionaries, languageOf } from "./words";

export interface Address {
  name: string;
  phone: string;
  address: string;
}

export interface Ordering {
  readonly client: Client;
  readonly shop: string;
  /** A path of the API's domain, as an address. */
  picture(path: string | undefined): string;

  readonly menu: Live<ShopInfo>;
  /** One's own, newest first. */
  readonly orders: Live<OrderView[]>;

  cart(): readonly CartLine[];
  setCart(lines: readonly CartLine[]): void;
  onCart(hear: () => void): () => void;

  /** The table one sits at, until another code is scanned. */
  table(): { token: string; label: string } | null;
  /** Looks up a scanned code. @throws ApiError TABLE_UNKNOWN */
  sitDown(token: string): Promise<void>;

  /** Remembered on this phone only. */
  address(): Address | undefined;
  setAddress(address: Address | undefined): void;

  /** Places an order, and takes what was ordered out of the cart. @throws ApiError */
  submit(bill: Bill): Promise<OrderView>;
  /** A bill is on its way, maybe since before the app was closed. */
  submitting(): boolean;
  onSubmitting(hear: () => void): () => void;

  /** Nothing begins by itself until `signIn`, or until the next order. */
  signOut(): Promise<void>;
  /** Signed out by hand. */
  out(): boolean;
  signIn(): Promise<void>;

  language(): Language;
  words(): Words;
  setLanguage(language: Language): void;
}

/** What is used of wx here. */
export interface Phone {
  getStorageSync(key: string): unknown;
  setStorageSync(key: string, data: unknown): void;
  removeStorageSync(key: string): void;
  getAppBaseInfo(): { language: string };
}

export interface OrderingOptions {
  client: Client;
  phone: Phone;
  url: string;
  shop: string;
  /** An order was placed by a bill of before: the page that sent it is gone. */
  placed?: (order: OrderView) => void;
}

export function openOrdering({ client, phone, url, shop, placed }: OrderingOptions): Ordering {
  const item = (name: string) => `orderbell.${shop}.${name}`;
  const cartHearers = hearers();
  const sendHearers = hearers();
  let table: { token: string; label: string } | null = null;
  let out = false;
  let sending = 0;

  const menu = share<ShopInfo>((tell, fail) => client.watch("menu", { shop, onChange: tell, onError: fail }));
  const orders = share<OrderView[]>((tell, fail) => {
    if (out) {
      // The watch would sign in by itself, against what was wanted.
      fail(new ApiError("SESSION_MISSING", 401, "signed out"));
      return { close() {} };
    }
    return client.watch("orders", {
      // A customer may know other shops of the same API.
      onChange: (all) => tell(all.filter((order) => order.shop === shop)),
      onError: fail,
    });
  });
  let user = client.session()?.user.id;
  client.onSession((session) => {
    if (session === undefined) return;
    const another = out || (user !== undefined && user !== session.user.id);
    out = false;
    user = session.user.id;
    if (another) orders.restart();
  });

  const ordering: Ordering = {
    client,
    shop,
    picture: (path) => (path === undefined ? "" : `${url}/${path}`),
    menu,
    orders,
    cart: () => (phone.getStorageSync(item("cart")) || []) as CartLine[],
    setCart(lines) {
      phone.setStorageSync(item("cart"), lines);
      cartHearers.tell();
    },
    onCart: cartHearers.add,
    table: () => table,
    async sitDown(token) {
      if (table?.token === token) return;
      const info = await client.shop(shop, token);
      table = info.table;
      cartHearers.tell();
    },
    address: () => (phone.getStorageSync("orderbell.address") || undefined) as Address | undefined,
    setAddress: (address) =>
      address === undefined
        ? phone.removeStorageSync("orderbell.address")
        : phone.setStorageSync("orderbell.address", address),
    async submit(bill) {
      sending += 1;
      try {
        const submitted = client.submit(bill);
        sendHearers.tell();
        return await submitted;
      } finally {
        sending -= 1;
        sendHearers.tell();
      }
    },
    submitting: () => sending > 0 || client.pending().length > 0,
    onSubmitting: sendHearers.add,
    async signOut() {
      out = true;
      await client.signOut();
      orders.restart();
    },
    out: () => out,
    async signIn() {
      await client.signIn();
    },
    language: () =>
      (phone.getStorageSync("orderbell.language") || languageOf(phone.getAppBaseInfo().language)) as Language,
    words: () => dictionaries[ordering.language()],
    setLanguage: (language) => phone.setStorageSync("orderbell.language", language),
  };

  // Also what was sent before the app was closed.
  client.onPending(({ bill }, answer) => {
    if (!(answer instanceof Error)) {
      ordering.setCart(without(ordering.cart(), bill.lines));
      if (sending === 0) placed?.(answer);
    }
    sendHearers.tell();
  });
  return ordering;
}

function hearers() {
  const all = new Set<() => void>();
  return {
    add(hear: () => void) {
      all.add(hear);
      return () => void all.delete(hear);
    },
    tell() {
      for (const hear of [...all]) hear();
    },
  };
}

/** What a customer is told of a refusal that no page knows better. */
export function tellError({ code }: Pick<ApiError, "code">, words: Words): string {
  const known: Record<string, string> = {
    [noAnswer]: words.noNetwork,
    OVERLOADED: words.noNetwork,
    SHOP_UNKNOWN: words.shopUnknown,
    SHOP_CLOSED: words.closedNow,
    KITCHEN_OFFLINE: words.kitchenOffline,
    TABLE_UNKNOWN: words.tableUnknown,
    SERVICE_NOT_OFFERED: words.serviceNotOffered,
    DISH_UNAVAILABLE: words.notOnSale,
    OPTIONS_INVALID: words.notOnSale,
    TOO_MANY_UNACCEPTED: words.tooManyWaiting,
    GUESTS_REFUSED: words.guestsRefused,
    INVALID_INPUT: words.inputWrong,
    ORDER_UNKNOWN: words.orderGone,
    SESSION_MISSING: words.signedOut,
    LOGIN_CODE_INVALID: words.signInFailed,
    LOGIN_BLOCKED: words.signInFailed,
    LOGIN_TOO_OFTEN: words.signInFailed,
  };
  return known[code] ?? fill(words.failed, { code });
}
