/** Dialog with recently ended orders, newest first; recalls one that was completed by mistake. */
import { useEffect, useState } from "preact/hooks";
import type { OrderView } from "../../clients/types.ts";
import { finalStatuses, recallMs } from "../../shared/order_states.ts";
import { serverNow, useNow } from "../shared/clock.ts";
import { Dialog } from "../shared/dialog.tsx";
import type { KitchenActions } from "./actions.ts";
import { isApiError } from "./api_error.ts";
import { client } from "./client.ts";
import { localName, reasonText, shortTime, whereTo, why, words } from "./dictionary.ts";
import { Icon } from "./icons.tsx";

export interface RecallDialogProps {
  shop: string;
  /** The open orders: the list is fetched again when one of them ends. */
  orders: readonly OrderView[];
  actions: KitchenActions;
  onClose(): void;
}

const shownHours = 12;

export function RecallDialog({ shop, orders, actions, onClose }: RecallDialogProps) {
  const [ended, setEnded] = useState<OrderView[]>();
  const [failed, setFailed] = useState<string>();
  const [round, setRound] = useState(0);
  const now = useNow(10_000);
  useEffect(() => {
    let over = false;
    client.orders({ shop, status: finalStatuses }).then(
      (page) => {
        if (over) return;
        setFailed(undefined);
        setEnded(
          page.orders
            .filter(({ endedAt }) => Date.parse(endedAt ?? "") > serverNow() - shownHours * 3_600_000)
            .sort((a, b) => Date.parse(b.endedAt ?? "") - Date.parse(a.endedAt ?? "")),
        );
      },
      (error) => {
        if (!isApiError(error)) throw error;
        if (!over) setFailed(why(error));
      },
    );
    return () => {
      over = true;
    };
  }, [shop, orders.length, round]);

  return (
    <Dialog title={words.recallList} closeLabel={words.close} onClose={onClose}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a list without buttons takes the focus, so that keys scroll it */}
      <section class="recall" aria-label={words.recallList} tabIndex={0}>
        <p class="quiet">{words.recallHint}</p>
        {failed !== undefined ? (
          <p class="banner warn">
            {failed}
            <button type="button" onClick={() => setRound(round + 1)}>
              {words.retry}
            </button>
          </p>
        ) : ended === undefined ? (
          <p class="quiet">{words.loading}</p>
        ) : ended.length === 0 ? (
          <p class="nothing">{words.noRecall}</p>
        ) : (
          <ul>
            {ended.map((order) => (
              <li key={order.id} data-slot data-order={order.number} data-status={order.status}>
                <div>
                  <p>
                    <b>{order.number}</b> {whereTo(order)}
                    <span class={`chip ${order.status}`}>{words.status[order.status]}</span>
                  </p>
                  <p class="brief">
                    {order.lines.map(({ names, quantity }) => `${localName(names)} ×${quantity}`).join(words.comma)}
                  </p>
                  <p class="quiet">
                    {words.endedAt(shortTime(order.endedAt ?? order.updatedAt))}
                    {order.reason !== null && ` · ${reasonText(order.reason)}`}
                  </p>
                </div>
                {order.completedAt !== null &&
                  order.status === "completed" &&
                  now - Date.parse(order.completedAt) < recallMs && (
                    <button
                      type="button"
                      class="button"
                      aria-label={`${words.recallList} ${order.number}`}
                      onClick={() => {
                        onClose();
                        actions.takeStep(order, "recall");
                      }}
                    >
                      <Icon name="recall" />
                      {words.recallList}
                    </button>
                  )}
              </li>
            ))}
          </ul>
        )}
      </section>
    </Dialog>
  );
}
