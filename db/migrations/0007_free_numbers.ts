/** An index of a shop's taken pickup numbers: those of open orders, and of orders that ended a moment ago. */
import type { Migration } from "../migration.ts";

export const freeNumbers: Migration = {
  version: 7,
  name: "free numbers",
  statements: () => [`CREATE INDEX orders_taken ON orders (shop_id, ended_at, day_number)`],
};
