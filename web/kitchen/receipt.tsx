/** Receipt, for print only: 58 or 80 mm wide, black. It is hidden on the screen. */
import type { OrderView, ShopBrief } from "../../clients/types.ts";
import { yuan } from "../shared/money.ts";
import type { Paper } from "./device_settings.ts";
import { fullTime, localName, whereTo, words } from "./dictionary.ts";
import { extrasOf } from "./extras_of.ts";

export function Receipt({ order, shop, paper }: { order: OrderView; shop: ShopBrief | undefined; paper: Paper }) {
  const { delivery } = order;
  return (
    <div class={`receipt w${paper}`} aria-hidden="true">
      <p class="shop">{localName(shop?.names)}</p>
      <p class="number">{order.number}</p>
      <p class="where">{whereTo(order)}</p>
      <p class="placed">{fullTime(order.placedAt)}</p>
      <ul>
        {order.lines.map((line) => (
          <li key={line.line}>
            <b>{line.quantity}×</b>
            <span>
              {localName(line.names)}
              {line.options.length > 0 && (
                <i>{line.options.map(({ choiceNames }) => localName(choiceNames)).join(" · ")}</i>
              )}
              {line.note !== "" && <i class="said">{line.note}</i>}
            </span>
            <span class="sum">{yuan(line.totalFen)}</span>
          </li>
        ))}
      </ul>
      {extrasOf(order).length > 0 && (
        <ul class="extras">
          {extrasOf(order).map(({ what, fen }) => (
            <li key={what}>
              <span>{words.extra[what]}</span>
              <span class="sum">{yuan(fen)}</span>
            </li>
          ))}
        </ul>
      )}
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
