/**
 * Delivers a stream's events to a webhook: one POST per event, the next one after the answer to the one before. One worker at a
 * time delivers a stream: it holds the cursor by a lease. No lock of the database is held while it waits for an answer.
 * A worker that dies between the answer and noting it leaves an event that is sent again: at least once.
 */
import type { Row } from "../../db/database.ts";
import type { Sql } from "../../db/sql.ts";
import { headOf, readHeads } from "../../db/streams.ts";
import {
  type CursorRow,
  cursorOf,
  insertCursor,
  lockCursor,
  readCursor,
  readNextEvents,
  readStart,
  readWebhooks,
  type WebhookRow,
  webhookOf,
  writeCursor,
} from "../../db/webhooks.ts";
import type { App, WebhookStream } from "../app.ts";
import { type CloudEvent, cloudEventOf } from "./cloud_event.ts";
import { type Posted, post } from "./post_event.ts";
import { readsOf, typesOn } from "./webhooks.ts";

/** Beyond the time of a request: for the database, and for what slows a process. */
const marginMs = 10_000;
/** A worker stops after this time and starts another one: a function of a cloud has its time. */
const workMs = 60_000;
/** A pause up to this length is waited for in place; after a longer one the sweep goes on. */
const inPlaceMs = 8_000;
const mostPauseMs = 600_000;

/** The event that is next, and how long to wait before it. */
interface Next {
  readonly event: CloudEvent;
  readonly tag: string;
  readonly waitMs: number;
}

interface Attempt {
  readonly seq: number;
  readonly tag: string;
  readonly posted: Posted;
}

/** Delivers new events of these streams to every webhook that reads them. */
export async function deliverStreams(app: App, streams: readonly string[], signal?: AbortSignal): Promise<void> {
  const [rows = []] = await app.db.read([readWebhooks()]);
  const webhooks = rows.map(webhookOf);
  const pairs = webhooks.flatMap((webhook) =>
    streams.filter((stream) => readsOf(webhook, stream)).map((stream) => ({ webhook, stream })),
  );
  await deliverAll(app, pairs, signal);
}

/** Goes on with these streams of these webhooks, whose time has come. */
export async function deliverDue(app: App, due: readonly WebhookStream[], signal?: AbortSignal): Promise<void> {
  const [rows = []] = await app.db.read([readWebhooks()]);
  const webhooks = new Map(rows.map(webhookOf).map((webhook) => [webhook.id, webhook]));
  const pairs = due.flatMap(({ webhook: id, stream }) => {
    const webhook = webhooks.get(id);
    return webhook === undefined ? [] : [{ webhook, stream }];
  });
  await deliverAll(app, pairs, signal);
}

async function deliverAll(
  app: App,
  pairs: readonly { readonly webhook: WebhookRow; readonly stream: string }[],
  signal?: AbortSignal,
): Promise<void> {
  const until = app.clock.now() + workMs;
  await Promise.all(
    pairs.map(({ webhook, stream }) =>
      app.webhookLanes.run(webhook.id, stream, () =>
        deliverStream(app, webhook, stream, until, signal).catch((error) =>
          app.log.error("webhook.error", { webhook: webhook.id, stream }, error),
        ),
      ),
    ),
  );
}

async function deliverStream(
  app: App,
  webhook: WebhookRow,
  stream: string,
  until: number,
  signal?: AbortSignal,
): Promise<void> {
  // It has waited for its lane until the end: the sweep finds it.
  const isStopping = () => signal?.aborted === true;
  if (app.clock.now() > until || isStopping()) return;
  await makeCursor(app, webhook, stream);
  const lease = app.random.tag();
  let attempt: Attempt | undefined;
  for (;;) {
    const next = await advance(app, { webhook, stream, lease, until }, attempt);
    if (next === undefined) return;
    if (next.waitMs > 0) await app.clock.sleep(next.waitMs, signal);
    const isOver = app.clock.now() > until;
    if (isOver || isStopping()) {
      await release(app, webhook, stream, lease);
      if (isOver) await app.invoke("call_back", { webhooks: [{ webhook: webhook.id, stream }] });
      return;
    }
    const posted = await post(app, webhook, next.event, signal);
    // This process stops: whether the event has come is not known.
    if (posted === undefined) return release(app, webhook, stream, lease);
    attempt = { seq: Number(next.event.sequence), tag: next.tag, posted };
  }
}

/** The first time that the webhook has something to read there. */
async function makeCursor(app: App, { id: webhook, created_at }: WebhookRow, stream: string): Promise<void> {
  const [cursors = [], starts = []] = await app.db.read([readCursor(webhook, stream), readStart(stream, created_at)]);
  if (cursors.length > 0) return;
  const seq = Number(starts[0]?.seq ?? 0);
  const now = app.clock.now();
  await app.db.flight({ statements: insertCursor(app.db.dialect, { webhook, stream, seq, now }), repeatable: true });
}

