/** The client: who is signed in, what is asked, what is watched, what is on its way. Knows no platform. */
import type { Action, OrderView } from "../shared/protocol.ts";
import { type Api, type Ask, makeApi, mayRetry } from "./api.ts";
import { openChannel, type State } from "./channel.ts";
import { makeHearers } from "./hearers.ts";
import { type HearBill, makeOutbox } from "./outbox.ts";
import type { Platform } from "./platform.ts";
import { waitAfter } from "./retry.ts";
import { type HearSession, keepSession } from "./session.ts";
import type { Bill, Orders, OrdersQuery, PendingBill, Session, ShopBrief, ShopInfo, Step } from "./types.ts";
import { readOrders, readShop, type Watch, type Watches, watchBoard, watchMenu, watchOrders } from "./watch.ts";

export interface ClientOptions {
  /** The API's address. In a browser: the page's own host. */
  url?: string;
  /** The socket's address with its path. By default `url` with ws or wss, and /pgws. */
  socketUrl?: string;
  /** Prefix in the store. Clients with different names have sessions of their own. Default "orderbell". */
  name?: string;
  /** Sign in as a guest by itself when there is no session. Default true; a kitchen's page says false. */
  guest?: boolean;
}

export interface Client {
  /** The kept session. Tells nothing of whether it is still alive; a request finds out. */
  session(): Session | undefined;
  /** The kept session, else a guest's, else WeChat's. @throws ApiError SESSION_MISSING where a pairing code is needed */
  signIn(): Promise<Session>;
  /** Staff. @throws ApiError PAIRING_CODE_INVALID */
  pair(pairingCode: string): Promise<Session>;
  signOut(): Promise<void>;
  /** Also when it was another tab that signed in or out. Returns how to stop. */
  onSession(hear: HearSession): () => void;

  /** How true what is watched is: `live` lacks nothing. */
  state(): State;
  onState(hear: (state: State) => void): () => void;
  /** When anything was last heard, ms; for "as of". */
  heardAt(): number;

  /** Any route. @returns the body @throws ApiError */
  ask<T>(ask: Ask): Promise<T>;
  shops(): Promise<ShopBrief[]>;
  /** @param table the scanned code; the answer names its table @throws ApiError SHOP_UNKNOWN, TABLE_UNKNOWN */
  shop(id: string, table?: string): Promise<ShopInfo>;
  orders(query?: OrdersQuery): Promise<Orders>;
  order(id: string): Promise<OrderView & { history: Step[] }>;
  /** With `version` it is known for a repeat or a race, and said again when there was no answer. @throws ApiError */
  step(order: { id: string; version?: number }, action: Action, body?: { reason?: string }): Promise<OrderView>;

  /** Places an order, once, whatever the road does. @throws ApiError when it is refused */
  submit(bill: Bill): Promise<OrderView>;
  /** Bills without an answer, oldest first; those of before a reload are being sent again. */
  pending(): readonly PendingBill[];
  /** A bill was answered: with the order, or with an ApiError. Returns how to stop. */
  onPending(hear: HearBill): () => void;

  watch<What extends keyof Watches>(what: What, options: Watches[What]): Watch;
  /** Lets go of socket and timers. What is pending stays in the store for the next client. */
  close(): void;
}

export interface CoreOptions extends Omit<ClientOptions, "guest"> {
  url: string;
  /** The request that begins a session without anybody's doing. */
  begin?: (() => Promise<Ask>) | false;
}

/** A guest's session. */
export const asGuest = async (): Promise<Ask> => ({ method: "POST", path: "/login/guest" });

const stepTries = 4;

export function makeClient(
  platform: Platform,
  { url, socketUrl = `${url.replace(/^http/, "ws")}/pgws`, name = "orderbell", begin }: CoreOptions,
): Client {
  const api: Api = makeApi(platform, {
    url,
    token: () => keeper.session()?.token,
    renew: (stale) => keeper.renew(stale),
  });
  const keeper = keepSession(platform, name, api.ask, begin);
  const states = makeHearers<[State]>();
  const channel = openChannel(platform, api, { url: socketUrl, onState: states.tell });

  const wakers = makeHearers<[]>();
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      const wake = () => {
        timer.cancel();
        forget();
        resolve();
      };
      const timer = platform.later(wake, ms);
      const forget = wakers.add(wake);
    });
  const forgetPlatform = platform.onChange((there) => there && wakers.tell());

  const outbox = makeOutbox(platform, name, api, keeper, pause);
  const forgetSession = keeper.onSession(channel.restart);

  async function step(
    { id, version }: { id: string; version?: number },
    action: Action,
    body = {},
  ): Promise<OrderView> {
    const wanted: Ask = { method: "POST", path: `/orders/${id}/${action}`, body: { version, ...body } };
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
    ...keeper,
    ...outbox,
    state: channel.state,
    onState: states.add,
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
      return watchOrders(api, channel, keeper, platform, pause, options as Watches["orders"]);
    },
    close() {
      outbox.close();
      keeper.close();
      forgetSession();
      forgetPlatform();
      channel.close();
      wakers.tell();
    },
  };
}
