/** Statements on `watch_streams`, `watch_groups`, `watch_keys` and `watches`. */
import { among, type Dialect, insertRows } from "./dialect.ts";
import { join, raw, type Sql, sql } from "./sql.ts";
import type { Head } from "./streams.ts";

// --- Streams -------------------------------------------------------------------------------------------------------

/** Which of these streams somebody watches. Right after a commit: whoever registers later reads what was committed. */
export function readWatched(streams: readonly string[]): Sql {
  return sql`SELECT stream FROM watch_streams WHERE ${among(sql`stream`, streams)}`;
}

/** Counts from the head on, where nobody has watched the stream yet. */
export function startStream(dialect: Dialect, stream: string): Sql {
  return sql`INSERT INTO watch_streams (stream, epoch, seq, tag, lease, leased_until)
    SELECT ${stream}, coalesce(max(epoch), ''), coalesce(max(seq), 0), coalesce(max(tag), ''), '', 0 FROM streams WHERE name = ${stream}
    ${dialect.onConflict(["stream"])} seq = watch_streams.seq`;
}

/** How far the groups count, how far the streams are, and which event the next one says it follows. */
export function readPositions(streams: readonly string[]): Sql {
  return sql`SELECT w.stream, w.epoch, w.seq, w.tag, s.epoch AS head_epoch, s.seq AS head_seq, s.tag AS head_tag, e.prev AS next_prev
    FROM watch_streams w LEFT JOIN streams s ON s.name = w.stream LEFT JOIN events e ON e.stream = w.stream AND e.seq = w.seq + 1
    WHERE ${among(sql`w.stream`, streams)}`;
}

/** Watched streams whose last events nobody has counted. */
export function readUncounted(limit: number): Sql {
  return sql`SELECT w.stream FROM watch_streams w LEFT JOIN streams s ON s.name = w.stream
    WHERE s.name IS NULL OR s.seq <> w.seq OR s.tag <> w.tag OR s.epoch <> w.epoch ORDER BY w.stream LIMIT ${limit}`;
}

export function lockPosition(stream: string): Sql {
  return sql`SELECT epoch, seq, tag, lease, leased_until FROM watch_streams WHERE stream = ${stream} FOR UPDATE`;
}

export interface Lease {
  readonly name: string;
  readonly until: number;
}

export function movePosition(stream: string, { epoch, seq, tag }: Head, { name, until }: Lease): Sql {
  return sql`UPDATE watch_streams SET epoch = ${epoch}, seq = ${seq}, tag = ${tag}, lease = ${name}, leased_until = ${until} WHERE stream = ${stream}`;
}

export function endLease(stream: string, lease: string): Sql {
  return sql`UPDATE watch_streams SET leased_until = 0 WHERE stream = ${stream} AND lease = ${lease}`;
}

// --- Groups --------------------------------------------------------------------------------------------------------

export interface NewGroup {
  readonly id: string;
  readonly collection: string;
  /** JSON. */
  readonly spec: string;
  readonly at: number;
}

export function insertGroup(dialect: Dialect, { id, collection, spec, at }: NewGroup): Sql[] {
  const row = { id, collection, spec, counter: 0, digest: "", known: "", used_at: at };
  const tail = sql`${dialect.onConflict(["id"])} used_at = ${dialect.incoming("used_at")}`;
  return insertRows(dialect, "watch_groups", [row], tail);
}

/** Where an event is looked for: all of the stream's, or those of documents with this value there. */
export interface WatchKey {
  readonly stream: string;
  /** Empty: every event. */
  readonly path: string;
  readonly valueKey: string;
}

export function insertKeys(dialect: Dialect, group: string, keys: readonly WatchKey[]): Sql[] {
  const rows = keys.map(({ stream, path, valueKey }) => ({ stream, path, value_key: valueKey, group_id: group }));
  const tail = sql`${dialect.onConflict(["stream", "path", "value_key", "group_id"])} group_id = watch_keys.group_id`;
  return insertRows(dialect, "watch_keys", rows, tail);
}

/**
 * The paths by which groups of a stream are found, each in one step over the index, however many groups there are. Then null.
 */
