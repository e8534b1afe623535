/** Editing of one dish: the draft, and functions that save, move or remove the dish. */
import { useState } from "preact/hooks";
import { toast } from "../shared/toast.tsx";
import { movedDish } from "./arrange.ts";
import { ask, codeOf, showError } from "./client.ts";
import { words } from "./dictionary.ts";
import { editMenu } from "./edit_menu.ts";
import { hasTooLong, isNamed } from "./fields.tsx";
import { optionsFault } from "./options.tsx";
import { type Conflict, save } from "./save.ts";
import type { Dish, Shop } from "./types.ts";

export interface DishEditProps {
  shop: Shop;
  dish: Dish;
  isNew: boolean;
  reload(): Promise<unknown>;
  onClose(): void;
}

/** The dish as it was when editing began: the draft is compared with it, also when newer versions arrive. */
interface Base {
  dish: Dish | undefined;
  version: number;
}

export interface DishEdit {
  draft: Dish;
  /** Saving was tried: faults are shown from now on. */
  tried: boolean;
  busy: boolean;
  /** Another user changed the same fields. */
  conflict: Conflict<Dish> | undefined;
  setDraft(change: (now: Dish) => Dish): void;
  save(): Promise<void>;
  /** Saves the choice made in a conflict. */
  resolve(chosen: Dish, theirs: { value: Dish; version: number }): void;
  dropConflict(): void;
  /** @param by places: -1 is up, 1 is down */
  move(by: number): Promise<void>;
  remove(): Promise<void>;
}

export function useDishEdit({ shop, dish, isNew, reload, onClose }: DishEditProps): DishEdit {
  const [base, setBase] = useState<Base>({ dish: isNew ? undefined : dish, version: shop.version });
  const [draft, setDraft] = useState(dish);
  const [tried, setTried] = useState(false);
  const [busy, setBusy] = useState(false);
  const [conflict, setConflict] = useState<Conflict<Dish>>();

  const remote = {
    async read() {
      const now = await ask<Shop>("GET", shop.shop, "/menu");
      return { value: now.menu.dishes.find(({ id }) => id === dish.id), version: now.version };
    },
    write: (value: Dish, version: number) => ask("PUT", shop.shop, `/dishes/${dish.id}`, value, version),
  };

  async function saveFrom(from: Base, value: Dish): Promise<void> {
    setTried(true);
    if (isFaulty(value) || hasTooLong()) return;
    setBusy(true);
    try {
      const saved = await save(remote, from.dish, value, from.version);
      if (saved.how === "disputed") setConflict(saved);
      else {
        if (saved.how === "gone") toast(words.gone);
        else toast(saved.merged ? words.merged : words.saved);
        await reload();
        onClose();
      }
    } catch (error) {
      showError(error);
    }
    setBusy(false);
  }

  return {
    draft,
    tried,
    busy,
    conflict,
    setDraft,
    save: () => saveFrom(base, draft),
    resolve(chosen, { value, version }) {
      setDraft(chosen);
      setBase({ dish: value, version });
      void saveFrom({ dish: value, version }, chosen);
    },
    dropConflict: () => setConflict(undefined),
    async move(by) {
      setBusy(true);
      await editMenu(shop, (menu) => movedDish(menu, dish.id, by))
        .then(reload)
        .catch(showError);
      setBusy(false);
    },
    async remove() {
      await ask("DELETE", shop.shop, `/dishes/${dish.id}`).catch((error) => {
        // Already removed by another user.
        if (codeOf(error) !== "DISH_UNKNOWN") throw error;
      });
      await reload();
      onClose();
    },
  };
}

export const isId = (text: string): boolean => /^[A-Za-z0-9_-]{1,40}$/.test(text);

/** @returns whether the server would refuse this dish */
export function isFaulty({ names, priceFen, packingFen, dailyStock, station, options }: Dish): boolean {
  return (
    !isNamed(names) ||
    [priceFen, packingFen].some((fen) => !(fen >= 0)) ||
    (dailyStock !== null && !(dailyStock >= 0 && dailyStock <= 100_000)) ||
    (station !== undefined && !isId(station)) ||
    options.some((option) => optionsFault(option) !== undefined)
  );
}
