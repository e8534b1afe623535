/** What goes onto paper: 58 or 80 mm wide, black only. On the screen it is not seen. */
import type { OrderView, ShopBrief } from "../../clients/types.ts";
import { yuan } from "../shared/money.ts";
import type { Paper } from "./kept.ts";
import { say, whereTo, words } from "./speak.ts";

export function Receipt({ order, shop, paper }: { order: OrderView; shop: ShopBrief | undefined; paper: Paper }) {
  const { delivery } = order;
  return (
    <div class={`receipt w${paper}`} aria-hidden="true">
      <p class="shop">{say(shop?.names)}</p>
      <p class="number">{order.number}</p>
      <p class="where">{whereTo(order)}</p>
      <p class="placed">{new Date(order.placedAt).toLocaleString(words.locale, { hour12: false })}</p>
      <ul>
        {order.lines.map((line) => (
          <li key={line.line}>
            <b>{line.quantity}×</b>
            <span>
              {say(line.names)}
              {line.options.length > 0 && <i>{line.options.map(({ choiceNames }) => say(choiceNames)).join(" · ")}</i>}
              {line.note !== "" && <i class="said">{line.note}</i>}
            </span>
            <span class="sum">{yuan(line.totalFen)}</span>
          </li>
        ))}
      </ul>
      {order.note !== "" && (
        <p class="said">
          {words.note}: {order.note}
        </p>
      )}
      <p class="total">
        <span>
          {words.total} ({words[order.payment]})
        </span>
        <b>{yuan(order.totalFen)}</b>
      </p>
      {delivery && (
        <p class="to">
          {delivery.address}
          <br />
          {delivery.name} {delivery.phone}
        </p>
      )}
    </div>
  );
}
