/**
 * A push of a business server: packets of frames, each for many tunnels. All frames of a tunnel in one call are stored together
 * under its lock, and with them their order; another call's come before or behind all of them. Nothing here waits for a callback:
 * business servers push from inside of one.
 */
import * as v from "valibot";
import { lockTunnels, type TunnelRow } from "../../db/wafer.ts";
import type { App } from "../app.ts";
import { parse } from "../shape.ts";
import { isContent } from "./frames.ts";
import { type Held, isHere, sendHeld, sendLeaseMs, sendWaiting } from "./send_frames.ts";
import { editStatements, type SendKind, TunnelEdit } from "./tunnel_edit.ts";
import { dropSocket, isTunnelId, logClosed, start, tunnelOf } from "./tunnels.ts";

/** Tunnels that are locked at once. */
const chunk = 500;

/** Each packet is read by itself: an SDK whose call is refused as a whole ends its process. */
const packets = v.pipe(v.array(v.unknown()), v.maxLength(1_000, "at most 1000 packets"));

const addressed = v.object({ tunnelIds: v.array(v.unknown()) });
const packet = v.variant("type", [
  v.object({
    type: v.literal("message"),
    content: v.pipe(
      v.string(),
      v.check((text) => isContent(text)),
    ),
  }),
  v.object({ type: v.literal("close") }),
]);

/** What one tunnel is sent by one call, in order. */
interface Item {
  readonly kind: SendKind;
  readonly content: string | null;
}

/**
 * @returns the ids that cannot be delivered to: unknown, closed, never opened in time, another channel's, too full, or sent what
 * no client can read. Which of these it is nobody is told. @throws InvalidInput when the whole is no list of packets
 */
export async function push(app: App, tcId: string, payload: unknown): Promise<string[]> {
  const invalid = new Set<string>();
  const items = new Map<string, Item[]>();
  for (const one of parse(packets, payload)) {
    const item = itemOf(one);
    for (const id of idsOf(one))
      if (item !== undefined && isTunnelId(id)) items.set(id, [...(items.get(id) ?? []), item]);
      else invalid.add(id);
  }
  const ids = [...items.keys()].toSorted();
  const until = app.clock.now() + app.config.pushBudgetMs;
  for (let at = 0; at < ids.length; at += chunk) {
    const own = new Map(ids.slice(at, at + chunk).map((id) => [id, items.get(id) as Item[]]));
    for (const id of await pushChunk(app, tcId, own, until)) invalid.add(id);
  }
  app.log.info("tunnel.push", { n: ids.length, invalid: invalid.size });
  return [...invalid];
}

/** Undefined for a packet that no client could read. */
function itemOf(one: unknown): Item | undefined {
  if (!v.is(packet, one)) return undefined;
  return one.type === "close" ? { kind: "close", content: null } : { kind: "message", content: one.content };
}

/** Whom the packet is for, each once. What is no text is nobody. */
const idsOf = (one: unknown): Set<string> =>
  new Set(v.is(addressed, one) ? one.tunnelIds.filter((id) => typeof id === "string") : []);

/** One flight stores, and takes the queues that were empty; what it stored there is sent at once. */
async function pushChunk(
  app: App,
  tcId: string,
  items: ReadonlyMap<string, readonly Item[]>,
  until: number,
): Promise<string[]> {
  const lease = app.random.tag();
  let stored: Stored[] = [];
  await app.db.flight({
    statements: [lockTunnels([...items.keys()])],
    decide([rows = []]) {
      const now = app.clock.now();
      stored = rows
        .map(tunnelOf)
        .filter((row) => takes(app, row, tcId, now))
        .map((row) => store(app, row, items.get(row.id) ?? [], lease, now));
      return editStatements(
        app.db.dialect,
        stored.map(({ edit }) => edit),
      );
    },
  });
  const known = new Set(stored.filter(({ isWhole }) => isWhole).map(({ edit }) => edit.row.id));
  await sendStored(app, lease, stored, until);
  return [...items.keys()].filter((id) => !known.has(id));
}

/** Whether the tunnel can be pushed to by this channel. */
function takes(app: App, { tc_id, closed_at, connection_id, created_at }: TunnelRow, tcId: string, now: number) {
  const isUnused = connection_id === null && created_at + app.config.channels.unusedMs <= now;
  return tc_id === tcId && closed_at === null && !isUnused;
}

interface Stored {
  readonly edit: TunnelEdit;
  /** Whether all of it was taken. */
  readonly isWhole: boolean;
  readonly isHeld: boolean;
}

function store(app: App, row: TunnelRow, items: readonly Item[], lease: string, now: number): Stored {
  const edit = new TunnelEdit(row, now);
  let isWhole = true;
  for (const { kind, content } of items) {
    const isClosed = edit.row.closed_at !== null;
    // A tunnel that was never open is not told anything: its socket, if one comes, is closed.
    if (isClosed || (kind === "close" && row.opened_at === null ? false : !edit.send(kind, content))) isWhole = false;
    if (!isClosed && kind === "close") {
      edit.close("pushed");
      if (row.opened_at === null) edit.discard();
    }
  }
  // The queue was empty, so what is stored here is all of it; a queue that is held or waits is its worker's.
  const isHeld = row.send_at === null && edit.row.send_at !== null && isHere(app, row);
  if (isHeld) {
    edit.row.send_at = now + sendLeaseMs;
    edit.row.send_lease = lease;
  }
  return { edit, isWhole, isHeld };
}

async function sendStored(app: App, lease: string, stored: readonly Stored[], until: number): Promise<void> {
  const closed = stored.filter(({ edit }) => edit.row.closed_at !== null);
  for (const { edit } of closed) logClosed(app, edit.row);
  for (const { edit } of closed) if (edit.row.opened_at === null) await dropSocket(app, edit.row);
  const calls = stored.filter(({ edit }) => edit.startsCalls).map(({ edit }) => edit.row.id);
  if (calls.length > 0) await start(app, { tunnels: calls });

  const held = stored
    .filter(({ isHeld }) => isHeld)
    .map(
      ({ edit }): Held => ({ tunnel: edit.row, frames: edit.frames.filter(({ direction }) => direction === "out") }),
    );
  const now = app.clock.now();
  // Its worker may have died: whoever finds the time over goes on.
  const due = stored.filter(
    ({ edit, isHeld }) => !isHeld && (edit.row.send_at ?? now + 1) <= now && isHere(app, edit.row),
  );
  const later = await Promise.all([
    held.length === 0 ? [] : sendHeld(app, lease, held, until),
    ...due.map(({ edit }) => sendWaiting(app, edit.row.id, until)),
  ]);
  // On this machine the next look goes on with them.
  if (later.flat().length > 0 && app.pushes === undefined) await start(app, { tunnels: later.flat() });
}
