/** A tunnel's life: made for a business server, opened by a client, heard of, closed. One tunnel is one connection. */
import { inOrderOf } from "../../db/by_keys.ts";
import type { Row } from "../../db/database.ts";
import type { Sql } from "../../db/sql.ts";
import {
  claimTunnel,
  insertTunnel,
  lockTunnelOfConnection,
  lockTunnels,
  readExcessTunnels,
  readTunnelConnections,
  readTunnelOfConnection,
  removeTunnels,
  type TunnelRow,
  touchTunnel,
} from "../../db/wafer.ts";
import type { App } from "../app.ts";
import { fulfilled } from "../batch.ts";
import type { AppError } from "../errors.ts";
import { errorFrame } from "../frame.ts";
import { toAppError } from "../to_app_error.ts";
import { type ClientFrame, ownHeartbeatSec, parseClientFrame, pongFrame, timeoutFrame } from "./frames.ts";
import { type CloseReason, editStatements, hearMs, TunnelEdit } from "./tunnel_edit.ts";

export const tunnelOf = (row: Row): TunnelRow => row as unknown as TunnelRow;

// --- Made ----------------------------------------------------------------------------------------------------------

export interface MadeTunnel {
  readonly tunnelId: string;
  readonly ticket: string;
}

/** A tunnel that waits for its client, who proves itself by the ticket. */
export async function createTunnel(
  app: App,
  channel: { readonly tcId: string; readonly receiveUrl: string; readonly keepsBodies: boolean },
): Promise<MadeTunnel> {
  const now = app.clock.now();
  const tunnelId = uuidOf(Buffer.from(app.random.secret(16), "base64url"));
  const ticket = app.random.secret(24);
  const statements = insertTunnel(app.db.dialect, {
    id: tunnelId,
    tc_id: channel.tcId,
    connect_hash: app.secrets.hash(ticket),
    receive_url: channel.receiveUrl,
    keeps_bodies: Number(channel.keepsBodies),
    created_at: now,
    heard_at: now,
  });
  const { after } = await app.db.flight({
    statements,
    after: [readExcessTunnels(channel.tcId, maxWaiting, perRemoval)],
  });
  await removeUnused(app, after[0] ?? []);
  return { tunnelId, ticket };
}

/** Tunnels of one channel that wait for their client; a business server asks for one whenever anybody asks it. */
const maxWaiting = 1_000;
const perRemoval = 20;

/** The oldest give way: their clients are the least likely to come, and one that does is sent away and asks anew. */
async function removeUnused(app: App, excess: readonly Row[]): Promise<void> {
  if (excess.length === 0) return;
  await app.db.flight({
    statements: [lockTunnels(excess.map(({ id }) => String(id)))],
    // A client may have come in between.
    decide: ([rows = []]) =>
      removeTunnels(rows.filter(({ connection_id }) => connection_id === null).map(({ id }) => String(id))),
    repeatable: true,
  });
}

/** 16 random bytes as a UUID of version 4, which the hosted service had. */
function uuidOf(bytes: Buffer): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// --- Opened --------------------------------------------------------------------------------------------------------

/**
 * A client's handshake. It is always accepted: the clients hang for ever on one that is refused, without an error and without
 * another try. A socket without a right to a tunnel is closed as soon as it is there, by `call_back`; then the client comes anew.
 * The tunnel opens when a frame has reached the client, or one has come from it: before that the gateway does not know the
 * socket, and what is sent into it is answered "gone".
 */
export async function acceptTunnel(
  app: App,
  asked: { readonly tunnelId: string; readonly ticket: string },
  connection: string,
  gateway: string,
): Promise<void> {
  const taken = await claim(app, asked, connection, gateway).catch((error) => {
    app.log.error("tunnel.accept", { connection }, error);
    return false;
  });
  await start(app, taken ? { tunnels: [asked.tunnelId] } : { refused: { connection, gateway } });
}

async function claim(
  app: App,
  { tunnelId, ticket }: { readonly tunnelId: string; readonly ticket: string },
  connection: string,
  gateway: string,
): Promise<boolean> {
  if (!isTunnelId(tunnelId)) return false;
  const now = app.clock.now();
  const after = now - app.config.channels.unusedMs;
  const statements = claimTunnel(tunnelId, app.secrets.hash(ticket), connection, gateway, now, after);
  const { rows } = await app.db.flight({ statements, repeatable: true });
  return rows.at(-1)?.[0] !== undefined;
}

