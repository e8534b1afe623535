/** The cart: lines, and their prices by the current menu. Pure; the server computes the prices again and decides. */
import type { Bill, Dish, OrderView, Service, ShopInfo } from "../lib/orderbell";
import { maxLines, maxQuantity } from "../lib/orderbell";
import type { Chosen } from "./choose";
import { fits, unitFen } from "./choose";

export interface CartLine {
  dish: string;
  chosen: Chosen;
  quantity: number;
  note: string;
  /** The price of a portion when it was put in. */
  seenFen: number;
}

/** The reason why a line must be changed. */
export type Trouble = "soldOut" | "gone" | "changed" | "price";

export interface PricedLine extends CartLine {
  key: string;
  /** Undefined when it has left the menu. */
  known: Dish | undefined;
  unitFen: number;
  totalFen: number;
  trouble: Trouble | undefined;
}

export interface Priced {
  lines: PricedLine[];
  count: number;
  itemsFen: number;
  packingFen: number;
  deliveryFen: number;
  totalFen: number;
  /** The amount missing for a delivery, in fen. */
  lackingFen: number;
  troubled: boolean;
}

/** Lines with the same key are merged. */
export const keyOf = ({ dish, chosen, note }: Pick<CartLine, "dish" | "chosen" | "note">): string => {
  const options = Object.keys(chosen)
    .sort()
    .flatMap((option) => (chosen[option]?.length ? [`${option}:${[...(chosen[option] ?? [])].sort().join(",")}`] : []));
  return [dish, ...options, note.trim()].join("|");
};

/** Returns the lines unchanged when there would be too many. */
export function addLine(lines: readonly CartLine[], line: CartLine): readonly CartLine[] {
  const key = keyOf(line);
  const twin = lines.find((one) => keyOf(one) === key);
  if (twin === undefined) return lines.length < maxLines ? [...lines, line] : lines;
  const quantity = Math.min(maxQuantity, twin.quantity + line.quantity);
  return lines.map((one) => (one === twin ? { ...line, quantity } : one));
}

/** 0 removes the line. */
export const setQuantity = (lines: readonly CartLine[], key: string, quantity: number): readonly CartLine[] =>
  lines.flatMap((line) => {
    if (keyOf(line) !== key) return [line];
    return quantity > 0 ? [{ ...line, quantity: Math.min(maxQuantity, quantity) }] : [];
  });

export function price(lines: readonly CartLine[], { menu, soldOut, shop }: ShopInfo, service: Service): Priced {
  const priced = lines.map((line): PricedLine => {
    const known = menu.dishes.find(({ id }) => id === line.dish);
    const unit = known === undefined ? line.seenFen : unitFen(known, line.chosen);
    const trouble = troubleOf(line, known, unit, soldOut);
    return { ...line, key: keyOf(line), known, unitFen: unit, totalFen: unit * line.quantity, trouble };
  });
  const itemsFen = sum(priced.map(({ totalFen }) => totalFen));
  const packing = sum(priced.map(({ known, quantity }) => (known?.packingFen ?? 0) * quantity));
  const packingFen = service === "table" ? 0 : packing;
  const terms = service === "delivery" ? shop.services.delivery : null;
  const free = terms?.freeFromFen !== undefined && itemsFen >= terms.freeFromFen;
  const deliveryFen = terms === null || free ? 0 : terms.feeFen;
  return {
    lines: priced,
    count: sum(priced.map(({ quantity }) => quantity)),
    itemsFen,
    packingFen,
    deliveryFen,
    totalFen: itemsFen + packingFen + deliveryFen,
    lackingFen: Math.max(0, (terms?.minimumFen ?? 0) - itemsFen),
    troubled: priced.some(({ trouble }) => trouble !== undefined),
  };
}

function troubleOf(line: CartLine, known: Dish | undefined, unit: number, soldOut: string[]): Trouble | undefined {
  if (known === undefined) return "gone";
  if (soldOut.includes(line.dish)) return "soldOut";
  if (!fits(known, line.chosen)) return "changed";
  return unit === line.seenFen ? undefined : "price";
}

/** Removes lines that cannot be ordered, and takes today's prices. */
export const mend = (lines: readonly CartLine[], info: ShopInfo): readonly CartLine[] =>
  price(lines, info, "pickup").lines.flatMap(({ dish, chosen, quantity, note, unitFen: seenFen, trouble }) =>
    trouble === undefined || trouble === "price" ? [{ dish, chosen, quantity, note, seenFen }] : [],
  );

/** Limits the portions of a dish over all its lines; the last lines are reduced first. */
export function limit(lines: readonly CartLine[], dish: string, left: number): readonly CartLine[] {
  let rest = left;
  return lines.flatMap((line) => {
    if (line.dish !== dish) return [line];
    const quantity = Math.min(line.quantity, rest);
    rest -= quantity;
    return quantity > 0 ? [{ ...line, quantity }] : [];
  });
}

export const billLines = (lines: readonly CartLine[]): Bill["lines"] =>
  lines.map(({ dish, chosen, quantity, note }) => {
    const options = Object.keys(chosen).flatMap((option) => {
      const choices = [...(chosen[option] ?? [])];
      return choices.length > 0 ? [{ option, choices }] : [];
    });
    return { dish, quantity, options, note: note.trim() };
  });

/** Removes the ordered lines: those added meanwhile stay. */
export const without = (lines: readonly CartLine[], ordered: Bill["lines"]): readonly CartLine[] =>
  ordered.reduce<readonly CartLine[]>((left, { dish, quantity, options = [], note = "" }) => {
    const chosen = Object.fromEntries(options.map(({ option, choices }) => [option, choices]));
    const key = keyOf({ dish, chosen, note });
    const there = left.find((line) => keyOf(line) === key);
    return there === undefined ? left : setQuantity(left, key, there.quantity - quantity);
  }, lines);

/** An earlier order's lines that can be ordered now, and the number of those that cannot. */
export function again(order: OrderView, info: ShopInfo): { lines: CartLine[]; lost: number } {
  const lines = order.lines.map(({ dish, options, quantity, note, unitFen: seenFen }): CartLine => {
    const chosen: Record<string, string[]> = {};
    for (const { option, choice } of options) chosen[option] = [...(chosen[option] ?? []), choice];
    return { dish, chosen, quantity, note, seenFen };
  });
  const mended = [...mend(lines, info)];
  return { lines: mended, lost: lines.length - mended.length };
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, one) => all + one, 0);
