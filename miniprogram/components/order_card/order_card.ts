/** An order in the list. */
import type { OrderCard } from "../../shop/order_view";

Component({
  properties: { order: { type: Object, value: {} as OrderCard } },
});
