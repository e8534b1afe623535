/** What a page shows, kept true: a snapshot, and the stream that goes on from it. */
import type { BoardState, MenuState, OrderEvent, OrderView, StreamEvent, StreamPosition } from "../shared/protocol.ts";
import { type Api, type ApiError, isSignedOut, mayRetry, query } from "./api.ts";
import type { Channel, Subscription } from "./channel.ts";
import { safely } from "./hearers.ts";
import type { Platform } from "./platform.ts";
import { waitAfter } from "./retry.ts";
import type { Keeper } from "./session.ts";
import type { Board, Orders, OrdersQuery, ShopInfo } from "./types.ts";

export interface Watch {
  close(): void;
}

/** Why `onChange` is called: an event, or a whole new state. */
export interface Change {
  event?: StreamEvent;
  snapshot: boolean;
  /** With `snapshot`: the first page of the answer, with `shop` or `notifications`. */
  answer?: Orders;
}

interface Hears<T extends unknown[]> {
  onChange(...what: T): void;
  /** The watch is over: not allowed, unknown, withdrawn. What passes is not told; see `state()`. */
  onError?: ((error: ApiError) => void) | undefined;
}

export interface Watches {
  /** Newest first. With `shop`: what is in the kitchen's hands or waits to be. Without: one's own. Called for every event of the stream. */
  orders: { shop?: string | undefined } & Hears<[orders: OrderView[], change: Change]>;
  menu: { shop: string } & Hears<[info: ShopInfo]>;
  board: { shop: string } & Hears<[board: BoardState]>;
}

/** What the kitchen has nothing to do with any more. */
const ended = ["completed", "rejected", "cancelled", "expired"];

export const readOrders = (api: Api, { shop, ...rest }: OrdersQuery = {}): Promise<Orders> =>
  api.ask({ method: "GET", path: `${shop ? `/shops/${shop}` : ""}/orders?${query({ ...rest })}` });

export const readShop = (api: Api, shop: string, table?: string): Promise<ShopInfo> =>
  api.ask({ method: "GET", path: `/get_shop_info?${query({ shop, table })}`, open: true });

export function watchOrders(
  api: Api,
  channel: Channel,
  keeper: Keeper,
  { random }: Platform,
  pause: (ms: number) => Promise<void>,
  { shop, onChange, onError }: Watches["orders"],
): Watch {
  const orders = new Map<string, OrderView>();
  let user: string | undefined;
  let stop = () => {};
  let closed = false;

  const show = (change: Change) =>
    safely(() =>
      onChange(
        [...orders.values()].sort((a, b) => (a.id < b.id ? 1 : -1)),
        change,
      ),
    );

  async function snapshot(still: () => boolean): Promise<StreamPosition> {
    const answer = await readOrders(api, shop ? { shop } : {});
    const all = [...answer.orders];
    // A kitchen sees every order that waits, however many.
    for (let page = answer; shop && page.more; all.push(...page.orders))
      page = await readOrders(api, { shop, before: (page.orders.at(-1) as OrderView).id });
    if (still()) {
      orders.clear();
      for (const order of all) orders.set(order.id, order);
      show({ snapshot: true, answer });
    }
    return answer.position as StreamPosition;
  }

  function onEvent(event: StreamEvent): void {
    const { order } = event.data as OrderEvent;
    if (event.event.startsWith("order.") && (orders.get(order.id)?.version ?? 0) <= order.version) {
      orders.set(order.id, order);
      if (shop && ended.includes(order.status)) orders.delete(order.id);
    }
    show({ event, snapshot: false });
  }

  const go = (stream: string) => {
    stop();
    stop = follow(channel, stream, onError, { snapshot, onEvent }).close;
  };

  /** One's own stream bears one's name: another user, another stream. */
  async function followMine(): Promise<void> {
    for (let tries = 1; !closed; tries++) {
      try {
        const mine = (await keeper.need()).user.id;
        if (closed || mine === user) return;
        user = mine;
        go(`user:${user}`);
      } catch (error) {
        // Whoever signs in next is followed.
        if (isSignedOut(error)) return;
        if (!mayRetry(error)) return onError?.(error as ApiError);
        await pause(waitAfter(error, tries, random()));
      }
    }
  }

  if (shop) go(`shop:${shop}`);
  else void followMine();
  const forget = keeper.onSession((session) => {
    if (!shop && session) void followMine();
  });
  return {
    close() {
      closed = true;
      forget();
      stop();
    },
  };
}

export function watchMenu(api: Api, channel: Channel, { shop, onChange, onError }: Watches["menu"]): Watch {
  let info: ShopInfo;
  return follow(channel, `menu:${shop}`, onError, {
    async snapshot(still) {
      const answer = await readShop(api, shop);
      if (still()) {
        info = answer;
        safely(() => onChange(info));
      }
      return answer.position;
    },
    onEvent({ event, data }) {
      if (event !== "menu.state") return undefined;
      const { open, live, version, soldOut } = data as MenuState;
      info = { ...info, shop: { ...info.shop, open, live }, soldOut };
      safely(() => onChange(info));
      return version > info.menu.version ? "again" : undefined;
    },
  });
}

export function watchBoard(api: Api, channel: Channel, { shop, onChange, onError }: Watches["board"]): Watch {
  return follow(channel, `board:${shop}`, onError, {
    async snapshot(still) {
      const { board, position } = await api.ask<Board>({ method: "GET", path: `/shops/${shop}/board`, open: true });
      if (still()) safely(() => onChange(board));
      return position;
    },
    onEvent({ event, data }) {
      if (event === "board.state") onChange(data as BoardState);
    },
  });
}

const follow = (
  channel: Channel,
  stream: string,
  onError: Hears<[]>["onError"],
  subscription: Subscription,
): Watch => ({
  close: channel.subscribe(stream, { ...subscription, onError: (error) => onError?.(error) }),
});