export const isTunnelId = (text: string) => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(text);

/** Starts what the database already knows is to be done; what cannot be started is found by the sweep. */
export async function start(app: App, event: Parameters<typeof app.invoke<"call_back">>[1]): Promise<void> {
  await app.invoke("call_back", event).catch((error) => app.log.error("call_back", {}, error));
}

/** The socket is there: tells the business server, and lets out what was pushed before. @returns whether that was news */
export async function openTunnel(app: App, id: string): Promise<boolean> {
  const outcome = await editTunnel(app, lockTunnels([id]), (edit) => edit.open());
  return outcome?.result === true && (await opened(app, outcome.edit.row));
}

/** Once for each tunnel: the row says who was first. */
async function opened(app: App, row: TunnelRow): Promise<true> {
  app.log.info("tunnel.open", { tunnel: row.id, connection: row.connection_id ?? "" });
  const { heartbeatSec } = app.config.channels;
  if (heartbeatSec !== ownHeartbeatSec) await sendTo(app, row, timeoutFrame(heartbeatSec));
  return true;
}

export const sendTo = (app: App, { connection_id, gateway }: TunnelRow, frame: string) =>
  app.gateway.send(connection_id ?? "", frame, gateway ?? "");

// --- Changed -------------------------------------------------------------------------------------------------------

interface Edited<T> {
  readonly edit: TunnelEdit;
  readonly result: T;
}

/**
 * Changes a tunnel under its lock. @returns nothing when there is no such tunnel
 * @param repeatable whether a second time changes nothing more: then a lost connection to the database is tried again
 */
export async function editTunnel<T>(
  app: App,
  lock: Sql,
  change: (edit: TunnelEdit) => T,
  repeatable = true,
): Promise<Edited<T> | undefined> {
  let edited: Edited<T> | undefined;
  await app.db.flight({
    statements: [lock],
    decide([rows = []]) {
      edited = undefined;
      const [row] = rows;
      if (row === undefined) return [];
      const edit = new TunnelEdit(tunnelOf(row), app.clock.now());
      edited = { edit, result: change(edit) };
      return editStatements(app.db.dialect, [edit]);
    },
    repeatable,
  });
  return edited;
}

// --- Heard ---------------------------------------------------------------------------------------------------------

/**
 * A frame of a tunnel's client. Frames of one connection take turns in this process, which serves all of them where the sockets
 * are its own: they are stored as they came. In the cloud each frame is a call of its own, and two of one moment may overtake.
 * @returns false when the connection is no tunnel's
 */
export function hearTunnel(app: App, connection: string, text: string): Promise<boolean> {
  return app.turns.run(connection, async () => {
    // It is being closed: what the client says behind what was lost must not come without it.
    if (app.turns.broken.has(connection)) return true;
    let frame: ClientFrame;
    try {
      frame = parseClientFrame(text);
    } catch (error) {
      return withTunnel(app, connection, (tunnel) => refuse(app, tunnel, toAppError(app, error)));
    }
    return frame.kind === "ping"
      ? withTunnel(app, connection, (tunnel) => heartbeat(app, connection, tunnel))
      : say(app, connection, frame);
  });
}

async function withTunnel(
  app: App,
  connection: string,
  work: (tunnel: TunnelRow) => Promise<unknown>,
): Promise<boolean> {
  const [rows = []] = await app.db.read([readTunnelOfConnection(connection)]);
  if (rows[0] === undefined) return false;
  const tunnel = tunnelOf(rows[0]);
  // Closed for us, and still there: a client that was asked to close and did not.
  if (tunnel.closed_at !== null) await dropSocket(app, tunnel);
  else await work(tunnel);
  return true;
}

async function heartbeat(app: App, connection: string, tunnel: TunnelRow): Promise<void> {
  const now = app.clock.now();
  await sendTo(app, tunnel, pongFrame);
  if (tunnel.opened_at === null) await say(app, connection, { kind: "ping" });
  else if (now - tunnel.heard_at >= hearMs)
    await app.db.flight({ statements: [touchTunnel(tunnel.id, now)], repeatable: true });
}

