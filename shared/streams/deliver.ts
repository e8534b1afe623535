/**
 * Pushes events to subscribers: after a commit, and the heads of streams from the sweep. An event pushed twice does no harm:
 * a reader drops numbers it has.
 */
import type { Row } from "../../db/database.ts";
import { eventOf, headOf, readBacklog, readChanged, readHeads } from "../../db/streams.ts";
import type { App, FanOut, Range, Share } from "../app.ts";
import { isCollectionStream } from "../collection.ts";
import { eventFrame, frameOf } from "../frame.ts";
import { logPushes, type Pushes, type PushLog } from "../pushes.ts";
import { SignalSource } from "../signal.ts";
import type { Delivery, StoredEvent } from "./change.ts";

/**
 * Pushes the events of a commit. Kitchens and customers are pushed here, awaited within the time budget; rooms, public streams and
 * watches of collections get a function of their own. A failure here does not affect what is stored: checks and the sweep find lost events.
 */
export async function deliver(app: App, { events, subscribers }: Delivery): Promise<void> {
  if (events.length === 0) return;
  const streams = [...byStream(events)];
  const pushes = streams.flatMap(([stream, own]) =>
    isNear(stream) ? publishEvents(app, stream, own, subscribers) : [],
  );
  const further = fanOutOf(app, events, subscribers);
  if (app.pushes !== undefined) pushFar(app, app.pushes, streams);
  const all = [
    ...pushes,
    ...(further === undefined ? [] : [app.invoke("fan_out", further)]),
    startWebhooks(app, events),
  ];
  await withinBudget(
    app,
    all.map((push) => push.catch((error) => app.log.error("push", {}, error))),
  );
}

function byStream(events: readonly StoredEvent[]): Map<string, StoredEvent[]> {
  const streams = new Map<string, StoredEvent[]>();
  for (const event of events) {
    const own = streams.get(event.stream);
    if (own === undefined) streams.set(event.stream, [event]);
    else own.push(event);
  }
  return streams;
}

/** Where the sockets belong to this process. The request does not wait for all of them. */
function pushFar({ log }: App, pushes: Pushes, streams: readonly (readonly [string, StoredEvent[]])[]): void {
  for (const [stream, own] of streams)
    if (isFar(stream)) pushes.push(stream, own, []).catch((error) => log.error("push", { stream }, error));
}

/** Where this process looks for streams with new events by itself, it is enough to note them. */
async function startWebhooks(app: App, events: readonly StoredEvent[]): Promise<void> {
  const streams = await app.webhooks.wantedStreams(events);
  if (streams.length === 0) return;
  if (app.pushes === undefined) await app.invoke("call_back", { streams });
  else app.webhooks.note(streams);
}

/** Pushes new events of one stream; where this process tracks its pushes, in order with all others of the stream. */
export async function publishEvents(
  app: Publisher,
  stream: string,
  events: readonly StoredEvent[],
  subscribers: readonly Row[][],
): Promise<void> {
  const [first, last] = [events[0], events.at(-1)];
  if (app.pushes !== undefined) return app.pushes.push(stream, events, subscribers);
  if (first === undefined || last === undefined) return;
  const readers = readersIn(stream, subscribers);
  if (readers > maxReaders) return splitUp(app, { stream, after: first.seq - 1, upTo: last.seq }, readers);
  logPushes(pushLogOf(app), stream, events, await app.gateway.publish(stream, events.map(eventFrame), subscribers));
}

type Publisher = Pick<App, "pushes" | "gateway" | "invoke" | "log" | "clock">;

const pushLogOf = ({ log, clock }: Publisher): PushLog => ({ log, now: clock.now });

/** Subscribers that one function can push to well within its 29 seconds. */
export const maxReaders = 2_000;

const readersIn = (stream: string, [rows = []]: readonly Row[][]) => rows.filter((row) => row.stream === stream).length;

/** Starts several functions for more subscribers than one can push to; each reads again who is entitled. */
async function splitUp(app: Publisher, { stream, after, upTo }: Range, readers: number): Promise<void> {
  const of = Math.ceil(readers / maxReaders);
  await Promise.all(
    Array.from({ length: of }, (_, at) =>
      app
        .invoke("fan_out", { shops: [], rooms: [{ stream, after, upTo, share: { at, of } }] })
        .catch((error) => app.log.error("push", { stream }, error)),
    ),
  );
}

/** The subscribers of one share, shuffled so that none is always the last. Each is in exactly one share. */
function shareOf(share: Share, [rows = [], ...rest]: readonly Row[][], fraction: () => number): readonly Row[][] {
  const shuffled = rowsOfShare(share, rows)
    .map((row) => ({ row, order: fraction() }))
    .sort((a, b) => a.order - b.order);
  return [shuffled.map(({ row }) => row), ...rest];
}