interface Worker {
  readonly webhook: WebhookRow;
  readonly stream: string;
  readonly lease: string;
  readonly until: number;
}

/**
 * Notes what came of the last attempt, and takes the next event; or lets the stream go in the transaction that finds no more.
 * @returns nothing when there is nothing to do for this worker
 */
async function advance(app: App, worker: Worker, last: Attempt | undefined): Promise<Next | undefined> {
  const { webhook, stream, lease } = worker;
  let next: Next | undefined;
  let noted: CursorRow | undefined;
  let attempt: Attempt | undefined;
  await app.db.flight({
    // The head before the events: up to its number none can be missed.
    statements: [
      lockCursor(webhook.id, stream),
      readHeads([stream]),
      readNextEvents(webhook.id, stream, typesOn(webhook, stream), 2),
    ],
    decide([cursors = [], heads = [], events = []]) {
      next = undefined;
      noted = undefined;
      const now = app.clock.now();
      // The webhook was removed.
      if (cursors[0] === undefined) return [];
      const row = cursorOf(cursors[0]);
      const isMine = row.lease === lease;
      // Another worker has it, or its time has not come; or this one was away too long, and another has gone on.
      if (!isMine && (last !== undefined || row.dead_at !== null || (row.next_at !== null && row.next_at > now)))
        return [];
      // After the database went back in time another event has this number: it has not been sent.
      attempt = events.some(({ seq, tag }) => Number(seq) === last?.seq && tag === last?.tag) ? last : undefined;
      const waitMs = attempt === undefined ? 0 : note(app, row, attempt, now);
      if (attempt !== undefined) noted = row;
      const { epoch, seq } = headOf(heads[0]);
      const first = events.find((event) => Number(event.seq) > row.seq);
      row.lease = null;
      if (row.dead_at !== null) {
        row.next_at = null;
      } else if (first === undefined) {
        // What is left is of other types.
        row.seq = Math.max(row.seq, seq);
        row.next_at = null;
        row.failed_at = null;
        row.tries = 0;
      } else if (waitMs > inPlaceMs || now + waitMs > worker.until) {
        row.next_at = now + waitMs;
      } else {
        row.next_at = now + waitMs + app.config.channels.callbackTimeoutMs + marginMs;
        row.lease = lease;
        next = { event: eventOf(first, epoch), tag: String(first.tag), waitMs };
      }
      return [writeCursor(row)];
    },
    repeatable: true,
  });
  if (attempt !== undefined && noted !== undefined) logAttempt(app, noted, attempt);
  return next;
}

/** Writes into the row what came of the attempt. @returns how long to wait before the next one */
function note(app: App, row: CursorRow, { seq, posted }: Attempt, now: number): number {
  row.status = posted.status;
  if (posted.ok) {
    row.seq = Math.max(row.seq, seq);
    row.tries = 0;
    row.failed_at = null;
    row.moved_at = now;
    return 0;
  }
  row.tries += 1;
  row.failed_at ??= now;
  const { deadMs, retryMs } = app.config.webhooks;
  if (posted.isGone || now - row.failed_at >= deadMs) row.dead_at = now;
  // A little chance, so that what failed together does not come back together.
  const pauseMs = Math.min(mostPauseMs, retryMs * 2 ** Math.min(row.tries - 1, 20));
  return Math.round(pauseMs * (1 + app.random.fraction() / 10));
}

function logAttempt(app: App, { webhook_id: webhook, stream, dead_at, tries }: CursorRow, attempt: Attempt): void {
  const { seq, posted } = attempt;
  const fields = { webhook, stream, seq, status: posted.status, ms: posted.ms, ...(posted.ok ? {} : { tries }) };
  app.log.info("webhook", fields);
  if (dead_at !== null) app.log.error("webhook.dead", { webhook, stream, seq, status: posted.status, tries });
}

/** Stops before the work is done: whoever looks next goes on. */
async function release(app: App, webhook: WebhookRow, stream: string, lease: string): Promise<void> {
  await app.db.flight({
    statements: [lockCursor(webhook.id, stream)],
    decide([rows = []]): Sql[] {
      if (rows[0] === undefined || rows[0].lease !== lease) return [];
      const row = cursorOf(rows[0]);
      return [writeCursor({ ...row, lease: null, next_at: app.clock.now() })];
    },
    repeatable: true,
  });
}

const eventOf = (row: Row, epoch: string): CloudEvent =>
  cloudEventOf({
    stream: String(row.stream),
    epoch,
    seq: Number(row.seq),
    tag: String(row.tag),
    type: String(row.type),
    data: String(row.data),
    at: Number(row.at),
  });
