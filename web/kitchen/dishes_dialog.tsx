/** Dialog for 沽清: dishes sold out today, and the portions left of others. */
import { useState } from "preact/hooks";
import { Dialog } from "../shared/dialog.tsx";
import { isApiError } from "./api_error.ts";
import { client } from "./client.ts";
import { localName, why, words } from "./dictionary.ts";
import { isOffline } from "./use_connection.ts";
import type { DishToday, StaffDish, StaffMenu } from "./use_menu.ts";

export interface DishesDialogProps {
  shop: string;
  menu: StaffMenu | undefined;
  apply(dish: DishToday): void;
  onClose(): void;
}

export function DishesDialog({ shop, menu, apply, onClose }: DishesDialogProps) {
  const [wanted, setWanted] = useState("");
  const [trouble, setTrouble] = useState<string>();
  const today = new Map(menu?.today.map((one) => [one.dish, one]));
  const fits = ({ names }: StaffDish) =>
    [names.zh, names.en].some((name) => name?.toLowerCase().includes(wanted.trim().toLowerCase()));
  const groups = (menu?.menu.categories ?? [])
    .map((category) => ({
      category,
      dishes: menu?.menu.dishes.filter((dish) => dish.category === category.id && dish.available && fits(dish)) ?? [],
    }))
    .filter(({ dishes }) => dishes.length > 0);

  /** @returns whether it succeeded */
  async function change(
    method: "PUT" | "POST",
    dish: string,
    what: "sold_out" | "stock",
    body: object,
    headers: Record<string, string> = {},
  ): Promise<boolean> {
    setTrouble(undefined);
    if (isOffline()) {
      setTrouble(words.offlineRefused);
      return false;
    }
    try {
      apply(await client.ask<DishToday>({ method, path: `/shops/${shop}/dishes/${dish}/${what}`, body, headers }));
      return true;
    } catch (error) {
      if (!isApiError(error)) throw error;
      setTrouble(error.code === "VERSION_MISMATCH" ? words.soldMeanwhile : why(error));
      // The shown state was out of date.
      await client.ask<StaffMenu>({ method: "GET", path: `/shops/${shop}/menu` }).then(
        ({ today: now }) => now.forEach(apply),
        () => {},
      );
      return false;
    }
  }

  return (
    <Dialog title={words.dishes} closeLabel={words.close} onClose={onClose}>
      <div class="dishes">
        <input
          type="search"
          class="search"
          aria-label={words.findDish}
          placeholder={words.findDish}
          value={wanted}
          onInput={(event) => setWanted(event.currentTarget.value)}
        />
        <p class="trouble" role="alert">
          {trouble}
        </p>
        {menu === undefined && <p class="quiet">{words.loading}</p>}
        {menu !== undefined && groups.length === 0 && <p class="nothing">{words.noDish}</p>}
        {groups.map(({ category, dishes }) => (
          <section key={category.id} aria-labelledby={`category-${category.id}`}>
            <h3 id={`category-${category.id}`}>{localName(category.names)}</h3>
            <ul>
              {dishes.map((dish) => {
                const now = today.get(dish.id);
                return now === undefined ? null : <Row key={dish.id} dish={dish} now={now} change={change} />;
              })}
            </ul>
          </section>
        ))}
      </div>
    </Dialog>
  );
}

interface RowProps {
  dish: StaffDish;
  now: DishToday;
  change(
    method: "PUT" | "POST",
    dish: string,
    what: "sold_out" | "stock",
    body: object,
    headers?: Record<string, string>,
  ): Promise<boolean>;
}

function Row({ dish, now, change }: RowProps) {
  const [busy, setBusy] = useState(false);
  const [typed, setTyped] = useState<string>();
  const name = localName(dish.names);
  const gone = now.soldOut || now.left === 0;
  const run = async (work: () => Promise<boolean>) => {
    if (busy) return false;
    setBusy(true);
    return work().finally(() => setBusy(false));
  };
  const more = (delta: number) => void run(() => change("POST", dish.id, "stock", { delta }));
  return (
    <li class={gone ? "gone" : ""} data-dish={dish.id} aria-busy={busy}>
      <p class="name">
        {name}
        <small>{now.left === null ? words.notCounted : words.left(now.left)}</small>
      </p>
      {now.left !== null && typed === undefined && (
        <div class="stock">
          <button
            type="button"
            class="button round"
            aria-label={`${words.less} ${name}`}
            aria-disabled={busy || now.left === 0}
            onClick={() => now.left !== 0 && more(-1)}
          >
            −
          </button>
          <button
            type="button"
            class="button count"
            aria-label={`${words.setLeftOf(name)}: ${now.left}`}
            onClick={() => setTyped(String(now.left))}
          >
            {now.left}
          </button>
          <button
            type="button"
            class="button round"
            aria-label={`${words.stockMore} ${name}`}
            aria-disabled={busy}
            onClick={() => more(1)}
          >
            +
          </button>
        </div>
      )}
      {now.left !== null && typed !== undefined && (
        <form
          class="stock"
          onSubmit={async (event) => {
            event.preventDefault();
            const left = Number(typed);
            if (!/^[0-9]{1,5}$/.test(typed.trim())) return;
            const done = await run(() => change("PUT", dish.id, "stock", { left }, { "if-match": `"${now.etag}"` }));
            if (done) setTyped(undefined);
          }}
        >
          <input
            inputMode="numeric"
            aria-label={words.setLeftOf(name)}
            value={typed}
            // biome-ignore lint/a11y/noAutofocus: it replaces the button that was just pressed
            autoFocus
            onInput={(event) => setTyped(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key !== "Escape") return;
              event.preventDefault();
              event.stopPropagation();
              setTyped(undefined);
            }}
          />
          <button type="submit" class="button primary">
            {words.save}
          </button>
        </form>
      )}
      <button
        type="button"
        role="switch"
        class={`sale-switch ${now.soldOut ? "" : "on"}`}
        aria-checked={!now.soldOut}
        aria-label={`${name}: ${words.onSale}`}
        aria-disabled={busy}
        onClick={() => void run(() => change("PUT", dish.id, "sold_out", { soldOut: !now.soldOut }))}
      >
        <span class="knob" aria-hidden="true" />
        <span>{gone ? words.soldOut : words.onSale}</span>
      </button>
    </li>
  );
}
