/** Snapshots that pages start from: shops, a customer's orders, the kitchen's list. Each is read together with its stream position. */
import { createHash } from "node:crypto";
import type { Row } from "../../db/database.ts";
import { readHistory, readOrders, readOrdersOfShop, readOrdersOfUser } from "../../db/orders.ts";
import { readNotifications } from "../../db/rooms.ts";
import { readDishDays, readMenu, readShop, readShopsAfter, readTables } from "../../db/shops.ts";
import { headOf, readHeads } from "../../db/streams.ts";
import type { App } from "../app.ts";
import { businessDay } from "../day.ts";
import { OrderUnknown, ShopUnknown, TableUnknown } from "../errors.ts";
import type { Menu } from "../menu.ts";
import type { Status } from "../order_states.ts";
import { kitchenOnlyActions, openStatuses } from "../order_states.ts";
import { orderView } from "../ordering/order.ts";
import { orderOf } from "../ordering/order_rows.ts";
import type { Notification, OrderView, StreamPosition } from "../protocol.ts";
import { actsForShop, type Session, type Staff } from "../sessions/session.ts";
import { mayRead } from "../streams/authority.ts";
import { type Shop, shopOf } from "./open_shop.ts";
import { boardReads, boardState, menuReads, menuState } from "./public_state.ts";
import { dishesToday } from "./stock.ts";

const positionOf = (stream: string, row: Row | undefined): StreamPosition => ({ stream, ...headOf(row) });

// --- Shops, for anyone ---------------------------------------------------------------------------------------------

/** At most so many shops in one answer. */
export const maxShops = 1_000;

/** A shop as anyone sees it. */
export const publicShop = ({ id, names, zone, open, live, settings }: Shop) => ({
  id,
  names,
  zone,
  open,
  live,
  /** Orders are refused while no kitchen screen is connected. */
  needsKitchen: settings.refuseWhenOffline,
  guests: settings.guests,
  services: settings.services,
  notice: settings.notice ?? null,
});

/** A part of a list that is sorted by its ids. */
export interface PageAfter {
  /** Only what is behind this one. */
  readonly after: string | undefined;
  readonly limit: number | undefined;
}

/** The shops in the order of their ids. */
export async function listShops(app: App, { after = "", limit = maxShops }: PageAfter) {
  const [rows] = await app.db.read([readShopsAfter(after, limit + 1)]);
  return { shops: rows.slice(0, limit).map((row) => publicShop(shopOf(row))), more: rows.length > limit };
}

/** @throws ShopUnknown, TableUnknown */
export async function shopInfo(app: App, id: string, table: string | undefined) {
  const held = app.menus.held(id) ?? (await app.menus.load(id));
  const day = businessDay(app.clock.now(), held.zone, held.rolloverMinutes);
  const stream = `menu:${id}`;
  const [shops, menus, dishDays, tables, heads] = await app.db.read([
    ...menuReads(id, day),
    readTables(id),
    readHeads([stream]),
  ]);
  const [row] = shops;
  if (row === undefined || menus[0] === undefined) throw new ShopUnknown(id);
  const place = table === undefined ? null : tables.find(({ token }) => token === table);
  if (place === undefined) throw new TableUnknown();
  const state = {
    shop: publicShop(shopOf(row)),
    ...publicMenu(row, menus[0], dishDays),
    table: place === null ? null : { token: String(place.token), label: String(place.label) },
    position: positionOf(stream, heads[0]),
  };
  return { state, etag: etagOf(state) };
}

/** A shop's menu as anyone sees it, with what is sold out today. @param dishDays rows of the shop's business day */
export function publicMenu(shop: Row, row: Row, dishDays: readonly Row[]) {
  const menu = JSON.parse(String(row.document)) as Menu;
  return {
    menu: {
      version: Number(row.version),
      categories: menu.categories,
      dishes: menu.dishes
        .filter(({ available }) => available)
        .map(({ available: _, dailyStock: __, station: ___, ...dish }) => dish),
    },
    soldOut: menuState(shop, menu, dishDays).soldOut,
  };
}

/** Hash of the whole answer. */
const etagOf = (state: unknown) =>
  `"${createHash("sha256").update(JSON.stringify(state)).digest("base64url").slice(0, 22)}"`;

/** The pickup board, with its stream's position. */
export async function board(app: App, id: string) {
  const stream = `board:${id}`;
  const [shops, rows, heads] = await app.db.read([readShop(id), boardReads(id, app.clock.now()), readHeads([stream])]);
  if (shops[0] === undefined) throw new ShopUnknown(id);
  return { shop: publicShop(shopOf(shops[0])), board: boardState(rows), position: positionOf(stream, heads[0]) };
}

