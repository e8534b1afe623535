/** What the parts of a shop's page share. */
import type { ShopInfo } from "../../clients/types.ts";
import type { Cart, CartLine, troubles } from "./cart.ts";
import { go } from "./place.ts";
import type { Sending } from "./sending.ts";

export interface Desk {
  info: ShopInfo;
  cart: Cart;
  change(cart: Cart): void;
  put(line: CartLine): void;
  /** By line; undefined where nothing is wrong. */
  found: ReturnType<typeof troubles>;
  mend(): void;
  sending: Sending;
  /** Why nothing can be ordered now. */
  shut: string | undefined;
}

/** To the checkout from the menu. */
export const toCheckout = () => go("checkout");
