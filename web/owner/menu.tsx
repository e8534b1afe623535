/** The menu for its owner: every category and dish, also those hidden from customers. */
import { useState } from "preact/hooks";
import { yuan } from "../shared/money.ts";
import { newId } from "./arrange.ts";
import { Categories } from "./categories.tsx";
import { localName, words } from "./dictionary.ts";
import { DishForm } from "./dish_form.tsx";
import { Icon } from "./icons.tsx";
import { Picture } from "./picture.tsx";
import type { Dish, DishToday, Shop } from "./types.ts";

type Open = { dish: Dish; isNew: boolean } | "categories" | undefined;

const emptyDish = (category: string): Dish => ({
  id: newId("dish"),
  category,
  names: {},
  priceFen: Number.NaN,
  packingFen: 0,
  dailyStock: null,
  available: true,
  options: [],
});

export function MenuSection({ shop, reload }: { shop: Shop; reload(): Promise<unknown> }) {
  const [open, setOpen] = useState<Open>();
  const { categories, dishes } = shop.menu;
  const today = new Map(shop.today.map((one) => [one.dish, one]));
  const [first] = categories;
  const close = () => setOpen(undefined);

  return (
    <div class="stack">
      {first === undefined ? (
        <div class="card empty">
          <Icon name="menu" size={48} />
          <p class="big">{words.emptyMenu}</p>
          <p>{words.emptyMenuHint}</p>
          <button type="button" class="button primary" onClick={() => setOpen("categories")}>
            {words.newCategory}
          </button>
        </div>
      ) : (
        <div class="row">
          <button
            type="button"
            class="button primary"
            onClick={() => setOpen({ dish: emptyDish(first.id), isNew: true })}
          >
            <Icon name="add" size={20} />
            {words.newDish}
          </button>
          <button type="button" class="button" onClick={() => setOpen("categories")}>
            {words.categories}
          </button>
        </div>
      )}
      {categories.map((category) => {
        const inCategory = dishes.filter((dish) => dish.category === category.id);
        return (
          <section key={category.id} class="card flush" aria-labelledby={`category-${category.id}`}>
            <header>
              <h2 id={`category-${category.id}`}>{localName(category.names)}</h2>
              <button
                type="button"
                class="button plain round"
                aria-label={`${words.newDish} · ${localName(category.names)}`}
                onClick={() => setOpen({ dish: emptyDish(category.id), isNew: true })}
              >
                <Icon name="add" size={20} />
              </button>
            </header>
            {inCategory.length === 0 ? (
              <p class="soft inset">{words.emptyCategory}</p>
            ) : (
              <ul class="dishes">
                {inCategory.map((dish) => (
                  <li key={dish.id} data-slot>
                    <DishRow dish={dish} today={today.get(dish.id)} onOpen={() => setOpen({ dish, isNew: false })} />
                  </li>
                ))}
              </ul>
            )}
          </section>
        );
      })}
      {open === "categories" && <Categories shop={shop} reload={reload} onClose={close} />}
      {open !== undefined && open !== "categories" && (
        <DishForm shop={shop} dish={open.dish} isNew={open.isNew} reload={reload} onClose={close} />
      )}
    </div>
  );
}

function DishRow({ dish, today, onOpen }: { dish: Dish; today: DishToday | undefined; onOpen(): void }) {
  const { names, picture, priceFen, available, options } = dish;
  const name = localName(names);
  return (
    <button type="button" class={available ? "dish" : "dish off"} onClick={onOpen}>
      <Picture of={picture} name={name} />
      <span class="what">
        <b>{name}</b>
        <span class="marks">
          {!available && <span class="mark">{words.off}</span>}
          {available && today?.soldOut === true && <span class="mark bad">{words.soldOut}</span>}
          {available && today?.soldOut === false && today.left !== null && (
            <span class={today.left === 0 ? "mark bad" : "mark"}>{words.left(today.left)}</span>
          )}
          {options.length > 0 && (
            <span class="mark">{options.map((option) => localName(option.names)).join(" · ")}</span>
          )}
        </span>
      </span>
      <span class="price">{yuan(priceFen)}</span>
    </button>
  );
}
