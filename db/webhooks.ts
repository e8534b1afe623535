/** Statements on webhooks, and on how far each has read which stream. */
import type { Row } from "./database.ts";
import { among, type Dialect, insertRows } from "./dialect.ts";
import { join, type Sql, sql } from "./sql.ts";

export interface WebhookRow {
  readonly id: string;
  readonly url: string;
  /** Its events are this shop's only; null for all shops. */
  readonly shop_id: string | null;
  /** Names of types, with spaces between them. */
  readonly types: string;
  readonly secret_sealed: string;
  readonly created_at: number;
  /** Up to when all streams were searched for events that nobody announced. */
  readonly looked_at: number;
}

export interface CursorRow {
  readonly webhook_id: string;
  readonly stream: string;
  /** The last number that was delivered, or skipped as of another type. */
  seq: number;
  tries: number;
  status: string | null;
  /** When the event that is next failed for the first time. */
  failed_at: number | null;
  next_at: number | null;
  lease: string | null;
  dead_at: number | null;
  moved_at: number;
}

/** Streams of a kind, or one stream, and the types of events that are wanted of them. */
export interface Wanted {
  readonly stream: { readonly is: string } | { readonly begins: string };
  readonly types: readonly string[];
}

export const webhookOf = (row: Row): WebhookRow => row as unknown as WebhookRow;
export const cursorOf = (row: Row): CursorRow => ({ ...row }) as unknown as CursorRow;

const columns = sql`id, url, shop_id, types, secret_sealed, created_at, looked_at`;

export function readWebhooks(): Sql {
  return sql`SELECT ${columns} FROM webhooks ORDER BY id`;
}

export function readWebhook(id: string): Sql {
  return sql`SELECT ${columns} FROM webhooks WHERE id = ${id}`;
}

/** What all of them ask for. */
export function readWantedTypes(): Sql {
  return sql`SELECT DISTINCT types FROM webhooks`;
}

export function insertWebhook(dialect: Dialect, row: WebhookRow): Sql[] {
  return insertRows(dialect, "webhooks", [{ ...row }]);
}

export function removeWebhook(id: string): Sql[] {
  return [sql`DELETE FROM webhooks WHERE id = ${id}`, sql`DELETE FROM webhook_cursors WHERE webhook_id = ${id}`];
}

export function setLooked(id: string, at: number): Sql {
  return sql`UPDATE webhooks SET looked_at = ${at} WHERE id = ${id}`;
}

/** What the operator asks about: how many streams wait, are retried, are dead. */
export function countCursors(): Sql {
  return sql`SELECT webhook_id, count(*) AS streams, count(next_at) AS waiting, count(failed_at) AS failing, count(dead_at) AS dead,
      max(moved_at) AS moved_at FROM webhook_cursors GROUP BY webhook_id`;
}

export function readDead(webhook: string): Sql {
  return sql`SELECT stream, seq, status, dead_at FROM webhook_cursors WHERE webhook_id = ${webhook} AND dead_at IS NOT NULL ORDER BY stream`;
}

export function readCursor(webhook: string, stream: string): Sql {
  return sql`SELECT seq FROM webhook_cursors WHERE webhook_id = ${webhook} AND stream = ${stream}`;
}

/** Where a webhook begins to read a stream: before its first event since then, or at its end. */
export function readStart(stream: string, since: number): Sql {
  return sql`SELECT coalesce((SELECT min(seq) - 1 FROM events WHERE stream = ${stream} AND at >= ${since}),
    (SELECT seq FROM streams WHERE name = ${stream}), 0) AS seq`;
}

export interface NewCursor {
  readonly webhook: string;
  readonly stream: string;
  readonly seq: number;
  readonly now: number;
}

/** Makes the cursor, due at once; one that is there stays as it is. */
export const insertCursor = (dialect: Dialect, cursor: NewCursor): Sql[] =>
  upsertCursor(dialect, cursor, sql`seq = webhook_cursors.seq`);

