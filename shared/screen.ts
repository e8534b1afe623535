/** Kitchen screens: whether a shop has one that looks. */
import { lockShop, readLiveWrong, readShop, removeScreen, seeScreen, setLive } from "../db/shops.ts";
import type { App } from "./app.ts";
import { change } from "./change.ts";
import { deliver } from "./deliver.ts";

/** A screen of the shop's kitchen says that it looks. `id` is its connection, or its session when it polls. */
export async function seen(app: App, id: string, shop: string): Promise<void> {
  const statements = [...seeScreen(app.db.dialect, id, shop, app.clock.now()), readShop(shop)];
  const { rows } = await app.db.flight({ statements, repeatable: true });
  if (rows.at(-1)?.[0]?.live === 0) await setShopLive(app, shop, true);
}

export async function unseen(app: App, id: string): Promise<void> {
  await app.db.flight({ statements: [removeScreen(id)], repeatable: true });
}

/** Shops whose screens have all fallen silent, or come back unnoticed, are marked so. */
export async function checkScreens(app: App): Promise<void> {
  const [rows = []] = await app.db.read([readLiveWrong(app.clock.now() - app.config.screenMs)]);
  for (const { id, live } of rows) await setShopLive(app, String(id), live === 0);
}

async function setShopLive(app: App, shop: string, live: boolean): Promise<void> {
  const stream = `shop:${shop}`;
  const changed = await change(app, {
    locks: [lockShop(shop)],
    streams: [stream],
    decide([rows]) {
      if (rows?.[0] === undefined || (rows[0].live === 1) === live) return { result: undefined };
      const type = live ? "kitchen.live" : "kitchen.offline";
      return { writes: [setLive(shop, live)], events: [{ stream, type, data: { live } }], result: undefined };
    },
    repeatable: true,
  });
  await deliver(app, changed);
}
