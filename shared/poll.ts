/** Asking for events instead of being sent them, with patience. */
import { noHead } from "../db/streams.ts";
import type { App } from "./app.ts";
import { admit, kindOf } from "./authority.ts";
import { headsOf, readSince } from "./backlog.ts";
import { SessionMissing, StreamUnknown } from "./errors.ts";
import type { Ask } from "./protocol.ts";
import { seen } from "./screen.ts";
import { authenticateAgain, type Session } from "./session.ts";

const lookEveryMs = 500;

/**
 * What lies behind the position, or, if nothing does, what comes within `waitMs`.
 * Looks at the heads twice a second meanwhile, and at the right to see them as well.
 */
export async function poll(app: App, session: Session | undefined, ask: Ask, waitMs: number) {
  const { stream } = ask;
  const { kind, id } = kindOf(stream);
  if (session === undefined && kind !== "menu" && kind !== "board") throw new SessionMissing();
  const giveUpAt = app.clock.now() + waitMs;
  const checkMs = kind === "shop" ? app.config.checkMs.shop : app.config.checkMs.other;
  let position = ask;
  for (;;) {
    await admit(app, session, stream, "read", ask.grant, app.clock.now());
    if (kind === "shop" && session !== undefined) await seen(app, session.id, id);
    const head = (await headsOf(app, [stream])).get(stream) ?? noHead;
    if (head.epoch === "" && kind !== "user") throw new StreamUnknown(stream);
    // From now on: what comes while we wait counts already.
    if (position.seq === undefined) position = { ...position, ...head };
    const backlog = await readSince(app, position, head);
    if (backlog.kind === "reset") return { stream, ...backlog.head, reset: backlog.reason, checkMs };
    if (backlog.kind === "events") {
      const { events, more } = backlog;
      return { stream, ...backlog.position, events, more, head: backlog.head.seq, checkMs };
    }
    const leftMs = giveUpAt - app.clock.now();
    if (leftMs <= 0) return { stream, ...backlog.head, events: [], more: false, head: backlog.head.seq, checkMs };
    await app.clock.sleep(Math.min(lookEveryMs, leftMs));
    if (session !== undefined) await authenticateAgain(app, session);
  }
}
