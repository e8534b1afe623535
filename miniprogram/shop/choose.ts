/** Choices of a dish's options: those allowed, those missing, and the price. Pure. */
import type { Dish, DishOption } from "../lib/orderbell";

/** Choices by option. */
export type Chosen = Readonly<Record<string, readonly string[]>>;

export const choicesOf = (chosen: Chosen, option: DishOption): readonly string[] => chosen[option.id] ?? [];

/** Choices made in advance: those that are usual, and required ones with a single possibility. */
export function obvious(dish: Dish): Chosen {
  const inAdvance = dish.options.flatMap((option) => {
    const there = option.choices.filter(({ available }) => available);
    const only = option.min > 0 && there.length === option.min;
    const chosen = there.filter((choice) => only || choice.default === true);
    return chosen.length > 0 ? [[option.id, chosen.map(({ id }) => id)] as const] : [];
  });
  return Object.fromEntries(inAdvance);
}

/** Handles a tap on a choice. Returns the same `chosen` when it is not available, or the limit is reached. */
export function toggle(option: DishOption, chosen: Chosen, choice: string): Chosen {
  const taken = choicesOf(chosen, option);
  const put = (choices: readonly string[]): Chosen => ({ ...chosen, [option.id]: choices });
  if (taken.includes(choice)) {
    // Where exactly one is required, another tap on it changes nothing.
    if (option.min === 1 && option.max === 1) return chosen;
    return put(taken.filter((one) => one !== choice));
  }
  if (!option.choices.some(({ id, available }) => id === choice && available)) return chosen;
  if (option.max === 1) return put([choice]);
  return taken.length < option.max ? put([...taken, choice]) : chosen;
}

/** Options that need more choices. */
export const lacking = (dish: Dish, chosen: Chosen): DishOption[] =>
  dish.options.filter((option) => choicesOf(chosen, option).length < option.min);

/** The price of one portion, in fen. */
export const unitFen = (dish: Dish, chosen: Chosen): number =>
  dish.options
    .flatMap((option) => option.choices.filter(({ id }) => choicesOf(chosen, option).includes(id)))
    .reduce((sum, { priceFen }) => sum + priceFen, dish.priceFen);

/** @returns whether the current menu allows these choices */
export const fits = (dish: Dish, chosen: Chosen): boolean =>
  Object.keys(chosen).every((id) => chosen[id]?.length === 0 || dish.options.some((option) => option.id === id)) &&
  dish.options.every((option) => {
    const taken = choicesOf(chosen, option);
    const there = taken.every((choice) => option.choices.some(({ id, available }) => id === choice && available));
    return there && taken.length >= option.min && taken.length <= option.max;
  });
