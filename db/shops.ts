/** Statements on `shops`, `menus`, `dining_tables`, `dish_days`, `shop_days`, `screens` and `audit`. */
import { byKeys } from "./by_keys.ts";
import { among, anyOf, type Dialect, insertRows } from "./dialect.ts";
import { keyOf } from "./key_of.ts";
import { join, raw, type Sql, type Statement, sql } from "./sql.ts";
import { sortedBy } from "./streams.ts";

const columns = sql`id, names, zone, rollover_minutes, is_open, live, menu_version, settings`;

export function readShop(id: string): Sql {
  return sql`SELECT ${columns} FROM shops WHERE id = ${id}`;
}

export function readSettings(dialect: Dialect, ids: readonly string[]): Sql {
  return byKeys(dialect, { columns: sql`id, settings`, table: sql`shops`, key: sql`id` }, ids);
}

export function lockShop(id: string): Sql {
  return sql`SELECT ${columns} FROM shops WHERE id = ${id} FOR UPDATE`;
}

export function readShops(): Sql {
  return sql`SELECT ${columns} FROM shops ORDER BY id`;
}

/** Shops behind this id. */
export function readShopsAfter(id: string, limit: number): Sql {
  return sql`SELECT ${columns} FROM shops WHERE id > ${id} ORDER BY id LIMIT ${limit}`;
}

export function readShopIds(limit: number): Sql {
  return sql`SELECT id FROM shops ORDER BY id LIMIT ${limit}`;
}

/** What an order assumes of its shop. */
export function readShopsOf(ids: readonly string[]): Sql {
  return sql`SELECT id, is_open, menu_version,
      (SELECT m.created_at FROM menus m WHERE m.shop_id = shops.id AND m.version = shops.menu_version) AS menu_at
    FROM shops WHERE ${among(sql`id`, ids)}`;
}

export interface NewShop {
  readonly id: string;
  readonly names: string;
  readonly zone: string;
  readonly rolloverMinutes: number;
  readonly settings: string;
  readonly at: number;
}

/** A shop begins closed, at version 1, with an empty menu. */
export function insertShop({ id, names, zone, rolloverMinutes, settings, at }: NewShop): Sql {
  return sql`INSERT INTO shops (id, names, zone, rollover_minutes, is_open, live, menu_version, settings, created_at)
    VALUES (${id}, ${names}, ${zone}, ${rolloverMinutes}, 0, 0, 1, ${settings}, ${at})`;
}

export function setOpen(id: string, open: boolean): Sql {
  return sql`UPDATE shops SET is_open = ${open} WHERE id = ${id}`;
}

export function setLive(id: string, live: boolean): Sql {
  return sql`UPDATE shops SET live = ${live} WHERE id = ${id}`;
}

export function setVersion(id: string, version: number): Sql {
  return sql`UPDATE shops SET menu_version = ${version} WHERE id = ${id}`;
}

export function setSettings(id: string, settings: string, names: string): Sql {
  return sql`UPDATE shops SET settings = ${settings}, names = ${names} WHERE id = ${id}`;
}

// --- Menus ---------------------------------------------------------------------------------------------------------

/** The menu at the shop's current version. */
export function readMenu(shop: string): Sql {
  return sql`SELECT m.version, m.document, m.created_at FROM menus m JOIN shops s ON s.id = m.shop_id AND s.menu_version = m.version WHERE m.shop_id = ${shop}`;
}

export function insertMenu(shop: string, version: number, document: string, by: string | null, at: number): Sql {
  return sql`INSERT INTO menus (shop_id, version, document, created_by, created_at) VALUES (${shop}, ${version}, ${document}, ${by}, ${at})`;
}

/** Old versions that price no order any more. */
export function trimMenus(before: number): Sql {
  return sql`DELETE FROM menus WHERE created_at < ${before} AND version < (SELECT menu_version FROM shops WHERE shops.id = menus.shop_id)`;
}

// --- Tables --------------------------------------------------------------------------------------------------------

export function readTables(shop: string): Sql {
  return sql`SELECT token, label FROM dining_tables WHERE shop_id = ${shop} AND removed_at IS NULL ORDER BY created_at, label`;
}

