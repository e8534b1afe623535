/** The client: session, requests, watches and pending bills. Independent of the platform. */
import type { Action } from "../shared/order_states.ts";
import type { OrderView } from "../shared/protocol.ts";
import { type Api, type ApiRequest, makeApi, mayRetry } from "./api.ts";
import { type Channel, openChannel, type State } from "./channel.ts";
import { makeEmitter } from "./emitter.ts";
import { type BillListener, makeOutbox } from "./outbox.ts";
import type { Platform } from "./platform.ts";
import { waitAfter } from "./retry.ts";
import { makeSessionStore, type SessionListener } from "./session.ts";
import { stepTries } from "./timing.ts";
import type { Bill, Orders, OrdersQuery, PendingBill, Session, ShopBrief, ShopInfo, Step } from "./types.ts";
import { readOrders, readShop, type Watch, type Watches, watchBoard, watchMenu, watchOrders } from "./watch.ts";

export interface ClientOptions {
  /** The API's address. In a browser: the page's own host. */
  url?: string;
  /** Prefix in the store. Clients with different names have sessions of their own. Default "orderbell". */
  name?: string;
  /** Sign in as a guest when there is no session. Default true; a kitchen's page says false. */
  guest?: boolean;
}

export interface Client {
  /** The stored session. It may have been revoked; a request finds out. */
  session(): Session | undefined;
  /** The stored session, else a guest's, else WeChat's. @throws ApiError SESSION_MISSING where a pairing code is needed */
  signIn(): Promise<Session>;
  /** Signs in as staff. @throws ApiError PAIRING_CODE_INVALID */
  pair(pairingCode: string): Promise<Session>;
  signOut(): Promise<void>;
  /** Also calls back when another tab signs in or out. Returns the function that stops it. */
  onSession(listener: SessionListener): () => void;

  /** The state of all watches together; `live`: nothing is missing. */
  state(): State;
  onState(listener: (state: State) => void): () => void;
  /** The time of the last message, ms; for "as of". */
  heardAt(): number;

  /** Calls any route. @returns the body @throws ApiError */
  ask<T>(ask: ApiRequest): Promise<T>;
  shops(): Promise<ShopBrief[]>;
  /** @param table the scanned code; the answer names its table @throws ApiError SHOP_UNKNOWN, TABLE_UNKNOWN */
  shop(id: string, table?: string): Promise<ShopInfo>;
  orders(query?: OrdersQuery): Promise<Orders>;
  order(id: string): Promise<OrderView & { history: Step[] }>;
  /** With `version` the server recognizes repeats and conflicts, and the request is repeated when no answer came. @throws ApiError */
  step(order: { id: string; version?: number }, action: Action, body?: StepBody): Promise<OrderView>;

  /** Places an order, exactly once, on any network. @throws ApiError when it is refused */
  submit(bill: Bill): Promise<OrderView>;
  /** Bills without an answer, oldest first; those from before a reload are being sent again. */
  pending(): readonly PendingBill[];
  /** Calls back when a bill is answered, with the order or an ApiError. Returns the function that stops it. */
  onPending(listener: BillListener): () => void;

  /** The socket of this client, and the streams over it, such as rooms. */
  channel: Channel;
  watch<What extends keyof Watches>(what: What, options: Watches[What]): Watch;
  /** Closes the socket and ends the timers. Pending bills stay in the store for the next client. */
  close(): void;
}

export interface StepBody {
  /** The reason, shown to the customer. */
  reason?: string;
  /** With `ready` and `recall`: only this station's lines; null for those without one. */
  station?: string | null;
}

export interface CoreOptions extends Omit<ClientOptions, "guest"> {
  url: string;
  /** The request that begins a session without the user. */
  begin?: (() => Promise<ApiRequest>) | false;
}

/** A guest's session. */
export const asGuest = async (): Promise<ApiRequest> => ({ method: "POST", path: "/login/guest" });

export function makeClient(platform: Platform, { url, name = "orderbell", begin }: CoreOptions): Client {
  const api: Api = makeApi(platform, {
    url,
    token: () => sessions.session()?.token,
    renew: (stale) => sessions.renew(stale),
  });
  const sessions = makeSessionStore(platform, name, api.ask, begin);
  const states = makeEmitter<[State]>();
  const channel = openChannel(platform, api, states._emit);

  const wakeups = makeEmitter<[]>();
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const wake = () => {
        timer.cancel();
        stopListening();
        resolve();
      };
      const timer = platform.later(wake, ms);
      const stopListening = wakeups._listen(wake);
    });
  const stopPlatform = platform.onChange((there) => there && wakeups._emit());

  const outbox = makeOutbox(platform, name, api, sessions, pause);
  const stopSession = sessions.onSession(channel.restart);

  async function step(
    { id, version }: { id: string; version?: number },
    action: Action,
    body = {},
  ): Promise<OrderView> {
    const wanted: ApiRequest = { method: "POST", path: `/orders/${id}/${action}`, body: { version, ...body } };
    for (let tries = 1; ; tries++) {
      try {
        return (await api.ask<{ order: OrderView }>(wanted)).order;
      } catch (error) {
        if (!version || tries === stepTries || !mayRetry(error)) throw error;
        await pause(waitAfter(error, tries, platform.random()));
      }
    }
  }

  return {
    ...sessions,
    ...outbox,
    channel,
    state: channel.state,
    onState: states._listen,
    heardAt: channel.heardAt,
    ask: api.ask,
    shops: async () =>
      (await api.ask<{ shops: ShopBrief[] }>({ method: "GET", path: "/get_shop_info", open: true })).shops,
    shop: (id, table) => readShop(api, id, table),
    orders: (query) => readOrders(api, query),
    async order(id) {
      const { order, history } = await api.ask<{ order: OrderView; history: Step[] }>({
        method: "GET",
        path: `/orders/${id}`,
      });
      return { ...order, history };
    },
    step,
    watch(what, options) {
      if (what === "menu") return watchMenu(api, channel, options as Watches["menu"]);
      if (what === "board") return watchBoard(api, channel, options as Watches["board"]);
      return watchOrders(api, channel, sessions, options as Watches["orders"]);
    },
    close() {
      outbox.close();
      sessions.close();
      stopSession();
      stopPlatform();
      channel.close();
      wakeups._emit();
    },
  };
}
