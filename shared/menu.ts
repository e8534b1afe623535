/** Menu and settings of a shop: their schemas, and the menus that a process holds in memory with their version. */
import * as v from "valibot";
import type { Database } from "../db/database.ts";
import { readMenu, readShop, readTables } from "../db/shops.ts";
import { MenuInvalid, ShopUnknown } from "./errors.ts";
import type { Names } from "./protocol.ts";
import * as shape from "./shape.ts";

const choice = v.strictObject({
  id: shape.id,
  names: shape.names,
  /** Added to the dish's price; may be negative, as long as no dish can cost less than 0. */
  priceFen: v.pipe(v.number(), v.integer("an integer of fen"), v.minValue(-shape.maxFen), v.maxValue(shape.maxFen)),
  available: v.optional(shape.flag, true),
  /** Chosen in advance, as most people want it. */
  default: v.optional(shape.flag),
});

const option = v.strictObject({
  id: shape.id,
  names: shape.names,
  /** How many of the choices must and may be taken. */
  min: shape.integer(0, 20),
  max: shape.integer(1, 20),
  choices: v.pipe(v.array(choice), v.minLength(1, "at least one choice"), v.maxLength(40, "at most 40 choices")),
});

const dish = v.strictObject({
  id: shape.id,
  category: shape.id,
  names: shape.names,
  description: v.optional(shape.description),
  picture: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^\/?[A-Za-z0-9_./-]{1,200}$/, "a path of letters, digits, _ . / -"),
      // One form for every client: a path with two slashes would name another host.
      v.transform((path) => path.replace(/^\/*/, "/")),
    ),
  ),
  priceFen: shape.fen,
  /** Per portion, for pickup and delivery. */
  packingFen: v.optional(shape.fen, 0),
  /** Portions a business day; null when not counted. */
  dailyStock: v.optional(v.nullable(shape.integer(0, 100_000)), null),
  available: v.optional(shape.flag, true),
  /** Which part of the kitchen makes it. */
  station: v.optional(shape.id),
  options: v.optional(v.pipe(v.array(option), v.maxLength(20, "at most 20 options")), []),
});

const maxDishes = 500;

/** The schema of a menu. `contradictions` finds what a schema cannot express. */
export const menuShape = v.strictObject({
  categories: v.pipe(
    v.array(v.strictObject({ id: shape.id, names: shape.names })),
    v.maxLength(60, "at most 60 categories"),
  ),
  dishes: v.pipe(v.array(dish), v.maxLength(maxDishes, `at most ${maxDishes} dishes`)),
});

const limit = v.optional(v.nullable(shape.integer(1, 100_000)));

const settings = v.strictObject({
  services: v.strictObject({
    table: v.optional(shape.flag, true),
    pickup: v.optional(shape.flag, true),
    /** By the shop's own staff; null when not offered. */
    delivery: v.optional(
      v.nullable(v.strictObject({ feeFen: shape.fen, minimumFen: shape.fen, freeFromFen: v.optional(shape.fen) })),
      null,
    ),
  }),
  /** When an order that is not accepted gets a louder bell, and when it expires. */
  escalateAfterSec: v.optional(shape.integer(10, 86_400), 180),
  expireAfterSec: v.optional(shape.integer(30, 86_400), 900),
  /** Whether orders are refused while no kitchen screen is connected. */
  refuseWhenOffline: v.optional(shape.flag, false),
  /** Orders of guests: taken like any other, accepted only at the counter, or refused. */
  guests: v.optional(v.picklist(["take", "counter", "refuse"]), "take"),
  /** Orders that may wait unaccepted; null for no limit. */
  limits: v.optional(v.strictObject({ perSession: limit, perTable: limit, perAddress: limit, perShop: limit }), {}),
  notice: v.optional(shape.description),
});

export type Menu = v.InferOutput<typeof menuShape>;
export type Dish = Menu["dishes"][number];
export type Option = Dish["options"][number];
export type Settings = v.InferOutput<typeof settings>;

const defaultLimits = { perSession: 5, perTable: 10, perAddress: 100, perShop: 300 };

/**
 * Limits of waiting orders, with defaults. By default one network gets at most a third of the shop's limit, and the /48
 * around it two thirds: it holds many networks, often with many customers. An order with a table's code is counted by its
 * network only if tables have no limit: guests on the shop's Wi-Fi share one address.
 */
export function limitsOf({ limits }: Settings): Record<keyof typeof defaultLimits | "perWider", number | null> {
  const perShop = limits.perShop === undefined ? defaultLimits.perShop : limits.perShop;
  const third = Math.min(defaultLimits.perAddress, Math.ceil((perShop ?? Number.POSITIVE_INFINITY) / 3));
  const perAddress = limits.perAddress === undefined ? third : limits.perAddress;
  return {
    perSession: limits.perSession === undefined ? defaultLimits.perSession : limits.perSession,
    perTable: limits.perTable === undefined ? defaultLimits.perTable : limits.perTable,
    perAddress,
    perWider: perAddress === null ? null : perAddress * 2,
    perShop,
  };
}

/** @throws InvalidInput for a wrong shape, MenuInvalid with every contradiction inside it */
export function parseMenu(input: unknown): Menu {
  const parsed = shape.parse(menuShape, input);
  const found = contradictions(parsed);
  if (found.length > 0) throw new MenuInvalid(found.map(({ message }) => message));
  return parsed;
}

export const parseDish = (input: unknown): Dish => shape.parse(dish, input);

/** @throws InvalidInput */
export function parseSettings(input: unknown): Settings {
  const parsed = shape.parse(settings, input, "settings");
  if (parsed.expireAfterSec <= parsed.escalateAfterSec)
    throw new MenuInvalid(["expireAfterSec must be longer than escalateAfterSec"]);
  return parsed;
}

/** A contradiction in a menu, with its path such as `dishes, 3, options, 0`. */
export interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** Finds duplicate ids, unknown categories, choices that cannot be made, prices below 0. */
export function contradictions({ categories, dishes }: Menu): Contradiction[] {
  const found: Contradiction[] = [];
  const duplicates = (list: readonly { id: string }[], path: readonly (string | number)[], what: string) => {
    for (const at of repeated(list))
      found.push({ path: [...path, at], message: `${what} "${list[at]?.id}" stands twice` });
  };
  duplicates(categories, ["categories"], "category");
  duplicates(dishes, ["dishes"], "dish");
  // Adding single dishes does not pass the schema of the whole menu.
  if (dishes.length > maxDishes) found.push({ path: ["dishes", maxDishes], message: `at most ${maxDishes} dishes` });
  const known = new Set(categories.map(({ id }) => id));
  for (const [at, { id, category, options, priceFen }] of dishes.entries()) {
    const path = ["dishes", at];
    if (!known.has(category))
      found.push({ path: [...path, "category"], message: `dish "${id}": there is no category "${category}"` });
    duplicates(options, [...path, "options"], `dish "${id}": option`);
    let cheapest = priceFen;
    for (const [nth, { id: optionId, min, max, choices }] of options.entries()) {
      const here = [...path, "options", nth];
      const fault = (message: string) =>
        found.push({ path: here, message: `dish "${id}", option "${optionId}": ${message}` });
      duplicates(choices, [...here, "choices"], `dish "${id}", option "${optionId}": choice`);
      if (min > max) fault("min is more than max");
      if (min > choices.length) fault("min is more than there are choices");
      if (choices.filter((one) => one.default === true).length > max) fault("more choices are default than max");
      const discounts = choices.map((one) => Math.min(one.priceFen, 0)).toSorted((a, b) => a - b);
      cheapest += discounts.slice(0, max).reduce((sum, one) => sum + one, 0);
    }
    if (cheapest < 0) found.push({ path, message: `dish "${id}": options can make it cheaper than nothing` });
  }
  return found;
}

/** Indexes of ids that occur before. */
function repeated(list: readonly { id: string }[]): number[] {
  const ids = list.map(({ id }) => id);
  return ids.flatMap((one, at) => (ids.indexOf(one) < at ? [at] : []));
}

/** A shop as orders need it, at one version of its menu and settings. */
export interface ShopMenu {
  readonly id: string;
  readonly names: Names;
  readonly zone: string;
  readonly rolloverMinutes: number;
  readonly version: number;
  /** When the version was made. After a restore of the database another menu may have the same version. */
  readonly versionAt: number;
  readonly settings: Settings;
  readonly menu: Menu;
  readonly dishes: ReadonlyMap<string, Dish>;
  /** Table token → label. A change of tables is a new version too. */
  readonly tables: ReadonlyMap<string, string>;
}

/** Menus held in this process. One may be out of date: the flight's guard detects that, and it is loaded again. */
export interface Menus {
  held(shop: string): ShopMenu | undefined;
  /** @throws ShopUnknown */
  load(shop: string): Promise<ShopMenu>;
}

const maxHeld = 500;

export function holdMenus(db: Database): Menus {
  const held = new Map<string, ShopMenu>();
  return {
    held: (shop) => held.get(shop),
    async load(shop) {
      const [shops, documents, tables] = await db.read([readShop(shop), readMenu(shop), readTables(shop)]);
      const [row] = shops;
      const [document] = documents;
      if (row === undefined || document === undefined) {
        held.delete(shop);
        throw new ShopUnknown(shop);
      }
      const parsed = JSON.parse(String(document.document)) as Menu;
      const loaded: ShopMenu = {
        id: shop,
        names: JSON.parse(String(row.names)),
        zone: String(row.zone),
        rolloverMinutes: Number(row.rollover_minutes),
        version: Number(row.menu_version),
        versionAt: Number(document.created_at),
        settings: JSON.parse(String(row.settings)),
        menu: parsed,
        dishes: new Map(parsed.dishes.map((one) => [one.id, one])),
        tables: new Map(tables.map(({ token, label }) => [String(token), String(label)])),
      };
      if (held.size >= maxHeld && !held.has(shop)) held.clear();
      held.set(shop, loaded);
      return loaded;
    },
  };
}
