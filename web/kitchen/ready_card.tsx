/** An order that is ready, or on its way: small, since nobody cooks it any more. */
import type { OrderView } from "../../clients/types.ts";
import { Age } from "./age.tsx";
import type { Doing } from "./doing.ts";
import { say, whereTo, words } from "./speak.ts";
import { Go } from "./ticket.tsx";
import { UndoOrMore } from "./undo_or_more.tsx";
import type { Work } from "./use_steps.ts";

export function ReadyCard({ order, work, doing }: { order: OrderView; work: Work | undefined; doing: Doing }) {
  const where = whereTo(order);
  const undoing = work !== undefined && !work.sending;
  return (
    <li>
      <article
        class={`ready-card ${order.status}`}
        aria-label={words.ticket(order.number, where)}
        data-order={order.number}
        data-status={order.status}
      >
        <header>
          <h3>{order.number}</h3>
          <p class={`where ${order.service}`}>{where}</p>
        </header>
        <p class="status">
          <span>{words.status[order.status]}</span>
          <Age since={order.readyAt ?? order.updatedAt} />
          {doing.role !== "kitchen" && <span class={`chip ${order.payment}`}>{words[order.payment]}</span>}
        </p>
        <p class="brief">{order.lines.map(({ names, quantity }) => `${say(names)} ×${quantity}`).join(words.comma)}</p>
        <footer>
          <UndoOrMore order={order} undoing={undoing} doing={doing} />
          <Go order={order} work={work} doing={doing} />
        </footer>
      </article>
    </li>
  );
}
