/** Statements on `channels`, `tunnels` and `tunnel_frames`. */
import { isAmong } from "./by_keys.ts";
import { among, type Dialect, insertRows } from "./dialect.ts";
import { join, raw, type Sql, sql, type Value } from "./sql.ts";

// --- Channels ------------------------------------------------------------------------------------------------------

export interface ChannelRow {
  readonly tc_id: string;
  /** As the business server's configuration writes it. */
  readonly host: string;
  readonly key_sealed: string;
  readonly old_key_sealed: string | null;
  /** The old key counts until then. */
  readonly old_key_until: number | null;
  /** Where callbacks go instead of the address that the business server names: scheme, host and port. */
  readonly receive_url: string | null;
  /** 1: its key came with a request, not from the operator. */
  readonly learned: number;
  readonly keeps_bodies: number;
  readonly created_at: number;
  readonly used_at: number | null;
}

const channelColumns = [
  "tc_id",
  "host",
  "key_sealed",
  "old_key_sealed",
  "old_key_until",
  "receive_url",
  "learned",
  "keeps_bodies",
  "created_at",
  "used_at",
] as const satisfies readonly (keyof ChannelRow)[];

export function readChannel(tcId: string): Sql {
  return sql`SELECT ${raw(channelColumns.join(", "))} FROM channels WHERE tc_id = ${tcId}`;
}

export function readChannelOfTunnel(tunnel: string): Sql {
  const columns = channelColumns.map((column) => `c.${column}`).join(", ");
  return sql`SELECT ${raw(columns)} FROM tunnels t JOIN channels c ON c.tc_id = t.tc_id WHERE t.id = ${tunnel}`;
}

export function readChannels(): Sql {
  return sql`SELECT ${raw(channelColumns.join(", "))} FROM channels ORDER BY host`;
}

/** The whole channel, new or instead of the one under this id. Nobody counts on what stands there meanwhile. */
export function writeChannel(dialect: Dialect, channel: ChannelRow): Sql[] {
  const kept = channelColumns.filter((column) => column !== "tc_id" && column !== "created_at");
  const changes = kept.map((column) => sql`${raw(column)} = ${dialect.incoming(column)}`);
  const tail = sql`${dialect.onConflict(["tc_id"])} ${join(changes, ", ")}`;
  return insertRows(dialect, "channels", [{ ...channel }], tail);
}

/** Locks the channel, so that of two new keys the second sees the first. */
export function lockChannel(tcId: string): Sql {
  return sql`SELECT ${raw(channelColumns.join(", "))} FROM channels WHERE tc_id = ${tcId} FOR UPDATE`;
}

export function touchChannel(tcId: string, at: number): Sql {
  return sql`UPDATE channels SET used_at = ${at} WHERE tc_id = ${tcId}`;
}

export function removeChannel(tcId: string): Sql {
  return sql`DELETE FROM channels WHERE tc_id = ${tcId}`;
}

// --- Tunnels -------------------------------------------------------------------------------------------------------

export interface TunnelRow {
  readonly id: string;
  readonly tc_id: string;
  readonly connect_hash: string;
  readonly receive_url: string;
  readonly keeps_bodies: number;
  readonly created_at: number;
  connection_id: string | null;
  gateway: string | null;
  opened_at: number | null;
  heard_at: number;
  closed_at: number | null;
  close_reason: string | null;
  in_seq: number;
  in_done: number;
  in_bytes: number;
  call_at: number | null;
  call_lease: string | null;
  out_seq: number;
  out_done: number;
  out_bytes: number;
  send_at: number | null;
  send_lease: string | null;
}

const fixed = ["id", "tc_id", "connect_hash", "receive_url", "keeps_bodies", "created_at"] as const;
const changing = [
  "connection_id",
  "gateway",
  "opened_at",
  "heard_at",
  "closed_at",
  "close_reason",
  "in_seq",
  "in_done",
  "in_bytes",
  "call_at",
  "call_lease",
  "out_seq",
  "out_done",
  "out_bytes",
  "send_at",
  "send_lease",
] as const;
const tunnelColumns = raw([...fixed, ...changing].join(", "));

export function insertTunnel(dialect: Dialect, tunnel: Pick<TunnelRow, (typeof fixed)[number] | "heard_at">): Sql[] {
  return insertRows(dialect, "tunnels", [{ ...tunnel }]);
}

/** Of the channel's tunnels without a client, those before the newest: so many may wait. */
export function readExcessTunnels(tcId: string, waiting: number, limit: number): Sql {
  return sql`SELECT id FROM tunnels WHERE tc_id = ${tcId} AND connection_id IS NULL AND closed_at IS NULL
    ORDER BY created_at DESC LIMIT ${limit} OFFSET ${waiting}`;
}

/** With what waited for their clients. The caller holds their locks. */
export function removeTunnels(ids: readonly string[]): Sql[] {
  if (ids.length === 0) return [];
  return [
    sql`DELETE FROM tunnel_frames WHERE ${among(sql`tunnel_id`, ids)}`,
    sql`DELETE FROM tunnels WHERE ${among(sql`id`, ids)}`,
  ];
}

