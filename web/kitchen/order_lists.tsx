/** The two lists of the kitchen's screen: orders to make, as tickets, and orders that are ready, as cards. */
import type { OrderView } from "../../clients/types.ts";
import type { Slot } from "../shared/tap_guard.ts";
import type { KitchenActions } from "./actions.ts";
import { words } from "./dictionary.ts";
import { ReadyCard } from "./ready_card.tsx";
import { StationTabs } from "./station_tabs.tsx";
import { Ticket } from "./ticket.tsx";
import { usePackedColumns } from "./use_packed_columns.ts";
import type { Queue } from "./use_queue.ts";
import type { Steps } from "./use_steps.ts";

interface ListProps {
  slots: readonly Slot<OrderView>[];
  steps: Steps;
  actions: KitchenActions;
}

export interface QueueListProps extends ListProps {
  queue: Queue;
  /** The orders are being loaded. */
  loading: boolean;
  shopClosed: boolean;
}

export function QueueList({ slots, steps, actions, queue, loading, shopClosed }: QueueListProps) {
  const { visible, station } = queue;
  const waiting = queue.queue.length > 0;
  const tickets = usePackedColumns();
  return (
    <section class="queue" aria-labelledby="queue-title">
      <header>
        <h2 id="queue-title">
          {words.queue} <b>{visible.length}</b>
        </h2>
        {queue.stations.length > 0 && <StationTabs {...queue} />}
      </header>
      {loading ? (
        <Waiting />
      ) : slots.length === 0 ? (
        <div class="nothing">
          <span class="mark" aria-hidden="true" />
          <p>{waiting ? words.noneAtStation : words.noQueue}</p>
          {!waiting && <p class="quiet">{shopClosed ? words.noQueueClosedHint : words.noQueueHint}</p>}
        </div>
      ) : (
        <div class="tickets packed" ref={tickets}>
          {slots.map(({ item: order, goneAt }, at) => (
            <Ticket
              key={`${order.id}${goneAt ?? ""}`}
              gone={goneAt !== undefined}
              order={order}
              position={at + 1}
              station={order.status === "placed" ? undefined : station}
              work={steps.work.get(order.id)}
              taken={steps.taken.get(order.id)}
              actions={actions}
            />
          ))}
        </div>
      )}
    </section>
  );
}

export function ReadyList({ slots, steps, actions, count }: ListProps & { count: number }) {
  return (
    <section class="pass" aria-labelledby="ready-title">
      <h2 id="ready-title">
        {words.readyList} <b>{count}</b>
      </h2>
      {slots.length === 0 ? (
        <p class="quiet">{words.noReady}</p>
      ) : (
        <ul>
          {slots.map(({ item: order, goneAt }) => (
            <ReadyCard
              key={`${order.id}${goneAt ?? ""}`}
              gone={goneAt !== undefined}
              order={order}
              work={steps.work.get(order.id)}
              actions={actions}
            />
          ))}
        </ul>
      )}
    </section>
  );
}

function Waiting() {
  return (
    <div class="tickets" aria-busy="true">
      <p class="unseen">{words.loading}</p>
      {[1, 2, 3].map((nth) => (
        <div key={nth} class="waiting ticket-waiting" />
      ))}
    </div>
  );
}
