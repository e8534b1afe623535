/** Rooms: streams for free use. Made by a session, joined by a signed grant, written in each sender's order. */
import type { Row } from "../db/database.ts";
import {
  countMessages,
  countRooms,
  insertMessage,
  insertRoom,
  lockRoom,
  readMessage,
  readRoom,
  setGrantVersion,
} from "../db/rooms.ts";
import type { App } from "./app.ts";
import { admit, type GrantClaims } from "./authority.ts";
import { change } from "./change.ts";
import { deliver } from "./deliver.ts";
import { Forbidden, PublishOutOfOrder, PublishTooFast, StreamUnknown } from "./errors.ts";
import type { ClientMessage, Position } from "./protocol.ts";
import type { Session } from "./session.ts";

const roomsPerDay = 100;
const dayMs = 24 * 3_600_000;

/** A new room, and a grant to write to it. */
export async function makeRoom(
  app: App,
  session: Session,
  lifeMs: number,
): Promise<{ room: string; grant: string; expiresAt: number }> {
  const room = app.random.id();
  const now = app.clock.now();
  await change(app, {
    locks: [insertRoom(room, session.user, now)],
    streams: [`room:${room}`],
    reads: [countRooms(session.user, now - dayMs)],
    decide(_, [rows]) {
      if (Number(rows?.[0]?.n) > roomsPerDay) throw new Forbidden(`a user makes at most ${roomsPerDay} rooms a day`);
      return { result: undefined };
    },
    repeatable: false,
  });
  return { room, ...sign(app, { room, right: "write", version: 1, expiresAt: now + lifeMs }) };
}

/** A further grant, by the room's owner. @throws StreamUnknown, Forbidden */
export async function grantRoom(
  app: App,
  session: Session,
  room: string,
  asked: { right: "read" | "write"; user?: string | undefined; lifeMs: number },
): Promise<{ grant: string; expiresAt: number }> {
  const [rows] = await app.db.read([readRoom(room)]);
  const version = Number(owned(rows?.[0], session, room).grant_version);
  const expiresAt = app.clock.now() + asked.lifeMs;
  return sign(app, {
    room,
    right: asked.right,
    version,
    expiresAt,
    ...(asked.user === undefined ? {} : { user: asked.user }),
  });
}

/** Withdraws every grant of the room. Readers stop at their next check, at the latest. @throws StreamUnknown, Forbidden */
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
 * Puts a message into a room, once per sender and id. `after` names the sender's message that must stand before it:
 * AWS may run two frames of one sender in either order.
 * @throws GrantInvalid, StreamForbidden, StreamUnknown, PublishOutOfOrder, PublishTooFast, EventTooLarge
 */
export async function publishMessage(
  app: App,
  session: Session,
  { stream, id, after, grant, data }: ClientMessage & { type: "publish" },
): Promise<Position> {
  const now = app.clock.now();
  await admit(app, session, stream, "write", grant, now);
  const sender = session.user;
  const perSec = app.config.limits.publishesPerSec;
  const changed = await change<Position | undefined>(app, {
    locks: [],
    streams: [stream],
    reads: [
      readMessage(stream, sender, id),
      ...(after === undefined ? [] : [readMessage(stream, sender, after)]),
      countMessages(stream, sender, now - 1_000),
    ],
    decide(_, reads, heads) {
      const head = heads.get(stream) ?? { epoch: "", seq: 0, tag: "" };
      const known = reads[0]?.[0];
      if (known !== undefined)
        return { result: { epoch: head.epoch, seq: Number(known.seq), tag: String(known.tag ?? "") } };
      if (after !== undefined && reads[1]?.[0] === undefined) throw new PublishOutOfOrder();
      if (Number(reads.at(-1)?.[0]?.n) >= perSec) throw new PublishTooFast(perSec);
      return {
        writes: [insertMessage(stream, sender, id, head.seq + 1, now)],
        events: [{ stream, type: "message", data: { id, sender, data } }],
        result: undefined,
      };
    },
    repeatable: true,
  });
  await deliver(app, changed);
  const [stored] = changed.events;
  return changed.result ?? { epoch: stored?.epoch ?? "", seq: stored?.seq ?? 0, tag: stored?.tag ?? "" };
}
