/**
 * Public state of a shop: the streams `menu:` and `board:`.
 *
 * They are derived: each event is the whole state, read from the tables, at most one in `coalesceMs`. The stream stores the
 * number of `shop:` that it has processed. A change or the sweep that finds it behind refreshes it, so no event of the
 * kitchen's stream is missed, and no order waits for a refresh.
 */
import type { Row } from "../../db/database.ts";
import { readBoard, readUncollected } from "../../db/orders.ts";
import { readDishDays, readMenu, readShop, readShops } from "../../db/shops.ts";
import type { Sql } from "../../db/sql.ts";
import { headOf, moveSource, readHeads, readNewest, readStale } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { fulfilled } from "../batch.ts";
import { businessDay } from "../day.ts";
import type { Menu } from "../menu.ts";
import { boardStatuses } from "../order_states.ts";
import type { BoardState, MenuState } from "../protocol.ts";
import { change, type NewEvent } from "../streams/change.ts";
import { deliverWatched, publishEvents } from "../streams/deliver.ts";

const boardMs = 12 * 3_600_000;
/** How long a ready order stays on the board if it is not collected. The kitchen still shows it. */
const boardReadyMs = 3_600_000;
const maxBoardNumbers = 200;

/** Statements whose rows `menuState` takes, in this order. */
export const menuReads = (shop: string, day: string): [Sql, Sql, Sql] => [
  readShop(shop),
  readMenu(shop),
  readDishDays(shop, day),
];

export function menuState(shop: Row, menu: Menu, dishDays: readonly Row[]): MenuState {
  const today = new Map(dishDays.map((row) => [row.dish_id, row]));
  const soldOut = menu.dishes.filter(({ id, dailyStock, available }) => {
    const row = today.get(id);
    if (!available) return false;
    if (row === undefined) return dailyStock === 0;
    return row.sold_out === 1 || (dailyStock !== null && row.stock !== null && Number(row.sold) >= Number(row.stock));
  });
  return {
    open: shop.is_open === 1,
    live: shop.live === 1,
    version: Number(shop.menu_version),
    soldOut: soldOut.map(({ id }) => id),
  };
}

export const boardReads = (shop: string, now: number) =>
  readBoard(shop, boardStatuses, now - boardMs, now - boardReadyMs, maxBoardNumbers);

export function boardState(rows: readonly Row[]): BoardState {
  const of = (wanted: (status: unknown) => boolean) =>
    rows.filter(({ status }) => wanted(status)).map(({ number }) => String(number));
  return { preparing: of((status) => status !== "ready"), ready: of((status) => status === "ready") };
}

/**
 * Brings the shop's public streams up to date. Waits if the last event is too recent, so that several changes become one
 * event. Safe to run several times at once: the second run finds nothing to do. In one process those that are asked for while one
 * runs are one run behind it: a shop in its rush takes many steps a second.
 */
export const refresh = (app: App, shop: string, signal?: AbortSignal): Promise<void> =>
  app.batches.add(refreshBatch, { app, signal }, shop, shop);

async function refreshBatch(
  { app, signal }: { readonly app: App; readonly signal: AbortSignal | undefined },
  shops: readonly string[],
): Promise<PromiseSettledResult<void>[]> {
  for (;;) {
    const waitMs = await refreshOnce(app, shops[0] as string);
    if (waitMs > 0) await app.clock.sleep(waitMs, signal);
    if (waitMs === 0 || signal?.aborted) return shops.map(() => fulfilled(undefined));
  }
}

/** Refreshes boards that lost an uncollected number within the last `withinMs`: the kitchen's stream has no event for that. */
export async function refreshUncollected(app: App, withinMs: number): Promise<void> {
  const to = app.clock.now() - boardReadyMs;
  const [rows] = await app.db.read([readUncollected(to - withinMs, to)]);
  for (const { id } of rows) await refreshOnce(app, String(id));
}

/** Refreshes shops whose business day turned over within the last `withinMs`: what was sold out yesterday is not any more, without an event. */
export async function refreshTurned(app: App, withinMs: number): Promise<void> {
  const now = app.clock.now();
  const [rows] = await app.db.read([readShops()]);
  for (const { id, zone, rollover_minutes: rollover } of rows) {
    const dayAt = (at: number) => businessDay(at, String(zone), Number(rollover));
    if (dayAt(now) !== dayAt(now - withinMs)) await refreshOnce(app, String(id));
  }
}

/** Refreshes shops whose public streams are behind their kitchen's. */
export async function refreshStale(app: App): Promise<void> {
  const [rows] = await app.db.read([readStale()]);
  for (const { id } of rows) await refreshOnce(app, String(id));
}

/** @returns how long to wait because an event was published just now; 0 when done */
async function refreshOnce(app: App, shop: string): Promise<number> {
  const now = app.clock.now();
  const [menuStream, boardStream] = [`menu:${shop}`, `board:${shop}`];
  const zone = await zoneOf(app, shop);
  if (zone === undefined) return 0;
  const streams = [boardStream, menuStream];
  const changed = await change(app, {
    locks: [],
    streams,
    reads: [
      readHeads([`shop:${shop}`, ...streams]),
      ...menuReads(shop, businessDay(now, zone.zone, zone.rolloverMinutes)),
      boardReads(shop, now),
      ...streams.map(readNewest),
    ],
    decide(_, [heads = [], shops, menus, dishDays, board, lastBoard, lastMenu]) {
      const row = new Map(heads.map((head) => [String(head.name), head]));
      const source = headOf(row.get(`shop:${shop}`)).seq;
      if (shops?.[0] === undefined || menus?.[0] === undefined) return { result: 0 };
      const waitMs = Math.max(...streams.map((stream) => coalesceWaitMs(app, row.get(stream), now)));
      const events: NewEvent[] = [];
      const put = (stream: string, type: "board.state" | "menu.state", state: object, last: Row | undefined) => {
        if (last?.data !== JSON.stringify(state)) events.push({ stream, type, data: state });
      };
      put(boardStream, "board.state", boardState(board ?? []), lastBoard?.[0]);
      put(
        menuStream,
        "menu.state",
        menuState(shops[0], JSON.parse(String(menus[0].document)), dishDays ?? []),
        lastMenu?.[0],
      );
      if (events.length > 0 && waitMs > 0) return { result: waitMs };
      return { writes: streams.map((stream) => moveSource(stream, source)), events, result: 0 };
    },
    repeatable: true,
  });
  for (const event of changed.events) await publishEvents(app, event.stream, [event], changed.subscribers);
  if (changed.events.length > 0) await deliverWatched(app, changed.subscribers);
  return changed.result;
}

/**
 * How long to wait until the stream's next event, at most `coalesceMs`. An event dated in the future was written by another
 * clock, or before this clock was set back: it causes no wait.
 */
function coalesceWaitMs({ config: { coalesceMs } }: App, head: Row | undefined, now: number): number {
  // A stream without events has nothing to wait for.
  if (headOf(head).seq === 0) return 0;
  const ageMs = now - Number(head?.changed_at);
  return ageMs < 0 ? 0 : Math.max(0, coalesceMs - ageMs);
}

async function zoneOf(app: App, shop: string): Promise<{ zone: string; rolloverMinutes: number } | undefined> {
  const [rows] = await app.db.read([readShop(shop)]);
  const row = rows[0];
  return row === undefined ? undefined : { zone: String(row.zone), rolloverMinutes: Number(row.rollover_minutes) };
}
