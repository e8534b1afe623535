/** The database's own clock, as a statement. */
import type { Dialect } from "./dialect.ts";
import { type Sql, sql } from "./sql.ts";

/** Milliseconds since 1970, as `at`. */
export function readClock({ nowMs }: Dialect): Sql {
  return sql`SELECT ${nowMs} AS at`;
}
