/**
 * Calls a tunnel's business server: `connect`, then each message, then `close`, in this order, the next one after the answer to
 * the one before. One worker at a time calls for a tunnel (tunnel_edit.ts says how it holds the queue). No lock of the database
 * is held while it waits for an answer, so a business server may push to the same tunnel before it answers.
 * A worker that dies between the answer and noting it leaves a call that is made again: at least once.
 */

import type { Sql } from "../../db/sql.ts";
import {
  type Attempt,
  type ChannelRow,
  type FrameRow,
  lockTunnels,
  noteAttempt,
  readChannelOfTunnel,
  readTunnel,
  readWaitingFrames,
  type TunnelRow,
} from "../../db/wafer.ts";
import type { App } from "../app.ts";
import { tryPost } from "../outbound.ts";
import { callbackHosts, channelOf, openKey } from "./channels.ts";
import { callbackBody } from "./envelope.ts";
import { failedFrame } from "./frames.ts";
import { editStatements, TunnelEdit } from "./tunnel_edit.ts";
import { sendTo, tunnelOf } from "./tunnels.ts";

/** Beyond the time of a call: for the database, and for what slows a process. */
const marginMs = 10_000;
/** A `close` is tried so long: the business server may be starting anew. */
const closeMs = 3_600_000;
const closeRetryMs = 60_000;
/** A worker hands over to a new one: a function of a cloud has its time. */
const workMs = 60_000;

/** What came of a try. */
interface Called {
  readonly seq: number;
  readonly ok: boolean;
  readonly attempt: Attempt;
}

/** The call that is next, and how long to wait before it. */
interface Next {
  readonly frame: FrameRow;
  readonly tunnel: TunnelRow;
  readonly channel: ChannelRow;
  readonly waitMs: number;
  /** Until then no other worker makes it. */
  readonly heldUntil: number;
}

/** Makes the calls of a tunnel until none is left, if nobody else does. @returns whether there is more to do for a new worker */
export async function callBack(app: App, id: string, signal?: AbortSignal): Promise<boolean> {
  const lease = app.random.tag();
  const workUntil = app.clock.now() + workMs;
  let called: Called | undefined;
  for (;;) {
    const next = await advance(app, id, lease, called);
    if (next === undefined) return false;
    if (next.waitMs > 0) await app.clock.sleep(next.waitMs, signal);
    const isOver = app.clock.now() > workUntil;
    if (isOver || signal?.aborted === true) {
      await letGo(app, id, lease);
      return isOver;
    }
    // Frozen for too long: another worker may have gone on, and this call would come behind later ones.
    called = undefined;
    if (app.clock.now() + app.config.channels.callbackTimeoutMs > next.heldUntil) continue;
    called = await call(app, next, signal);
    if (called === undefined) {
      await letGo(app, id, lease);
      return false;
    }
  }
}

/**
 * Notes what came of the last call, and takes the next one; or lets the queue go in the transaction that finds it empty.
 * @returns nothing when there is nothing to do for this worker
 */
async function advance(app: App, id: string, lease: string, called: Called | undefined): Promise<Next | undefined> {
  let next: Next | undefined;
  let isGivenUp = false;
  await app.db.flight({
    statements: [lockTunnels([id]), readWaitingFrames(id, "in", 2), readChannelOfTunnel(id)],
    decide([rows = [], waiting = [], channels = []]) {
      next = undefined;
      isGivenUp = false;
      const now = app.clock.now();
      if (rows[0] === undefined) return [];
      const edit = new TunnelEdit(tunnelOf(rows[0]), now);
      const { row } = edit;
      const isMine = row.call_lease === lease;
      // Another worker has it; or this one was away too long, and another has gone on.
      if (!isMine && (called !== undefined || row.call_at === null || row.call_at > now)) return [];

      // Its channel was removed: there is no key to sign with, and nobody who would know the tunnel.
      if (channels[0] === undefined) {
        row.in_done = row.in_seq;
        row.in_bytes = 0;
        row.call_at = null;
        row.call_lease = null;
        return editStatements(app.db.dialect, [edit]);
      }
      const frames = waiting as unknown as FrameRow[];
      const [first] = frames;
      const noted = first !== undefined && called?.seq === first.seq ? note(app, row, first, called, now) : undefined;
      isGivenUp = noted?.isGivenUp === true;
      const at = noted?.isDone === true ? frames[1] : first;
      if (at === undefined) {
        row.call_at = null;
        row.call_lease = null;
      } else if (noted?.laterMs !== undefined) {
        row.call_at = now + noted.laterMs;
        row.call_lease = null;
      } else {
        const waitMs = noted?.waitMs ?? 0;
        row.call_at = now + waitMs + app.config.channels.callbackTimeoutMs + marginMs;
        row.call_lease = lease;
        const tries = noted?.isDone === false && called !== undefined ? called.attempt.tries : at.tries;
        next = {
          frame: { ...at, tries },
          tunnel: row,
          channel: channelOf(channels[0]),
          waitMs,
          heldUntil: row.call_at,
        };
      }
      return [...(noted?.statements ?? []), ...editStatements(app.db.dialect, [edit])];
    },
    repeatable: true,
  });
  if (isGivenUp) await tellFailed(app, id);
  return next;
}

