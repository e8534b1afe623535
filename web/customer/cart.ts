/** The cart: chosen dishes, their prices, and changes since. Pure. The server computes the prices again, and an order is refused if they differ. */
import type { Bill, DeliveryTerms, Dish, Menu, OrderView, Service, ShopInfo } from "../../clients/types.ts";
import { maxLines, maxQuantity } from "../../shared/order_states.ts";

export interface CartLine {
  dish: string;
  quantity: number;
  options: { option: string; choices: string[] }[];
  note: string;
  /** The price of one when it was last shown. */
  seenFen: number;
}

export interface Cart {
  lines: CartLine[];
  note: string;
}

export const emptyCart: Cart = { lines: [], note: "" };
/** The same dish with the same choices and note. */
export const keyOf = ({ dish, options, note }: CartLine) => JSON.stringify([dish, options, note]);
const sum = (amounts: readonly number[]) => amounts.reduce((total, amount) => total + amount, 0);

export const countOf = (lines: readonly CartLine[]): number => sum(lines.map(({ quantity }) => quantity));

/** The same dish with the same choices and note is one line. */
export function add(cart: Cart, line: CartLine): Cart {
  const at = cart.lines.findIndex((other) => keyOf(other) === keyOf(line));
  const same = cart.lines[at];
  if (same === undefined) return cart.lines.length >= maxLines ? cart : { ...cart, lines: [...cart.lines, line] };
  return setQuantity(cart, at, same.quantity + line.quantity);
}

/** Another choice for a line; what became the same is one line. */
export function replaceLine(cart: Cart, at: number, line: CartLine): Cart {
  const others = cart.lines.filter((_, index) => index !== at);
  if (others.some((other) => keyOf(other) === keyOf(line))) return add({ ...cart, lines: others }, line);
  return { ...cart, lines: cart.lines.map((other, index) => (index === at ? line : other)) };
}

/** 0 removes the line. */
export function setQuantity(cart: Cart, at: number, quantity: number): Cart {
  const lines = cart.lines.map((line, index) =>
    index === at ? { ...line, quantity: Math.min(quantity, maxQuantity) } : line,
  );
  return { ...cart, lines: lines.filter((line) => line.quantity > 0) };
}

// --- Prices --------------------------------------------------------------------------------------------------------

/** The names of the choices and the price of one; undefined when the choices do not fit the menu any more. */
export function unitFen(dish: Dish, chosen: CartLine["options"]): number | undefined {
  let fen = dish.priceFen;
  if (chosen.some(({ option }) => !dish.options.some(({ id }) => id === option))) return undefined;
  for (const { id, min, max, choices } of dish.options) {
    const wanted = chosen.find(({ option }) => option === id)?.choices ?? [];
    if (wanted.length < min || wanted.length > max) return undefined;
    for (const choice of wanted) {
      const known = choices.find((one) => one.id === choice);
      if (known === undefined || !known.available) return undefined;
      fen += known.priceFen;
    }
  }
  return fen;
}

export interface Total {
  itemsFen: number;
  packingFen: number;
  deliveryFen: number;
  totalFen: number;
  /** The amount missing for a delivery. */
  missingFen: number;
}

/** Follows the server's `priceOf`. Lines that cannot be ordered cost nothing here; they are corrected before the order is sent. */
export function totalOf(
  lines: readonly CartLine[],
  menu: Menu,
  service: Service,
  delivery: DeliveryTerms | null,
): Total {
  const priced = lines.map((line) => {
    const dish = menu.dishes.find(({ id }) => id === line.dish);
    const one = dish && unitFen(dish, line.options);
    return { fen: (one ?? 0) * line.quantity, packingFen: (dish?.packingFen ?? 0) * line.quantity };
  });
  const itemsFen = sum(priced.map(({ fen }) => fen));
  const packingFen = service === "table" ? 0 : sum(priced.map((line) => line.packingFen));
  const terms = service === "delivery" ? delivery : null;
  const free = terms?.freeFromFen !== undefined && itemsFen >= terms.freeFromFen;
  const deliveryFen = terms === null || free ? 0 : terms.feeFen;
  return {
    itemsFen,
    packingFen,
    deliveryFen,
    totalFen: itemsFen + packingFen + deliveryFen,
    missingFen: Math.max(0, (terms?.minimumFen ?? 0) - itemsFen),
  };
}

