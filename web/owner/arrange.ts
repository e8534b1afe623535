/** Sorting of menus: functions that move categories and dishes. */
import type { Category, Menu } from "./types.ts";

/** Moves the item with this id by a number of places; at an end it stays. */
export function moved<T extends { id: string }>(list: readonly T[], id: string, by: number): T[] {
  const at = list.findIndex((one) => one.id === id);
  const to = Math.max(0, Math.min(list.length - 1, at + by));
  if (at < 0) return [...list];
  const rest = list.filter((_, index) => index !== at);
  return [...rest.slice(0, to), list[at] as T, ...rest.slice(to)];
}

/** Moves a dish among those of its category. */
export function movedDish({ dishes, ...menu }: Menu, id: string, by: number): Menu {
  const category = dishes.find((dish) => dish.id === id)?.category;
  const inCategory = moved(
    dishes.filter((dish) => dish.category === category),
    id,
    by,
  );
  let nth = 0;
  return { ...menu, dishes: dishes.map((dish) => (dish.category === category ? (inCategory[nth++] ?? dish) : dish)) };
}

export const withCategory = (menu: Menu, category: Category): Menu => {
  const known = menu.categories.some(({ id }) => id === category.id);
  const categories = known
    ? menu.categories.map((one) => (one.id === category.id ? category : one))
    : [...menu.categories, category];
  return { ...menu, categories };
};

/** A random id, which is never shown. */
export const newId = (what: string): string =>
  `${what}_${Array.from({ length: 10 }, () => Math.floor(Math.random() * 36).toString(36)).join("")}`;
