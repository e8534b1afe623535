/** Rooms: streams that applications use freely. A session makes one, signed grants let others in, each sender's order is kept. */
import type { Database, Row } from "../../db/database.ts";
import {
  insertRoom,
  lockRoom,
  type NewRoom,
  readFirst,
  readOlder,
  readRecentRooms,
  readRoom,
  setGrantVersion,
  sumRooms,
  touchRoom,
} from "../../db/rooms.ts";
import { headOf, readHeads } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { iso } from "../day.ts";
import { Forbidden, type Quota, RoomsFull, RoomsOff, StreamForbidden, StreamUnknown, TooManyRooms } from "../errors.ts";
import type { ClientMessage, MessageView, Position, StreamPosition } from "../protocol.ts";
import { type Available, leftOf } from "../rate_limit.ts";
import type { Session } from "../sessions/session.ts";
import { authorize, type GrantClaims, kindOf } from "./authority.ts";
import { change, eventData } from "./change.ts";
import { addToRoom, rowBytes } from "./room_messages.ts";

const hourMs = 3_600_000;
/** A network can be a household, a shop's Wi-Fi or a carrier's NAT; an IPv6 /48 holds many networks. */
const networkTimes = 5;
const widerTimes = 25;

/**
 * A new room, and a grant to write to it.
 * @param address the maker's
 * @throws RoomsOff, Forbidden, TooManyRooms, RoomsFull
 */
export async function createRoom(
  app: App,
  session: Session,
  lifeMs: number,
  address: string,
): Promise<{ room: string; grant: string; expiresAt: number; available: readonly Available[] }> {
  const { makers } = app.config.rooms;
  if (makers === "off") throw new RoomsOff();
  if (makers === "staff" && session.kind !== "staff") throw new Forbidden("on this server rooms are made by staff");
  await throwIfFull(app);
  const room = app.random.id();
  const now = app.clock.now();
  const bounds = roomBounds(app, session, address);
  const row: NewRoom = { id: room, owner: session.user, ...bounds.hashes, at: now };
  const { result: available } = await change(app, {
    locks: [],
    streams: [`room:${room}`],
    reads: bounds.reads,
    decide: (_, reads) => ({ result: bounds.check(reads), writes: [insertRoom(row)] }),
    repeatable: false,
  });
  return { room, available, ...sign(app, { room, right: "write", version: 1, expiresAt: now + lifeMs }) };
}

/**
 * How many rooms are made in an hour, for a user and, where users are guests, for a network.
 * @param address the maker's @param ofUser the newest that the user has made, if not those that belong to them
 */
export function roomBounds(
  { config, secrets, clock }: App,
  session: Session,
  address: string,
  ofUser = (since: number) => readRecentRooms("owner_id", session.user, since, config.rooms.perHour),
) {
  const now = clock.now();
  const byNetwork = session.kind === "guest";
  const hashes = {
    addressHash: byNetwork ? secrets.hashAddress(address) : null,
    widerHash: byNetwork ? secrets.hashWiderNetwork(address) : null,
  };
  const { perHour } = config.rooms;
  const perHourOf = (name: string, limit: number): Quota => ({ name, limit, windowSec: hourMs / 1_000 });
  const [user, network, wider] = [
    perHourOf("rooms-user", perHour),
    perHourOf("rooms-network", perHour * networkTimes),
    perHourOf("rooms-wider", perHour * widerTimes),
  ];
  const bounds = [
    { of: "user", counts: true, quota: user },
    { of: "address", counts: byNetwork, quota: network },
    { of: "address", counts: byNetwork, quota: wider },
  ] as const;
  const since = now - hourMs;
  return {
    hashes,
    reads: [
      ofUser(since),
      readRecentRooms("address_hash", hashes.addressHash ?? "", since, network.limit),
      readRecentRooms("wider_hash", hashes.widerHash ?? "", since, wider.limit),
    ],
    /** @returns what is left @throws TooManyRooms */
    check(reads: readonly Row[][]): Available[] {
      const times = reads.map((recent) => recent.map(({ created_at }) => Number(created_at)));
      for (const [at, { of, quota }] of bounds.entries()) {
        const recent = times[at] ?? [];
        // The oldest counted room leaves the window first.
        if (recent.length >= quota.limit) throw new TooManyRooms(of, Number(recent.at(-1)) + hourMs - now, quota);
      }
      return bounds.flatMap(({ counts, quota }, at) => (counts ? [leftOf(quota, times[at] ?? [], now)] : []));
    },
  };
}

/** A further grant, by the room's owner. @throws StreamUnknown, Forbidden */
export async function grantRoom(
  app: App,
  session: Session,
  room: string,
  asked: { right: "read" | "write"; user?: string | undefined; lifeMs: number },
): Promise<{ grant: string; expiresAt: number }> {
  const [rows] = await app.db.read([readRoom(room)]);
  const version = Number(owned(rows[0], session, room).grant_version);
  const now = app.clock.now();
  await app.db.flight({ statements: [touchRoom(room, now)], repeatable: true });
  const expiresAt = now + asked.lifeMs;
  return sign(app, {
    room,
    right: asked.right,
    version,
    expiresAt,
    ...(asked.user === undefined ? {} : { user: asked.user }),
  });
}

