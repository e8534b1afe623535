/** Card of an order that is ready or being delivered: small, since its cooking is done. */
import type { Action, OrderView } from "../../clients/types.ts";
import type { KitchenActions } from "./actions.ts";
import { Age } from "./age.tsx";
import { localName, whereTo, words } from "./dictionary.ts";
import { Go } from "./ticket.tsx";
import { UndoOrMore } from "./undo_or_more.tsx";
import type { Work } from "./use_steps.ts";

export interface ReadyCardProps {
  order: OrderView;
  work: Work | undefined;
  taken: Action | undefined;
  /** It has left the list, and its place is kept for a moment. */
  gone: boolean;
  actions: KitchenActions;
}

export function ReadyCard({ order, work, taken, gone, actions }: ReadyCardProps) {
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
        <header>
          <h3>{order.number}</h3>
          <p class={`where ${order.service}`}>{where}</p>
        </header>
        <p class="status">
          <span>{words.status[order.status]}</span>
          <Age since={order.readyAt ?? order.updatedAt} />
          {actions.role !== "kitchen" && <span class={`chip ${order.payment}`}>{words[order.payment]}</span>}
        </p>
        <p class="brief">
          {order.lines.map(({ names, quantity }) => `${localName(names)} ×${quantity}`).join(words.comma)}
        </p>
        <footer>
          <UndoOrMore order={order} undoing={undoing} taken={taken} actions={actions} />
          <Go order={order} station={undefined} work={work} actions={actions} />
        </footer>
      </article>
    </li>
  );
}
