/** A kitchen's tablet for tests: the SDK's channel on Node, with a ledger of everything it showed. */
import { makeApi } from "../clients/api.ts";
import { type Channel, openChannel, type State } from "../clients/channel.ts";
import { nodePlatform } from "../clients/node.ts";
import type { OrderEvent, OrderView, Position, StreamEvent } from "../shared/protocol.ts";

export interface Tablet {
  readonly channel: Channel;
  /** What is on the screen: orders by id. */
  readonly orders: Map<string, OrderView>;
  /** Every event that was delivered. */
  readonly events: StreamEvent[];
  /** The orders that rang, by id, in the order of their ringing. */
  rung(): string[];
  readonly states: State[];
  readonly snapshots: number[];
  /** Waits until the screen shows what is wanted. */
  until(fits: (tablet: Tablet) => boolean, what?: string): Promise<void>;
  close(): void;
}

export interface TabletOptions {
  readonly url: string;
  readonly token: string;
  readonly shop: string;
  readonly onEvent?: (event: StreamEvent) => void;
}

const timeoutMs = 20_000;

/** Shows the open orders of a shop, live. Any event that comes twice or out of order throws. */
export function openTablet({ url, token, shop, onEvent }: TabletOptions): Tablet {
  const platform = nodePlatform();
  const api = makeApi(platform, { url, token: () => token, renew: async () => undefined });
  const orders = new Map<string, OrderView>();
  const events: StreamEvent[] = [];
  const states: State[] = [];
  const snapshots: number[] = [];
  const faults: string[] = [];
  const waiting = new Set<() => void>();
  let last = 0;
  const look = () => {
    for (const one of [...waiting]) one();
  };

  const channel = openChannel(platform, api);
  channel.onState((state) => {
    states.push(state);
    look();
  });
  channel.subscribe(`shop:${shop}`, {
    async snapshot() {
      const answer = await api.ask<{ orders: OrderView[]; more: boolean; position: Position }>({
        method: "GET",
        path: `/shops/${shop}/orders`,
      });
      orders.clear();
      for (const order of answer.orders) orders.set(order.id, order);
      last = answer.position.seq;
      snapshots.push(last);
      return { epoch: answer.position.epoch, seq: answer.position.seq, tag: answer.position.tag };
    },
    onEvent(event) {
      if (event.seq !== last + 1) faults.push(`event ${event.seq} came after ${last}`);
      last = event.seq;
      events.push(event);
      onEvent?.(event);
      if (event.event.startsWith("order.")) {
        const { order } = event.data as OrderEvent;
        const before = orders.get(order.id);
        if (event.event === "order.placed" && before !== undefined)
          faults.push(`order ${order.number} was shown twice`);
        orders.set(order.id, order);
      }
      look();
    },
  });

  const tablet: Tablet = {
    channel,
    orders,
    events,
    rung: () => events.filter(({ event }) => event === "order.placed").map(({ data }) => (data as OrderEvent).order.id),
    states,
    snapshots,
    until(fits, what = "it") {
      return new Promise((resolve, reject) => {
        const done = (then: () => void) => {
          clearTimeout(timer);
          waiting.delete(check);
          then();
        };
        const check = () => {
          if (faults.length > 0) done(() => reject(new Error(faults.join("; "))));
          else if (fits(tablet)) done(resolve);
        };
        const timer = setTimeout(
          () =>
            done(() =>
              reject(
                new Error(
                  `the screen never showed ${what}: ${JSON.stringify({ orders: [...orders.keys()], last, states })}`,
                ),
              ),
            ),
          timeoutMs,
        );
        waiting.add(check);
        check();
      });
    },
    close: () => channel.close(),
  };
  return tablet;
}

/** The orders that the database holds, to compare the screen with. */
export function sameOrders(tablet: Tablet, ids: readonly string[]): boolean {
  return ids.length === tablet.orders.size && ids.every((id) => tablet.orders.has(id));
}
