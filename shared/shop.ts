/** What a shop's people change beside orders: open or closed, menu, stock, tables, devices, settings. */
import type { Row } from "../db/database.ts";
import { endSession, readDevices, readSession } from "../db/sessions.ts";
import {
  insertAudit,
  insertMenu,
  insertShop,
  insertTables,
  lockDay,
  lockDishDays,
  lockShop,
  readDishDays,
  readMenu,
  readShop,
  readTables,
  removeTable,
  setDishDay,
  setOpen,
  setSettings,
  setVersion,
} from "../db/shops.ts";
import type { Statement } from "../db/sql.ts";
import type { App } from "./app.ts";
import { type Changed, change, type NewEvent } from "./change.ts";
import { businessDay } from "./day.ts";
import { deliver } from "./deliver.ts";
import {
  DeviceUnknown,
  DishUnknown,
  InvalidInput,
  MenuInvalid,
  NoStockCount,
  ShopUnknown,
  StockAboveLimit,
  StockBelowSold,
  TableUnknown,
  VersionMismatch,
} from "./errors.ts";
import { end } from "./login.ts";
import { contradictions, type Dish, type Menu, parseMenu, parseSettings, type Settings } from "./menu.ts";
import type { Names } from "./protocol.ts";
import { refresh } from "./public_state.ts";
import { aliveOf, type Staff } from "./session.ts";

/** Who changes something: staff of the shop, or the command line. */
export type Keeper = Staff | null;

/** A shop row with its JSON read. */
export interface Shop {
  readonly id: string;
  readonly names: Names;
  readonly zone: string;
  readonly rolloverMinutes: number;
  readonly open: boolean;
  readonly live: boolean;
  readonly version: number;
  readonly settings: Settings;
}

export function shopOf(row: Row): Shop {
  return {
    id: String(row.id),
    names: JSON.parse(String(row.names)),
    zone: String(row.zone),
    rolloverMinutes: Number(row.rollover_minutes),
    open: row.is_open === 1,
    live: row.live === 1,
    version: Number(row.menu_version),
    settings: JSON.parse(String(row.settings)),
  };
}

const emptyMenu: Menu = { categories: [], dishes: [] };

export interface NewShopAsked {
  readonly id: string;
  readonly names: Names;
  readonly zone: string;
  readonly rolloverMinutes: number;
  readonly settings: Settings;
}

/** Makes a shop, closed, with an empty menu and its streams. */
export async function createShop(app: App, asked: NewShopAsked): Promise<void> {
  const now = app.clock.now();
  try {
    businessDay(now, asked.zone, asked.rolloverMinutes);
  } catch {
    throw new InvalidInput("zone", "is not a time zone such as Asia/Shanghai");
  }
  const { id, names, settings } = asked;
  await change(app, {
    locks: [
      insertShop({ ...asked, names: JSON.stringify(names), settings: JSON.stringify(settings), at: now }),
      insertMenu(id, 1, JSON.stringify(emptyMenu), null, now),
    ],
    streams: [`shop:${id}`, `menu:${id}`, `board:${id}`],
    decide: () => ({ result: undefined }),
    repeatable: false,
  });
  await refresh(app, id);
}

/** Locks the shop and looks at the keeper's session again: a right that ended a moment ago is no right. */
async function keep<T>(
  app: App,
  keeper: Keeper,
  shop: string,
  more: { locks?: readonly Statement[]; reads?: readonly Statement[]; repeatable?: boolean },
  /** @param rows of `more.locks`, then of `more.reads` */
  decide: (
    shop: Shop,
    rows: Row[][],
  ) => {
    writes?: readonly Statement[];
    events?: readonly Omit<NewEvent, "stream">[];
    audit: [action: string, detail: object] | undefined;
    result: T;
  },
): Promise<T> {
  const now = app.clock.now();
  const stream = `shop:${shop}`;
  const changed: Changed<T> = await change(app, {
    locks: [lockShop(shop), ...(more.locks ?? [])],
    streams: [stream],
    reads: [...(keeper === null ? [] : [readSession(keeper.id)]), ...(more.reads ?? [])],
    decide([rows, ...locked], reads) {
      if (rows?.[0] === undefined) throw new ShopUnknown(shop);
      if (keeper !== null) aliveOf(reads[0]?.[0] as Row, now);
      const seen = [...locked, ...reads.slice(keeper === null ? 0 : 1)];
      const { writes = [], events = [], audit, result } = decide(shopOf(rows[0]), seen);
      if (audit === undefined) return { result };
      const [action, detail] = audit;
      const note = {
        id: app.random.id(),
        shop,
        session: keeper?.id ?? null,
        action,
        detail: JSON.stringify(detail),
        at: now,
      };
      return { writes: [...writes, insertAudit(note)], events: events.map((event) => ({ ...event, stream })), result };
    },
    repeatable: more.repeatable ?? true,
  });
  await deliver(app, changed);
  return changed.result;
}

