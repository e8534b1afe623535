/**
 * Sends what waits for a tunnel's client, in order. One worker at a time sends to a tunnel (tunnel_edit.ts says how it holds the
 * queue). Before each frame it looks whether it still holds it: a process that was frozen in between must not send an old frame
 * behind a newer one. A worker that dies after sending and before noting it leaves frames that are sent again.
 */
import { lockTunnels, readWaitingFrames, type TunnelRow } from "../../db/wafer.ts";
import type { App } from "../app.ts";
import { closeFrame, messageFrame } from "./frames.ts";
import { editStatements, TunnelEdit } from "./tunnel_edit.ts";
import { logClosed, sendTo, start, tunnelOf } from "./tunnels.ts";

/** So long a worker holds a queue without a word: longer than one frame takes with all its tries. */
export const sendLeaseMs = 20_000;
/** It begins no further frame after this part of it. */
const sendingMs = 8_000;
const batch = 50;
/** Tunnels that are sent to at once. */
const width = 50;
/** A client whose buffer is full gets a pause. */
const throttledMs = 500;

/** Whether this process can send to the tunnel: where sockets are a process's own, only that one. */
export const isHere = (app: App, { gateway }: Pick<TunnelRow, "gateway">): boolean =>
  app.pushes === undefined || gateway === app.config.callbackUrl;

export interface ToSend {
  readonly seq: number;
  readonly kind: string;
  readonly content: string | null;
  readonly bytes: number;
}

/** A tunnel whose queue this worker holds, and the frames at its head. */
export interface Held {
  readonly tunnel: TunnelRow;
  readonly frames: readonly ToSend[];
}

/** What became of them. */
interface Result {
  readonly sent: readonly ToSend[];
  readonly end: "all" | "gone" | "throttled" | "late";
}

/**
 * Sends to several tunnels whose queues are held under this lease, and goes on with each until nothing waits.
 * @param until no frame is begun after it @returns the tunnels where something still waits
 */
export async function sendHeld(app: App, lease: string, held: readonly Held[], until: number): Promise<string[]> {
  const results = new Map<string, Result>();
  const heldUntil = Math.min(until, app.clock.now() + sendingMs);
  const queue = held.values();
  await Promise.all(
    Array.from({ length: Math.min(width, held.length) }, async () => {
      for (const { tunnel, frames } of queue) results.set(tunnel.id, await sendFrames(app, tunnel, frames, heldUntil));
    }),
  );
  const { more, later } = await finish(app, lease, results);
  const rest = await Promise.all(more.map((id) => sendWaiting(app, id, until, lease)));
  return [...later, ...rest.flat()];
}

async function sendFrames(app: App, tunnel: TunnelRow, frames: readonly ToSend[], until: number): Promise<Result> {
  const sent: ToSend[] = [];
  for (const frame of frames) {
    if (app.clock.now() >= until) return { sent, end: "late" };
    const text = frame.kind === "close" ? closeFrame : messageFrame(frame.content ?? "");
    const outcome = await sendTo(app, tunnel, text);
    if (outcome !== "sent") return { sent, end: outcome };
    sent.push(frame);
  }
  return { sent, end: "all" };
}

/** Notes what was sent. A queue that is empty is let go in the same transaction that found it empty. */
async function finish(
  app: App,
  lease: string,
  results: ReadonlyMap<string, Result>,
): Promise<{ more: string[]; later: string[] }> {
  const now = app.clock.now();
  let edits: TunnelEdit[] = [];
  await app.db.flight({
    statements: [lockTunnels([...results.keys()])],
    decide([rows = []]) {
      edits = rows
        .map(tunnelOf)
        .filter(({ send_lease }) => send_lease === lease)
        .map((row) => noted(row, results.get(row.id) as Result, now));
      return editStatements(app.db.dialect, edits);
    },
    repeatable: true,
  });
  const rest = edits.filter(({ row }) => row.send_at !== null);
  for (const { row } of edits) if (results.get(row.id)?.end === "gone" && row.closed_at === now) logClosed(app, row);
  const calls = edits.filter((edit) => edit.startsCalls).map(({ row }) => row.id);
  if (calls.length > 0) await start(app, { tunnels: calls });
  const isLater = ({ row }: TunnelEdit) => row.send_lease === null;
  return {
    more: rest.filter((edit) => !isLater(edit)).map(({ row }) => row.id),
    later: rest.filter(isLater).map(({ row }) => row.id),
  };
}

function noted(before: TunnelRow, { sent, end }: Result, now: number): TunnelEdit {
  const edit = new TunnelEdit(before, now);
  const { row } = edit;
  row.out_done += sent.length;
  row.out_bytes -= sent.reduce((sum, { bytes }) => sum + bytes, 0);
  if (end === "gone") {
    edit.close("gone");
    edit.discard();
  } else if (row.out_done === row.out_seq) {
    row.send_at = null;
    row.send_lease = null;
  } else if (end === "all") row.send_at = now + sendLeaseMs;
  else {
    row.send_at = end === "throttled" ? now + throttledMs : now;
    row.send_lease = null;
  }
  return edit;
}

/**
 * Sends what waits for one tunnel, if nobody else does.
 * @param lease of a worker that holds the queue already @returns the tunnel, if something still waits and is not being sent
 */
export async function sendWaiting(
  app: App,
  id: string,
  until: number,
  lease = app.random.tag(),
): Promise<readonly string[]> {
  const now = app.clock.now();
  let tunnel: TunnelRow | undefined;
  let isLater = false;
  const { rows } = await app.db.flight({
    statements: [lockTunnels([id]), readWaitingFrames(id, "out", batch)],
    decide([locked = []]) {
      tunnel = undefined;
      isLater = false;
      const row = locked[0] === undefined ? undefined : tunnelOf(locked[0]);
      if (row === undefined || row.send_at === null || !isHere(app, row)) return [];
      if (row.send_lease !== lease && row.send_at > now) {
        isLater = row.send_lease === null;
        return [];
      }
      const edit = new TunnelEdit(row, now);
      edit.row.send_at = now + sendLeaseMs;
      edit.row.send_lease = lease;
      tunnel = edit.row;
      return editStatements(app.db.dialect, [edit]);
    },
    repeatable: true,
  });
  if (tunnel === undefined) return isLater ? [id] : [];
  return sendHeld(app, lease, [{ tunnel, frames: (rows[1] ?? []) as unknown as ToSend[] }], until);
}
