/** The menu for staff, with the portions left today. */
import { useCallback, useEffect, useState } from "preact/hooks";
import type { Dish } from "../../clients/types.ts";
import { client } from "./client.ts";

export interface StaffDish extends Dish {
  station?: string;
  available: boolean;
}

/** A dish today; `left` is null when its portions are not counted. */
export interface DishToday {
  dish: string;
  stock: number | null;
  left: number | null;
  soldOut: boolean;
  etag: string;
}

export interface StaffMenu {
  menu: { categories: { id: string; names: Dish["names"] }[]; dishes: StaffDish[] };
  today: DishToday[];
}

/** Orders come in bursts; the menu is fetched once after each burst. */
const settleMs = 300;

export function useMenu(shop: string, round: number) {
  const [menu, setMenu] = useState<StaffMenu>();
  useEffect(() => {
    let over = false;
    const timer = setTimeout(
      async () => {
        const answer = await client
          .ask<StaffMenu>({ method: "GET", path: `/shops/${shop}/menu` })
          .catch(() => undefined);
        // The next event or the next connection fetches it again.
        if (!over && answer !== undefined) setMenu(answer);
      },
      round <= 1 ? 0 : settleMs,
    );
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [shop, round]);
  const apply = useCallback(
    (dish: DishToday) =>
      setMenu((now) => now && { ...now, today: now.today.map((one) => (one.dish === dish.dish ? dish : one)) }),
    [],
  );
  return { menu, apply };
}