/** The big switch 营业 / 打烊. Said twice, it is done once. */
export async function openShop(app: App, keeper: Keeper, shop: string, open: boolean): Promise<Shop> {
  return keep(app, keeper, shop, {}, (now) => {
    if (now.open === open) return { audit: undefined, result: now };
    return {
      writes: [setOpen(shop, open)],
      events: [{ type: open ? "shop.opened" : "shop.closed", data: { open } }],
      audit: [open ? "open" : "close", {}],
      result: { ...now, open },
    };
  });
}

// --- Menu and settings ---------------------------------------------------------------------------------------------

export interface MenuAndSettings {
  readonly menu: Menu;
  readonly settings: Settings;
  readonly names: Names;
}

/**
 * Changes menu, settings or names as one new version. `edit` gets what is, and gives what shall be.
 * @param version the version that the keeper saw (`If-Match`); without it the change is made to whatever is
 * @throws VersionMismatch, MenuInvalid, and what `edit` throws
 */
export async function editMenu(
  app: App,
  keeper: Keeper,
  shop: string,
  version: number | undefined,
  what: string,
  edit: (now: MenuAndSettings) => Partial<MenuAndSettings>,
): Promise<{ version: number } & MenuAndSettings> {
  const at = app.clock.now();
  const known = await knownShop(app, shop);
  const day = businessDay(at, known.zone, known.rolloverMinutes);
  const result = await keep(
    app,
    keeper,
    shop,
    { locks: [lockDay(shop, day)], reads: [readMenu(shop)], repeatable: false },
    (now, [dishDays, menus]) => {
      if (version !== undefined && version !== now.version) throw new VersionMismatch(String(now.version));
      const before: MenuAndSettings = {
        menu: JSON.parse(String(menus?.[0]?.document)),
        settings: now.settings,
        names: now.names,
      };
      const after = { ...before, ...edit(before) };
      const found = contradictions(after.menu);
      if (found.length > 0) throw new MenuInvalid(found.map(({ message }) => message));
      const next = now.version + 1;
      return {
        writes: [
          insertMenu(shop, next, JSON.stringify(after.menu), keeper?.id ?? null, at),
          setVersion(shop, next),
          setSettings(shop, JSON.stringify(after.settings), JSON.stringify(after.names)),
          ...stockOfToday(shop, day, after.menu, dishDays ?? []),
        ],
        events: [{ type: "menu.changed", data: { version: next } }],
        audit: [what, { version: next }],
        result: { ...after, version: next },
      };
    },
  );
  return result;
}

/** A dish whose daily stock was changed has the new one today as well, though never less than was sold. */
function stockOfToday(shop: string, day: string, menu: Menu, dishDays: readonly Row[]): Statement[] {
  const rows = new Map(dishDays.map((row) => [row.dish_id, row]));
  return menu.dishes.flatMap(({ id, dailyStock }) => {
    const row = rows.get(id);
    if (row === undefined || row.stock === dailyStock) return [];
    const sold = Number(row.sold);
    const stock = dailyStock === null ? null : Math.max(dailyStock, sold);
    return [setDishDay(shop, id, day, { stock, sold, soldOut: row.sold_out === 1 })];
  });
}

/** @throws ShopUnknown */
export async function knownShop(app: App, shop: string): Promise<Shop> {
  const [rows] = await app.db.read([readShop(shop)]);
  if (rows?.[0] === undefined) throw new ShopUnknown(shop);
  return shopOf(rows[0]);
}

/** Parsed here, before anything is locked. */
export const replaceMenu = (input: unknown) => {
  const menu = parseMenu(input);
  return (): Partial<MenuAndSettings> => ({ menu });
};

export const replaceSettings = (input: unknown, names: Names | undefined) => {
  const settings = parseSettings(input);
  return (): Partial<MenuAndSettings> => ({ settings, ...(names === undefined ? {} : { names }) });
};

