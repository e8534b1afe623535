/** Edits of a shop's menu, settings and names. Each edit makes a new version. */
import type { Row } from "../../db/database.ts";
import { insertMenu, lockDay, readMenu, setDishDay, setSettings, setVersion } from "../../db/shops.ts";
import type { Statement } from "../../db/sql.ts";
import type { App } from "../app.ts";
import { sessionOf } from "../audit.ts";
import { businessDay } from "../day.ts";
import { DishUnknown, MenuInvalid, VersionMismatch } from "../errors.ts";
import { contradictions, type Dish, type Menu, parseMenu, parseSettings, type Settings } from "../menu.ts";
import type { Names } from "../protocol.ts";
import { changeShop, knownShop, type ShopActor } from "./open_shop.ts";

export interface MenuAndSettings {
  readonly menu: Menu;
  readonly settings: Settings;
  readonly names: Names;
}

export interface MenuEdit {
  readonly actor: ShopActor;
  readonly shop: string;
  /** The version that the actor edits (`If-Match`); without it, the current one. */
  readonly version?: number | undefined;
  /** Its name in `audit`, such as `menu.import`. */
  readonly action: string;
  /** Takes the current state and returns the new parts. */
  edit(now: MenuAndSettings): Partial<MenuAndSettings>;
}

/**
 * Changes menu, settings or names as one new version.
 * @throws VersionMismatch, MenuInvalid, and what `edit` throws
 */
export async function editMenu(
  app: App,
  { actor, shop, version, action, edit }: MenuEdit,
): Promise<{ version: number } & MenuAndSettings> {
  const at = app.clock.now();
  const known = await knownShop(app, shop);
  const day = businessDay(at, known.zone, known.rolloverMinutes);
  return changeShop(app, {
    actor,
    shop,
    locks: [lockDay(shop, day)],
    reads: [readMenu(shop)],
    repeatable: false,
    decide(now, [dishDays, menus]) {
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
          insertMenu(shop, next, JSON.stringify(after.menu), sessionOf(actor), at),
          setVersion(shop, next),
          setSettings(shop, JSON.stringify(after.settings), JSON.stringify(after.names)),
          ...stockOfToday(shop, day, after.menu, dishDays ?? []),
        ],
        events: [{ type: "menu.changed", data: { version: next } }],
        audit: [action, { version: next }],
        result: { ...after, version: next },
      };
    },
  });
}

/** A changed daily stock applies to today as well, but never below the portions sold. */
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

/** Parses the menu before the transaction, so that no lock waits for it. */
export const replaceMenu = (input: unknown) => {
  const menu = parseMenu(input);
  return (): Partial<MenuAndSettings> => ({ menu });
};

export const replaceSettings = (input: unknown, names: Names | undefined) => {
  const settings = parseSettings(input);
  return (): Partial<MenuAndSettings> => ({ settings, ...(names === undefined ? {} : { names }) });
};

/** Adds the dish, or replaces the one with the same id in its place. */
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
