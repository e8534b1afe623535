/** Changes of the whole menu, as functions: whoever else has changed it meanwhile, they are made to what is. */
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
