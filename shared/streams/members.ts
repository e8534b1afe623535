/**
 * Members of rooms: who is there, by tab and device. An entry is a lease: its client says it again and again, and what is not said any
 * more has ended. Changes are events of `presence:{room}`, numbered under that stream's lock, so every reader sees the same.
 */
import type { Row } from "../../db/database.ts";
import {
  countEntries,
  type Entry,
  entryOf,
  readConcerned,
  readEntries,
  readOwnAndEnded,
  readRoomsWithEnded,
  removeEntries,
  renewLease,
  upsertEntry,
} from "../../db/room_entries.ts";
import type { Statement } from "../../db/sql.ts";
import { headOf, readHeads, trimStream } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { iso } from "../day.ts";
import { PublishTooFast, type Quota, RoomsOff, StreamForbidden, TooManyMembers } from "../errors.ts";
import { type ClientMessage, type MemberView, maxMemberBytes, type StreamPosition } from "../protocol.ts";
import type { Session } from "../sessions/session.ts";
import { authorize, kindOf } from "./authority.ts";
import { change, eventData, type NewEvent } from "./change.ts";
import { deliver } from "./deliver.ts";

/** An entry that was left is remembered for so long: no message is under way for longer. */
export const exitedMs = 60_000;
/** Of one user in one room. */
const maxEntries = 10;
/** Changes of one user in one room: so many at once, and then one in so many milliseconds. */
const burst = 5;
const paceMs = 200;
const changesOfMember: Quota = { name: "changes", limit: 1_000 / paceMs, windowSec: 1 };
/** Events of presence that are kept for readers who were away; one further behind reads the members again. */
const maxEvents = 100;
/** Rooms that one run looks after. */
const roomsPerRun = 50;

const presenceOf = (room: string) => `presence:${room}`;

/** The client says it this often: two may be lost. */
const checkMsOf = ({ config }: App) => Math.floor((config.rooms.leaseMs * 5) / 18);

/**
 * Makes the session's user a member, or keeps it one. While nothing has changed a lease is written about every second time.
 * @returns in how many milliseconds it is to be said again
 * @throws RoomsOff, StreamForbidden, EventTooLarge, GrantInvalid, PublishTooFast, TooManyMembers
 */
export async function enter(
  app: App,
  connection: string,
  session: Session,
  { n, stream, id, grant, data }: ClientMessage & { type: "enter" },
): Promise<number> {
  const room = await authorizeMember(app, session, { stream, grant });
  const now = app.clock.now();
  const said: Said = {
    connection,
    number: n,
    user: session.user,
    id,
    data: eventData(data, maxMemberBytes),
    leaseUntil: now + app.config.rooms.leaseMs,
  };
  const [rows] = await app.db.read([readOwnAndEnded(room, said.user, id, now)]);
  const step = nextStep(app, rows.map(entryOf), said, now);
  if (step === "renew") await app.db.flight({ statements: [renewLease(room, said)], repeatable: true });
  if (step === "change")
    await changeMembers(app, room, { user: said.user, edit: (own, others) => entered(app, own, others, said, now) });
  return checkMsOf(app);
}

/** What a client says about one of its entries. */
type Said = Pick<Entry, "connection" | "number" | "user" | "id" | "data" | "leaseUntil">;

/** What an `enter` needs: nothing, a longer lease, or a change under the stream's lock. */
function nextStep({ config }: App, rows: readonly Entry[], said: Said, now: number): "none" | "renew" | "change" {
  const own = rows.find(({ user, id }) => user === said.user && id === said.id);
  if (own === undefined || own.exited || own.data !== said.data || rows.length > 1) return "change";
  const leftMs = own.leaseUntil - now;
  // Whoever ends leases may be looking at this one.
  if (leftMs < config.rooms.leaseMs / 4) return "change";
  return own.connection === said.connection && leftMs > config.rooms.leaseMs / 2 ? "none" : "renew";
}

function entered({ config }: App, own: readonly Entry[], others: number, said: Said, now: number): Edit {
  const known = own.find(({ id }) => id === said.id);
  if (known !== undefined && isOvertaken(known, said)) return {};
  const there = own.filter((one) => isThere(one, now));
  const isMember = known !== undefined && there.includes(known);
  if (isMember && known.data === said.data) return { put: { ...known, ...said } };
  if (!isMember) {
    if (there.length >= maxEntries) throw new TooManyMembers(`a member enters a room at most ${maxEntries} times`);
    if (others >= config.rooms.maxMembers)
      throw new TooManyMembers(`a room has at most ${config.rooms.maxMembers} tabs and devices of members`);
  }
  const pacedUntil = paceOf(own, now);
  if (pacedUntil > now + burst * paceMs)
    throw new PublishTooFast(`${1_000 / paceMs} changes of a member`, changesOfMember);
  const { since } = [...there, known].find((one) => one?.exited === false) ?? { since: now };
  return {
    put: { ...said, since, changedAt: now, pacedUntil, exited: false },
    drop: surplus(own, said.id),
  };
}

/**
 * Ends an entry of the session's user. Unknown ones too: the message that makes it may come later.
 * @throws RoomsOff, StreamForbidden, GrantInvalid
 */
export async function exit(
  app: App,
  connection: string,
  session: Session,
  { n, stream, id, grant }: ClientMessage & { type: "exit" },
): Promise<void> {
  const room = await authorizeMember(app, session, { stream, grant });
  const now = app.clock.now();
  const said: Said = { connection, number: n, user: session.user, id, data: "{}", leaseUntil: now };
  await changeMembers(app, room, {
    user: said.user,
    edit(own) {
      const known = own.find((one) => one.id === id);
      if (known !== undefined && isOvertaken(known, said)) return {};
      const put = { ...said, since: now, changedAt: now, pacedUntil: paceOf(own, now), exited: true };
      return { put, drop: surplus(own, id) };
    },
  });
}

