/** Statements on `files` and `file_counts`. Locks in this order: files by their ids, then counts: the holder's, and that of all. */
import { among, type Dialect, insertRows } from "./dialect.ts";
import { raw, type Sql, type Statement, sql } from "./sql.ts";

export const columns = raw(
  "id, owner, holder, shop_id, purpose, name, type, bytes, visibility, sent_by, path, upload, part_of, about, state, created_at, signed_until, stored_at, used_at",
);

export interface FileRow {
  readonly id: string;
  readonly owner: string;
  /** The user, or `shop:` and the shop's id. */
  readonly holder: string;
  readonly shop_id: string | null;
  readonly purpose: string;
  readonly name: string;
  /** The hash of the name. */
  readonly name_key: string;
  readonly type: string;
  readonly bytes: number;
  readonly visibility: string;
  readonly sent_by: string;
  readonly path: string;
  readonly upload: string | null;
  readonly part_of: string | null;
  /** JSON. */
  readonly about: string | null;
  readonly state: string;
  readonly created_at: number;
  readonly signed_until: number;
  /** Of a guest's network, and of the wider one around it; null for everybody else. */
  readonly address_hash: string | null;
  readonly wider_hash: string | null;
}

export function insertFile(dialect: Dialect, row: FileRow): Statement[] {
  return insertRows(dialect, "files", [{ ...row }]);
}

export function readFile(id: string): Sql {
  return sql`SELECT ${columns} FROM files WHERE id = ${id}`;
}

export function lockFile(id: string): Sql {
  return sql`SELECT ${columns} FROM files WHERE id = ${id} FOR UPDATE`;
}

/** A file with its set. */
export function lockSet(id: string): Sql {
  return sql`SELECT ${columns} FROM files WHERE id = ${id} OR part_of = ${id} ORDER BY id FOR UPDATE`;
}

/** How many files of a set there are, beside the one that they are of. */
export function countSet(id: string): Sql {
  return sql`SELECT count(*) AS files FROM files WHERE part_of = ${id} AND state <> 'ended'`;
}

/** What the guests of a network have made since then. */
export function countNetwork(column: "address_hash" | "wider_hash", hash: string, purpose: string, since: number): Sql {
  return sql`SELECT count(*) AS files, sum(bytes) AS bytes FROM files
    WHERE ${raw(column)} = ${hash} AND purpose = ${purpose} AND created_at > ${since} AND state <> 'ended'`;
}

/** The files of this name in a set, the newest first. */
export function readMember(id: string, nameKey: string): Sql {
  return sql`SELECT ${columns} FROM files WHERE part_of = ${id} AND name_key = ${nameKey} AND state <> 'ended'
    ORDER BY id DESC LIMIT 10`;
}

export interface ListOf {
  /** Files of this user; or of this shop. */
  readonly owner?: string | undefined;
  readonly shop?: string | undefined;
  /** Only what everybody may see. */
  readonly publicOnly?: boolean;
  readonly purpose?: string | undefined;
  /** The set of this file; without it files that are in no set. */
  readonly of?: string | undefined;
  readonly before?: string | undefined;
  readonly limit: number;
}

/** A page of files, the newest first. */
export function readFiles({ owner, shop, publicOnly, purpose, of, before, limit }: ListOf): Sql {
  return sql`SELECT ${columns} FROM files WHERE ${shop === undefined ? sql`owner = ${owner ?? ""}` : sql`shop_id = ${shop}`}
    ${purpose === undefined ? sql`` : sql`AND purpose = ${purpose}`}
    AND ${of === undefined ? sql`part_of IS NULL` : sql`part_of = ${of}`}
    AND ${publicOnly === true ? sql`state = 'stored' AND visibility = 'public'` : sql`state <> 'ended'`}
    ${before === undefined ? sql`` : sql`AND id < ${before}`} ORDER BY id DESC LIMIT ${limit}`;
}

export function setUpload(id: string, upload: string): Sql {
  return sql`UPDATE files SET upload = ${upload} WHERE id = ${id} AND upload IS NULL`;
}