/** Makes the cursor, due at once; one that is there and idle becomes due. */
export const wakeCursor = (dialect: Dialect, cursor: NewCursor): Sql[] =>
  upsertCursor(
    dialect,
    cursor,
    sql`next_at = CASE WHEN webhook_cursors.dead_at IS NULL
      THEN coalesce(webhook_cursors.next_at, ${dialect.incoming("next_at")}) END`,
  );

function upsertCursor(dialect: Dialect, { webhook, stream, seq, now }: NewCursor, assignments: Sql): Sql[] {
  const row = { webhook_id: webhook, stream, seq, next_at: now, moved_at: now, tries: 0 };
  return insertRows(
    dialect,
    "webhook_cursors",
    [row],
    sql`${dialect.onConflict(["webhook_id", "stream"])} ${assignments}`,
  );
}

export function lockCursor(webhook: string, stream: string): Sql {
  return sql`SELECT webhook_id, stream, seq, tries, status, failed_at, next_at, lease, dead_at, moved_at FROM webhook_cursors
    WHERE webhook_id = ${webhook} AND stream = ${stream} FOR UPDATE`;
}

export function lockDead(webhook: string): Sql {
  return sql`SELECT webhook_id, stream, seq, tries, status, failed_at, next_at, lease, dead_at, moved_at FROM webhook_cursors
    WHERE webhook_id = ${webhook} AND dead_at IS NOT NULL ORDER BY stream FOR UPDATE`;
}

export function writeCursor(row: CursorRow): Sql {
  return sql`UPDATE webhook_cursors SET seq = ${row.seq}, tries = ${row.tries}, status = ${row.status},
      failed_at = ${row.failed_at}, next_at = ${row.next_at}, lease = ${row.lease}, dead_at = ${row.dead_at},
      moved_at = ${row.moved_at} WHERE webhook_id = ${row.webhook_id} AND stream = ${row.stream}`;
}

/** The events after the cursor, of the wanted types. */
export function readNextEvents(webhook: string, stream: string, types: readonly string[], limit: number): Sql {
  return sql`SELECT stream, seq, tag, type, data, at FROM events
    WHERE stream = ${stream} AND ${among(sql`type`, types)}
      AND seq > (SELECT seq FROM webhook_cursors WHERE webhook_id = ${webhook} AND stream = ${stream})
    ORDER BY seq LIMIT ${limit}`;
}

export function readDueCursors(now: number, limit: number): Sql {
  return sql`SELECT webhook_id, stream FROM webhook_cursors WHERE next_at <= ${now} ORDER BY next_at LIMIT ${limit}`;
}

/** Streams with an event that the webhook has not read, though nobody is going to: whoever stored it died before saying so. */
export function readUnread(webhook: string, wanted: readonly Wanted[], since: number, limit: number): Sql {
  const places = wanted.map(
    ({ stream, types }) =>
      sql`(${"is" in stream ? sql`e.stream = ${stream.is}` : sql`e.stream LIKE ${`${stream.begins}%`}`} AND ${among(sql`e.type`, types)})`,
  );
  return sql`SELECT e.stream, min(e.seq) AS seq FROM events e
    LEFT JOIN webhook_cursors c ON c.webhook_id = ${webhook} AND c.stream = e.stream
    WHERE e.at >= ${since} AND (${places.length === 0 ? sql`1 = 0` : join(places, " OR ")})
      AND (c.stream IS NULL OR (c.seq < e.seq AND c.next_at IS NULL AND c.dead_at IS NULL))
    GROUP BY e.stream ORDER BY e.stream LIMIT ${limit}`;
}

/** Removes cursors of streams whose events are past their time: nothing is left that a new cursor could deliver twice. */
export function trimCursors(before: number): Sql {
  return sql`DELETE FROM webhook_cursors WHERE moved_at < ${before} AND next_at IS NULL AND dead_at IS NULL`;
}

/** Cursors of a webhook that was removed while somebody made them. */
export function trimOrphans(): Sql {
  return sql`DELETE FROM webhook_cursors WHERE webhook_id NOT IN (SELECT id FROM webhooks)`;
}
