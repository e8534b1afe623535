/** Long polling: events for clients without a socket. */
import type { Head } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { SessionMissing, StreamUnknown } from "../errors.ts";
import type { HeadWatcher } from "../head_watcher.ts";
import type { StreamRequest } from "../protocol.ts";
import { authenticateAgain, type Session } from "../sessions/session.ts";
import type { Signal } from "../signal.ts";
import { authorize, isMadeLate, kindOf } from "./authority.ts";
import { type Backlog, readSince } from "./backlog.ts";
import { heartbeat } from "./presence.ts";

/** While nothing comes, rights are authorized again and a kitchen's heartbeat is renewed this often. */
const recheckMs = 10_000;

/** The position reached and the events up to it; no events when history has changed. */
export interface Polled extends Head {
  readonly stream: string;
  readonly events?: readonly unknown[];
  readonly more?: boolean;
  readonly head?: number;
  readonly reset?: string;
  readonly checkMs: number;
  readonly pauseMs?: number;
}

export interface PollRequest {
  readonly session: Session | undefined;
  readonly ask: StreamRequest;
  /** As the client asks; the server has a limit of its own. */
  readonly waitMs: number;
  readonly signal: Signal;
}

/**
 * Events after the position or, if there are none, the next ones within `waitMs`. The HeadWatcher reads for all waiting
 * polls at once. Rights are authorized again before each answer.
 */
export async function poll(app: App, { session, ask, waitMs: askedMs, signal }: PollRequest): Promise<Polled> {
  const { stream } = ask;
  const { kind, id } = kindOf(stream);
  if (session === undefined && kind !== "menu" && kind !== "board") throw new SessionMissing();
  const waitMs = Math.min(askedMs, app.config.pollWaitMs);
  const giveUpAt = app.clock.now() + waitMs;
  const checkMs = kind === "shop" ? app.config.checkMs.shop : app.config.checkMs.other;
  const pauseMs = waitMs > 0 ? 0 : checkMs;
  const nothing = (head: Head) => ({ stream, ...head, events: [], more: false, head: head.seq, checkMs, pauseMs });
  let position = ask;
  for (;;) {
    await authorize(app, { session, stream, right: "read", grant: ask.grant, now: app.clock.now() });
    // A back end that reads along is no screen of the kitchen.
    if (kind === "shop" && session?.kind === "staff") await heartbeat(app, session.id, id);
    const head = await app.headWatcher.head(stream);
    if (head.epoch === "" && !isMadeLate(kind)) throw new StreamUnknown(stream);
    // Without a position it begins now: events during the wait count.
    if (position.seq === undefined) position = { ...position, ...head };
    const backlog = await readOnce(app, position, head);
    if (backlog.kind === "reset") return { stream, ...backlog.head, reset: backlog.reason, checkMs };
    if (backlog.kind === "events") {
      const { events, more } = backlog;
      const answer = { events, more, head: backlog.head.seq, checkMs, pauseMs: more ? 0 : pauseMs };
      return { stream, ...backlog.position, ...answer };
    }
    const leftMs = giveUpAt - app.clock.now();
    if (leftMs <= 0) return nothing(backlog.head);
    const maxMs = Math.min(leftMs, recheckMs, app.config.screenMs / 3);
    await app.headWatcher.changed({ stream, head: backlog.head, session: session?.id, maxMs, signal });
    if (signal.aborted) return nothing(backlog.head);
    if (session !== undefined) await authenticateAgain(app, session);
  }
}

const reading = new WeakMap<HeadWatcher, Map<string, Promise<Backlog>>>();

/** Polls at the same position that miss the same events share one read, which starts after each of them knew the head. */
function readOnce(app: App, { stream, epoch, seq, tag }: StreamRequest, head: Head): Promise<Backlog> {
  const all = reading.get(app.headWatcher) ?? new Map<string, Promise<Backlog>>();
  reading.set(app.headWatcher, all);
  const name = JSON.stringify([stream, epoch, seq, tag, head]);
  const known = all.get(name);
  if (known !== undefined) return known;
  const read = readSince(app, { stream, epoch, seq, tag }, head).finally(() => all.delete(name));
  all.set(name, read);
  return read;
}
