/** Stores and delivers messages of rooms. Those that wait for their room's row go together: one flight, and one push to each reader. */
import type { Row } from "../../db/database.ts";
import {
  countMessages,
  insertMessages,
  type NewMessage,
  readMessage,
  readOldest,
  readRoom,
  removeMessages,
  setRoomUse,
} from "../../db/rooms.ts";
import type { Statement } from "../../db/sql.ts";
import { type Head, noHead } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { fulfilled, inKeyedBatches } from "../batch.ts";
import type { Config } from "../config.ts";
import { PublishOutOfOrder, PublishTooFast } from "../errors.ts";
import type { Position } from "../protocol.ts";
import { kindOf } from "./authority.ts";
import { change, eventData } from "./change.ts";
import { deliver } from "./deliver.ts";

/** A message on its way into a room. */
export interface RoomMessage {
  readonly message: { readonly id: string; readonly sender: string; readonly data: unknown };
  /** The sender's message that must be stored before it. */
  readonly after: string | undefined;
  readonly bytes: number;
}

/** Bytes of a message beside its data: row, tag, index entries. */
export const rowBytes = 200;
/** Of one flight. */
const maxMessages = 64;
/** More of the oldest are read than the new ones need, for a room whose bounds were lowered. */
const moreOldest = 16;

type Add = (stream: string, message: RoomMessage) => Promise<Position>;
const queues = new WeakMap<App["batches"], Add>();

/** Puts the message into the next flight of its room. @throws PublishOutOfOrder, PublishTooFast */
export function addToRoom(app: App, stream: string, message: RoomMessage): Promise<Position> {
  const add: Add =
    queues.get(app.batches) ??
    inKeyedBatches((room, list: readonly RoomMessage[]) => storeAll(app, room, list), maxMessages);
  queues.set(app.batches, add);
  return add(stream, message);
}

/**
 * A message that the server itself puts into a room, as part of a change of something else: what the change must read under the lock
 * of the room's stream, and what it then writes. It counts for the room's bounds, and for no sender's.
 */
export function serverMessage(app: App, room: string) {
  const stream = `room:${room}`;
  return {
    reads: [readRoom(room), readOldest(stream, moreOldest)],
    put(
      message: RoomMessage["message"],
      read: { readonly rows: readonly Row[][]; readonly heads: ReadonlyMap<string, Head>; readonly now: number },
    ) {
      const [held, oldest = []] = read.rows;
      const state = roomState(app.config, { head: read.heads.get(stream) ?? noHead, held: held?.[0], oldest });
      state.take({ message, after: undefined, bytes: Buffer.byteLength(eventData(message)) + rowBytes });
      return { writes: state.writes(app, { room, stream, now: read.now }), events: state.events(stream) };
    },
  };
}

type Settled = PromiseSettledResult<Position>;

/** After an unforeseen error each is tried alone: one message must not keep the others out. */
async function storeAll(app: App, stream: string, messages: readonly RoomMessage[]): Promise<Settled[]> {
  try {
    return await storeTogether(app, stream, messages);
  } catch (reason) {
    if (messages.length === 1) return [{ status: "rejected", reason }];
    const settled: Settled[] = [];
    for (const message of messages) settled.push(...(await storeAll(app, stream, [message])));
    return settled;
  }
}

async function storeTogether(app: App, stream: string, messages: readonly RoomMessage[]): Promise<Settled[]> {
  const now = app.clock.now();
  const room = kindOf(stream).id;
  const senders = [...new Set(messages.map(({ message }) => message.sender))];
  const named = messages.flatMap(({ message: { sender, id }, after }) => [
    { sender, id },
    ...(after === undefined ? [] : [{ sender, id: after }]),
  ]);
  const bytes = messages.reduce((sum, one) => sum + one.bytes, 0);
  const changed = await change<Settled[]>(app, {
    locks: [],
    streams: [stream],
    reads: [
      readRoom(room),
      readOldest(stream, moreOldest + Math.ceil(bytes / rowBytes)),
      ...senders.map((sender) => countMessages(stream, sender, now - 1_000, now)),
      ...named.map(({ sender, id }) => readMessage(stream, sender, id)),
    ],
    decide(_, [held, oldest = [], ...rows], heads) {
      const state = roomState(app.config, { head: heads.get(stream) ?? noHead, held: held?.[0], oldest });
      for (const [at, sender] of senders.entries()) state.spent.set(sender, spentOf(rows[at]?.[0]));
      for (const [at, { sender, id }] of named.entries()) state.note(sender, id, rows[senders.length + at]?.[0]);
      const result = messages.map((one) => state.take(one));
      return { writes: state.writes(app, { room, stream, now }), events: state.events(stream), result };
    },
    repeatable: true,
  });
  await deliver(app, changed);
  // The tag of a message is drawn after it was decided.
  const stored = new Map(changed.events.map(({ epoch, seq, tag }) => [seq, { epoch, seq, tag }]));
  return changed.result.map((one) =>
    one.status === "fulfilled" ? { ...one, value: stored.get(one.value.seq) ?? one.value } : one,
  );
}

