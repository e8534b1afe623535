/** The newest of the orders under way, as a button to it. */
import type { OrderView } from "../../clients/types.ts";
import { words } from "./dictionary.ts";
import { Icon } from "./icons.tsx";
import { go } from "./route.ts";

export function ActiveOrders({ orders }: { orders: OrderView[] }) {
  const [newest] = orders;
  return newest === undefined ? null : (
    <button
      type="button"
      class="active"
      onClick={() => (orders.length === 1 ? go(`order=${newest.id}`) : go("orders"))}
    >
      <span>{words.activeOrder(newest.number)}</span>
      <strong>{words.status[newest.status]}</strong>
      {orders.length > 1 && <span class="quiet">+{orders.length - 1}</span>}
      <Icon name="on" size={18} />
    </button>
  );
}
