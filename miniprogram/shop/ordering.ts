/** State shared by the pages: the client, the cart, the table, the language. One for the app; pages get it from getApp(). */
import type { Bill, Client, OrderView, ShopInfo } from "../lib/orderbell";
import { ApiError, noAnswer } from "../lib/orderbell";
import type { CartLine } from "./cart";
import { without } from "./cart";
import { clockTime, fill } from "./format";
import type { Live } from "./shared_watch";
import { share } from "./shared_watch";
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
  /** The address of a path on the API's domain. */
  picture(path: string | undefined): string;

  readonly menu: Live<ShopInfo>;
  /** The customer's own orders, newest first. */
  readonly orders: Live<OrderView[]>;

  /** The phone's storage does not work: the cart and bills being sent are lost when the app is closed. */
  forgets(): boolean;

  cart(): readonly CartLine[];
  setCart(lines: readonly CartLine[]): void;
  onCart(listener: () => void): () => void;

  /** The customer's table, until another code is scanned. */
  table(): { token: string; label: string } | null;
  /** Looks up a scanned code. @throws ApiError TABLE_UNKNOWN */
  sitDown(token: string): Promise<void>;

  /** Stored on this phone only. */
  address(): Address | undefined;
  setAddress(address: Address | undefined): void;

  /** Places an order, and removes the ordered lines from the cart. @throws ApiError */
  submit(bill: Bill): Promise<OrderView>;
  /** A bill is being sent, perhaps since before the app was closed. */
  submitting(): boolean;
  onSubmitting(listener: () => void): () => void;

  /** No session begins without the user until `signIn`, or until the next order. */
  signOut(): Promise<void>;
  /** The user has signed out. */
  out(): boolean;
  signIn(): Promise<void>;

  language(): Language;
  words(): Words;
  setLanguage(language: Language): void;
}

/** Types of wx, as far as it is used here. */
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
  /** An order was placed by a bill of an earlier page, which is gone. */
  placed?: (order: OrderView) => void;
}

export function openOrdering({ client, phone: bare, url, shop, placed }: OrderingOptions): Ordering {
  const phone = overMemory(bare);
  const item = (name: string) => `orderbell.${shop}.${name}`;
  const cartListeners = makeListeners();
  const sendListeners = makeListeners();
  let table: { token: string; label: string } | null = null;
  let out = false;
  let sending = 0;

  const menu = share<ShopInfo>((emit, fail) => client.watch("menu", { shop, onChange: emit, onError: fail }));
  const orders = share<OrderView[]>((emit, fail) => {
    if (out) {
      // The watch would sign in without the user, who has signed out.
      fail(new ApiError("SESSION_MISSING", 401, "signed out"));
      return { close() {} };
    }
    return client.watch("orders", {
      // A customer may have orders in other shops of the same API.
      onChange: (all) => emit(all.filter((order) => order.shop === shop)),
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
    picture: (path) => (path === undefined ? "" : addressAt(url, path)),
    menu,
    orders,
    forgets: phone.forgets,
    cart: () => (phone.getStorageSync(item("cart")) || []) as CartLine[],
    setCart(lines) {
      phone.setStorageSync(item("cart"), lines);
      cartListeners.emit();
    },
    onCart: cartListeners.add,
    table: () => table,
    async sitDown(token) {
      if (table?.token === token) return;
      const info = await client.shop(shop, token);
      table = info.table;
      cartListeners.emit();
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
        sendListeners.emit();
        return await submitted;
      } finally {
        sending -= 1;
        sendListeners.emit();
      }
    },
    submitting: () => sending > 0 || client.pending().length > 0,
    onSubmitting: sendListeners.add,
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

  // Also bills that were sent before the app was closed.
  client.onPending(({ bill }, answer) => {
    if (!(answer instanceof Error)) {
      ordering.setCart(without(ordering.cart(), bill.lines));
      if (sending === 0) placed?.(answer);
    }
    sendListeners.emit();
  });
  return ordering;
}

/** Joins address and path by hand, since a mini-program has no URL class. The address may end with a slash; a picture may be on another host. */
const addressAt = (url: string, path: string): string =>
  /^https?:\/\//.test(path) ? path : `${url.replace(/\/+$/, "")}/${path.replace(/^\/+/, "")}`;

/** Values that the phone's storage refuses, being full, last until the app is closed. */
function overMemory(phone: Phone) {
  const memory = new Map<string, unknown>();
  return {
    getAppBaseInfo: () => phone.getAppBaseInfo(),
    getStorageSync: (key: string) => memory.get(key) ?? phone.getStorageSync(key),
    setStorageSync(key: string, data: unknown) {
      memory.delete(key);
      try {
        phone.setStorageSync(key, data);
      } catch {
        memory.set(key, data);
      }
    },
    removeStorageSync(key: string) {
      memory.delete(key);
      phone.removeStorageSync(key);
    },
    /** A value is only in memory. */
    forgets: () => memory.size > 0,
  };
}

function makeListeners() {
  const all = new Set<() => void>();
  return {
    add(listener: () => void) {
      all.add(listener);
      return () => void all.delete(listener);
    },
    emit() {
      for (const listener of [...all]) listener();
    },
  };
}

type ShownError = Pick<ApiError, "code"> & Partial<Pick<ApiError, "extra" | "retryAfterMs">>;

/** Names of what the limit of waiting orders counts by. */
function waitingOf(of: string, words: Words): string {
  if (of === "session") return words.tooManyWaiting;
  return of === "table" ? words.tableWaiting : of === "address" ? words.networkWaiting : words.shopBusy;
}

/** The pages' name for a field of the bill, such as `lines.0.note`. */
function fieldName(path: string, words: Words): string | undefined {
  if (path === "note") return words.note;
  if (/^lines\.\d+\.note$/.test(path)) return words.lineNote;
  if (path === "delivery.name") return words.name;
  if (path === "delivery.phone") return words.phone;
  return path === "delivery.address" ? words.address : undefined;
}

/** The text of an error that no page handles itself. */
export function errorTextOf({ code, extra, retryAfterMs }: ShownError, words: Words): string {
  if (code === "TOO_MANY_UNACCEPTED") return waitingOf(String(extra?.of), words);
  if (code === "TOO_MANY_SESSIONS") {
    const at = new Date(Date.now() + (retryAfterMs || 60_000) + 59_000).toISOString();
    return fill(words.tooManyVisitors, { time: clockTime(at) });
  }
  const field = code === "INVALID_INPUT" ? fieldName(String(extra?.field), words) : undefined;
  if (field !== undefined) return fill(words.wrongField, { field });
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
