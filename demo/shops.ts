/** The two shops of the demo. Their menus are files in the format that a shopkeeper writes. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, parse } from "node:path";
import { readShops } from "../db/shops.ts";
import type { App } from "../shared/app.ts";
import { type Menu, parseMenu, parseSettings, type Settings } from "../shared/menu.ts";
import type { Names } from "../shared/protocol.ts";
import { addTables, createShop, editMenu, openShop, type Table } from "../shared/shop.ts";

export interface DemoShops {
  /** Every shop that is there now, by id. */
  readonly shops: readonly string[];
  /** What was made: both, or nothing. */
  readonly made: readonly DemoShop[];
}

export interface DemoShop {
  readonly id: string;
  readonly names: Names;
  readonly open: boolean;
  readonly dishes: number;
  readonly tables: readonly Table[];
}

interface Plan {
  readonly id: string;
  readonly names: Names;
  readonly settings: Settings;
  readonly open: boolean;
}

export const demoShops: readonly Plan[] = [
  {
    id: "lanzhou-noodles",
    names: { zh: "黄河边兰州牛肉面", en: "Yellow River Lanzhou Noodles" },
    settings: parseSettings({
      services: { table: true, pickup: true, delivery: { feeFen: 400, minimumFen: 2_000, freeFromFen: 6_000 } },
      notice: { zh: "面现拉现煮，约 8 分钟出餐", en: "Noodles are pulled to order: about 8 minutes" },
    }),
    open: true,
  },
  {
    id: "osmanthus-tea",
    names: { zh: "桂花巷茶饮甜品", en: "Osmanthus Lane Tea and Desserts" },
    settings: parseSettings({
      services: { table: true, pickup: true, delivery: null },
      notice: { zh: "自带杯立减 2 元", en: "2 yuan less when you bring your own cup" },
    }),
    open: false,
  },
];

const labels = ["1", "2", "3", "4", "5", "6", "7", "8"];

/** The menu of a demo shop. @throws InvalidInput, MenuInvalid */
export function demoMenu(id: string): Menu {
  return parseMenu(JSON.parse(readFileSync(new URL(`menus/${id}.json`, import.meta.url), "utf8")));
}

/**
 * Makes both shops in a database without any; does nothing where there is a shop.
 * @param folder of the dishes' pictures, as the machine has it
 */
export async function createDemoShops(app: App, folder: string): Promise<DemoShops> {
  const [rows = []] = await app.db.read([readShops()]);
  if (rows.length > 0) return { shops: rows.map(({ id }) => String(id)), made: [] };
  const made: DemoShop[] = [];
  for (const plan of demoShops) made.push(await create(app, plan, folder));
  return { shops: made.map(({ id }) => id), made };
}

/** Lays the drawings where uploaded pictures lie, named by what is in them. @returns path by dish */
function layPictures(folder: string, shop: string): Map<string, string> {
  const drawings = new URL(`pictures/${shop}/`, import.meta.url);
  mkdirSync(join(folder, shop), { recursive: true });
  return new Map(
    readdirSync(drawings).map((file) => {
      const body = readFileSync(new URL(file, drawings));
      const path = `${shop}/${createHash("sha256").update(body).digest("base64url").slice(0, 22)}.webp`;
      writeFileSync(join(folder, path), body);
      return [parse(file).name, path];
    }),
  );
}

async function create(app: App, { id, names, settings, open }: Plan, folder: string): Promise<DemoShop> {
  const pictures = layPictures(folder, id);
  const bare = demoMenu(id);
  const dishes = bare.dishes.map((dish) => {
    const path = pictures.get(dish.id);
    return path === undefined ? dish : { ...dish, picture: app.files.urlOf(path) };
  });
  const menu = { ...bare, dishes };
  await createShop(app, { id, names, settings, zone: "Asia/Shanghai", rolloverMinutes: 240 });
  await editMenu(app, null, id, undefined, "menu.import", () => ({ menu }));
  const tables = await addTables(app, null, id, labels);
  if (open) await openShop(app, null, id, true);
  app.log.info("demo shop", { shop: id, dishes: menu.dishes.length, tables: tables.length, open });
  return { id, names, open, dishes: menu.dishes.length, tables };
}
