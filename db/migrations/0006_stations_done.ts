/** A column for the stations that have made their part of an order. */
import type { Migration } from "../migration.ts";

export const stationsDone: Migration = {
  version: 6,
  name: "stations done",
  statements: ({ text }) => [`ALTER TABLE orders ADD COLUMN stations_done ${text}`],
};
