/** Does what a tunnel's row says is to be done: finds out that its socket is there, sends what waits, makes its calls. */
import { lockTunnels, readTunnel, type TunnelRow } from "../../db/wafer.ts";
import type { App } from "../app.ts";
import { callBack } from "./call_back.ts";
import { connectFrame } from "./frames.ts";
import { isHere, sendWaiting } from "./send_frames.ts";
import { closeTunnels, dropSocket, openTunnel, start, tunnelOf } from "./tunnels.ts";

/** Pauses before each look for a socket whose handshake was just accepted; together five seconds. */
const looksMs = [0, 20, 40, 80, 160, 320, 640, 1_280, 2_560];
/** One worker tries to send to a slow client for so long; the sweep, or the next look, begins anew. */
const sendingMs = 20_000;
const pauseMs = 500;

/** Each part takes only what nobody else is at, so it does no harm when several run at once. */
export async function tendTunnel(app: App, id: string, signal?: AbortSignal): Promise<void> {
  const [rows = []] = await app.db.read([readTunnel(id)]);
  if (rows[0] === undefined) return;
  const tunnel = tunnelOf(rows[0]);
  const isGreeted = await greet(app, tunnel, signal);
  // Empty when it was read: whoever stores after that finds it empty too, and starts somebody.
  const [, isMore] = await Promise.all([
    isGreeted || tunnel.send_at !== null ? sendAll(app, id, signal) : undefined,
    isGreeted || tunnel.call_at !== null ? callBack(app, id, signal) : false,
  ]);
  if (isMore) await start(app, { tunnels: [id] });
}

/** Looks for the socket of a claimed tunnel that nobody has seen yet. @returns whether it did */
async function greet(app: App, tunnel: TunnelRow, signal?: AbortSignal): Promise<boolean> {
  const { id, connection_id: connection, gateway } = tunnel;
  if (connection === null || gateway === null || tunnel.opened_at !== null || !isHere(app, tunnel)) return false;
  const isThere = await appears(app, { connection, gateway }, signal);
  if (signal?.aborted === true) return true;
  // Its business server closed it before its client was there.
  if (tunnel.closed_at !== null) await dropSocket(app, tunnel);
  else if (isThere) await openTunnel(app, id);
  else await closeTunnels(app, lockTunnels([id]), "gone", { drop: true, only: ({ opened_at }) => opened_at === null });
  return true;
}

interface Place {
  readonly connection: string;
  readonly gateway: string;
}

/** Whether the socket comes to be there: until then its gateway says that it is gone. */
async function appears(app: App, { connection, gateway }: Place, signal?: AbortSignal): Promise<boolean> {
  for (const pause of looksMs) {
    if (pause > 0) await app.clock.sleep(pause, signal);
    if (signal?.aborted === true) return false;
    if ((await app.gateway.send(connection, connectFrame, gateway)) !== "gone") return true;
  }
  return false;
}

/** A socket without a tunnel: its client comes anew when it is closed. */
export async function closeRefused(app: App, place: Place, signal?: AbortSignal): Promise<void> {
  await appears(app, place, signal);
  await app.gateway.close(place.connection, place.gateway);
}

async function sendAll(app: App, id: string, signal?: AbortSignal): Promise<void> {
  const until = app.clock.now() + sendingMs;
  while ((await sendWaiting(app, id, until)).length > 0) {
    if (app.clock.now() >= until || signal?.aborted === true) return;
    await app.clock.sleep(pauseMs, signal);
  }
}