/** Adds the dish, or replaces the one of the same id where it stands. */
export const putDish =
  (dish: Dish) =>
  ({ menu }: MenuAndSettings): Partial<MenuAndSettings> => {
    const at = menu.dishes.findIndex(({ id }) => id === dish.id);
    return { menu: { ...menu, dishes: at < 0 ? [...menu.dishes, dish] : menu.dishes.with(at, dish) } };
  };

export const removeDish =
  (id: string) =>
  ({ menu }: MenuAndSettings): Partial<MenuAndSettings> => {
    dishIn(menu, id);
    return { menu: { ...menu, dishes: menu.dishes.filter((dish) => dish.id !== id) } };
  };

export const setPrice =
  (id: string, priceFen: number) =>
  ({ menu }: MenuAndSettings): Partial<MenuAndSettings> =>
    putDish({ ...dishIn(menu, id), priceFen })({ menu } as MenuAndSettings);

function dishIn(menu: Menu, id: string): Dish {
  const dish = menu.dishes.find((one) => one.id === id);
  if (dish === undefined) throw new DishUnknown(id);
  return dish;
}

// --- Today's stock -------------------------------------------------------------------------------------------------

/** A dish today: how many portions there were, are sold, are left (null: not counted), and whether it is switched off. */
export interface DishToday {
  readonly dish: string;
  readonly stock: number | null;
  readonly sold: number;
  readonly left: number | null;
  readonly soldOut: boolean;
  /** For `If-Match`: changes with every sale. */
  readonly etag: string;
}

function dishToday(dish: string, values: { stock: number | null; sold: number; soldOut: boolean }): DishToday {
  const { stock, sold, soldOut } = values;
  const etag = `${stock ?? "-"}.${sold}`;
  return { dish, stock, sold, left: stock === null ? null : stock - sold, soldOut, etag };
}

export function dishesToday(menu: Menu, rows: readonly Row[]): DishToday[] {
  const today = new Map(rows.map((row) => [row.dish_id, row]));
  return menu.dishes.map(({ id, dailyStock }) => {
    const row = today.get(id);
    return dishToday(id, {
      stock: row === undefined ? dailyStock : row.stock === null ? null : Number(row.stock),
      sold: Number(row?.sold ?? 0),
      soldOut: row?.sold_out === 1,
    });
  });
}

/** 沽清: switches a dish off for the rest of the business day, or on again. */
export function setSoldOut(app: App, keeper: Keeper, shop: string, dish: string, soldOut: boolean): Promise<DishToday> {
  return changeDishDay(app, keeper, shop, dish, "sold_out", true, (now) => ({ ...now, soldOut }));
}

/** Portions that may be left of a dish. */
const maxStock = 100_000;

/** What a keeper may say of the stock: so many more or fewer, or so many left as of what was seen. */
export type StockChange = { readonly delta: number } | { readonly left: number; readonly ifMatch: string };

/** @throws NoStockCount, StockBelowSold, StockAboveLimit, VersionMismatch */
export function changeStock(
  app: App,
  keeper: Keeper,
  shop: string,
  dish: string,
  asked: StockChange,
): Promise<DishToday> {
  // A delta done twice is twice the delta; with If-Match the second would be refused though the first was done.
  return changeDishDay(app, keeper, shop, dish, "stock", false, (now) => {
    if (now.stock === null) throw new NoStockCount(dish);
    if ("left" in asked) {
      if (asked.ifMatch !== now.etag) throw new VersionMismatch(now.etag);
      return { ...now, stock: now.sold + asked.left };
    }
    if (now.stock + asked.delta < now.sold) throw new StockBelowSold(dish, now.stock - now.sold);
    const left = now.stock + asked.delta - now.sold;
    if (left > maxStock) throw new StockAboveLimit(dish, left, maxStock);
    return { ...now, stock: now.stock + asked.delta };
  });
}

async function changeDishDay(
  app: App,
  keeper: Keeper,
  shop: string,
  dish: string,
  what: string,
  repeatable: boolean,
  edit: (now: DishToday) => { stock: number | null; sold: number; soldOut: boolean },
): Promise<DishToday> {
  const held = await app.menus.load(shop);
  const known = held.dishes.get(dish);
  if (known === undefined) throw new DishUnknown(dish);
  const day = businessDay(app.clock.now(), held.zone, held.rolloverMinutes);
  const { dialect } = app.db;
  return keep(
    app,
    keeper,
    shop,
    {
      locks: lockDishDays(dialect, [{ shop_id: shop, dish_id: dish, day, stock: known.dailyStock }]),
      reads: [readDishDays(shop, day)],
      repeatable,
    },
    (_, [, rows]) => {
      const before = dishesToday(held.menu, rows ?? []).find((one) => one.dish === dish) as DishToday;
      const after = dishToday(dish, edit(before));
      const { stock, sold, soldOut, left } = after;
      if (stock === before.stock && soldOut === before.soldOut) return { audit: undefined, result: after };
      return {
        writes: [setDishDay(shop, dish, day, { stock, sold, soldOut })],
        events: [{ type: "dish.changed", data: { dish, left, soldOut } }],
        audit: [what, { dish, stock, soldOut }],
        result: after,
      };
    },
  );
}

