/** Row of an order that is ready or being delivered: its cooking is done. Its number opens what else there is. */
import type { OrderView } from "../../clients/types.ts";
import type { KitchenActions } from "./actions.ts";
import { Age } from "./age.tsx";
import { whereTo, words } from "./dictionary.ts";
import { Icon } from "./icons.tsx";
import { Go } from "./ticket.tsx";
import type { Work } from "./use_steps.ts";

export interface ReadyCardProps {
  order: OrderView;
  work: Work | undefined;
  /** It has left the list, and its place is kept for a moment. */
  gone: boolean;
  actions: KitchenActions;
}

export function ReadyCard({ order, work, gone, actions }: ReadyCardProps) {
  const where = whereTo(order);
  const undoing = work !== undefined && !work.sending;
  return (
    <li>
      <article
        class={`ready-card ${order.status} ${gone ? "vacant" : ""}`}
        inert={gone}
        aria-label={words.ticket(order.number, where)}
        data-slot
        data-order={gone ? undefined : order.number}
        data-status={order.status}
      >
        {undoing ? (
          <button type="button" class="button undo" onClick={() => actions.undo(order.id)}>
            <Icon name="undo" />
            {words.undo}
          </button>
        ) : (
          <button
            type="button"
            class="which"
            aria-label={words.moreOf(order.number)}
            aria-haspopup="dialog"
            onClick={() => actions.show({ kind: "more", order: order.id })}
          >
            <h3>{order.number}</h3>
            <span>
              <span class={`where ${order.service}`}>{where}</span>
              <span class="since">
                <Age since={order.readyAt ?? order.updatedAt} />
                {actions.role !== "kitchen" && <span class={order.payment}>{words[order.payment]}</span>}
              </span>
            </span>
          </button>
        )}
        <Go order={order} station={undefined} work={work} actions={actions} />
      </article>
    </li>
  );
}
