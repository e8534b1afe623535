/** Menus, put in another order. */
import type { Category, Menu } from "./types.ts";

/** Moves the one with this id by so many places; at an end it stays. */
export function moved<T extends { id: string }>(list: readonly T[], id: string, by: number): T[] {
  const at = list.findIndex((one) => one.id === id);
  const to = Math.max(0, Math.min(list.length - 1, at + by));
  if (at < 0) return [...list];
  const rest = list.toSpliced(at, 1);
  return rest.toSpliced(to, 0, list[at] as T);
}

/** Moves a dish among those of its category. */
export function movedDish({ dishes, ...menu }: Menu, id: string, by: number): Menu {
  const category = dishes.find((dish) => dish.id === id)?.category;
  const own = moved(
    dishes.filter((dish) => dish.category === category),
    id,
    by,
  );
  let nth = 0;
  return { ...menu, dishes: dishes.map((dish) => (dish.category === category ? (own[nth++] ?? dish) : dish)) };
}

export const withCategory = (menu: Menu, category: Category): Menu => {
  const known = menu.categories.some(({ id }) => id === category.id);
  const categories = known
    ? menu.categories.map((one) => (one.id === category.id ? category : one))
    : [...menu.categories, category];
  return { ...menu, categories };
};

/** Letters and digits that nobody reads. */
export const newId = (what: string): string =>
  `${what}_${Array.from({ length: 10 }, () => Math.floor(Math.random() * 36).toString(36)).join("")}`;
