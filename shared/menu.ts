/** A shop's menu and settings: what may be written, and the copy that a process holds with its version. */
import * as v from "valibot";
import type { Database, Row } from "../db/database.ts";
import { readMenu, readShop, readTables } from "../db/shops.ts";
import { MenuInvalid, ShopUnknown } from "./errors.ts";
import { check, fen, flag, id, integer, maxFen, type Names, names } from "./shape.ts";

const choice = v.strictObject({
  id,
  names,
  /** Added to the dish's price; may be negative, as long as no dish can become cheaper than nothing. */
  priceFen: v.pipe(v.number(), v.integer("an integer of fen"), v.minValue(-maxFen), v.maxValue(maxFen)),
  available: v.optional(flag, true),
});

const option = v.strictObject({
  id,
  names,
  /** How many of the choices must and may be taken. */
  min: integer(0, 20),
  max: integer(1, 20),
  choices: v.pipe(v.array(choice), v.minLength(1, "at least one choice"), v.maxLength(40, "at most 40 choices")),
});

const dish = v.strictObject({
  id,
  category: id,
  names,
  description: v.optional(names),
  picture: v.optional(v.pipe(v.string(), v.regex(/^[A-Za-z0-9_./-]{1,200}$/, "a path of letters, digits, _ . / -"))),
  priceFen: fen,
  /** Per portion, for pickup and delivery. */
  packingFen: v.optional(fen, 0),
  /** Portions a business day; null when not counted. */
  dailyStock: v.optional(v.nullable(integer(0, 100_000)), null),
  available: v.optional(flag, true),
  /** Which part of the kitchen makes it. */
  station: v.optional(id),
  options: v.optional(v.pipe(v.array(option), v.maxLength(20, "at most 20 options")), []),
});

const maxDishes = 500;

/** The shape of a menu; what contradicts itself is found by `contradictions`. */
export const menuShape = v.strictObject({
  categories: v.pipe(v.array(v.strictObject({ id, names })), v.maxLength(60, "at most 60 categories")),
  dishes: v.pipe(v.array(dish), v.maxLength(maxDishes, `at most ${maxDishes} dishes`)),
});

const limit = v.optional(v.nullable(integer(1, 100_000)));

const settings = v.strictObject({
  services: v.strictObject({
    table: v.optional(flag, true),
    pickup: v.optional(flag, true),
    /** By the shop's own staff; null when not offered. */
    delivery: v.optional(
      v.nullable(v.strictObject({ feeFen: fen, minimumFen: fen, freeFromFen: v.optional(fen) })),
      null,
    ),
  }),
  /** An order that nobody has accepted: after this it is louder, after that it expires. */
  escalateAfterSec: v.optional(integer(10, 86_400), 180),
  expireAfterSec: v.optional(integer(30, 86_400), 900),
  /** Whether orders are refused while no kitchen screen is connected. */
  refuseWhenOffline: v.optional(flag, false),
  /** Orders of guests: taken like any other, accepted only at the counter, or refused. */
  guests: v.optional(v.picklist(["take", "counter", "refuse"]), "take"),
  /** Orders that may wait unaccepted; null for no limit. */
  limits: v.optional(v.strictObject({ perSession: limit, perTable: limit, perAddress: limit, perShop: limit }), {}),
  notice: v.optional(names),
});

export type Menu = v.InferOutput<typeof menuShape>;
export type Dish = Menu["dishes"][number];
export type Option = Dish["options"][number];
export type Settings = v.InferOutput<typeof settings>;

const defaultLimits = { perSession: 5, perTable: 10, perAddress: 30, perShop: 300 };

/** How many orders may wait, with the defaults filled in. */
export function limitsOf({ limits }: Settings): Record<keyof typeof defaultLimits, number | null> {
  return {
    perSession: limits.perSession === undefined ? defaultLimits.perSession : limits.perSession,
    perTable: limits.perTable === undefined ? defaultLimits.perTable : limits.perTable,
    perAddress: limits.perAddress === undefined ? defaultLimits.perAddress : limits.perAddress,
    perShop: limits.perShop === undefined ? defaultLimits.perShop : limits.perShop,
  };
}