/** A frame proves that the socket is there. Whether it opens the tunnel, and what it says, is stored together. */
async function say(app: App, connection: string, frame: ClientFrame): Promise<boolean> {
  const outcome = await editTunnel(
    app,
    lockTunnelOfConnection(connection),
    (edit) => {
      const wasClosed = edit.row.closed_at !== null;
      const opens = edit.open();
      const isFull = frame.kind === "message" && edit.message(frame.content) === "full";
      if (frame.kind === "close" || isFull) endedBy(edit, isFull ? "flood" : "client");
      return { wasClosed, opens, isFull };
    },
    // A message stored twice is a message said twice.
    frame.kind !== "message",
  ).catch(async (error) => {
    // What the client said is lost, and nothing else would tell it: it comes anew.
    app.turns.broken.add(connection);
    await app.gateway.close(connection).catch(() => {});
    throw error;
  });
  if (outcome === undefined) return false;
  const { row, startsCalls } = outcome.edit;
  const { wasClosed, opens, isFull } = outcome.result;
  if (opens) await opened(app, row);
  if (!wasClosed && row.closed_at !== null) logClosed(app, row);
  if (wasClosed || isFull) await dropSocket(app, row);
  if (startsCalls || (opens && row.send_at !== null)) await start(app, { tunnels: [row.id] });
  return true;
}

function endedBy(edit: TunnelEdit, reason: CloseReason): void {
  if (edit.row.closed_at !== null) return;
  edit.close(reason);
  edit.discard();
}

async function refuse(app: App, tunnel: TunnelRow, refusal: AppError): Promise<void> {
  app.log.info("tunnel.refused", { tunnel: tunnel.id, code: refusal.code });
  // The clients ignore what is no frame of theirs; whoever looks at the socket sees what was wrong.
  await sendTo(app, tunnel, errorFrame(refusal));
}

// --- Closed --------------------------------------------------------------------------------------------------------

/** The gateway says that the connection is no more. @returns false when it was no tunnel's */
export function tunnelDisconnected(app: App, connection: string): Promise<boolean> {
  // Behind the frames that came before it.
  return app.turns.run(connection, async () => {
    app.turns.broken.delete(connection);
    if (!(await app.arrivals.add(isTunnelBatch, app, connection))) return false;
    await closeTunnels(app, lockTunnelOfConnection(connection), "disconnected");
    return true;
  });
}

async function isTunnelBatch({ db }: App, batch: readonly string[]): Promise<PromiseSettledResult<boolean>[]> {
  const [rows] = await db.read([readTunnelConnections(db.dialect, batch)]);
  return inOrderOf(batch, rows, "connection_id").map((row) => fulfilled(row !== undefined));
}

export interface Closing {
  /** Also closes the sockets. */
  readonly drop?: boolean;
  /** Whether it still is to be closed, asked under the lock. */
  readonly only?: (row: TunnelRow) => boolean;
  /** Whether the calls are left to whoever looks next. */
  readonly later?: boolean;
}

/** Ends those tunnels that nobody has ended. What waits for their clients is dropped, as nobody is there to read it. */
export async function closeTunnels(
  app: App,
  lock: Sql,
  reason: CloseReason,
  { drop = false, only = () => true, later = false }: Closing = {},
): Promise<void> {
  let edits: TunnelEdit[] = [];
  await app.db.flight({
    statements: [lock],
    decide([rows = []]) {
      edits = rows
        .map(tunnelOf)
        .filter((row) => row.closed_at === null && only(row))
        .map((row) => new TunnelEdit(row, app.clock.now()));
      for (const edit of edits) endedBy(edit, reason);
      return editStatements(app.db.dialect, edits);
    },
    repeatable: true,
  });
  for (const { row } of edits) logClosed(app, row);
  if (drop) await Promise.all(edits.map(({ row }) => dropSocket(app, row)));
  const calls = edits.filter(({ startsCalls }) => startsCalls).map(({ row }) => row.id);
  if (!later)
    for (let at = 0; at < calls.length; at += perCall) await start(app, { tunnels: calls.slice(at, at + perCall) });
}

/** Tunnels that one call of `call_back` looks after. */
export const perCall = 25;

export const logClosed = (app: App, { id, close_reason }: TunnelRow) =>
  app.log.info("tunnel.close", { tunnel: id, reason: close_reason ?? "" });

/** Where the socket is another process's, this does nothing: its client's next frame finds the tunnel closed. */
export async function dropSocket(app: App, { connection_id, gateway }: TunnelRow): Promise<void> {
  if (connection_id !== null) await app.gateway.close(connection_id, gateway ?? "");
}
