/** The client: session, requests, watches and pending bills. Independent of the platform. */
import type { Action } from "../shared/order_states.ts";
import type { OrderView } from "../shared/protocol.ts";
import { type Api, type ApiRequest, makeApi, mayRetry } from "./api.ts";
import { type Channel, openChannel, type State } from "./channel.ts";
import { makeEmitter } from "./emitter.ts";
import { type BillListener, makeOutbox } from "./outbox.ts";
import type { Logger, Platform, Reason } from "./platform.ts";
import { waitAfter } from "./retry.ts";
import type { Ask } from "./routes.ts";
import { makeSessionStore, type SessionListener } from "./session.ts";
import { stepTries } from "./timing.ts";
import type { Bill, Orders, OrdersQuery, PendingBill, Session, ShopBrief, ShopInfo, Step } from "./types.ts";
import { readOrders, readShop, type Watch, type Watches, watchers } from "./watch.ts";

export interface ClientOptions {
  /** The API's address. In a browser: the page's own host. */
  url?: string;
  /** Prefix in the store. Clients with different names have sessions of their own. Default "orderbell". */
  name?: string;
  /** Sign in as a guest when there is no session. Default true; a kitchen's page says false. */
  guest?: boolean;
  /** Takes the log's lines, such as `console.debug`. Without it only errors in listeners are shown. */
  logger?: Logger | undefined;
  /** The request that begins a session without the user, in the place of a guest's or WeChat's: `asUser(…)`. */
  begin?: () => Promise<ApiRequest>;
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
  /** Calls back with each new state, and with the reason why there is no socket. Returns the function that stops it. */
  onState(listener: (state: State, reason?: Reason) => void): () => void;
  /** Why there is no socket, or was none a moment ago: its close code and text, or the error. Undefined while one is useful. */
  reason(): Reason | undefined;
  /** The time of the last message, ms; for "as of". */
  heardAt(): number;

  /** The API's address, without a slash at its end. */
  readonly url: string;
  /** Calls any route. @returns the body @throws ApiError */
  ask: Ask;
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
  /** Sends the log's lines there from now on; without a logger, as at the start without one. */
  setLogger(logger?: Logger): void;
  /** Closes the socket and ends the timers. `submit` rejects with `CLOSED`; its bills stay in the store for the next client. */
  close(): void;
}

export interface StepBody {
  /** The reason, shown to the customer. */
  reason?: string;
  /** With `ready` and `recall`: only this station's lines; null for those without one. */
  station?: string | null;
}

export interface CoreOptions extends Omit<ClientOptions, "guest" | "begin" | "url"> {
  url: string | undefined;
  /** The request that begins a session without the user. */
  begin?: (() => Promise<ApiRequest>) | false;
}

/** The session of a user of the shop's own system. @param token asks that system for a new token, whenever a session begins */
export const asUser = (token: () => Promise<string>) => async (): Promise<ApiRequest> => ({
  method: "POST",
  path: "/login/token",
  body: { token: await token() },
});

/** A guest's session. */
export const asGuest = async (): Promise<ApiRequest> => ({ method: "POST", path: "/login/guest" });

/** @throws TypeError when `url` is no address of an API */
export function makeClient(on: Platform, { url, name = "orderbell", begin, logger }: CoreOptions): Client {
  const base = /^https?:\/\/.*[^/]/.exec(url as string)?.[0];
  if (!base) throw new TypeError(`url is not http(s)://: ${url}`);
  const platform: Platform = {
    ...on,
    log(...line) {
      try {
        (logger ?? on.log)?.(...line);
      } catch {
        // A logger's own error has nowhere to go.
      }
    },
  };
  const api: Api = makeApi(platform, {
    url: base,
    token: () => sessions.session()?.token,
    renew: (stale) => sessions.renew(stale),
  });
  const sessions = makeSessionStore(platform, name, api.ask, begin);
  const channel = openChannel(platform, api);

  const wakeups = makeEmitter<[]>(platform);
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
  sessions.onSession(channel.restart);

  async function step(
    { id, version }: { id: string; version?: number },
    action: Action,
    body?: StepBody,
  ): Promise<OrderView> {
    const wanted: ApiRequest = { method: "POST", path: `/orders/${id}/${action}`, body: { version, ...body } };
    for (let tries = 1; ; tries++) {
      try {
        return (await api.ask<{ order: OrderView }>(wanted)).order;
      } catch (error) {
        if (!version || tries === stepTries || !mayRetry(error)) throw error;
        await pause(waitAfter(error, tries, platform));
      }
    }
  }

  return {
    ...sessions,
    ...outbox,
    channel,
    state: channel.state,
    reason: channel.reason,
    onState: channel.onState,
    heardAt: channel.heardAt,
    url: base,
    ask: api.ask as Ask,
    shops: async () => (await readShop<{ shops: ShopBrief[] }>(api)).shops,
    shop: (id, table) => readShop(api, id, table),
    orders: (query) => readOrders(api, query),
    async order(id) {
      const { order, ...more } = await api.ask<{ order: OrderView; history: Step[] }>({
        method: "GET",
        path: `/orders/${id}`,
      });
      return { ...order, ...more };
    },
    step,
    watch(what, options) {
      return watchers[what](api, channel, options as never, sessions);
    },
    setLogger(other) {
      logger = other;
    },
    close() {
      outbox.close();
      sessions.close?.();
      stopPlatform();
      channel.close();
      wakeups._emit();
    },
  };
}