// --- What has changed ----------------------------------------------------------------------------------------------

export type Trouble =
  | { kind: "gone" }
  | { kind: "sold out" }
  | { kind: "options" }
  | { kind: "few"; left: number }
  | { kind: "price"; wasFen: number; nowFen: number };

/** @returns whether the line can be ordered, perhaps at another price or in a smaller number. Other lines have no price and are not in the total. */
export const isOrderable = (trouble: Trouble | undefined): boolean =>
  trouble === undefined || trouble.kind === "price" || trouble.kind === "few";

/** A line's message. */
export function shownFen(line: CartLine, menu: Menu, trouble: Trouble | undefined): number | undefined {
  const dish = menu.dishes.find(({ id }) => id === line.dish);
  const one = dish && unitFen(dish, line.options);
  return isOrderable(trouble) && one !== undefined ? one * line.quantity : undefined;
}

/** The portions left, as the server reported them, of a dish that has too few. */
export type Left = ReadonlyMap<string, number>;

/** The trouble of each line; undefined where there is none. */
export function troubles(lines: readonly CartLine[], info: ShopInfo, left: Left): (Trouble | undefined)[] {
  const wanted = new Map<string, number>();
  for (const { dish, quantity } of lines) wanted.set(dish, (wanted.get(dish) ?? 0) + quantity);
  return lines.map((line) => {
    const dish = info.menu.dishes.find(({ id }) => id === line.dish);
    if (dish === undefined) return { kind: "gone" };
    const few = left.get(line.dish);
    if (info.soldOut.includes(line.dish) || few === 0) return { kind: "sold out" };
    const nowFen = unitFen(dish, line.options);
    if (nowFen === undefined) return { kind: "options" };
    if (few !== undefined && (wanted.get(line.dish) ?? 0) > few) return { kind: "few", left: few };
    return nowFen === line.seenFen ? undefined : { kind: "price", wasFen: line.seenFen, nowFen };
  });
}

/** Removes lines that cannot be ordered, reduces numbers that are too large, and accepts new prices. */
export function fixCart(cart: Cart, info: ShopInfo, left: Left): Cart {
  const still = new Map(left);
  const found = troubles(cart.lines, info, left);
  const lines = cart.lines.flatMap((line, at): CartLine[] => {
    const trouble = found[at];
    if (!isOrderable(trouble)) return [];
    const few = still.get(line.dish) ?? line.quantity;
    const quantity = Math.min(line.quantity, few);
    if (still.has(line.dish)) still.set(line.dish, few - quantity);
    const dish = info.menu.dishes.find(({ id }) => id === line.dish) as Dish;
    const seenFen = unitFen(dish, line.options) ?? line.seenFen;
    return quantity === 0 ? [] : [{ ...line, quantity, seenFen }];
  });
  return { ...cart, lines };
}

// --- From and to orders --------------------------------------------------------------------------------------------

export const billLines = (lines: readonly CartLine[]): Bill["lines"] =>
  lines.map(({ dish, quantity, options, note }) => ({ dish, quantity, options, ...(note === "" ? {} : { note }) }));

/** The lines of an earlier order; changes since then appear as troubles. */
export const cartOf = (order: OrderView): Cart => ({
  note: order.note,
  lines: order.lines.map(({ dish, quantity, options, note, unitFen: seenFen }) => ({
    dish,
    quantity,
    note,
    seenFen,
    options: [...new Set(options.map(({ option }) => option))].map((option) => ({
      option,
      choices: options.filter((one) => one.option === option).map(({ choice }) => choice),
    })),
  })),
});
