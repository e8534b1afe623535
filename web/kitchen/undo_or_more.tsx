/** Left of the tap that takes an order on: take that back while there is time, else what is done more rarely. */
import type { OrderView } from "../../clients/types.ts";
import type { Doing } from "./doing.ts";
import { Icon } from "./icons.tsx";
import { words } from "./speak.ts";

export function UndoOrMore({ order, undoing, doing }: { order: OrderView; undoing: boolean; doing: Doing }) {
  if (undoing)
    return (
      <button type="button" class="button undo" onClick={() => doing.undo(order.id)}>
        <Icon name="undo" />
        {words.undo}
      </button>
    );
  return (
    <button
      type="button"
      class="button plain round"
      aria-label={words.moreOf(order.number)}
      aria-haspopup="dialog"
      onClick={() => doing.show({ kind: "more", order: order.id })}
    >
      <Icon name="more" />
    </button>
  );
}
