/** The body of an order request, and its price. Pure: the one place where a price is computed. */
import * as v from "valibot";
import {
  BelowMinimum,
  DishUnavailable,
  OptionsInvalid,
  OrderTooLarge,
  PriceChanged,
  ServiceNotOffered,
  TableUnknown,
} from "../errors.ts";
import type { Dish, Option, ShopMenu } from "../menu.ts";
import { maxLineNote, maxLines, maxNote, maxQuantity, services } from "../order_states.ts";
import type { Names } from "../protocol.ts";
import * as shape from "../shape.ts";

const line = v.strictObject({
  dish: shape.id,
  quantity: shape.integer(1, maxQuantity),
  options: v.optional(
    v.pipe(
      v.array(
        v.strictObject({ option: shape.id, choices: v.pipe(v.array(shape.id), v.maxLength(20, "at most 20 choices")) }),
      ),
      v.maxLength(20, "at most 20 options"),
    ),
    [],
  ),
  note: v.optional(shape.text(maxLineNote), ""),
});

/** The body of `POST /bill`. Prices are not in it: `expectedTotalFen` is only compared. */
export const bill = v.pipe(
  v.strictObject({
    shop: shape.id,
    lines: v.pipe(
      v.array(line),
      v.minLength(1, "at least one line"),
      v.maxLength(maxLines, `at most ${maxLines} lines`),
    ),
    service: v.picklist(services),
    table: v.optional(shape.id),
    delivery: v.optional(
      v.strictObject({
        name: shape.text(40, 1),
        phone: shape.phone,
        address: shape.text(200, 1),
      }),
    ),
    note: v.optional(shape.lines(maxNote), ""),
    expectedTotalFen: v.optional(shape.fen),
  }),
  v.forward(
    v.check(
      ({ service, table }) => (service === "table") === (table !== undefined),
      "a table's code, with service table only",
    ),
    ["table"],
  ),
  v.forward(
    v.check(
      ({ service, delivery }) => (service === "delivery") === (delivery !== undefined),
      "name, phone and address, with service delivery only",
    ),
    ["delivery"],
  ),
);

export type Bill = v.InferOutput<typeof bill>;

/** A line as it is bought: its names and prices are fixed from here on. */
export interface Line {
  readonly line: number;
  readonly dish: string;
  readonly names: Names;
  readonly options: readonly ChosenOption[];
  readonly station: string | null;
  readonly quantity: number;
  readonly unitFen: number;
  readonly totalFen: number;
  /** The dish has a daily stock, which this line takes from. */
  readonly counted: boolean;
  readonly note: string;
}

export interface ChosenOption {
  readonly option: string;
  readonly names: Names;
  readonly choice: string;
  readonly choiceNames: Names;
  readonly priceFen: number;
}

export interface Price {
  readonly lines: readonly Line[];
  readonly tableLabel: string | null;
  readonly itemsFen: number;
  readonly packingFen: number;
  readonly deliveryFen: number;
  readonly totalFen: number;
}

/**
 * Prices a bill by the menu.
 * @throws DishUnavailable, OptionsInvalid, ServiceNotOffered, TableUnknown, BelowMinimum, OrderTooLarge, PriceChanged
 */
export function priceOf(asked: Bill, shop: ShopMenu): Price {
  const offered = shop.settings.services;
  const delivery = asked.service === "delivery" ? offered.delivery : null;
  if (asked.service === "delivery" ? delivery === null : !offered[asked.service])
    throw new ServiceNotOffered(asked.service);
  const tableLabel = asked.table === undefined ? null : shop.tables.get(asked.table);
  if (tableLabel === undefined) throw new TableUnknown();

  const lines = asked.lines.map((one, at) => priceLine(one, at + 1, shop));
  const itemsFen = sum(lines.map(({ totalFen }) => totalFen));
  const packingFen =
    asked.service === "table"
      ? 0
      : sum(lines.map(({ dish, quantity }) => (shop.dishes.get(dish)?.packingFen ?? 0) * quantity));
  if (delivery !== null && itemsFen < delivery.minimumFen) throw new BelowMinimum(delivery.minimumFen);
  const deliveryFen =
    delivery === null || (delivery.freeFromFen !== undefined && itemsFen >= delivery.freeFromFen) ? 0 : delivery.feeFen;
  const totalFen = itemsFen + packingFen + deliveryFen;
  if (totalFen > shape.maxFen) throw new OrderTooLarge(`an order costs at most ${shape.maxFen} fen`);
  if (asked.expectedTotalFen !== undefined && asked.expectedTotalFen !== totalFen)
    throw new PriceChanged(asked.expectedTotalFen, totalFen);
  return { lines, tableLabel, itemsFen, packingFen, deliveryFen, totalFen };
}

function priceLine(asked: Bill["lines"][number], at: number, shop: ShopMenu): Line {
  const dish = shop.dishes.get(asked.dish);
  if (dish === undefined || !dish.available) throw new DishUnavailable(asked.dish);
  const options = chosen(asked.options, dish);
  const unitFen = dish.priceFen + sum(options.map(({ priceFen }) => priceFen));
  return {
    line: at,
    dish: dish.id,
    names: dish.names,
    options,
    station: dish.station ?? null,
    quantity: asked.quantity,
    unitFen,
    totalFen: unitFen * asked.quantity,
    counted: dish.dailyStock !== null,
    note: asked.note,
  };
}

/** The choices in the menu's order, checked against the rules of each option. */
function chosen(asked: Bill["lines"][number]["options"], dish: Dish): ChosenOption[] {
  const wanted = new Map<string, string[]>();
  for (const { option, choices } of asked) {
    if (wanted.has(option)) throw new OptionsInvalid(dish.id, `option "${option}" stands twice`);
    if (!dish.options.some(({ id }) => id === option))
      throw new OptionsInvalid(dish.id, `there is no option "${option}"`);
    wanted.set(option, choices);
  }
  return dish.options.flatMap((option) => choose(option, wanted.get(option.id) ?? [], dish.id));
}

function choose(option: Option, wanted: readonly string[], dish: string): ChosenOption[] {
  const fail = (reason: string) => new OptionsInvalid(dish, `option "${option.id}": ${reason}`);
  if (new Set(wanted).size !== wanted.length) throw fail("a choice stands twice");
  if (wanted.length < option.min) throw fail(`choose at least ${option.min}`);
  if (wanted.length > option.max) throw fail(`choose at most ${option.max}`);
  for (const name of wanted) {
    const known = option.choices.find(({ id }) => id === name);
    if (known === undefined || !known.available) throw fail(`choice "${name}" is not to be had`);
  }
  return option.choices
    .filter(({ id }) => wanted.includes(id))
    .map(({ id: choice, names: choiceNames, priceFen }) => ({
      option: option.id,
      names: option.names,
      choice,
      choiceNames,
      priceFen,
    }));
}

const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0);