/** Withdraws every grant of the room: after the commit nothing is pushed to their holders. @throws StreamUnknown, Forbidden */
export async function withdrawGrants(app: App, session: Session, room: string): Promise<void> {
  await app.db.flight({
    statements: [lockRoom(room)],
    decide: ([rows]) => [setGrantVersion(room, Number(owned(rows?.[0], session, room).grant_version) + 1)],
  });
}

function owned(row: Row | undefined, session: Session, room: string): Row {
  if (row === undefined) throw new StreamUnknown(`room:${room}`);
  if (row.owner_id !== session.user) throw new Forbidden("only who made the room may do that");
  return row;
}

function sign(app: App, claims: GrantClaims): { grant: string; expiresAt: number } {
  return { grant: app.secrets.sign(claims), expiresAt: claims.expiresAt };
}

/**
 * Puts a session's message into a room, by its grant.
 * @throws GrantInvalid, StreamForbidden, and what `storeMessage` throws
 */
export async function publishMessage(
  app: App,
  session: Session,
  { grant, ...message }: ClientMessage & { type: "publish" },
): Promise<Position> {
  if (kindOf(message.stream).kind !== "room") throw new StreamForbidden(message.stream);
  await authorize(app, { session, stream: message.stream, right: "write", grant, now: app.clock.now() });
  return storeMessage(app, session.user, message);
}

/**
 * Puts a message of another back end into any room.
 * @param sender the key's id @throws StreamUnknown, and what `storeMessage` throws
 */
export async function publishByKey(
  app: App,
  sender: string,
  { room, ...message }: { readonly room: string; readonly id: string; readonly data: unknown },
): Promise<Position & { stream: string }> {
  const stream = `room:${room}`;
  const [rows] = await app.db.read([readRoom(room)]);
  if (rows[0] === undefined) throw new StreamUnknown(stream);
  return { stream, ...(await storeMessage(app, sender, { stream, ...message })) };
}

/** A message of a room's history. */
export interface PastMessage extends MessageView {
  readonly seq: number;
  readonly at: string;
}

/** Of one page. */
const maxPageBytes = 256 * 1_024;

/**
 * A page of a room's messages, the newest first, with the position behind the newest of all. The caller's right was checked.
 * @param before only messages with lower numbers
 */
export async function readHistory(
  app: App,
  room: string,
  { before = Number.MAX_SAFE_INTEGER, limit }: { before?: number | undefined; limit: number },
): Promise<{ messages: PastMessage[]; more: boolean; position: StreamPosition }> {
  const stream = `room:${room}`;
  const [heads = [], first = [], rows = []] = await app.db.read([
    readHeads([stream]),
    readFirst(stream),
    readOlder(stream, before, { events: limit, bytes: maxPageBytes }),
  ]);
  const messages = rows.map(
    ({ seq, at, data }): PastMessage => ({ seq: Number(seq), at: iso(Number(at)), ...JSON.parse(String(data)) }),
  );
  const last = messages.at(-1);
  const more = last !== undefined && last.seq > Number(first[0]?.seq);
  return { messages, more, position: { stream, ...headOf(heads[0]) } };
}

interface NewMessage {
  readonly stream: string;
  readonly id: string;
  readonly after?: string;
  readonly data: unknown;
}

/**
 * Stores and delivers a message, once per sender and id. `after` names the sender's previous message, which must be stored
 * already: AWS may run two frames of one sender in either order. A full room loses its oldest messages.
 * @throws RoomsOff, RoomsFull, PublishOutOfOrder, PublishTooFast, EventTooLarge
 */
async function storeMessage(app: App, sender: string, { stream, id, after, data }: NewMessage): Promise<Position> {
  if (app.config.rooms.makers === "off") throw new RoomsOff();
  await throwIfFull(app);
  const message = { id, sender, data };
  const bytes = Buffer.byteLength(eventData(message)) + rowBytes;
  return addToRoom(app, stream, { message, after, bytes });
}

/** The sum over all rooms is cached, so that a message does not cost one. */
const totalHeldMs = 5_000;
const totals = new WeakMap<Database, { readonly at: number; readonly bytes: Promise<number> }>();

/** @throws RoomsFull */
export async function throwIfFull({ db, clock, config }: App): Promise<void> {
  const now = clock.now();
  let total = totals.get(db);
  if (total === undefined || Math.abs(now - total.at) > totalHeldMs) {
    total = { at: now, bytes: db.read([sumRooms()]).then(([rows]) => Number(rows?.[0]?.bytes ?? 0)) };
    totals.set(db, total);
    total.bytes.catch(() => totals.delete(db));
  }
  if ((await total.bytes) >= config.rooms.maxTotalBytes) throw new RoomsFull();
}
