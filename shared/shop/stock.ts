/** Today's stock of a shop's dishes: portions left, and dishes switched off for the day. */
import type { Row } from "../../db/database.ts";
import { lockDishDays, readDishDays, setDishDay } from "../../db/shops.ts";
import type { App } from "../app.ts";
import { businessDay } from "../day.ts";
import { DishUnknown, NoStockCount, StockAboveLimit, StockBelowSold, VersionMismatch } from "../errors.ts";
import type { Menu } from "../menu.ts";
import { changeShop, type ShopActor } from "./open_shop.ts";

/** A dish today: portions in stock, sold and left (null: not counted), and whether it is switched off. */
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

/** A dish of a shop, and who changes it. */
export interface DishTarget {
  readonly actor: ShopActor;
  readonly shop: string;
  readonly dish: string;
}

/** 沽清: switches a dish off for the rest of the business day, or on again. */
export function setSoldOut(app: App, target: DishTarget, soldOut: boolean): Promise<DishToday> {
  return changeDishDay(app, {
    ...target,
    action: "sold_out",
    repeatable: true,
    edit: (now) => ({ ...now, soldOut }),
  });
}

/** At most so many portions may be left of a dish. */
const maxStock = 100_000;

/** A change of the stock: portions more or fewer, or the portions left, if nothing was sold since `ifMatch`. */
export type StockChange = { readonly delta: number } | { readonly left: number; readonly ifMatch: string };

/** @throws NoStockCount, StockBelowSold, StockAboveLimit, VersionMismatch */
export function changeStock(app: App, target: DishTarget, change: StockChange): Promise<DishToday> {
  const { dish } = target;
  return changeDishDay(app, {
    ...target,
    action: "stock",
    // A repeated delta would count twice; a repeated If-Match would fail although the first try succeeded.
    repeatable: false,
    edit(now) {
      if (now.stock === null) throw new NoStockCount(dish);
      if ("left" in change) {
        if (change.ifMatch !== now.etag) throw new VersionMismatch(now.etag);
        return { ...now, stock: now.sold + change.left };
      }
      if (now.stock + change.delta < now.sold) throw new StockBelowSold(dish, now.stock - now.sold);
      const left = now.stock + change.delta - now.sold;
      if (left > maxStock) throw new StockAboveLimit(dish, left, maxStock);
      return { ...now, stock: now.stock + change.delta };
    },
  });
}

interface DishDayEdit extends DishTarget {
  readonly action: string;
  readonly repeatable: boolean;
  edit(now: DishToday): { stock: number | null; sold: number; soldOut: boolean };
}

async function changeDishDay(
  app: App,
  { actor, shop, dish, action, repeatable, edit }: DishDayEdit,
): Promise<DishToday> {
  const held = await app.menus.load(shop);
  const known = held.dishes.get(dish);
  if (known === undefined) throw new DishUnknown(dish);
  const day = businessDay(app.clock.now(), held.zone, held.rolloverMinutes);
  const { dialect } = app.db;
  return changeShop(app, {
    actor,
    shop,
    locks: lockDishDays(dialect, [{ shop_id: shop, dish_id: dish, day, stock: known.dailyStock }]),
    reads: [readDishDays(shop, day)],
    repeatable,
    decide(_, [, rows]) {
      const before = dishesToday(held.menu, rows ?? []).find((one) => one.dish === dish) as DishToday;
      const after = dishToday(dish, edit(before));
      const { stock, sold, soldOut, left } = after;
      if (stock === before.stock && soldOut === before.soldOut) return { result: after };
      return {
        writes: [setDishDay(shop, dish, day, { stock, sold, soldOut })],
        events: [{ type: "dish.changed", data: { dish, left, soldOut } }],
        audit: [action, { dish, stock, soldOut }],
        result: after,
      };
    },
  });
}