interface Spent {
  messages: number;
  bytes: number;
}

const spentOf = (row: Row | undefined): Spent => ({ messages: Number(row?.n ?? 0), bytes: Number(row?.bytes ?? 0) });

const keyOf = (sender: string, id: string) => `${sender} ${id}`;

/** A room while the messages of one flight are taken one after the other. */
function roomState(
  { rooms, limits }: Config,
  { head, held, oldest }: { head: Head; held: Row | undefined; oldest: readonly Row[] },
) {
  const known = new Map<string, Position>();
  const taken: (RoomMessage & { readonly seq: number })[] = [];
  const spent = new Map<string, Spent>();
  let bytes = Number(held?.bytes ?? 0);
  let count = Number(held?.messages ?? 0);
  let dropped = 0;

  function dropForOneMore(more: number): void {
    bytes += more;
    count += 1;
    for (; dropped < oldest.length; dropped++) {
      if (bytes <= rooms.maxBytes && count <= rooms.maxMessages) return;
      bytes -= Number(oldest[dropped]?.bytes);
      count -= 1;
    }
  }

  function check({ message: { sender }, after, bytes: more }: RoomMessage): Error | undefined {
    if (after !== undefined && !known.has(keyOf(sender, after))) return new PublishOutOfOrder();
    const own = spent.get(sender) ?? spentOf(undefined);
    if (own.messages >= limits.publishesPerSec)
      return new PublishTooFast(`${limits.publishesPerSec} messages to one room`, {
        name: "messages",
        limit: limits.publishesPerSec,
        windowSec: 1,
      });
    if (own.bytes + more > rooms.bytesPerSec)
      return new PublishTooFast(`${rooms.bytesPerSec / 1_024} KB`, {
        name: "bytes",
        limit: rooms.bytesPerSec,
        windowSec: 1,
        unit: "content-bytes",
      });
    spent.set(sender, { messages: own.messages + 1, bytes: own.bytes + more });
    return undefined;
  }

  return {
    spent,
    /** A message that the room has already. */
    note(sender: string, id: string, row: Row | undefined): void {
      if (row === undefined) return;
      known.set(keyOf(sender, id), { epoch: head.epoch, seq: Number(row.seq), tag: String(row.tag ?? "") });
    },
    take(one: RoomMessage): Settled {
      const key = keyOf(one.message.sender, one.message.id);
      const value = known.get(key);
      if (value !== undefined) return fulfilled(value);
      const reason = check(one);
      if (reason !== undefined) return { status: "rejected", reason };
      const position = { epoch: head.epoch, seq: head.seq + taken.length + 1, tag: "" };
      dropForOneMore(one.bytes);
      taken.push({ ...one, seq: position.seq });
      known.set(key, position);
      return fulfilled(position);
    },
    writes({ db }: App, { room, stream, now }: { room: string; stream: string; now: number }): Statement[] {
      if (taken.length === 0) return [];
      const upTo = oldest[dropped - 1]?.seq;
      const rows = taken.map(
        ({ message: { sender, id }, bytes, seq }): NewMessage => ({ stream, sender, id, seq, bytes, at: now }),
      );
      return [
        ...(upTo === undefined ? [] : removeMessages(stream, Number(upTo))),
        ...insertMessages(db.dialect, rows),
        setRoomUse(room, bytes, count, now),
      ];
    },
    events: (stream: string) => taken.map(({ message }) => ({ stream, type: "message" as const, data: message })),
  };
}
