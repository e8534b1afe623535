/** The built-in collections: orderbell's own shops, menus and orders, for a front end that reads and watches collections only. */
import type { BuiltIn } from "./built_in_collection.ts";
import { orders } from "./built_in_orders.ts";
import { menus, shops } from "./built_in_shops.ts";

export type { BuiltIn, BuiltInFound } from "./built_in_collection.ts";

/** By name. A declaration cannot have these names. */
export const builtIns: ReadonlyMap<string, BuiltIn> = new Map([shops, menus, orders].map((one) => [one.name, one]));
