/** Everything that may be done with one order besides the next step. */
import type { OrderView } from "../../clients/types.ts";
import { Dialog } from "../shared/dialog.tsx";
import { yuan } from "../shared/money.ts";
import type { Doing } from "./doing.ts";
import { Icon } from "./icons.tsx";
import { say, shortTime, whereTo, words } from "./speak.ts";
import { otherSteps } from "./steps.ts";
import { Address } from "./ticket.tsx";

export function MoreDialog({ order, doing, onClose }: { order: OrderView; doing: Doing; onClose(): void }) {
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
                {say(line.names)}
                <small>
                  {[...line.options.map(({ choiceNames }) => say(choiceNames)), line.note]
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
          {otherSteps(order, doing.role).map((action) => (
            <button
              key={action}
              type="button"
              class={`button wide ${action === "reject" || action === "cancel" ? "bad" : ""}`}
              onClick={() => {
                if (action === "reject" || action === "cancel") return doing.show({ kind: action, order: order.id });
                onClose();
                doing.take(order, action);
              }}
            >
              {action === "ready"
                ? words.readyAtOnce
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
              doing.print(order);
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
