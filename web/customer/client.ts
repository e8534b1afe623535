/** The client of this page. Bills from before a reload are sent again as soon as it is made. */
import { type Bill, createClient } from "../../clients/browser.ts";
import { emptyCart } from "./cart.ts";
import { setCart } from "./carts.ts";
import { setBills } from "./sending.ts";
import { saveTaken } from "./stored.ts";

export const client = createClient();

client.onPending(({ bill }, answer) => {
  if (answer instanceof Error) return setBills(client.pending(), { bill, error: answer });
  saveTaken({ shop: bill.shop, id: answer.id });
  setCart(bill.shop, emptyCart);
  setBills(client.pending(), undefined, answer);
});
setBills(client.pending(), undefined);

/** Sends the bill, unless one of this shop is being sent: two taps make one order. */
export function send(bill: Bill): void {
  if (client.pending().some((other) => other.bill.shop === bill.shop)) return;
  // Errors are reported by onPending.
  client.submit(bill).catch(() => {});
  setBills(client.pending(), undefined);
}