/** A signed upload of a waiting file is valid until then. */
export function setSigned(id: string, until: number): Sql {
  return sql`UPDATE files SET signed_until = ${until} WHERE id = ${id} AND signed_until < ${until}`;
}

export function setStored(id: string, etag: string, at: number): Sql {
  return sql`UPDATE files SET state = 'stored', etag = ${etag}, stored_at = ${at} WHERE id = ${id} AND state = 'waiting'`;
}

export function setEnded(ids: readonly string[]): Sql {
  return sql`UPDATE files SET state = 'ended' WHERE ${among(sql`id`, ids)}`;
}

export function deleteFiles(ids: readonly string[]): Sql {
  return sql`DELETE FROM files WHERE ${among(sql`id`, ids)} AND state = 'ended'`;
}

// --- Counts --------------------------------------------------------------------------------------------------------

/** Whose count is that of everybody. */
export const everybody = "all";

/** Makes the count, or leaves it as it is, locked. */
export function lockCount(dialect: Dialect, holder: string, purpose: string): Statement[] {
  return insertRows(
    dialect,
    "file_counts",
    [{ holder, purpose, files: 0, bytes: 0 }],
    sql`${dialect.onConflict(["holder", "purpose"])} files = file_counts.files`,
  );
}

export function readCount(holder: string, purpose: string): Sql {
  return sql`SELECT files, bytes FROM file_counts WHERE holder = ${holder} AND purpose = ${purpose}`;
}

/** Under both locks. */
export function addToCount(
  holder: string,
  purpose: string,
  { files, bytes }: { readonly files: number; readonly bytes: number },
): Sql {
  return sql`UPDATE file_counts SET files = files + ${files}, bytes = bytes + ${bytes}
    WHERE holder = ${holder} AND purpose = ${purpose}`;
}

// --- The sweep -----------------------------------------------------------------------------------------------------

/** Files of this state whose last signed upload ended before then, in the order of their ids. */
export function readDue(
  state: "waiting" | "ended",
  { before, after, limit }: { readonly before: number; readonly after: string; readonly limit: number },
): Sql {
  return sql`SELECT ${columns} FROM files WHERE state = ${state} AND signed_until < ${before} AND id > ${after}
    ORDER BY id LIMIT ${limit}`;
}

/** Private files of guests who can sign in no more: nobody can reach them. */
export function readUnreachable({ after, limit }: { readonly after: string; readonly limit: number }): Sql {
  return sql`SELECT ${columns} FROM files WHERE state = 'stored' AND visibility = 'private' AND shop_id IS NULL
    AND part_of IS NULL AND id > ${after} AND EXISTS (SELECT 1 FROM users u WHERE u.id = files.owner)
    AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.user_id = files.owner)
    AND NOT EXISTS (SELECT 1 FROM wechat_accounts a WHERE a.user_id = files.owner)
    AND NOT EXISTS (SELECT 1 FROM own_accounts a WHERE a.user_id = files.owner)
    ORDER BY id LIMIT ${limit}`;
}

/** The shops that have files of this purpose. */
export function readShopsWith(purpose: string): Sql {
  return sql`SELECT DISTINCT shop_id FROM files WHERE purpose = ${purpose} AND shop_id IS NOT NULL ORDER BY shop_id`;
}

/** Of these files, those of this shop are in use. */
export function setUsed(shop: string, ids: readonly string[], at: number): Sql {
  return sql`UPDATE files SET used_at = ${at} WHERE shop_id = ${shop} AND ${among(sql`id`, ids)}`;
}

/** Files of a shop that were not in use since then, locked. */
export function lockUnused(shop: string, purpose: string, before: number, limit: number): Sql {
  return sql`SELECT ${columns} FROM files WHERE shop_id = ${shop} AND purpose = ${purpose} AND state = 'stored'
    AND part_of IS NULL AND coalesce(used_at, stored_at) < ${before} ORDER BY id LIMIT ${limit} FOR UPDATE`;
}
