/**
 * What everybody may know of a shop: the streams `menu:` and `board:`.
 *
 * They are derived. Each of their events is the whole state, made from the tables, at most one in a while; the stream notes
 * up to which number of `shop:` it has looked. Whoever finds it behind (a change, the sweep) makes it catch up, so nothing
 * that happened in the kitchen's stream can be missed, and no order waits for it.
 */
import type { Row } from "../db/database.ts";
import { readBoard } from "../db/orders.ts";
import { readDishDays, readMenu, readShop } from "../db/shops.ts";
import type { Sql } from "../db/sql.ts";
import { headOf, moveSource, readHeads, readNewest, readStale } from "../db/streams.ts";
import type { App } from "./app.ts";
import { change, type NewEvent, type StoredEvent } from "./change.ts";
import { businessDay } from "./day.ts";
import { eventFrame } from "./deliver.ts";
import type { Menu } from "./menu.ts";
import type { BoardState, MenuState } from "./protocol.ts";

const boardMs = 12 * 3_600_000;
const maxBoardNumbers = 200;

/** Statements for the state of a shop's menu, in the order that `menuState` takes their rows. */
export const menuReads = (shop: string, day: string): Sql[] => [
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

export const boardReads = (shop: string, now: number) => readBoard(shop, now - boardMs, maxBoardNumbers);

export function boardState(rows: readonly Row[]): BoardState {
  const of = (wanted: (status: unknown) => boolean) =>
    rows.filter(({ status }) => wanted(status)).map(({ number }) => String(number));
  return { preparing: of((status) => status !== "ready"), ready: of((status) => status === "ready") };
}

/**
 * Makes the shop's public streams say what is. Waits, if the last event is too young: what comes meanwhile goes into one.
 * Safe to run by several at once; the second finds nothing to do.
 */
export async function refresh(app: App, shop: string): Promise<void> {
  for (;;) {
    const waitMs = await refreshOnce(app, shop);
    if (waitMs === 0) return;
    await app.clock.sleep(waitMs);
  }
}

/** Shops whose public streams are behind their kitchen's. */
export async function refreshStale(app: App): Promise<void> {
  const [rows = []] = await app.db.read([readStale()]);
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
      // A stream that was only made has published nothing that one would have to wait after.
      const published = streams.map((stream) => row.get(stream)).filter((head) => headOf(head).seq > 0);
      const young = Math.max(0, ...published.map((head) => Number(head?.changed_at))) + app.config.coalesceMs - now;
      const events: NewEvent[] = [];
      const put = (stream: string, type: string, state: object, last: Row | undefined) => {
        if (last?.data !== JSON.stringify(state)) events.push({ stream, type, data: state });
      };
      put(boardStream, "board.state", boardState(board ?? []), lastBoard?.[0]);
      put(
        menuStream,
        "menu.state",
        menuState(shops[0], JSON.parse(String(menus[0].document)), dishDays ?? []),
        lastMenu?.[0],
      );
      if (events.length > 0 && young > 0) return { result: young };
      return { writes: streams.map((stream) => moveSource(stream, source)), events, result: 0 };
    },
    repeatable: true,
  });
  for (const event of changed.events) await publish(app, event, changed.audience);
  return changed.result;
}

const publish = (app: App, event: StoredEvent, audience: readonly Row[][]) =>
  app.gateway.publish(event.stream, [eventFrame(event)], audience);

async function zoneOf(app: App, shop: string): Promise<{ zone: string; rolloverMinutes: number } | undefined> {
  const [rows] = await app.db.read([readShop(shop)]);
  const row = rows?.[0];
  return row === undefined ? undefined : { zone: String(row.zone), rolloverMinutes: Number(row.rollover_minutes) };
}
