/** Watches: a snapshot of the data on a page, and the stream that continues it. */
import type {
  BoardState,
  MenuState,
  OrderEvent,
  OrderView,
  Position,
  StreamEvent,
  StreamPosition,
} from "../shared/protocol.ts";
import { type Api, type ApiError, query } from "./api.ts";
import type { Channel, Subscription } from "./channel.ts";
import { safely } from "./emitter.ts";
import type { SessionStore } from "./session.ts";
import type { Board, Orders, OrdersQuery, ShopInfo } from "./types.ts";

export interface Watch {
  close(): void;
}

/** The reason for a call of `onChange`: an event, or a whole new state. */
export interface WatchChange {
  event?: StreamEvent;
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

export const readShop = (api: Api, shop: string, table?: string): Promise<ShopInfo> =>
  api.ask({ method: "GET", path: `/get_shop_info?${query({ shop, table })}`, open: true });

export function watchOrders(
  api: Api,
  channel: Channel,
  sessions: SessionStore,
  { shop, onChange, onError }: Watches["orders"],
): Watch {
  /** Messages, newest first. */
  let orders: OrderView[] = [];
  let mine: string | undefined;

  const show = (change: WatchChange) => safely(() => onChange([...orders], change));

  async function snapshot(still: () => boolean): Promise<StreamPosition> {
    if (!shop) await sessions.need();
    const answer = await readOrders(api, { shop });
    const all = [...answer.orders];
    // A kitchen gets every waiting order, however many pages there are.
    for (let page = answer; shop && page.more; all.push(...page.orders))
      page = await readOrders(api, { shop, before: (page.orders[page.orders.length - 1] as OrderView).id });
    if (still()) {
      mine = answer.position?.stream;
      orders = all.sort((a, b) => (a.id < b.id ? 1 : -1));
      show({ snapshot: true, answer });
    }
    return answer.position as StreamPosition;
  }

  function onEvent(event: StreamEvent): void {
    const { order } = event.data as OrderEvent;
    if (event.event.startsWith("order.")) {
      let at = 0;
      while ((orders[at]?.id ?? "") > order.id) at += 1;
      const known = orders[at]?.id === order.id ? orders[at] : undefined;
      // The kitchen does not list ended orders. A later page of the snapshot may be newer than the snapshot's position.
      if (!known || known.version <= order.version)
        orders.splice(at, known ? 1 : 0, ...(shop && order.endedAt ? [] : [order]));
    }
    show({ event, snapshot: false });
  }

  // A user's stream is named after the user, so another user has another stream. The first snapshot names it.
  const start = () => follow(channel, shop ? `shop:${shop}` : "", onError, { snapshot, onEvent });
  let watch = start();
  const stopListening = sessions.onSession((session) => {
    if (!shop && mine && session && mine !== `user:${session.user.id}`) {
      watch.close();
      mine = undefined;
      watch = start();
    }
  });
  return {
    close() {
      stopListening();
      watch.close();
    },
  };
}

export function watchMenu(api: Api, channel: Channel, { shop, onChange, onError }: Watches["menu"]): Watch {
  let info: ShopInfo;
  return follow(channel, `menu:${shop}`, onError, {
    snapshot: snapshotOf(
      () => readShop(api, shop),
      (answer) => {
        info = answer;
        onChange(info);
      },
    ),
    onEvent({ event, data }) {
      if (event !== "menu.state") return undefined;
      const { open, live, version, soldOut } = data as MenuState;
      info = { ...info, shop: { ...info.shop, open, live }, soldOut };
      safely(() => onChange(info));
      // Also when it is smaller: the database may have been restored from a backup.
      return version !== info.menu.version ? "again" : undefined;
    },
  });
}

export function watchBoard(api: Api, channel: Channel, { shop, onChange, onError }: Watches["board"]): Watch {
  return follow(channel, `board:${shop}`, onError, {
    snapshot: snapshotOf(
      () => api.ask<Board>({ method: "GET", path: `/shops/${shop}/board`, open: true }),
      ({ board }) => onChange(board),
    ),
    onEvent({ event, data }) {
      if (event === "board.state") onChange(data as BoardState);
    },
  });
}

const snapshotOf =
  <T extends { position: Position }>(read: () => Promise<T>, show: (answer: T) => void) =>
  async (still: () => boolean): Promise<Position> => {
    const answer = await read();
    if (still()) safely(() => show(answer));
    return answer.position;
  };

const follow = (
  channel: Channel,
  stream: string,
  onError: Listeners<[]>["onError"],
  subscription: Subscription,
): Watch => ({
  close: channel.subscribe(stream, { ...subscription, onError: (error) => onError?.(error) }),
});