/** @throws InvalidInput for a wrong shape, MenuInvalid with every contradiction inside it */
export function parseMenu(input: unknown): Menu {
  const parsed = check(menuShape, input);
  const found = contradictions(parsed);
  if (found.length > 0) throw new MenuInvalid(found.map(({ message }) => message));
  return parsed;
}

export const parseDish = (input: unknown): Dish => check(dish, input);

/** @throws InvalidInput */
export function parseSettings(input: unknown): Settings {
  const parsed = check(settings, input, "settings");
  if (parsed.expireAfterSec <= parsed.escalateAfterSec)
    throw new MenuInvalid(["expireAfterSec must be longer than escalateAfterSec"]);
  return parsed;
}

/** A contradiction and where it stands, as a path such as `dishes, 3, options, 0`. */
export interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

/** What a shape cannot say: ids that repeat, categories that do not exist, choices that cannot be made, prices below zero. */
export function contradictions({ categories, dishes }: Menu): Contradiction[] {
  const found: Contradiction[] = [];
  const twins = (list: readonly { id: string }[], path: readonly (string | number)[], what: string) => {
    for (const at of repeated(list))
      found.push({ path: [...path, at], message: `${what} "${list[at]?.id}" stands twice` });
  };
  twins(categories, ["categories"], "category");
  twins(dishes, ["dishes"], "dish");
  // One dish after the other leads past the shape's limit too.
  if (dishes.length > maxDishes) found.push({ path: ["dishes", maxDishes], message: `at most ${maxDishes} dishes` });
  const known = new Set(categories.map(({ id: name }) => name));
  for (const [at, { id: name, category, options, priceFen }] of dishes.entries()) {
    const path = ["dishes", at];
    if (!known.has(category))
      found.push({ path: [...path, "category"], message: `dish "${name}": there is no category "${category}"` });
    twins(options, [...path, "options"], `dish "${name}": option`);
    let cheapest = priceFen;
    for (const [nth, { id: group, min, max, choices }] of options.entries()) {
      const here = [...path, "options", nth];
      const fault = (message: string) =>
        found.push({ path: here, message: `dish "${name}", option "${group}": ${message}` });
      twins(choices, [...here, "choices"], `dish "${name}", option "${group}": choice`);
      if (min > max) fault("min is more than max");
      if (min > choices.length) fault("min is more than there are choices");
      const discounts = choices.map((one) => Math.min(one.priceFen, 0)).toSorted((a, b) => a - b);
      cheapest += discounts.slice(0, max).reduce((sum, one) => sum + one, 0);
    }
    if (cheapest < 0) found.push({ path, message: `dish "${name}": options can make it cheaper than nothing` });
  }
  return found;
}

/** Where an id stands that stood before. */
function repeated(list: readonly { id: string }[]): number[] {
  const ids = list.map((one) => one.id);
  return ids.flatMap((one, at) => (ids.indexOf(one) < at ? [at] : []));
}

/** A shop as orders need it, at one version of its menu and settings. */
export interface ShopMenu {
  readonly id: string;
  readonly names: Names;
  readonly zone: string;
  readonly rolloverMinutes: number;
  readonly version: number;
  readonly settings: Settings;
  readonly menu: Menu;
  readonly dishes: ReadonlyMap<string, Dish>;
  /** Table token → label. A change of tables is a new version too. */
  readonly tables: ReadonlyMap<string, string>;
}

/** Menus held in this process. A held one may be old: the flight's guard says so, and then it is loaded again. */
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
      const [shops, documents, tables] = (await db.read([readShop(shop), readMenu(shop), readTables(shop)])) as [
        Row[],
        Row[],
        Row[],
      ];
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
