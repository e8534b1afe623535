/** What time does to webhooks: retries become due, and events are found whose process died before it announced them. */
import {
  readDueCursors,
  readUnread,
  readWebhooks,
  setLooked,
  trimCursors,
  trimOrphans,
  type WebhookRow,
  wakeCursor,
  webhookOf,
} from "../../db/webhooks.ts";
import type { App, WebhookStream } from "../app.ts";
import { wantedBy } from "./webhooks.ts";

/** An event's time is taken before its commit. */
const slackMs = 180_000;
const perLook = 500;
/** Streams that one call of `call_back` delivers. */
const perCall = 25;

/** Starts what is due. Every second on one machine, every minute in the cloud. Several may do it at once. */
export async function startDueWebhooks(app: App): Promise<void> {
  const [rows = []] = await app.db.read([readDueCursors(app.clock.now(), perLook)]);
  const due: WebhookStream[] = rows.map(({ webhook_id, stream }) => ({
    webhook: String(webhook_id),
    stream: String(stream),
  }));
  // By webhook, so that one that hangs holds no other.
  for (const own of grouped(due))
    for (let at = 0; at < own.length; at += perCall)
      await app.invoke("call_back", { webhooks: own.slice(at, at + perCall) });
}

const grouped = (due: readonly WebhookStream[]): WebhookStream[][] =>
  [...new Set(due.map(({ webhook }) => webhook))].map((id) => due.filter(({ webhook }) => webhook === id));

/** Every minute: also looks for unread events. */
export async function sweepWebhooks(app: App): Promise<void> {
  const [rows = []] = await app.db.read([readWebhooks()]);
  for (const webhook of rows.map(webhookOf)) await findUnread(app, webhook);
  if (rows.length > 0) await startDueWebhooks(app);
}

/** Makes what is found due, and notes the time in the same flight: nothing is forgotten when this process dies now. */
async function findUnread(app: App, webhook: WebhookRow): Promise<void> {
  const now = app.clock.now();
  const since = Math.max(webhook.created_at, webhook.looked_at - slackMs);
  const [rows = []] = await app.db.read([readUnread(webhook.id, wantedBy(webhook), since, perLook)]);
  const found = rows.flatMap(({ stream, seq }) =>
    wakeCursor(app.db.dialect, { webhook: webhook.id, stream: String(stream), seq: Number(seq) - 1, now }),
  );
  // More may be there: the next look begins at the same time.
  const isAll = rows.length < perLook;
  await app.db.flight({
    statements: [...found, ...(isAll ? [setLooked(webhook.id, now)] : [])],
    repeatable: true,
  });
}

/** Removes what nobody needs any more; after the events were trimmed. */
export async function trimWebhooks(app: App): Promise<void> {
  const marginMs = 3_600_000;
  const before = app.clock.now() - app.config.retention.eventsMs - marginMs;
  for (const statement of [trimCursors(before), trimOrphans()])
    await app.db.flight({ statements: [statement], repeatable: true });
}
