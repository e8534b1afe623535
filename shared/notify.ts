/** Telling a customer or a kitchen something, stored and pushed, by staff or by another back end. */
import * as v from "valibot";
import { hasOrdered, type IdempotencyKey, readKeys, takeKeys } from "../db/orders.ts";
import { insertNotification, readNotification } from "../db/rooms.ts";
import { readShop } from "../db/shops.ts";
import type { App } from "./app.ts";
import { change } from "./change.ts";
import { deliver } from "./deliver.ts";
import { KeyReused, ShopUnknown, UserUnknown } from "./errors.ts";
import type { Notification } from "./protocol.ts";
import { id, text, ulid } from "./shape.ts";

export const notice = v.pipe(
  v.strictObject({
    /** To one customer, or … */
    user: v.optional(ulid),
    /** … to a shop's kitchen; with `user`: which shop's customer it is. */
    shop: v.optional(id),
    title: text(60, 1),
    body: v.optional(text(500), ""),
    order: v.optional(ulid),
  }),
  v.check(({ user, shop }) => user !== undefined || shop !== undefined, "a user or a shop"),
);
export type Notice = v.InferOutput<typeof notice>;

export interface Notifier {
  /** Whose idempotency keys these are. */
  readonly id: string;
  /** Staff and keys bound to a shop reach only its kitchen and the customers of its orders. */
  readonly shop: string | null;
}

/**
 * Stores a notification and pushes it; its type is always `notification`. The same key again gives the same one.
 * @throws UserUnknown, ShopUnknown, KeyReused
 */
export async function notify(
  app: App,
  by: Notifier,
  asked: Notice,
  key: string,
): Promise<{ notification: Notification; repeated: boolean }> {
  const now = app.clock.now();
  const stream = asked.user === undefined ? `shop:${asked.shop}` : `user:${asked.user}`;
  const notification: Notification = {
    id: app.random.id(),
    title: asked.title,
    body: asked.body,
    at: new Date(now).toISOString(),
    ...(asked.order === undefined ? {} : { order: asked.order }),
  };
  const taken: IdempotencyKey = {
    owner_id: by.id,
    idem_key: key,
    body_hash: app.secrets.hash(JSON.stringify([asked.user, asked.shop, asked.title, asked.body, asked.order])),
    result_id: notification.id,
    created_at: now,
  };
  const reads = [
    readKeys([taken]),
    ...(asked.shop === undefined ? [] : [readShop(asked.shop)]),
    ...(asked.user === undefined ? [] : [hasOrdered(asked.user, by.shop ?? asked.shop ?? null)]),
  ];
  await allowed();
  const changed = await change(app, {
    locks: takeKeys(app.db.dialect, [taken]),
    streams: [stream],
    reads: [readKeys([taken]), readNotification(notification.id)],
    decide(_, [keys, stored]) {
      const known = keys?.[0];
      if (known?.body_hash !== taken.body_hash) throw new KeyReused();
      // An earlier try landed, and its answer was lost.
      if (stored?.[0] !== undefined) return { result: notification };
      if (known.result_id !== notification.id) {
        const at = new Date(Number(known.created_at)).toISOString();
        return { result: { ...notification, id: String(known.result_id), at } };
      }
      return {
        writes: [insertNotification(notification.id, stream, JSON.stringify(notification), now)],
        events: [{ stream, type: "notification", data: notification, about: asked.order }],
        result: notification,
      };
    },
    repeatable: true,
  });
  await deliver(app, changed);
  return { notification: changed.result, repeated: changed.events.length === 0 };

  /** Whom it is for must exist and, for somebody bound to a shop, belong to it. A stored key still wins. */
  async function allowed(): Promise<void> {
    const [keys, ...rest] = await app.db.read(reads);
    if (keys?.[0] !== undefined) return;
    const found = (at: number) => rest[at]?.[0] !== undefined;
    if (asked.shop !== undefined && !found(0)) throw new ShopUnknown(asked.shop);
    if (asked.user !== undefined && !found(rest.length - 1)) throw new UserUnknown(asked.user);
  }
}