/** Takes the tunnel for this connection, once, if the ticket is right and in time; then the row, if it was taken. */
export function claimTunnel(
  id: string,
  hash: string,
  connection: string,
  gateway: string,
  at: number,
  createdAfter: number,
): Sql[] {
  return [
    sql`UPDATE tunnels SET connection_id = ${connection}, gateway = ${gateway}, heard_at = ${at}
      WHERE id = ${id} AND connect_hash = ${hash} AND connection_id IS NULL AND closed_at IS NULL AND created_at > ${createdAfter}`,
    sql`SELECT id FROM tunnels WHERE id = ${id} AND connection_id = ${connection}`,
  ];
}

export function readTunnel(id: string): Sql {
  return sql`SELECT ${tunnelColumns} FROM tunnels WHERE id = ${id}`;
}

export function readTunnelOfConnection(connection: string): Sql {
  return sql`SELECT ${tunnelColumns} FROM tunnels WHERE connection_id = ${connection}`;
}

/** Which of these connections are tunnels. */
export function readTunnelConnections(dialect: Dialect, connections: readonly string[]): Sql {
  return sql`SELECT connection_id FROM tunnels WHERE ${isAmong(dialect, sql`connection_id`, connections)}`;
}

/** In the order of their ids, so that two who lock several never wait for each other. */
export function lockTunnels(ids: readonly string[]): Sql {
  return sql`SELECT ${tunnelColumns} FROM tunnels WHERE ${among(sql`id`, ids.toSorted())} ORDER BY id FOR UPDATE`;
}

export function lockTunnelOfConnection(connection: string): Sql {
  return sql`SELECT ${tunnelColumns} FROM tunnels WHERE connection_id = ${connection} FOR UPDATE`;
}

/** Writes what may change of rows that this transaction has locked: any number of them in one statement. */
export function writeTunnels(dialect: Dialect, rows: readonly TunnelRow[]): Sql[] {
  const changes = changing.map((column) => sql`${raw(column)} = ${dialect.incoming(column)}`);
  const ordered = rows.map((row) =>
    Object.fromEntries([...fixed, ...changing].map((column) => [column, row[column] satisfies Value])),
  );
  return insertRows(dialect, "tunnels", ordered, sql`${dialect.onConflict(["id"])} ${join(changes, ", ")}`);
}

/** A heartbeat came. */
export function touchTunnel(id: string, at: number): Sql {
  return sql`UPDATE tunnels SET heard_at = ${at} WHERE id = ${id} AND closed_at IS NULL AND heard_at < ${at}`;
}

/** Open or waiting for their client, and not heard of since then; unused ones since a later or earlier moment. */
export function readSilentTunnels(heardBefore: number, createdBefore: number, limit: number): Sql {
  return sql`SELECT id, connection_id FROM tunnels WHERE closed_at IS NULL AND
    ((connection_id IS NOT NULL AND heard_at < ${heardBefore}) OR (connection_id IS NULL AND heard_at < ${createdBefore}))
    ORDER BY heard_at LIMIT ${limit}`;
}

export function readTunnelsToCall(now: number, limit: number): Sql {
  return sql`SELECT id FROM tunnels WHERE call_at <= ${now} ORDER BY call_at LIMIT ${limit}`;
}

/** @param gateway only those whose socket is there, where it matters who sends */
export function readTunnelsToSend(now: number, gateway: string | undefined, limit: number): Sql {
  const there = gateway === undefined ? sql`` : sql`AND gateway = ${gateway}`;
  return sql`SELECT id FROM tunnels WHERE send_at <= ${now} ${there} ORDER BY send_at LIMIT ${limit}`;
}

/** Whether any tunnel has its socket there. */
export function readTunnelAt(gateway: string): Sql {
  return sql`SELECT id FROM tunnels WHERE closed_at IS NULL AND gateway = ${gateway} LIMIT 1`;
}

export function lockTunnelsAt(gateway: string): Sql {
  return sql`SELECT ${tunnelColumns} FROM tunnels WHERE closed_at IS NULL AND gateway = ${gateway} ORDER BY id FOR UPDATE`;
}

export function lockTunnelsOfChannel(tcId: string): Sql {
  return sql`SELECT ${tunnelColumns} FROM tunnels WHERE tc_id = ${tcId} AND (closed_at IS NULL OR call_at IS NOT NULL) ORDER BY id FOR UPDATE`;
}

export function countTunnels(): Sql {
  return sql`SELECT tc_id, count(*) AS open FROM tunnels WHERE closed_at IS NULL AND opened_at IS NOT NULL GROUP BY tc_id`;
}

// --- Frames --------------------------------------------------------------------------------------------------------

/** `in`: for the business server; `out`: for the client. */
export type Direction = "in" | "out";

