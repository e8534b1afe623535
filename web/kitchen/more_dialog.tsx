/** Dialog with the actions of one order besides the next step. */
import type { OrderView } from "../../clients/types.ts";
import { serverNow } from "../shared/clock.ts";
import { Dialog } from "../shared/dialog.tsx";
import { yuan } from "../shared/money.ts";
import type { KitchenActions } from "./actions.ts";
import { localName, shortTime, stationName, whereTo, words } from "./dictionary.ts";
import { Icon } from "./icons.tsx";
import { hasMade, onWire, openStations, stationsOf } from "./stations.ts";
import { inQueue, otherSteps } from "./steps.ts";
import { Address } from "./ticket.tsx";

export function MoreDialog({
  order,
  actions,
  onClose,
}: {
  order: OrderView;
  actions: KitchenActions;
  onClose(): void;
}) {
  const stations = order.status !== "placed" && inQueue(order) ? stationsOf(order) : [];
  const several = openStations(order).length > 1;
  return (
    <Dialog title={`${order.number} · ${whereTo(order)}`} closeLabel={words.close} onClose={onClose}>
      <div class="more">
        <p class="status">
          {words.status[order.status]} · {shortTime(order.placedAt)} · {yuan(order.totalFen)} {words[order.payment]}
        </p>
        <Address order={order} />
        <ul class="whole">
          {order.lines.map((line) => (
            <li key={line.line}>
              <b>{line.quantity}</b>
              <span>
                {localName(line.names)}
                <small>
                  {[...line.options.map(({ choiceNames }) => localName(choiceNames)), line.note]
                    .filter((text) => text !== "")
                    .join(" · ")}
                </small>
              </span>
            </li>
          ))}
        </ul>
        {order.note !== "" && (
          <p class="note">
            <b>{words.note}</b> {order.note}
          </p>
        )}
        <div class="actions">
          {stations.length > 1 &&
            stations.map((station) => {
              const made = hasMade(order, station);
              return (
                <button
                  key={station}
                  type="button"
                  class="button wide"
                  onClick={() => {
                    onClose();
                    actions.takeStep(order, made ? "recall" : "ready", { station: onWire(station) });
                  }}
                >
                  {made ? words.stationBack(stationName(station)) : words.stationReady(stationName(station))}
                </button>
              );
            })}
          {otherSteps(order, actions.role, serverNow()).map((action) => (
            <button
              key={action}
              type="button"
              class={`button wide ${action === "reject" || action === "cancel" ? "bad" : ""}`}
              onClick={() => {
                if (action === "reject" || action === "cancel") return actions.show({ kind: action, order: order.id });
                onClose();
                actions.takeStep(order, action);
              }}
            >
              {action === "ready"
                ? several
                  ? words.allReady
                  : words.readyAtOnce
                : action === "recall"
                  ? words.recallFrom(order.status)
                  : action === "paid"
                    ? `${words.step.paid} ${yuan(order.totalFen)}`
                    : words.step[action]}
            </button>
          ))}
          <button
            type="button"
            class="button wide"
            onClick={() => {
              onClose();
              actions.print(order);
            }}
          >
            <Icon name="print" />
            {words.print}
          </button>
        </div>
      </div>
    </Dialog>
  );
}
