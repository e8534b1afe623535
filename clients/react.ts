/** Hooks for React 18 and later. On a server they show what there is before the first answer. */
import { createContext, type Provider, useContext, useMemo, useState, useSyncExternalStore } from "react";
import type { State } from "./channel.ts";
import type { Client } from "./client.ts";
import {
  type Answer,
  loading,
  plainSource,
  type Source,
  submitBill,
  type Watched,
  type WatchedOrder,
  type WatchOptions,
  watchSource,
} from "./source.ts";
import type { Bill, BoardState, OrderView, PendingBill, Session, ShopInfo } from "./types.ts";

export type { Answer, Watched, WatchedOrder, WatchOptions } from "./source.ts";

const Context = createContext<Client | undefined>(undefined);

/** `value`: the client of all components below. */
export const ClientProvider: Provider<Client | undefined> = Context.Provider;

/** @throws TypeError without a ClientProvider above */
export function useClient(): Client {
  const client = useContext(Context);
  if (!client) throw new TypeError("no ClientProvider above");
  return client;
}

/** @param first what a server shows, and a page before it is hydrated */
function useSource<T>(make: (client: Client, key: never) => Source<unknown>, key: string, first: T): T {
  const client = useClient();
  const { listen, read } = useMemo(() => make(client, key as never) as Source<T>, [client, key]);
  return useSyncExternalStore(listen, read, () => first);
}

/** React wants the same object until there is another value, and the client reads its store each time. */
function steadySource(client: Client, name: "Session" | "State" | "Pending"): Source<unknown> {
  const { listen, read } = plainSource(client, name);
  let kept: unknown;
  return {
    listen,
    read() {
      const now = read();
      if (JSON.stringify(now) !== JSON.stringify(kept)) kept = now;
      return kept;
    },
  };
}

const useWatched = <T>(...key: unknown[]): Watched<T> =>
  useSource<Watched<T>>(watchSource, JSON.stringify(key), loading);

/** The stored session, also when another tab changes it. */
export const useSession = (): Session | undefined => useSource(steadySource, "Session", undefined);

/** Another user has other orders, and must not see these until they have come. */
const useUser = () => useSession()?.user.id;

/** The state of all watches together. */
export const useConnection = (): State => useSource<State>(steadySource, "State", "idle");

/** Orders, newest first. With `shop`: its open orders. Without: one's own. */
export const useOrders = (options: WatchOptions<"orders"> = {}): Watched<OrderView[]> =>
  useWatched("orders", options, useUser());

export const useMenu = (options: WatchOptions<"menu">): Watched<ShopInfo> => useWatched("menu", options);

export const useBoard = (options: WatchOptions<"board">): Watched<BoardState> => useWatched("board", options);

/** One order with its history. @param options as for `useOrders`: staff name the shop */
export const useOrder = (id: string | null, options: WatchOptions<"orders"> = {}): WatchedOrder =>
  useWatched("orders", options, useUser(), id);

export interface Submitting extends Answer {
  /** Bills of this client without an answer, oldest first, also of other components and from before a reload. */
  pending: readonly PendingBill[];
  /** Places an order, exactly once. Resolves with undefined when it is refused: `error` has the reason. */
  submit(bill: Bill): Promise<OrderView | undefined>;
}

const none: readonly PendingBill[] = [];

export function useSubmit(): Submitting {
  const client = useClient();
  const [answer, show] = useState<Answer>({});
  const pending = useSource(steadySource, "Pending", none);
  return { ...answer, pending, submit: useMemo(() => (bill) => submitBill(client, bill, show), [client]) };
}