export interface NewFrame {
  readonly tunnel_id: string;
  readonly direction: Direction;
  readonly seq: number;
  readonly kind: string;
  readonly content: string | null;
  readonly bytes: number;
  readonly at: number;
}

export interface FrameRow extends NewFrame {
  readonly tries: number;
  readonly status: string | null;
  readonly ms: number | null;
  readonly done_at: number | null;
}

const frameColumns = sql`tunnel_id, direction, seq, kind, content, bytes, at, tries, status, ms, done_at`;

export function insertFrames(dialect: Dialect, frames: readonly NewFrame[]): Sql[] {
  return insertRows(
    dialect,
    "tunnel_frames",
    frames.map((frame) => ({ ...frame })),
  );
}

/** The next ones to be done, in their order: those behind where the tunnel stands. */
export function readWaitingFrames(tunnel: string, direction: Direction, limit: number): Sql {
  return sql`SELECT ${frameColumns} FROM tunnel_frames WHERE tunnel_id = ${tunnel} AND direction = ${direction}
    AND seq > (SELECT t.${raw(`${direction}_done`)} FROM tunnels t WHERE t.id = ${tunnel}) ORDER BY seq LIMIT ${limit}`;
}

export interface Attempt {
  readonly tries: number;
  readonly status: string;
  readonly ms: number;
}

/** What became of a callback so far. */
export function noteAttempt(tunnel: string, seq: number, { tries, status, ms }: Attempt): Sql {
  return sql`UPDATE tunnel_frames SET tries = ${tries}, status = ${status}, ms = ${ms}
    WHERE tunnel_id = ${tunnel} AND direction = 'in' AND seq = ${seq}`;
}

/** Frames of a tunnel that are done: behind `from`, up to `to`. */
export interface DoneFrames {
  readonly tunnel: string;
  readonly direction: Direction;
  readonly from: number;
  readonly to: number;
  /** Whether what they said stays. */
  readonly keeps: boolean;
}

/** Ranges in one statement. */
const rangesPerStatement = 64;

/** Marks frames as done, each range by the primary key alone: a tunnel that talks much has many that were done before. */
export function finishFrames(all: readonly DoneFrames[], at: number): Sql[] {
  return [true, false].flatMap((keeps) => {
    const forget = keeps ? sql`` : sql`, content = NULL`;
    return inRanges(all.filter((one) => one.keeps === keeps)).map(
      (where) => sql`UPDATE tunnel_frames SET done_at = ${at} ${forget} WHERE ${where}`,
    );
  });
}

/** Of the frames that are done the newest stay for the log, in each direction. */
const doneFramesKept = 1_000;
const perRemoval = 100;

/** Removes those before them, now and then: a tunnel that talks without end has no more rows than another. */
export function removeOldFrames(all: readonly DoneFrames[]): Sql[] {
  const turn = (seq: number) => Math.floor(seq / perRemoval);
  const old = all
    .filter(({ from, to }) => turn(to) > turn(from) && to > doneFramesKept)
    .map((one) => ({ ...one, from: 0, to: one.to - doneFramesKept }));
  return inRanges(old).map((where) => sql`DELETE FROM tunnel_frames WHERE ${where}`);
}

/** Conditions, each of a number of ranges. */
function inRanges(all: readonly DoneFrames[]): Sql[] {
  return Array.from({ length: Math.ceil(all.length / rangesPerStatement) }, (_, chunk) => {
    const ranges = all.slice(chunk * rangesPerStatement, (chunk + 1) * rangesPerStatement);
    // Repeated up to a power of two: few lengths are few texts, and each text is prepared once.
    const length = 2 ** Math.ceil(Math.log2(ranges.length));
    const each = Array.from({ length }, (_, n) => {
      const { tunnel, direction, from, to } = ranges[Math.min(n, ranges.length - 1)] as DoneFrames;
      return sql`(tunnel_id = ${tunnel} AND direction = ${direction} AND seq > ${from} AND seq <= ${to})`;
    });
    return join(each, " OR ");
  });
}

/** The last ones of a tunnel, the oldest of them first. */
export function readFrames(tunnel: string, limit: number): Sql {
  return sql`SELECT * FROM (SELECT ${frameColumns} FROM tunnel_frames WHERE tunnel_id = ${tunnel}
    ORDER BY at DESC, direction, seq DESC LIMIT ${limit}) f ORDER BY at, direction, seq`;
}

// --- Past their time -----------------------------------------------------------------------------------------------

/** @param before when frames were done, and tunnels closed, that nobody asks about any more */
export function trimTunnels(before: number): Sql[] {
  const over = sql`closed_at < ${before} AND call_at IS NULL`;
  return [
    sql`DELETE FROM tunnel_frames WHERE done_at < ${before}`,
    sql`DELETE FROM tunnel_frames WHERE tunnel_id IN (SELECT id FROM tunnels WHERE ${over})`,
    sql`DELETE FROM tunnels WHERE ${over}`,
  ];
}