/** Those connections that are in this share. Each is in exactly one. */
export const rowsOfShare = ({ at, of }: Share, rows: readonly Row[]): readonly Row[] =>
  rows.filter(({ connection_id }) => digestOf(String(connection_id)) % of === at);

/** FNV-1a: gives ids that differ in one letter very different digests. */
function digestOf(text: string): number {
  let digest = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) digest = Math.imul(digest ^ text.charCodeAt(at), 0x01000193);
  return (digest ^ (digest >>> 15)) >>> 0;
}

const isNear = (stream: string) => stream.startsWith("shop:") || stream.startsWith("user:");

/** Events of a kitchen's stream that change nothing in the public state. */
const privateTypes = new Set(["order.placed", "order.escalated", "notification"]);

function fanOutOf(app: App, events: readonly StoredEvent[], subscribers: readonly Row[][]): FanOut | undefined {
  const shops = new Set<string>();
  const rooms = new Map<string, { after: number; upTo: number }>();
  for (const { stream, seq, type } of events) {
    if (stream.startsWith("shop:") && !privateTypes.has(type)) shops.add(stream.slice("shop:".length));
    if (isOfRoom(stream)) rooms.set(stream, { after: rooms.get(stream)?.after ?? seq - 1, upTo: seq });
  }
  // The sockets belong to this process, which pushes by itself.
  if (app.pushes !== undefined) rooms.clear();
  const watched = app.pushes === undefined ? watchedIn(subscribers) : [];
  if (shops.size === 0 && rooms.size === 0 && watched.length === 0) return undefined;
  return {
    shops: [...shops],
    rooms: [...rooms].map(([stream, range]) => ({ stream, ...range })),
    ...(watched.length === 0 ? {} : { watched }),
  };
}

const isOfRoom = (stream: string) => stream.startsWith("room:") || stream.startsWith("presence:");
const isFar = (stream: string) => isOfRoom(stream) || isCollectionStream(stream);

/** Streams that somebody watches in a collection, as a gateway without memory found them after the commit. */
const watchedIn = ([, rows = []]: readonly Row[][]): string[] => rows.map(({ stream }) => String(stream));

/** Starts what pushes to watches of collections, for events that were not given to `deliver`. */
export async function deliverWatched(app: App, subscribers: readonly Row[][]): Promise<void> {
  const watched = app.pushes === undefined ? watchedIn(subscribers) : [];
  if (watched.length > 0) await app.invoke("fan_out", { shops: [], rooms: [], watched });
}

async function withinBudget(app: App, work: readonly Promise<void>[]): Promise<void> {
  const done = new SignalSource();
  const all = Promise.all(work).then(() => done.abort());
  await Promise.race([all, app.clock.sleep(app.config.pushBudgetMs, done)]);
  if (!done.aborted) app.log.warn("push.late", { budgetMs: app.config.pushBudgetMs });
}

/** Sends subscribers the heads of these streams; one that lacks an event asks for it. */
export async function publishHeads(app: App, heads: readonly Row[]): Promise<void> {
  if (heads.length === 0) return;
  const names = heads.map(({ name }) => String(name));
  const subscribers = await app.db.read(app.gateway.subscribers(names));
  for (const { name, epoch, seq, tag } of heads) {
    const frame = {
      type: "head",
      stream: String(name),
      epoch: String(epoch),
      seq: Number(seq),
      tag: String(tag),
    } as const;
    await app.gateway.publish(frame.stream, [frameOf(frame)], subscribers);
  }
}

/** Bounds of one read. */
const maxRead = { events: 200, bytes: 512 * 1_024 };

/** Sends the stream's subscribers, or a share of them, the events of a range of numbers, in order. */
export async function publishRange(app: App, { stream, after, upTo, share }: Range): Promise<void> {
  for (let from = after; from < upTo; ) {
    // One snapshot: subscribers and their rights as they are after these events.
    const [heads, rows, ...subscribers] = await app.db.read([
      readHeads([stream]),
      readBacklog(stream, from, { ...maxRead, upTo }),
      ...app.gateway.subscribers([stream]),
    ]);
    const { epoch } = headOf(heads[0]);
    const events = rows.map((row) => ({ ...eventOf(row), epoch }));
    if (events.length === 0) return;
    const readers = readersIn(stream, subscribers);
    if (share === undefined && readers > maxReaders) return splitUp(app, { stream, after: from, upTo }, readers);
    const concerned = share === undefined ? subscribers : shareOf(share, subscribers, app.random.fraction);
    logPushes(pushLogOf(app), stream, events, await app.gateway.publish(stream, events.map(eventFrame), concerned));
    from = events.at(-1)?.seq ?? upTo;
  }
}

/** The heads of all streams written since then. */
export async function readHeadsSince(app: App, since: number): Promise<Row[]> {
  const [rows] = await app.db.read([readChanged(app.db.dialect, since)]);
  return rows ?? [];
}