export function insertTables(
  dialect: Dialect,
  shop: string,
  tables: readonly { token: string; label: string }[],
  at: number,
): Statement[] {
  return insertRows(
    dialect,
    "dining_tables",
    tables.map(({ token, label }) => ({ token, shop_id: shop, label, created_at: at })),
  );
}

export function removeTable(shop: string, token: string, at: number): Sql {
  return sql`UPDATE dining_tables SET removed_at = ${at} WHERE token = ${token} AND shop_id = ${shop} AND removed_at IS NULL`;
}

// --- Stock of a day ------------------------------------------------------------------------------------------------

export interface DishDayKey {
  readonly shop_id: string;
  readonly dish_id: string;
  readonly day: string;
}

export interface DishDay extends DishDayKey {
  /** The menu's default for a day; used if the row is made now. */
  readonly stock: number | null;
}

/** Makes and locks the rows of these dishes, in one order. */
export function lockDishDays(dialect: Dialect, dishes: readonly DishDay[]): Statement[] {
  const rows = dishes.map((dish) => ({ ...dish, sold: 0, sold_out: 0 }));
  return insertRows(
    dialect,
    "dish_days",
    sortedBy(rows, ({ shop_id, dish_id, day }) => keyOf(shop_id, dish_id, day)),
    sql`${dialect.onConflict(["shop_id", "dish_id", "day"])} sold = dish_days.sold`,
  );
}

/** All rows of a shop's day, locked in the same order. */
export function lockDay(shop: string, day: string): Sql {
  return sql`SELECT dish_id, stock, sold, sold_out FROM dish_days WHERE shop_id = ${shop} AND day = ${day} ORDER BY dish_id FOR UPDATE`;
}

export function readDishDays(shop: string, day: string): Sql {
  return sql`SELECT dish_id, stock, sold, sold_out FROM dish_days WHERE shop_id = ${shop} AND day = ${day} ORDER BY dish_id`;
}

export function readDishDaysOf(days: readonly { shop: string; day: string }[]): Sql {
  const each = days.map(({ shop, day }) => sql`(shop_id = ${shop} AND day = ${day})`);
  return sql`SELECT shop_id, day, dish_id, stock, sold, sold_out FROM dish_days WHERE ${anyOf(each)}`;
}

export function setDishDay(
  shop: string,
  dish: string,
  day: string,
  values: { stock: number | null; sold: number; soldOut: boolean },
): Sql {
  return sql`UPDATE dish_days SET stock = ${values.stock}, sold = ${values.sold}, sold_out = ${values.soldOut}
    WHERE shop_id = ${shop} AND dish_id = ${dish} AND day = ${day}`;
}

/** Writes the stock of rows that are locked. */
export function setDishDays(
  dialect: Dialect,
  rows: readonly (DishDay & { sold: number; sold_out: boolean })[],
): Statement[] {
  const sets = ["stock", "sold", "sold_out"].map((column) => sql`${raw(column)} = ${dialect.incoming(column)}`);
  const tail = sql`${dialect.onConflict(["shop_id", "dish_id", "day"])} ${join(sets)}`;
  const all = rows.map((row) => ({ ...row }));
  return insertRows(dialect, "dish_days", all, tail);
}

export function addSold(shop: string, dish: string, day: string, quantity: number): Sql {
  return sql`UPDATE dish_days SET sold = sold + ${quantity} WHERE shop_id = ${shop} AND dish_id = ${dish} AND day = ${day}`;
}

// --- The day's counter ---------------------------------------------------------------------------------------------

export interface ShopDay {
  readonly shop: string;
  readonly day: string;
  readonly orders: number;
}

const shopDayRows = (days: readonly ShopDay[]) => days.map(({ shop, day, orders }) => ({ shop_id: shop, day, orders }));

/** Makes and locks the counters, and counts them up by so many orders. */
export function countShopDays(dialect: Dialect, days: readonly ShopDay[]): Statement[] {
  return insertRows(
    dialect,
    "shop_days",
    sortedBy(shopDayRows(days), ({ shop_id, day }) => keyOf(shop_id, day)),
    sql`${dialect.onConflict(["shop_id", "day"])} orders = shop_days.orders + ${dialect.incoming("orders")}`,
  );
}

