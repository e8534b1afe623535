/** Edits of the whole menu, as functions: they are applied to the newest menu, also when others have changed it meanwhile. */
import { ask, codeOf } from "./client.ts";
import type { Menu, Shop } from "./types.ts";

const tries = 4;

/** @throws ApiError */
export async function editMenu(shop: Shop, edit: (menu: Menu) => Menu): Promise<void> {
  for (let [now, left] = [shop, tries]; ; left--) {
    try {
      await ask("PUT", shop.shop, "/menu", edit(now.menu), now.version);
      return;
    } catch (error) {
      if (codeOf(error) !== "VERSION_MISMATCH" || left === 0) throw error;
      now = await ask<Shop>("GET", shop.shop, "/menu");
    }
  }
}
