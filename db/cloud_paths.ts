/** Statements on `cloud_paths`. A path's row is locked before the files that it names. */
import { among, type Dialect, insertRows } from "./dialect.ts";
import { columns } from "./files.ts";
import { type Sql, type Statement, sql } from "./sql.ts";

export function readPaths(hashes: readonly string[]): Sql {
  return sql`SELECT hash, path, file_id, next_id FROM cloud_paths WHERE ${among(sql`hash`, hashes)}`;
}

/** The files that readers get at these paths. */
export function readFilesAt(hashes: readonly string[]): Sql {
  return sql`SELECT ${columns} FROM files
    WHERE id IN (SELECT file_id FROM cloud_paths WHERE ${among(sql`hash`, hashes)} AND file_id IS NOT NULL)`;
}

/** The files that are on their way to these paths. */
export function readNextAt(hashes: readonly string[]): Sql {
  return sql`SELECT ${columns} FROM files
    WHERE id IN (SELECT next_id FROM cloud_paths WHERE ${among(sql`hash`, hashes)} AND next_id IS NOT NULL)`;
}

/** Makes the row, or leaves it as it is, locked. */
export function lockPath(
  dialect: Dialect,
  { hash, path, at }: { readonly hash: string; readonly path: string; readonly at: number },
): Statement[] {
  return insertRows(
    dialect,
    "cloud_paths",
    [{ hash, path, file_id: null, next_id: null, created_at: at }],
    sql`${dialect.onConflict(["hash"])} created_at = cloud_paths.created_at`,
  );
}

export function setFileAt(hash: string, file: string): Sql {
  return sql`UPDATE cloud_paths SET file_id = ${file} WHERE hash = ${hash}`;
}

export function setNextAt(hash: string, next: string): Sql {
  return sql`UPDATE cloud_paths SET next_id = ${next} WHERE hash = ${hash}`;
}

export function clearNextAt(hash: string, next: string): Sql {
  return sql`UPDATE cloud_paths SET next_id = NULL WHERE hash = ${hash} AND next_id = ${next}`;
}

/** Frees a path, unless another file came to it meanwhile. */
export function deletePath(hash: string, file: string): Sql {
  return sql`DELETE FROM cloud_paths WHERE hash = ${hash} AND file_id = ${file} AND next_id IS NULL`;
}

/** What a waiting file turned out to be. */
export function setTypeOf(id: string, type: string): Sql {
  return sql`UPDATE files SET type = ${type} WHERE id = ${id} AND state = 'waiting'`;
}
