/** Composables for Vue 3.3 and later. They begin when the component is mounted, so on a server they show what there is before the first answer. */
import {
  getCurrentInstance,
  type InjectionKey,
  inject,
  type MaybeRefOrGetter,
  onMounted,
  type ShallowRef,
  shallowRef,
  toValue,
  watch,
} from "vue";
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

/** `app.provide(clientKey, client)`: the client of all components. */
export const clientKey: InjectionKey<Client> = Symbol();

/** @throws TypeError when none was provided */
export function useClient(): Client {
  const client = inject(clientKey);
  if (!client) throw new TypeError("no client");
  return client;
}

/** Shows the source of a key, another one when the key changes, until the scope ends. @param first what a server shows */
function useSource<T>(
  make: (client: Client, key: never) => Source<unknown>,
  key: MaybeRefOrGetter<string>,
  first: T,
): Readonly<ShallowRef<T>> {
  const client = useClient();
  const shown = shallowRef(first);
  const mounted = shallowRef<boolean>();
  const mount = () => {
    mounted.value = true;
  };
  watch(
    () => mounted.value && toValue(key),
    (now, _, onCleanup) => {
      const { read, listen } = make(client, now as never);
      const show = () => {
        shown.value = read() as T;
      };
      onCleanup(listen(show));
      show();
    },
  );
  getCurrentInstance() ? onMounted(mount) : mount();
  return shown;
}

const useWatched = <T>(...key: unknown[]): Readonly<ShallowRef<Watched<T>>> =>
  useSource<Watched<T>>(watchSource, () => JSON.stringify(key.map(toValue)), loading);

/** The stored session, also when another tab changes it. */
export const useSession = (): Readonly<ShallowRef<Session | undefined>> => useSource(plainSource, "Session", undefined);

/** Another user has other orders, and must not see these until they have come. */
const useUser = () => {
  const session = useSession();
  return () => session.value?.user.id;
};

/** The state of all watches together. */
export const useConnection = (): Readonly<ShallowRef<State>> => useSource<State>(plainSource, "State", "idle");

/** Orders, newest first. With `shop`: its open orders. Without: one's own. */
export const useOrders = (
  options: MaybeRefOrGetter<WatchOptions<"orders">> = {},
): Readonly<ShallowRef<Watched<OrderView[]>>> => useWatched("orders", options, useUser());

export const useMenu = (options: MaybeRefOrGetter<WatchOptions<"menu">>): Readonly<ShallowRef<Watched<ShopInfo>>> =>
  useWatched("menu", options);

export const useBoard = (options: MaybeRefOrGetter<WatchOptions<"board">>): Readonly<ShallowRef<Watched<BoardState>>> =>
  useWatched("board", options);

/** One order with its history. @param options as for `useOrders`: staff name the shop */
export const useOrder = (
  id: MaybeRefOrGetter<string | null>,
  options: MaybeRefOrGetter<WatchOptions<"orders">> = {},
): Readonly<ShallowRef<WatchedOrder>> => useWatched("orders", options, useUser(), id);

export interface Submitting {
  readonly answer: Readonly<ShallowRef<Answer>>;
  /** Bills of this client without an answer, oldest first, also of other components and from before a reload. */
  readonly pending: Readonly<ShallowRef<readonly PendingBill[]>>;
  /** Places an order, exactly once. Resolves with undefined when it is refused: `error` has the reason. */
  submit(bill: Bill): Promise<OrderView | undefined>;
}

export function useSubmit(): Submitting {
  const client = useClient();
  const answer = shallowRef<Answer>({});
  return {
    answer,
    pending: useSource<readonly PendingBill[]>(plainSource, "Pending", []),
    submit: (bill) =>
      submitBill(client, bill, (now) => {
        answer.value = now;
      }),
  };
}
