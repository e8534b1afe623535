/** Watches: a snapshot of the data on a page, and the stream that continues it. */
import type {
  BoardState,
  EventOf,
  MenuState,
  OrderEvent,
  OrderView,
  Position,
  StreamEvent,
  StreamPosition,
} from "../shared/protocol.ts";
import { type Api, type ApiError, query } from "./api.ts";
import type { Channel } from "./channel.ts";
import { safely } from "./emitter.ts";
import type { SessionStore } from "./session.ts";
import type { Board, Orders, OrdersQuery, ShopInfo } from "./types.ts";

export interface Watch {
  close(): void;
}

/** The reason for a call of `onChange`: an event, whose `event` says what its `data` is, or a whole new state. */
export interface WatchChange {
  event?: EventOf<"shop" | "user">;
  snapshot: boolean;
  /** With `snapshot`: the first page of the answer, with `shop` or `notifications`. */
  answer?: Orders;
}

interface Listeners<T extends unknown[]> {
  onChange(...what: T): void;
  /** Called when the watch has ended: not allowed, unknown, withdrawn. Temporary failures are not reported here; see `state()`. */
  onError?: ((error: ApiError) => void) | undefined;
}

export interface Watches {
  /** Orders, newest first. With `shop`: its open orders. Without: one's own. Called for every event of the stream. */
  orders: { shop?: string | undefined } & Listeners<[orders: OrderView[], change: WatchChange]>;
  menu: { shop: string } & Listeners<[info: ShopInfo]>;
  board: { shop: string } & Listeners<[board: BoardState]>;
}

export const readOrders = (api: Api, { shop, ...rest }: OrdersQuery = {}): Promise<Orders> =>
  api.ask({ method: "GET", path: `${shop ? `/shops/${shop}` : ""}/orders?${query({ ...rest })}` });

/** Without `shop`: all of them, in brief. */
export const readShop = <T = ShopInfo>(api: Api, shop?: string, table?: string): Promise<T> =>
  api.ask({ method: "GET", path: `/get_shop_info?${query({ shop, table })}`, open: true });

/** Newest first. */
const sorted = (orders: OrderView[]) => orders.sort((a, b) => (a.id < b.id ? 1 : -1));

function watchOrders(
  api: Api,
  channel: Channel,
  { shop, onChange, onError }: Watches["orders"],
  sessions: SessionStore,
): Watch {
  let orders: OrderView[] = [];

  const show = (change: WatchChange) => safely(channel.platform, () => onChange([...orders], change));

  async function snapshot(still: () => boolean): Promise<StreamPosition> {
    if (!shop) await sessions.need();
    const answer = await readOrders(api, { shop });
    const all = [...answer.orders];
    // A kitchen gets every waiting order, however many pages there are.
    for (let page = answer; shop && page.more; all.push(...page.orders))
      page = await readOrders(api, { shop, before: (page.orders[page.orders.length - 1] as OrderView).id });
    if (still()) {
      orders = sorted(all);
      void show({ snapshot: true, answer });
    }
    return answer.position as StreamPosition;
  }

  function onEvent(event: StreamEvent): void {
    const { order } = event.data as OrderEvent;
    if (event.event.startsWith("order.")) {
      const known = orders.find(({ id }) => id === order.id);
      // The kitchen does not list ended orders. A later page of the snapshot may be newer than the snapshot's position.
      if (!known || known.version <= order.version)
        orders = sorted([...(shop && order.endedAt ? [] : [order]), ...orders.filter((one) => one !== known)]);
    }
    void show({ event: event as EventOf<"shop" | "user">, snapshot: false });
  }

  // A user's stream is named after the user. The snapshot names it.
  return { close: channel.subscribe(shop ? `shop:${shop}` : "", { snapshot, onEvent, onError }) };
}

/**
 * Makes the watch of a public state, whose events have all that changes.
 * @param fold the next state, by an event's data
 */
const watchState =
  <What extends "menu" | "board", Answer extends { position: Position }>(
    what: What,
    read: (api: Api, shop: string) => Promise<Answer>,
    fold: (data: never, now: Answer) => Answer,
  ) =>
  (api: Api, channel: Channel, { shop, onChange, onError }: Watches[What]): Watch => {
    let state: Answer;
    const show = (now: Answer) => {
      state = now;
      return safely(channel.platform, () => onChange(((now as unknown as Partial<Board>).board ?? now) as never));
    };
    return {
      close: channel.subscribe(`${what}:${shop}`, {
        onError,
        async snapshot(still) {
          const answer = await read(api, shop);
          if (still()) void show(answer);
          return answer.position;
        },
        onEvent({ event, data }) {
          if (event !== `${what}.state`) return undefined;
          void show(fold(data as never, state));
          // Also when it is smaller: the database may have been restored from a backup.
          return (data as MenuState).version !== (state as unknown as Partial<ShopInfo>).menu?.version
            ? "again"
            : undefined;
        },
      }),
    };
  };

export const watchers = {
  orders: watchOrders,
  menu: /* @__PURE__ */ watchState("menu", readShop<ShopInfo>, ({ open, live, soldOut }: MenuState, info) => ({
    ...info,
    shop: { ...info.shop, open, live },
    soldOut,
  })),
  board: /* @__PURE__ */ watchState(
    "board",
    (api, shop) => api.ask<Board>({ method: "GET", path: `/shops/${shop}/board`, open: true }),
    (board: BoardState, now) => ({ ...now, board }),
  ),
};
