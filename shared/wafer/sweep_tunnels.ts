/** What time does to tunnels: silent ones end, unused ones expire, and work that was left is found. */
import {
  lockTunnels,
  lockTunnelsAt,
  readSilentTunnels,
  readTunnelAt,
  readTunnelsToCall,
  readTunnelsToSend,
  type TunnelRow,
  trimTunnels as trimStatements,
} from "../../db/wafer.ts";
import type { App } from "../app.ts";
import { sendWaiting } from "./send_frames.ts";
import { closeTunnels, perCall, start, tunnelOf } from "./tunnels.ts";

const perSweep = 500;
const recordMs = 3_600_000;

/** Every second on one machine, every minute in the cloud. Several may do it at once. */
export async function sweepTunnels(app: App): Promise<void> {
  const now = app.clock.now();
  const { silenceMs, unusedMs } = app.config.channels;
  const heardBefore = now - silenceMs;
  const createdBefore = now - unusedMs;
  const [silent = [], calls = [], sends = []] = await app.db.read([
    readSilentTunnels(heardBefore, createdBefore, perSweep),
    readTunnelsToCall(now, perSweep),
    readTunnelsToSend(now, here(app), perSweep),
  ]);
  const isUnused = ({ connection_id }: Pick<TunnelRow, "connection_id">) => connection_id === null;
  // Asked again under the lock: it may have been heard of, or claimed.
  const isSilent = (row: TunnelRow) => row.heard_at < (isUnused(row) ? createdBefore : heardBefore);
  for (const unused of [true, false]) {
    const ids = silent.map(tunnelOf).filter((row) => isUnused(row) === unused);
    const only = (row: TunnelRow) => isUnused(row) === unused && isSilent(row);
    const lock = lockTunnels(ids.map(({ id }) => id));
    if (ids.length > 0) await closeTunnels(app, lock, unused ? "unused" : "silent", { drop: true, only });
  }
  const due = [...new Set([...calls, ...sends].map(({ id }) => String(id)))];
  for (let at = 0; at < due.length; at += perCall) await start(app, { tunnels: due.slice(at, at + perCall) });
}

/** Where sockets are a process's own, those of this one. */
const here = (app: App): string | undefined => (app.pushes === undefined ? undefined : app.config.callbackUrl);

/** Whether this process has a tunnel's socket, and so must look for what other processes stored for it. */
export async function hasTunnels(app: App): Promise<boolean> {
  const gateway = here(app);
  if (gateway === undefined) return false;
  const [rows = []] = await app.db.read([readTunnelAt(gateway)]);
  return rows.length > 0;
}

/** Sends what another process stored for a tunnel whose socket is here. */
export async function sendStoredElsewhere(app: App): Promise<void> {
  const gateway = here(app);
  if (gateway === undefined) return;
  const now = app.clock.now();
  const [rows = []] = await app.db.read([readTunnelsToSend(now, gateway, perSweep)]);
  await Promise.all(rows.map(({ id }) => sendWaiting(app, String(id), now + app.config.pushBudgetMs)));
}

/** A process that stops takes its sockets along. Their business servers are told by whoever looks next. */
export async function closeTunnelsAt(app: App, gateway: string): Promise<void> {
  await closeTunnels(app, lockTunnelsAt(gateway), "stopped", { later: true });
}

/** Removes what nobody asks about any more. */
export async function trimTunnels(app: App): Promise<void> {
  for (const statement of trimStatements(app.clock.now() - recordMs))
    await app.db.flight({ statements: [statement], repeatable: true });
}
