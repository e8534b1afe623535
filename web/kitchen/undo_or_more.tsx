/** The button beside the next step: undo while that is possible, else the dialog of other actions. */
import type { Action, OrderView } from "../../clients/types.ts";
import type { KitchenActions } from "./actions.ts";
import { words } from "./dictionary.ts";
import { Icon } from "./icons.tsx";

export interface UndoOrMoreProps {
  order: OrderView;
  /** A step that waits and is not sent yet. */
  undoing: boolean;
  /** A step that was sent and can be undone. */
  taken: Action | undefined;
  actions: KitchenActions;
}

export function UndoOrMore({ order, undoing, taken, actions }: UndoOrMoreProps) {
  if (undoing)
    return (
      <button type="button" class="button undo" onClick={() => actions.undo(order.id)}>
        <Icon name="undo" />
        {words.undo}
      </button>
    );
  return (
    <>
      {taken !== undefined && (
        <button
          type="button"
          class="button plain round take-back"
          aria-label={words.takeBack(words.step[taken], order.number)}
          onClick={() => actions.undo(order.id)}
        >
          <Icon name="undo" />
        </button>
      )}
      <button
        type="button"
        class="button plain round"
        aria-label={words.moreOf(order.number)}
        aria-haspopup="dialog"
        onClick={() => actions.show({ kind: "more", order: order.id })}
      >
        <Icon name="more" />
      </button>
    </>
  );
}