export function readPaths(stream: string): Sql {
  return sql`WITH RECURSIVE paths (path) AS (
      SELECT (SELECT min(k.path) FROM watch_keys k WHERE k.stream = ${stream})
      UNION ALL
      SELECT (SELECT min(k.path) FROM watch_keys k WHERE k.stream = ${stream} AND k.path > paths.path) FROM paths WHERE paths.path IS NOT NULL
    ) SELECT path FROM paths WHERE path IS NOT NULL`;
}

/** The groups that a document with one of these values at a path may concern, and those of every document. */
export function readGroupsFor(stream: string, keysOf: ReadonlyMap<string, readonly string[]>): Sql {
  const ways = [...keysOf].map(([path, keys]) => sql`(k.path = ${path} AND ${among(sql`k.value_key`, keys)})`);
  return sql`SELECT g.id, g.spec, g.counter, g.digest, g.known FROM watch_keys k JOIN watch_groups g ON g.id = k.group_id
    WHERE k.stream = ${stream} AND (${join([sql`k.path = ''`, ...ways], " OR ")})`;
}

export function readGroup(id: string): Sql {
  return sql`SELECT id, spec, counter, digest, known, used_at FROM watch_groups WHERE id = ${id}`;
}

/** All of a stream's groups, whatever they look for. */
export function readGroupsOf(stream: string): Sql {
  return sql`SELECT g.id, g.spec, g.counter, g.digest, g.known FROM watch_groups g
    WHERE g.id IN (SELECT k.group_id FROM watch_keys k WHERE k.stream = ${stream})`;
}

/** In the order of their ids, so that two who lock several never wait for each other. */
export function lockGroups(ids: readonly string[]): Sql {
  return sql`SELECT id, counter, digest FROM watch_groups WHERE ${among(sql`id`, ids.toSorted())} ORDER BY id FOR UPDATE`;
}

/** The list that all watches of a group have: its digest, and as JSON, where it is short. */
export interface KnownList {
  readonly digest: string;
  readonly known: string;
}

/** @param list undefined: as it was */
export function countEvents(ids: readonly string[], events: number, list: KnownList | undefined): Sql {
  const changed = list === undefined ? sql`` : sql`, digest = ${list.digest}, known = ${list.known}`;
  return sql`UPDATE watch_groups SET counter = counter + ${events}${changed} WHERE ${among(sql`id`, ids)}`;
}

/** Where no event was counted since. */
export function setKnown(id: string, counter: number, { digest, known }: KnownList): Sql {
  return sql`UPDATE watch_groups SET digest = ${digest}, known = ${known} WHERE id = ${id} AND counter = ${counter}`;
}

// --- Watches -------------------------------------------------------------------------------------------------------

export interface NewWatch {
  readonly connection: string;
  readonly watch: string;
  readonly group: string;
  /** Hash of the query's id. */
  readonly query: string;
  /** Names the request, so that of two only the later is answered. */
  readonly opening: string;
  readonly at: number;
}

export function lockWatch(connection: string, watch: string): Sql {
  return sql`SELECT group_id, query_id, active, opening, shift FROM watches
    WHERE connection_id = ${connection} AND watch_id = ${watch} FOR UPDATE`;
}

export function countWatches(connection: string): Sql {
  return sql`SELECT count(*) AS n FROM watches WHERE connection_id = ${connection}`;
}

/** From now on nothing is pushed to it. Its `shift` stays: what was pushed before may still be on its way. */
export function openWatch(dialect: Dialect, { connection, watch, group, query, opening, at }: NewWatch): Sql[] {
  const row = {
    connection_id: connection,
    watch_id: watch,
    group_id: group,
    query_id: query,
    active: 0,
    opening,
    shift: null,
    opened_at: at,
  };
  const changes = ["group_id", "query_id", "active", "opening"].map(
    (column) => sql`${raw(column)} = ${dialect.incoming(column)}`,
  );
  const tail = sql`${dialect.onConflict(["connection_id", "watch_id"])} ${join(changes, ", ")}`;
  return insertRows(dialect, "watches", [row], tail);
}

export function activateWatch(connection: string, watch: string, shift: number): Sql {
  return sql`UPDATE watches SET active = 1, shift = ${shift} WHERE connection_id = ${connection} AND watch_id = ${watch}`;
}

/** One watch with its group's counter. */
export function readWatch(connection: string, watch: string): Sql {
  return sql`SELECT w.query_id, w.active, w.shift, w.group_id, g.counter FROM watches w JOIN watch_groups g ON g.id = w.group_id
    WHERE w.connection_id = ${connection} AND w.watch_id = ${watch}`;
}

