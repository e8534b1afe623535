/** Demo shops: two, with menus as files in the format that shopkeepers use. */
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, parse } from "node:path";
import { readShops } from "../db/shops.ts";
import type { App } from "../shared/app.ts";
import { type Menu, parseMenu, parseSettings, type Settings } from "../shared/menu.ts";
import { addressOfPicture } from "../shared/old_pictures.ts";
import type { Names } from "../shared/protocol.ts";
import { editMenu } from "../shared/shop/edit_menu.ts";
import { createShop, openShop } from "../shared/shop/open_shop.ts";
import { addTables, type Table } from "../shared/shop/tables.ts";

export interface DemoShops {
  /** Ids of all shops in the database. */
  readonly shops: readonly string[];
  /** The shops made now: both, or none. */
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

/** Copies the pictures to the folder of uploads, named by the hash of their content. @returns path by dish */
function copyPictures(folder: string, shop: string): Map<string, string> {
  const pictures = new URL(`pictures/${shop}/`, import.meta.url);
  mkdirSync(join(folder, shop), { recursive: true });
  return new Map(
    readdirSync(pictures).map((file) => {
      const body = readFileSync(new URL(file, pictures));
      const path = `${shop}/${createHash("sha256").update(body).digest("base64url").slice(0, 22)}.webp`;
      writeFileSync(join(folder, path), body);
      return [parse(file).name, path];
    }),
  );
}

async function create(app: App, { id, names, settings, open }: Plan, folder: string): Promise<DemoShop> {
  const pictures = copyPictures(folder, id);
  const bare = demoMenu(id);
  const dishes = bare.dishes.map((dish) => {
    const path = pictures.get(dish.id);
    return path === undefined ? dish : { ...dish, picture: addressOfPicture(path) };
  });
  const menu = { ...bare, dishes };
  await createShop(app, { id, names, settings, zone: "Asia/Shanghai", rolloverMinutes: 240 });
  await editMenu(app, { actor: null, shop: id, action: "menu.import", edit: () => ({ menu }) });
  const tables = await addTables(app, null, id, labels);
  if (open) await openShop(app, null, id, true);
  app.log.info("demo shop", { shop: id, dishes: menu.dishes.length, tables: tables.length, open });
  return { id, names, open, dishes: menu.dishes.length, tables };
}
