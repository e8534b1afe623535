/** Scheduled work: due orders, silent screens, heads of recent events, expired rows. All of it may run twice or in parallel. */
import { trimConnections } from "../../db/connections.ts";
import { trimChanges, trimTransactions } from "../../db/documents.ts";
import { trimGames } from "../../db/games.ts";
import { forgetDeliveries, trimExpired, trimKeys } from "../../db/orders.ts";
import { trimEntries } from "../../db/room_entries.ts";
import { recountRooms, trimMessages, trimNotifications, trimRooms } from "../../db/rooms.ts";
import { trimGuests, trimSessions } from "../../db/sessions.ts";
import { trimMenus, trimScreens } from "../../db/shops.ts";
import type { Sql } from "../../db/sql.ts";
import { trimEvents } from "../../db/streams.ts";
import { trimCodes } from "../../db/wechat.ts";
import type { App } from "../app.ts";
import { escalateAndExpire } from "../ordering/take_step.ts";
import { publishHeads, readHeadsSince } from "../streams/deliver.ts";
import { endLeases, exitedMs } from "../streams/members.ts";
import { checkPresence } from "../streams/presence.ts";
import { refreshStale, refreshTurned, refreshUncollected } from "./public_state.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** No gateway lets a connection live longer than two hours. */
const connectionMs = 2 * hourMs + 10 * minuteMs;

/** A grant lives at most 30 days from the last use of its room. */
const roomMs = 31 * 24 * hourMs;
/** A game that nobody plays. */
const gameMs = 24 * hourMs;
/** A guest without an order is removed after so long. `seen_at` is written once a day, hence two days. */
const guestMs = 2 * 24 * hourMs;

/**
 * The scheduled sweep, once a minute on AWS. No state of pushes is kept, so the heads of streams written in the last minutes
 * are pushed again; a reader that has all events ignores them.
 */
export async function sweep(app: App): Promise<{ due: number; heads: number }> {
  const due = await escalateAndExpire(app);
  await checkPresence(app);
  await endLeases(app);
  await refreshStale(app);
  await refreshUncollected(app, 5 * minuteMs);
  await refreshTurned(app, 5 * minuteMs);
  const heads = await readHeadsSince(app, app.clock.now() - 3 * minuteMs);
  await publishHeads(app, heads);
  return { due, heads: heads.length };
}

/** Removes expired rows. Each statement is a flight of its own, so that a failure affects only one. */
export async function trim(app: App): Promise<void> {
  const now = app.clock.now();
  const { retention } = app.config;
  const statements: Sql[] = [
    trimEvents(now - retention.eventsMs),
    trimMessages(now - retention.eventsMs),
    recountRooms(),
    ...trimRooms(now - roomMs),
    trimEntries(now - exitedMs),
    trimNotifications(now - retention.notificationsMs),
    trimKeys(now - retention.idempotencyMs),
    forgetDeliveries(now - retention.deliveryMs),
    ...trimConnections(now - connectionMs),
    trimScreens(now - hourMs),
    trimCodes(now - hourMs),
    ...trimSessions(now - hourMs, now - 30 * 24 * hourMs),
    ...trimExpired(now - retention.deliveryMs),
    ...trimGuests(now - guestMs),
    trimMenus(now - 30 * 24 * hourMs),
    trimChanges(now - retention.changesMs),
    trimTransactions(now),
    trimGames(now - gameMs),
  ];
  for (const statement of statements) await app.db.flight({ statements: [statement], repeatable: true });
}