/** As `readPositions`, of the streams by whose events a watch changes. `seq` is null where nobody counts a stream. */
export function readPositionsOfWatch(connection: string, watch: string): Sql {
  return sql`SELECT k.stream, w.epoch, w.seq, w.tag, s.epoch AS head_epoch, s.seq AS head_seq, s.tag AS head_tag, e.prev AS next_prev
    FROM (SELECT DISTINCT k.stream FROM watches o JOIN watch_keys k ON k.group_id = o.group_id
      WHERE o.connection_id = ${connection} AND o.watch_id = ${watch}) k
    LEFT JOIN watch_streams w ON w.stream = k.stream LEFT JOIN streams s ON s.name = k.stream
    LEFT JOIN events e ON e.stream = k.stream AND e.seq = w.seq + 1`;
}

/** Whom these groups' events go to, with the current state of the sessions that give them the right. */
export function readWatchers(groups: readonly string[]): Sql {
  return sql`SELECT w.connection_id, w.watch_id, w.group_id, w.shift, c.gateway, c.session_id, s.ended_at, s.expires_at
    FROM watches w JOIN connections c ON c.id = w.connection_id LEFT JOIN sessions s ON s.id = c.session_id
    WHERE ${among(sql`w.group_id`, groups)} AND w.active = 1`;
}

/** The session of one who watches this. */
export function readSessionOfGroup(group: string): Sql {
  return sql`SELECT s.id, s.user_id, s.kind, s.shop_id, s.role, s.device, s.token_hash, s.created_at, s.expires_at, s.ended_at
    FROM watches w JOIN connections c ON c.id = w.connection_id JOIN sessions s ON s.id = c.session_id
    WHERE w.group_id = ${group} AND s.ended_at IS NULL ORDER BY s.expires_at DESC LIMIT 1`;
}

export function removeWatch(connection: string, watch: string): Sql {
  return sql`DELETE FROM watches WHERE connection_id = ${connection} AND watch_id = ${watch}`;
}

export function removeWatchesOf(connection: string): Sql {
  return sql`DELETE FROM watches WHERE connection_id = ${connection}`;
}

/** Who watches, the newest first. */
export function readAllWatches(limit: number): Sql {
  return sql`SELECT g.collection, g.spec, w.opened_at, s.user_id, s.kind FROM watches w
    JOIN watch_groups g ON g.id = w.group_id JOIN connections c ON c.id = w.connection_id JOIN sessions s ON s.id = c.session_id
    ORDER BY w.opened_at DESC LIMIT ${limit}`;
}

export function countWatchers(): Sql {
  return sql`SELECT g.collection, count(*) AS n FROM watches w JOIN watch_groups g ON g.id = w.group_id GROUP BY g.collection`;
}

// --- Removal -------------------------------------------------------------------------------------------------------

/** Watches whose connection is no more, opened before then: the connection is stored first. */
export function trimWatches(before: number): Sql {
  return sql`DELETE FROM watches WHERE opened_at < ${before} AND connection_id NOT IN (SELECT id FROM connections)`;
}

export function readUnusedGroups(before: number, limit: number): Sql {
  return sql`SELECT g.id FROM watch_groups g WHERE g.used_at < ${before}
    AND NOT EXISTS (SELECT 1 FROM watches w WHERE w.group_id = g.id) ORDER BY g.used_at LIMIT ${limit}`;
}

/** Of these groups, those that somebody watches. */
export function readUsedGroups(ids: readonly string[]): Sql {
  return sql`SELECT DISTINCT group_id FROM watches WHERE ${among(sql`group_id`, ids)}`;
}

/** The caller holds their locks. */
export function removeGroups(ids: readonly string[]): Sql[] {
  if (ids.length === 0) return [];
  return [
    sql`DELETE FROM watch_keys WHERE ${among(sql`group_id`, ids)}`,
    sql`DELETE FROM watch_groups WHERE ${among(sql`id`, ids)}`,
  ];
}

/** Streams that no group looks at. Somebody who begins at this moment finds none, and begins at the head. */
export function removeUnwatchedStreams(): Sql {
  return sql`DELETE FROM watch_streams WHERE stream NOT IN (SELECT stream FROM watch_keys)`;
}
