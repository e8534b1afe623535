/**
 * The only road out. Three causes lead here: a commit (deliver), a client that resumes or checks (resume.ts), and the
 * sweep (heads). Doubles do no harm: a reader drops numbers it has.
 */

import type { Row } from "../db/database.ts";
import { eventOf, headOf, readBacklog, readChanged, readHeads } from "../db/streams.ts";
import type { App, FanOut } from "./app.ts";
import type { StoredEvent } from "./change.ts";
import type { ServerMessage, StreamEvent } from "./protocol.ts";

export interface Delivery {
  readonly events: readonly StoredEvent[];
  readonly audience: readonly Row[][];
}

/**
 * Pushes what a commit left behind. Kitchens and the customers concerned are pushed here, awaited, within the budget;
 * larger audiences get a function of their own. Nothing of this can fail what is stored: what is lost, check and sweep find.
 */
export async function deliver(app: App, { events, audience }: Delivery): Promise<void> {
  if (events.length === 0) return;
  const near = new Map<string, StoredEvent[]>();
  for (const event of events)
    if (isNear(event.stream)) near.set(event.stream, [...(near.get(event.stream) ?? []), event]);
  const pushes = [...near].map(([stream, own]) => {
    for (const { seq, type, about } of own) app.log.info("push", { stream, seq, type, about });
    return app.gateway.publish(stream, own.map(eventFrame), audience);
  });
  const further = fanOutOf(events);
  const all = [...pushes, ...(further === undefined ? [] : [app.invoke("fan_out", further)])];
  await withinBudget(
    app,
    all.map((push) => push.catch((error) => app.log.error("push", {}, error))),
  );
}

const isNear = (stream: string) => stream.startsWith("shop:") || stream.startsWith("user:");

/** Events of a kitchen's stream that the public can notice: everything but an order's arrival and its escalation. */
const privateTypes = new Set(["order.placed", "order.escalated", "notification"]);

function fanOutOf(events: readonly StoredEvent[]): FanOut | undefined {
  const shops = new Set<string>();
  const rooms = new Map<string, { after: number; upTo: number }>();
  for (const { stream, seq, type } of events) {
    if (stream.startsWith("shop:") && !privateTypes.has(type)) shops.add(stream.slice("shop:".length));
    if (stream.startsWith("room:")) rooms.set(stream, { after: rooms.get(stream)?.after ?? seq - 1, upTo: seq });
  }
  if (shops.size === 0 && rooms.size === 0) return undefined;
  return { shops: [...shops], rooms: [...rooms].map(([stream, range]) => ({ stream, ...range })) };
}

async function withinBudget(app: App, work: readonly Promise<void>[]): Promise<void> {
  const done = new AbortController();
  const all = Promise.all(work).then(() => done.abort());
  await Promise.race([all, app.clock.sleep(app.config.pushBudgetMs, done.signal)]);
  if (!done.signal.aborted) app.log.warn("push.late", { budgetMs: app.config.pushBudgetMs });
}

/** Tells the readers of these streams where the heads are; whoever lacks something asks for it. */
export async function publishHeads(app: App, heads: readonly Row[]): Promise<void> {
  if (heads.length === 0) return;
  const names = heads.map(({ name }) => String(name));
  const audience = await app.db.read(app.gateway.audience(names));
  for (const { name, epoch, seq, tag } of heads) {
    const frame = {
      type: "head",
      stream: String(name),
      epoch: String(epoch),
      seq: Number(seq),
      tag: String(tag),
    } as const;
    await app.gateway.publish(frame.stream, [frameOf(frame)], audience);
  }
}

/** Sends a stream's readers the events of a range of numbers. */
export async function publishRange(app: App, stream: string, after: number, upTo: number): Promise<void> {
  const [heads, rows] = (await app.db.read([readHeads([stream]), readBacklog(stream, after, upTo - after)])) as [
    Row[],
    Row[],
  ];
  const { epoch } = headOf(heads[0]);
  const audience = await app.db.read(app.gateway.audience([stream]));
  const frames = rows.map((row) => eventFrame({ ...eventOf(row), epoch }));
  await app.gateway.publish(stream, frames, audience);
}

/** The heads of all streams written since then. */
export async function readHeadsSince(app: App, since: number): Promise<Row[]> {
  const [rows] = await app.db.read([readChanged(since)]);
  return rows ?? [];
}

export const frameOf = (message: ServerMessage) => JSON.stringify(message);

/** An event as it stands in an answer. Its data is JSON text already and is not parsed to be written again. */
export function streamEvent({ seq, tag, type, data, at }: Omit<StoredEvent, "stream" | "epoch">): StreamEvent {
  return { seq, tag, event: type, at: new Date(at).toISOString(), data: JSON.parse(data) };
}

export function eventFrame({ stream, epoch, seq, tag, type, data, at }: StoredEvent): string {
  const head = JSON.stringify({ type: "event", stream, epoch, seq, tag, event: type, at: new Date(at).toISOString() });
  return `${head.slice(0, -1)},"data":${data}}`;
}