async function authorizeMember(
  app: App,
  session: Session,
  { stream, grant }: { stream: string; grant: string | undefined },
): Promise<string> {
  if (app.config.rooms.makers === "off") throw new RoomsOff();
  const { kind, id } = kindOf(stream);
  if (kind !== "presence") throw new StreamForbidden(stream);
  await authorize(app, { session, stream, right: "write", grant, now: app.clock.now() });
  return id;
}

/** Numbers are of one connection; a client says it again on the next one. */
const isOvertaken = (known: Entry, { connection, number }: Said) =>
  known.connection === connection && known.number > number;

const isThere = ({ exited, leaseUntil }: Entry, now: number) => !exited && leaseUntil > now;

const paceOf = (own: readonly Entry[], now: number) =>
  Math.max(now, ...own.map(({ pacedUntil }) => pacedUntil)) + paceMs;

/** The oldest entries that were left, where there are too many. */
const surplus = (own: readonly Entry[], id: string): Entry[] =>
  own
    .filter((one) => one.exited && one.id !== id)
    .toSorted((a, b) => b.changedAt - a.changedAt)
    .slice(maxEntries);

interface Edit {
  readonly put?: Entry;
  readonly drop?: readonly Entry[];
}

/**
 * Edits a user's entries and ends the leases that are over, in one change with its events.
 * @param what edit: a throw leaves everything as it is
 */
async function changeMembers(
  app: App,
  room: string,
  what?: { readonly user: string; readonly edit: (own: readonly Entry[], there: number) => Edit },
): Promise<void> {
  const stream = presenceOf(room);
  const now = app.clock.now();
  const changed = await change(app, {
    locks: [],
    streams: [stream],
    reads: [readConcerned(room, what?.user, now), countEntries(room, now)],
    decide(_, [rows = [], counted = []], heads) {
      const before = rows.map(entryOf);
      const own = before.filter(({ user }) => user === what?.user);
      const { put, drop = [] } = what?.edit(own, Number(counted[0]?.n)) ?? {};
      const same = (one: Entry) => put !== undefined && one.user === put.user && one.id === put.id;
      const rest = before.filter((one) => !same(one));
      const ended = rest.filter((one) => !one.exited && one.leaseUntil <= now);
      const after = [...rest.filter((one) => !ended.includes(one)), ...(put === undefined ? [] : [put])];
      const events = difference(stream, before, after);
      const writes: Statement[] = [
        ...removeEntries(room, [...ended, ...drop]),
        ...(put === undefined ? [] : upsertEntry(app.db.dialect, room, put)),
        ...(events.length === 0 ? [] : [trimStream(stream, headIn(heads, stream) - maxEvents)]),
      ];
      return { writes, events, result: undefined };
    },
    repeatable: true,
  });
  await deliver(app, changed);
}

const headIn = (heads: ReadonlyMap<string, { readonly seq: number }>, stream: string) => heads.get(stream)?.seq ?? 0;

/** What readers are told: an event for each member who came, went, or is another one now. */
function difference(stream: string, before: readonly Entry[], after: readonly Entry[]): NewEvent[] {
  const [was, is] = [membersIn(before), membersIn(after)];
  return [...new Set([...was.keys(), ...is.keys()])].flatMap((user): NewEvent[] => {
    const [old, member] = [was.get(user), is.get(user)];
    if (member === undefined) return [{ stream, type: "member.left", data: { user } }];
    if (old === undefined) return [{ stream, type: "member.joined", data: member }];
    return JSON.stringify(old) === JSON.stringify(member) ? [] : [{ stream, type: "member.changed", data: member }];
  });
}

/** User → member, by their entries. What was said last counts. */
function membersIn(entries: readonly Entry[]): Map<string, MemberView> {
  const there = entries.filter(({ exited }) => !exited);
  const members = new Map<string, MemberView>();
  for (const { user, data } of there.toSorted((a, b) => a.changedAt - b.changedAt || (a.id < b.id ? -1 : 1))) {
    const own = there.filter((one) => one.user === user);
    const since = iso(Math.min(...own.map((one) => one.since)));
    members.set(user, { user, data: JSON.parse(data), connections: own.length, since });
  }
  return members;
}

/** The members of a room, with the position of its presence. The caller's right was checked. */
export async function readMembers(
  app: App,
  room: string,
): Promise<{ members: MemberView[]; position: StreamPosition }> {
  const stream = presenceOf(room);
  const read = () => app.db.read([readEntries(room), readHeads([stream])]);
  const isOver = (row: Row) => Number(row.lease_until) <= app.clock.now();
  let [entries = [], heads = []] = await read();
  if (entries.some(isOver)) {
    await changeMembers(app, room);
    [entries = [], heads = []] = await read();
  }
  const members = [...membersIn(entries.map(entryOf)).values()].toSorted((a, b) =>
    a.since === b.since ? (a.user < b.user ? -1 : 1) : a.since < b.since ? -1 : 1,
  );
  return { members, position: { stream, ...headOf(heads[0]) } };
}

/** Ends the leases that are over, in whichever room. Any process may do it. */
export async function endLeases(app: App): Promise<void> {
  if (app.config.rooms.makers === "off") return;
  const [rows] = await app.db.read([readRoomsWithEnded(app.clock.now(), roomsPerRun)]);
  for (const { room_id } of rows) await changeMembers(app, String(room_id));
}