// --- Orders --------------------------------------------------------------------------------------------------------

/** At most so many orders in one answer. */
export const maxOrders = 100;

/** A part of a list. */
export interface Page {
  /** Only what is older than this order. */
  readonly before: string | undefined;
  readonly limit: number | undefined;
}

/** One more order is read than is answered: it shows that there are older ones. */
function pageOf(orders: readonly Row[], lines: readonly Row[], limit: number, reader: "staff" | "customer") {
  return { orders: views(orders.slice(0, limit), lines, reader), more: orders.length > limit };
}

/** Orders from their rows and those of their lines, as one kind of reader sees them. */
export function views(orders: readonly Row[], lines: readonly Row[], reader: "staff" | "customer"): OrderView[] {
  const byOrder = new Map<unknown, Row[]>();
  for (const line of lines) byOrder.set(line.order_id, [...(byOrder.get(line.order_id) ?? []), line]);
  return orders.map((row) => orderView(orderOf(row, byOrder.get(row.id) ?? []), reader));
}

/** One order with its history, for its customer or its shop's staff. @throws OrderUnknown */
export async function oneOrder(app: App, session: Session, id: string) {
  const [orders, lines, history] = await app.db.read([...readOrders([id]), readHistory(id)]);
  const [row] = orders;
  if (row === undefined || !mayRead(row, session)) throw new OrderUnknown(id);
  const isShops = actsForShop(session);
  return {
    order: orderView(orderOf(row, lines), isShops ? "staff" : "customer"),
    history: history
      .filter(({ action }) => isShops || !kitchenOnlyActions.has(String(action)))
      .map((step) => ({
        version: Number(step.version),
        action: String(step.action),
        from: step.from_status === null ? null : String(step.from_status),
        to: String(step.to_status),
        by: isShops || step.actor === "customer" || step.actor === "system" ? String(step.actor) : "shop",
        ...(isShops && step.key_name !== null ? { key: String(step.key_name) } : {}),
        reason: step.reason === null ? null : String(step.reason),
        at: new Date(Number(step.at)).toISOString(),
      })),
  };
}

/** A customer's orders, newest first, with notifications and the position of the stream. */
export async function ordersOfUser(app: App, session: Session, { before, limit = maxOrders }: Page) {
  const stream = `user:${session.user}`;
  const [orders, lines, notifications, heads] = await app.db.read([
    ...readOrdersOfUser(session.user, before, limit + 1),
    readNotifications(stream, 50),
    readHeads([stream]),
  ]);
  return {
    ...pageOf(orders, lines, limit, "customer"),
    notifications: notifications.map(({ data }) => JSON.parse(String(data)) as Notification),
    ...first(before, stream, heads[0]),
  };
}

/** The kitchen's list, newest first, with the stream's position at the same moment. */
export async function ordersOfShop(
  app: App,
  staff: Staff,
  filter: Page & { readonly statuses: readonly Status[] | undefined; readonly day: string | undefined },
) {
  const stream = `shop:${staff.shop}`;
  const { statuses = openStatuses, day, before, limit = maxOrders } = filter;
  const areOpen = statuses.every((status) => openStatuses.includes(status));
  const [orders, lines, shops, heads] = await app.db.read([
    ...readOrdersOfShop(staff.shop, { statuses, areOpen, day, before }, limit + 1),
    readShop(staff.shop),
    readHeads([stream]),
  ]);
  if (shops[0] === undefined) throw new ShopUnknown(staff.shop);
  return {
    shop: publicShop(shopOf(shops[0])),
    ...pageOf(orders, lines, limit, "staff"),
    ...first(before, stream, heads[0]),
  };
}

/** Page 1's position holds for all pages: a later page has none of its own. */
function first(before: string | undefined, stream: string, head: Row | undefined): { position?: StreamPosition } {
  return before === undefined ? { position: positionOf(stream, head) } : {};
}

/** The menu as staff edit it, with today's stock. */
export async function menuForStaff(app: App, staff: Staff) {
  const held = await app.menus.load(staff.shop);
  const day = businessDay(app.clock.now(), held.zone, held.rolloverMinutes);
  const [shops, menus, dishDays] = await app.db.read([
    readShop(staff.shop),
    readMenu(staff.shop),
    readDishDays(staff.shop, day),
  ]);
  const shop = shopOf(shops[0] as Row);
  const menu = JSON.parse(String(menus[0]?.document)) as Menu;
  return {
    shop: shop.id,
    names: shop.names,
    open: shop.open,
    live: shop.live,
    version: shop.version,
    settings: shop.settings,
    menu,
    day,
    today: dishesToday(menu, dishDays),
  };
}