export function readShopDays(days: readonly { shop: string; day: string }[]): Sql {
  const each = days.map(({ shop, day }) => sql`(shop_id = ${shop} AND day = ${day})`);
  return sql`SELECT shop_id, day, orders FROM shop_days WHERE ${anyOf(each)}`;
}

/** Writes counters that are locked. */
export function setShopDays(dialect: Dialect, days: readonly ShopDay[]): Statement[] {
  const tail = sql`${dialect.onConflict(["shop_id", "day"])} orders = ${dialect.incoming("orders")}`;
  return insertRows(dialect, "shop_days", shopDayRows(days), tail);
}

// --- Screens -------------------------------------------------------------------------------------------------------

/** A heartbeat of a kitchen screen. */
export function upsertScreen(dialect: Dialect, id: string, shop: string, at: number): Statement[] {
  return insertRows(
    dialect,
    "screens",
    [{ id, shop_id: shop, seen_at: at }],
    sql`${dialect.onConflict(["id"])} seen_at = ${dialect.incoming("seen_at")}, shop_id = ${dialect.incoming("shop_id")}`,
  );
}

/** A heartbeat of a screen that has a row; without effect for other connections. */
export function refreshScreen(id: string, at: number): Sql {
  return sql`UPDATE screens SET seen_at = ${at} WHERE id = ${id} AND seen_at < ${at}`;
}

export function removeScreen(id: string): Sql {
  return sql`DELETE FROM screens WHERE id = ${id}`;
}

/**
 * Shops whose `live` differs from the state of their screens.
 * @param within the largest age of a heartbeat, or lead, so that after a clock was set back a screen does not stay for ever
 */
export function readLiveWrong(now: number, within: number): Sql {
  const seen = sql`EXISTS (SELECT 1 FROM screens c WHERE c.shop_id = s.id AND ${seenWithin(now, within)})`;
  return sql`SELECT s.id, s.live FROM shops s WHERE (s.live = 1 AND NOT ${seen}) OR (s.live = 0 AND ${seen})`;
}

const seenWithin = (now: number, within: number) => sql`seen_at BETWEEN ${now - within} AND ${now + within}`;

export function readScreens(shops: readonly string[], now: number, within: number): Sql {
  return sql`SELECT DISTINCT shop_id FROM screens WHERE ${among(sql`shop_id`, shops)} AND ${seenWithin(now, within)}`;
}

export function trimScreens(before: number): Sql {
  return sql`DELETE FROM screens WHERE seen_at < ${before}`;
}

// --- Audit ---------------------------------------------------------------------------------------------------------

export interface Audit {
  readonly id: string;
  /** Empty for what belongs to no shop. */
  readonly shop: string;
  readonly session: string | null;
  /** Who it was if it was no session. */
  readonly actor: string | null;
  readonly action: string;
  /** JSON. */
  readonly detail: string;
  readonly at: number;
}

/** A flight that is run again finds its entry written. */
export function insertAudit(dialect: Dialect, { shop, session, ...row }: Audit): Sql[] {
  const again = sql`${dialect.onConflict(["id"])} id = ${dialect.incoming("id")}`;
  return insertRows(dialect, "audit", [{ ...row, shop_id: shop, session_id: session }], again);
}

/** The newest first, with the device of the session. @param shop undefined for all, and for what belongs to none */
export function readAudit(shop: string | undefined, before: string | undefined, limit: number): Sql {
  const ofShop = shop === undefined ? sql`` : sql`AND a.shop_id = ${shop}`;
  const older = before === undefined ? sql`` : sql`AND a.id < ${before}`;
  return sql`SELECT a.id, a.shop_id, a.session_id, a.actor, a.action, a.detail, a.at, s.role, s.device
    FROM audit a LEFT JOIN sessions s ON s.id = a.session_id WHERE 1 = 1 ${ofShop} ${older} ORDER BY a.id DESC LIMIT ${limit}`;
}
