/** Fills tables quickly: what a workload finds there was not made by requests. */
import { join, raw, type Sql, sql, type Value } from "../db/sql.ts";

export function insertMany(table: string, rows: readonly Readonly<Record<string, Value>>[]): Sql[] {
  const [first] = rows;
  if (first === undefined) return [];
  const columns = Object.keys(first);
  const tuples = rows.map((row) => sql`(${join(columns.map((column) => row[column] as Value))})`);
  return [sql`INSERT INTO ${raw(table)} (${raw(columns.join(", "))}) VALUES ${join(tuples)}`];
}