// --- Tables --------------------------------------------------------------------------------------------------------

export interface Table {
  /** Random; stands in the QR code and in WeChat's `scene`, which takes 32 characters. */
  readonly token: string;
  readonly label: string;
}

const maxTables = 500;

/** @throws ShopUnknown */
export async function tablesOf(app: App, shop: string): Promise<Table[]> {
  await knownShop(app, shop);
  const [rows = []] = await app.db.read([readTables(shop)]);
  return rows.map(({ token, label }) => ({ token: String(token), label: String(label) }));
}

/** Adds tables; with them the menu gets a new version, since an order names its table by what it knew. */
export async function addTables(app: App, keeper: Keeper, shop: string, labels: readonly string[]): Promise<Table[]> {
  const tables = labels.map((label) => ({ token: app.random.secret(12), label }));
  return changeTables(app, keeper, shop, "tables.add", (existing, at) => {
    if (existing.length + tables.length > maxTables)
      throw new InvalidInput("labels", `a shop has at most ${maxTables} tables`);
    const twin = labels.find(
      (label, nth) => labels.indexOf(label) !== nth || existing.some((table) => table.label === label),
    );
    if (twin !== undefined) throw new InvalidInput("labels", `there is a table "${twin}" already`);
    return { writes: insertTables(app.db.dialect, shop, tables, at), result: tables };
  });
}

/** Its code stops working at once; codes are rotated by removing and adding. @throws TableUnknown */
export async function dropTable(app: App, keeper: Keeper, shop: string, token: string): Promise<void> {
  return changeTables(app, keeper, shop, "tables.remove", (existing, at) => {
    if (!existing.some((table) => table.token === token)) throw new TableUnknown();
    return { writes: [removeTable(shop, token, at)], result: undefined };
  });
}

function changeTables<T>(
  app: App,
  keeper: Keeper,
  shop: string,
  what: string,
  edit: (existing: readonly Row[], at: number) => { writes: readonly Statement[]; result: T },
): Promise<T> {
  const at = app.clock.now();
  return keep(
    app,
    keeper,
    shop,
    { reads: [readTables(shop), readMenu(shop)], repeatable: false },
    (now, [tables, menus]) => {
      const { writes, result } = edit(tables ?? [], at);
      const next = now.version + 1;
      return {
        writes: [
          ...writes,
          insertMenu(shop, next, String(menus?.[0]?.document), keeper?.id ?? null, at),
          setVersion(shop, next),
        ],
        events: [{ type: "menu.changed", data: { version: next } }],
        audit: [what, { version: next }],
        result,
      };
    },
  );
}

// --- Devices -------------------------------------------------------------------------------------------------------

/** @throws ShopUnknown */
export async function devicesOf(app: App, shop: string) {
  await knownShop(app, shop);
  const [rows = []] = await app.db.read([readDevices(shop, app.clock.now())]);
  return rows.map((row) => ({
    id: String(row.id),
    device: String(row.device),
    role: String(row.role),
    createdAt: new Date(Number(row.created_at)).toISOString(),
    seenAt: new Date(Number(row.seen_at)).toISOString(),
    expiresAt: new Date(Number(row.expires_at)).toISOString(),
  }));
}

/** Ends a device's session: its sockets are closed and nothing more reaches it. @throws DeviceUnknown */
export async function revokeDevice(app: App, keeper: Keeper, shop: string, device: string): Promise<void> {
  const [rows = []] = await app.db.read([readDevices(shop, app.clock.now())]);
  if (!rows.some(({ id }) => id === device)) throw new DeviceUnknown(device);
  await keep(app, keeper, shop, {}, () => ({
    writes: [endSession(device, "revoked", app.clock.now())],
    audit: ["device.revoke", { device }],
    result: undefined,
  }));
  await end(app, device, "revoked");
}
