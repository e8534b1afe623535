/** Pieces of statements for many values at once. Their texts are few, whatever the number of values: each text is prepared once. */
import type { Row } from "./database.ts";
import { among, type Dialect } from "./dialect.ts";
import { type Sql, sql } from "./sql.ts";

/**
 * The rows of a table with these keys. On PostgreSQL the keys travel as one text, split at the spaces, and each is looked up by itself:
 * the plan of a join would depend on what the planner knows of the table.
 * @param key the table's primary key @param keys ids, hashes or names of streams, without spaces
 */
export function byKeys(dialect: Dialect, { columns, table, key }: Lookup, keys: readonly string[]): Sql {
  if (!dialect.rowsAsJson) return sql`SELECT ${columns} FROM ${table} WHERE ${among(key, keys)}`;
  return sql`SELECT found.* FROM unnest(string_to_array(${keys.join(" ")}, ' ')) AS asked
    CROSS JOIN LATERAL (SELECT ${columns} FROM ${table} WHERE ${key} = asked LIMIT 1) found`;
}

/** A condition on a key, for statements that change rows. @param keys as above */
export function isAmong(dialect: Dialect, key: Sql, keys: readonly string[]): Sql {
  if (!dialect.rowsAsJson) return among(key, keys);
  return sql`${key} = ANY(string_to_array(${keys.join(" ")}, ' '))`;
}

export interface Lookup {
  readonly columns: Sql;
  readonly table: Sql;
  readonly key: Sql;
}

/** The row of each key, in the order of the keys. @param column of the rows that holds the key */
export function inOrderOf(keys: readonly string[], rows: readonly Row[], column: string): (Row | undefined)[] {
  const byKey = new Map(rows.map((row) => [row[column], row]));
  return keys.map((key) => byKey.get(key));
}
