/** Sources: what the hooks of react.ts and vue.ts show. Uses nothing but `Client`. */
import type { ApiError } from "./api.ts";
import type { Client } from "./client.ts";
import type { Bill, OrderView, Step } from "./types.ts";
import type { Watches } from "./watch.ts";

/** What a watch shows. */
export interface Watched<T> {
  /** Undefined before the first answer. */
  data: T | undefined;
  /** The reason for which the watch is over. Temporary failures are not told: `live` is false meanwhile. */
  error: ApiError | undefined;
  /** Neither data nor an error yet. */
  loading: boolean;
  /** Nothing is missing in `data`, as of the last check. */
  live: boolean;
}

/** The options of `client.watch`; null: nothing is watched yet. */
export type WatchOptions<What extends keyof Watches> = Omit<Watches[What], "onChange" | "onError"> | null;

/** The history is empty until it is fetched. */
export type WatchedOrder = Watched<OrderView & { history: Step[] }>;

/** The last answer to a hook's bills; neither while a bill has none. */
export interface Answer {
  order?: OrderView;
  /** The reason why it was refused. */
  error?: ApiError;
}

export interface Source<T> {
  read(): T;
  /** Returns the function that stops it. */
  listen(changed: () => void): () => void;
}

export const loading: Watched<never> = { data: undefined, error: undefined, live: false, loading: true };

/** The watch of a hook. @param key JSON of `what` and options of `client.watch`, of the user, and of the id of one order in that list */
export function watchSource(client: Client, key: string): Source<Watched<unknown>> {
  const [what, options, , id] = JSON.parse(key);
  let shown: Watched<unknown> = loading;
  return {
    read: () => shown,
    listen(changed) {
      function show(part?: Partial<Watched<unknown>>): void {
        const { data, error } = { ...shown, ...part };
        const live = !!data && !error && client.state() === "live";
        if (!part && live === shown.live) return;
        shown = { data, error, live, loading: !data && !error };
        changed();
      }
      /** The order in the list, in an object of its own for each question. */
      let asked: unknown[] | undefined;

      /** Fetches the order with its history whenever the list has another view of it. */
      async function find(orders: OrderView[]): Promise<void> {
        const listed = orders.find((order) => order.id === id) ?? null;
        if (asked?.[0] === listed) return;
        const mine = [listed];
        asked = mine;
        const part = await client.order(id).then(
          (data) => ({ data, error: undefined }),
          (error) => ({ error }),
        );
        if (asked !== mine) return;
        const status = part.error?.status;
        // No answer, or the server has too much to do.
        if (status < 400 || status > 428) {
          asked = undefined;
          client.channel.platform.later(() => !asked && find(orders), 5_000);
        } else show(part);
      }

      const watch =
        options && id !== null
          ? client.watch(what as "orders", {
              ...options,
              onChange: (data) => (id ? find(data) : show({ data })),
              onError: (error) => show({ error }),
            })
          : undefined;
      const stopState = client.onState(() => show());
      return () => {
        asked = [];
        stopState();
        watch?.close();
      };
    },
  };
}

const submitted = new Set<() => void>();

/** What the client itself says, and tells of by `onSession`, `onState`, `onPending`. */
export const plainSource = (client: Client, name: "Session" | "State" | "Pending"): Source<unknown> => ({
  read: client[name.toLowerCase() as "session" | "state" | "pending"],
  listen(changed) {
    const stop = client[`on${name}`](changed);
    submitted.add(changed);
    return () => {
      submitted.delete(changed);
      stop();
    };
  },
});

/** As `client.submit`, without throwing; whoever shows pending bills is told. */
export function submitBill(client: Client, bill: Bill, show: (answer: Answer) => void): Promise<OrderView | undefined> {
  const answer = client.submit(bill);
  show({});
  for (const changed of submitted) changed();
  return answer.then(
    (order) => {
      show({ order });
      return order;
    },
    (error) => show({ error }) as undefined,
  );
}
