/** Presence of kitchen screens: a shop is live while one of its screens sends heartbeats. */
import {
  lockShop,
  readLiveWrong,
  readShop,
  refreshScreen,
  removeScreen,
  setLive,
  upsertScreen,
} from "../../db/shops.ts";
import type { App } from "../app.ts";
import { change } from "./change.ts";
import { deliver } from "./deliver.ts";

/** A heartbeat of a kitchen screen. `id` is its connection, or its session when it polls. */
export async function heartbeat(app: App, id: string, shop: string): Promise<void> {
  const statements = [...upsertScreen(app.db.dialect, id, shop, app.clock.now()), readShop(shop)];
  const { rows } = await app.db.flight({ statements, repeatable: true });
  if (rows.at(-1)?.[0]?.live === 0) await setShopLive(app, shop, true);
}

/** Any message on the screen's connection counts as a heartbeat. */
export async function renewHeartbeat(app: App, id: string): Promise<void> {
  await app.db.flight({ statements: [refreshScreen(id, app.clock.now())], repeatable: true });
}

/** The screen has left the kitchen's stream. */
export async function endHeartbeat(app: App, id: string): Promise<void> {
  await app.db.flight({ statements: [removeScreen(id)], repeatable: true });
}

/** Corrects the live flag of shops whose screens are all silent, or have come back. */
export async function checkPresence(app: App): Promise<void> {
  const [rows] = await app.db.read([readLiveWrong(app.clock.now(), app.config.screenMs)]);
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
