/** Paired devices of a shop: each has a staff session. */
import type { Row } from "../../db/database.ts";
import { endSession, readDevices, readDevicesAfter } from "../../db/sessions.ts";
import type { App } from "../app.ts";
import { DeviceUnknown } from "../errors.ts";
import { end } from "../sessions/login.ts";
import { changeShop, knownShop, type ShopActor } from "./open_shop.ts";
import type { PageAfter } from "./snapshots.ts";

/** At most so many devices in one answer. */
export const maxDevices = 500;

/** The devices, oldest first. @throws ShopUnknown */
export async function listDevices(app: App, shop: string, { after = "", limit = maxDevices }: PageAfter) {
  await knownShop(app, shop);
  const [rows] = await app.db.read([readDevicesAfter(shop, app.clock.now(), after, limit + 1)]);
  return { devices: rows.slice(0, limit).map(deviceOf), more: rows.length > limit };
}

/** All of them. @throws ShopUnknown */
export async function devicesOf(app: App, shop: string) {
  await knownShop(app, shop);
  const [rows] = await app.db.read([readDevices(shop, app.clock.now())]);
  return rows.map(deviceOf);
}

function deviceOf(row: Row) {
  return {
    id: String(row.id),
    device: String(row.device),
    role: String(row.role),
    createdAt: new Date(Number(row.created_at)).toISOString(),
    seenAt: new Date(Number(row.seen_at)).toISOString(),
    expiresAt: new Date(Number(row.expires_at)).toISOString(),
    online: Number(row.online) === 1,
  };
}

/** Ends a device's session and closes its sockets. @throws DeviceUnknown */
export async function revokeDevice(app: App, actor: ShopActor, shop: string, device: string): Promise<void> {
  const [rows] = await app.db.read([readDevices(shop, app.clock.now())]);
  if (!rows.some(({ id }) => id === device)) throw new DeviceUnknown(device);
  await changeShop(app, {
    actor,
    shop,
    decide: () => ({
      writes: [endSession(device, "revoked", app.clock.now())],
      audit: ["device.revoke", { device }],
      result: undefined,
    }),
  });
  await end(app, device, "revoked");
}
