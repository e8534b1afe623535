/** State and actions that the parts of a shop's page share. */
import type { Service, ShopInfo } from "../../clients/types.ts";
import type { Cart, CartLine, Total, troubles } from "./cart.ts";
import { go } from "./route.ts";
import type { Sending } from "./sending.ts";
import { readService } from "./stored.ts";

export interface ShopView {
  info: ShopInfo;
  cart: Cart;
  change(cart: Cart): void;
  put(line: CartLine): void;
  /** Troubles by line; undefined where there is none. */
  troubles: ReturnType<typeof troubles>;
  /** The lines that can be ordered. */
  orderable: readonly CartLine[];
  /** The price of the orderable lines, with the service of last time; the checkout computes its own. */
  total: Total;
  fixCart(): void;
  sending: Sending;
  /** The reason why nothing can be ordered now. */
  closedReason: string | undefined;
}

/** Goes from the menu to the checkout. */
export const toCheckout = () => go("checkout");

export const allServices = ["table", "pickup", "delivery"] as const;

/** The services this shop offers; at the table only when a table was scanned. */
export const offeredServices = ({ shop, table }: ShopInfo): Service[] =>
  allServices.filter((service) => shop.services[service] && (service !== "table" || table !== null));

/** At the table, else the service of last time, else the first that is offered. */
export function defaultService(info: ShopInfo): Service {
  const ways = offeredServices(info);
  const wanted = info.table === null ? readService() : "table";
  return wanted !== undefined && ways.includes(wanted) ? wanted : (ways[0] ?? "pickup");
}
