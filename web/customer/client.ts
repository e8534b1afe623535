/** The one client of this page. Bills of before a reload are sent again as soon as it is there. */
import { type Bill, createClient } from "../../clients/browser.ts";
import { emptyCart } from "./cart.ts";
import { setCart } from "./carts.ts";
import { keepTaken } from "./kept.ts";
import { tellSending } from "./sending.ts";

export const client = createClient();

client.onPending(({ bill }, answer) => {
  if (answer instanceof Error) return tellSending(client.pending(), { bill, error: answer });
  keepTaken({ shop: bill.shop, id: answer.id });
  setCart(bill.shop, emptyCart);
  tellSending(client.pending(), undefined, answer);
});
tellSending(client.pending(), undefined);

/** Sends the bill, unless one of this shop is on its way: two taps are one order. */
export function send(bill: Bill): void {
  if (client.pending().some((other) => other.bill.shop === bill.shop)) return;
  // The refusal comes by onPending.
  client.submit(bill).catch(() => {});
  tellSending(client.pending(), undefined);
}