interface Noted {
  readonly statements: readonly Sql[];
  readonly isDone: boolean;
  readonly isGivenUp: boolean;
  /** Before it is tried again: by this worker, or later by whoever looks then. */
  readonly waitMs?: number;
  readonly laterMs?: number;
}

function note(app: App, row: TunnelRow, frame: FrameRow, { ok, attempt }: Called, now: number): Noted {
  const statements = [noteAttempt(row.id, frame.seq, attempt)];
  const waitMs = app.config.channels.retryMs[attempt.tries - 1];
  if (!ok && waitMs !== undefined) return { statements, isDone: false, isGivenUp: false, waitMs };
  if (!ok && frame.kind === "close" && now - frame.at < closeMs)
    return { statements, isDone: false, isGivenUp: false, laterMs: closeRetryMs };
  row.in_done = frame.seq;
  row.in_bytes -= frame.bytes;
  return { statements, isDone: true, isGivenUp: !ok && frame.kind !== "close" };
}

/** Stops before the work is done: whoever looks next goes on. */
async function letGo(app: App, id: string, lease: string): Promise<void> {
  await app.db.flight({
    statements: [lockTunnels([id])],
    decide([rows = []]) {
      if (rows[0] === undefined || rows[0].call_lease !== lease) return [];
      const edit = new TunnelEdit(tunnelOf(rows[0]), app.clock.now());
      edit.row.call_at = app.clock.now();
      edit.row.call_lease = null;
      return editStatements(app.db.dialect, [edit]);
    },
    repeatable: true,
  });
}

/** @returns nothing when it was interrupted, which is no try */
async function call(app: App, { frame, tunnel, channel }: Next, signal?: AbortSignal): Promise<Called | undefined> {
  const tries = frame.tries + 1;
  const late = delayed(app, signal);
  const outcome = await post(app, frame, tunnel, channel, late.signal).finally(late.end);
  if (!outcome.ok && late.signal.aborted) return undefined;
  const { ok, status, ms } = outcome;
  app.log.info("callback", { tunnel: tunnel.id, kind: frame.kind, status, ms, tries });
  return { seq: frame.seq, ok, attempt: { tries, status, ms } };
}

/** A process that stops gives a call under way this long: an answer that is not noted is a call that is made twice. */
const graceMs = 500;

function delayed(app: App, signal: AbortSignal | undefined): { readonly signal: AbortSignal; end(): void } {
  const late = new AbortController();
  const ended = new AbortController();
  const stop = () => void app.clock.sleep(graceMs, ended.signal).then(() => late.abort());
  signal?.addEventListener("abort", stop);
  if (signal?.aborted === true) stop();
  return {
    signal: late.signal,
    end() {
      signal?.removeEventListener("abort", stop);
      ended.abort();
    },
  };
}

interface Posted {
  readonly ok: boolean;
  readonly status: string;
  readonly ms: number;
}

async function post(
  app: App,
  { kind, content }: FrameRow,
  { id, receive_url }: TunnelRow,
  channel: ChannelRow,
  signal?: AbortSignal,
): Promise<Posted> {
  const packet = { tunnelId: id, type: kind, ...(content === null ? {} : { content }) };
  const { ok, status, text, ms } = await tryPost(
    app.outbound,
    receive_url,
    {
      // The parsers of Express and Koa read nothing else.
      headers: { "content-type": "application/json" },
      body: callbackBody(packet, openKey(app, channel)),
      hosts: callbackHosts(app, channel),
      timeoutMs: app.config.channels.callbackTimeoutMs,
    },
    signal,
  );
  const code = text === undefined ? undefined : codeIn(text);
  return code === undefined || code === 0 ? { ok, status, ms } : { ok: false, status: `${status}/${code}`, ms };
}

/**
 * The `code` of an answer; nothing where it has none. A warning that PHP printed around it is no failure: the handler ran, and
 * another try would run it twice.
 */
function codeIn(text: string): number | undefined {
  try {
    const code = (JSON.parse(text) as { code?: unknown } | null)?.code;
    return typeof code === "number" && Number.isSafeInteger(code) ? code : undefined;
  } catch {
    return undefined;
  }
}

/** The words of the hosted service; clients ignore them, people who look at the socket do not. */
async function tellFailed(app: App, id: string): Promise<void> {
  const [rows = []] = await app.db.read([readTunnel(id)]);
  if (rows[0] !== undefined && rows[0].closed_at === null) await sendTo(app, tunnelOf(rows[0]), failedFrame);
}
