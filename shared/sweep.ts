/** What time does: due orders, silent screens, forgotten heads, old rows. Everything may run twice or at once. */
import { trimConnections } from "../db/connections.ts";
import { forgetDeliveries, trimKeys } from "../db/orders.ts";
import { trimMessages, trimNotifications } from "../db/rooms.ts";
import { trimSessions } from "../db/sessions.ts";
import { trimMenus, trimScreens } from "../db/shops.ts";
import type { Sql } from "../db/sql.ts";
import { trimEvents } from "../db/streams.ts";
import { trimCodes } from "../db/wechat.ts";
import type { App } from "./app.ts";
import { publishHeads, readHeadsSince } from "./deliver.ts";
import { refreshStale } from "./public_state.ts";
import { checkScreens } from "./screen.ts";
import { escalateAndExpire } from "./take_step.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** No gateway lets a connection live longer than two hours. */
const connectionMs = 2 * hourMs + 10 * minuteMs;

/**
 * The scheduled sweep, once a minute on AWS. Nothing remembers which pushes arrived, so the heads of what was written in
 * the last minutes are told again; a reader that has everything does nothing.
 */
export async function sweep(app: App): Promise<{ due: number; heads: number }> {
  const due = await escalateAndExpire(app);
  await checkScreens(app);
  await refreshStale(app);
  const heads = await readHeadsSince(app, app.clock.now() - 3 * minuteMs);
  await publishHeads(app, heads);
  return { due, heads: heads.length };
}

/** Removes what is past its time. Each statement is a flight of its own: none waits for another, and a failure costs one. */
export async function trim(app: App): Promise<void> {
  const now = app.clock.now();
  const { retention } = app.config;
  const statements: Sql[] = [
    trimEvents(now - retention.eventsMs),
    trimMessages(now - retention.eventsMs),
    trimNotifications(now - retention.notificationsMs),
    trimKeys(now - retention.idempotencyMs),
    forgetDeliveries(now - retention.deliveryMs),
    ...trimConnections(now - connectionMs),
    trimScreens(now - hourMs),
    trimCodes(now - hourMs),
    ...trimSessions(now - hourMs, now - 30 * 24 * hourMs),
    trimMenus(now - 30 * 24 * hourMs),
  ];
  for (const statement of statements) await app.db.flight({ statements: [statement], repeatable: true });
}
